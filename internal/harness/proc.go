package harness

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Resident is a process's resident memory in bytes: all of it, and the part that isn't its files
// (the binary is one).
func Resident(pid int) (all, own float64, err error) {
	fields, err := ProcFields(pid, "status", ":")
	if err != nil {
		return 0, 0, err
	}
	all, err = Kibibytes(fields["VmRSS"])
	if err != nil {
		return 0, 0, err
	}
	own, err = Kibibytes(fields["RssAnon"])
	return all, own, err
}

// Kibibytes reads a size of /proc, in bytes.
func Kibibytes(text string) (float64, error) {
	number, found := strings.CutSuffix(strings.TrimSpace(text), " kB")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !found {
		return 0, fmt.Errorf("reading a size: %q is none", text)
	}
	return n * 1024, nil
}

// ProcFields reads a file of names and values in a process's folder of /proc.
func ProcFields(pid int, name, separator string) (map[string]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		return nil, fmt.Errorf("looking at a process: %w", err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, separator); ok {
			fields[key] = strings.TrimRight(value, "\n")
		}
	}
	return fields, nil
}
