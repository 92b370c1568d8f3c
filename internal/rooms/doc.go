// Package rooms is the domain: what a room is, what is reserved in it, what people tapped at its
// door, and what the door therefore says.
//
// The heart is [ScreenOf], a pure function from everything known about a room, and an instant, to
// its [Screen]. A [Keeper] owns one room: it feeds that function and hands every new screen to a
// [Publisher]. Nothing else derives the state of a room.
//
// The package knows only the standard library. What it needs from outside (a calendar, Zoom, a
// journal, a clock) it names as interfaces in ports.go; their implementations never meet.
package rooms
