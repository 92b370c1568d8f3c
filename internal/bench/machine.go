package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"roomkiosk/internal/harness"
)

// printMachine says where the figures come from.
func printMachine(w io.Writer, dir string) {
	load, _, _ := strings.Cut(readLine("/proc/loadavg"), " ")
	fmt.Fprintf(w, "%s, %s %s/%s, %d CPUs, load %s\n", time.Now().Format("2006-01-02 15:04 MST"),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load)
	fmt.Fprintf(w, "kernel %s; databases on %s\n", readLine("/proc/sys/kernel/osrelease"), filesystem(dir))
	if filesystem(dir) == "tmpfs" {
		fmt.Fprintln(w, "tmpfs is memory: commits cost nothing there. Set TMPDIR to a folder on a disk.")
	}
	fmt.Fprintln(w)
}

// readLine is the first line of a file; "unknown" where it can't be read.
func readLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// filesystem is the type of the filesystem that dir is on.
func filesystem(dir string) string {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "unknown"
	}
	kind, deepest := "unknown", -1
	for line := range strings.Lines(string(text)) {
		mount, source, ok := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if !ok || len(fields) < 5 {
			continue
		}
		if at := fields[4]; len(at) >= deepest && within(dir, at) { // of two at the same place the later hides the other
			kind, deepest = strings.Fields(source)[0], len(at)
		}
	}
	return kind
}

// within tells whether a path is at or below a folder.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}

// written is how many bytes a process has caused to be written to disks since it started.
func written(pid int) (int64, error) {
	fields, err := harness.ProcFields(pid, "io", ":")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(fields["write_bytes"]), 10, 64)
}

// clockTicks are the units of a second that /proc counts CPU time in: on Linux they are always these.
const clockTicks = 100

// cpuTime is what a process has spent, in user and system mode.
func cpuTime(pid int) (time.Duration, error) {
	line := readLine(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, ok := strings.Cut(line, ") ") // the name before it may hold anything
	fields := strings.Fields(after)
	if !ok || len(fields) < 13 {
		return 0, fmt.Errorf("looking at process %d: it has no CPU time", pid)
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("looking at process %d: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / clockTicks, nil
}
