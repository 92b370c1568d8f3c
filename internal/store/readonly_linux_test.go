package store

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// A file that this process may only read, such as one that an administrator's command left behind,
// is found out when it is opened, not by the first tap.
func TestFileThatMayOnlyBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	fill(t, path)
	dir := filepath.Dir(path)
	for name, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: 0o777, path: 0o444} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t)
	j, err := OpenJournal(path)
	if err == nil {
		_ = j.Close()
		t.Fatal("opened")
	}
	if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("got %v", err)
	}
}

// asNobody takes from this goroutine's thread, for the rest of the test, the right to pass over the
// modes of files that root has.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	become := func(id uintptr) { _, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, id, 0, 0) } // it returns no error
	become(nobody)
	t.Cleanup(func() {
		become(0)
		runtime.UnlockOSThread()
	})
}
