package live_test

func serveForMemory() bool { return false }
