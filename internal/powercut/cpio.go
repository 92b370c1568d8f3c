package main

import (
	"bytes"
	"fmt"
	"path"
)

// Types and rights of files, as cpio has them.
const (
	isDir     = 0o040755
	isProgram = 0o100755
	isConsole = 0o020600
)

// archive is an initial file system for the kernel, in cpio's format "newc" (the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst).
type archive struct {
	bytes.Buffer
	entries int
	dirs    map[string]bool
}

func newArchive() *archive { return &archive{dirs: map[string]bool{".": true}} }

// dir adds a folder and those that it is in, unless they are there.
func (a *archive) dir(name string) {
	if a.dirs[name] {
		return
	}
	a.dir(path.Dir(name))
	a.dirs[name] = true
	a.add(name, isDir, 0, 0, nil)
}

// program adds a file that can be run, and the folders that it is in.
func (a *archive) program(name string, content []byte) {
	a.dir(path.Dir(name))
	a.add(name, isProgram, 0, 0, content)
}

// console adds the device that the first process writes to before there are others.
func (a *archive) console() {
	a.dir("dev")
	a.add("dev/console", isConsole, 5, 1, nil)
}

// end returns the whole.
func (a *archive) end() []byte {
	a.add("TRAILER!!!", 0, 0, 0, nil)
	return a.Bytes()
}

func (a *archive) add(name string, mode, major, minor int, content []byte) {
	a.entries++
	a.WriteString("070701")
	for _, field := range []int{
		a.entries, mode, 0, 0, 1, 0, len(content), 0, 0, major, minor, len(name) + 1, 0,
	} {
		fmt.Fprintf(a, "%08X", field)
	}
	a.WriteString(name + "\x00")
	a.pad()
	a.Write(content)
	a.pad()
}

// pad fills up to the next multiple of four.
func (a *archive) pad() { a.Write(make([]byte, -a.Len()&3)) }
