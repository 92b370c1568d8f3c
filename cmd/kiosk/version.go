package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"roomkiosk/internal/store"
	"roomkiosk/static"
)

// release is set by the linker: make build does.
var release = "dev" //nolint:gochecknoglobals // the linker can only set a package variable

// version prints what this binary is made of.
func (p program) version(args []string) error {
	if err := p.parse(p.flags("version"), args); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "kiosk %s\ncommit %s\n%s %s/%s\nSQLite %s\n",
		release, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH, store.SQLiteVersion())
	return nil
}

// commit is the revision that the binary was built from, where the build knew it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	return revision + dirty
}

// buildID changes with every build. Pages of another build reload themselves. The size and date of
// the executable stand for its content, which would take a slow machine longer to read.
func buildID(assets *static.Assets) string {
	id := release + assets.Hash()
	if path, err := os.Executable(); err == nil {
		if info, err := os.Stat(path); err == nil {
			id += fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		}
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:6])
}
