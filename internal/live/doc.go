// Package live shows the latest state of things to everybody who watches, over websockets.
//
// A [Hub] holds topics. A topic has one frame, the latest; [Hub.Publish] replaces it. A socket
// watches one topic or many: when it joins it gets a hello, then the latest frame of each topic,
// then every newer one. This is state, not a log: a socket that is slow misses the frames in
// between and goes on with the newest; one that takes nothing for ten seconds is dropped.
//
// Every frame is prepared once, and the same bytes go to every socket. A socket at rest costs one
// goroutine, its reader: a writer exists only while there is something to write. There are no timers
// in this package but one ticker for all heartbeats.
//
// Frames are JSON texts. What a page does with them is in static/live.js:
//
//	{"type":"hello","now":1700000000000,"rate":1,"build":"abc","beat":15000}
//	{"type":"part","id":"screen","rev":17,"html":"<main id=\"screen\">...</main>"}
//	{"type":"beat","now":1700000000000,"build":"abc"}
//
// A page says one thing, once it has painted after a beat; anything else ends its socket. [Hub.Presence]
// tells which topics have pages that are alive:
//
//	{"type":"alive"}
//
// Instants are milliseconds since 1970 by the server's clock, rate is how many of its seconds pass
// in one (the demo's clock runs faster), beat is the interval of heartbeats in milliseconds.
package live
