//go:build race

package live_test

// serveForMemory: the race detector needs many times the memory of what it watches, so that there is
// nothing to be measured. See memory_test.go.
func serveForMemory() bool { return false }
