package migrations

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The rules of the package comment, for every file that is and will be.
func TestFiles(t *testing.T) {
	name := regexp.MustCompile(`^(\d{5})_[a-z0-9_]+\.sql$`)
	table := regexp.MustCompile(`(?s)CREATE TABLE [^;]*;`)
	for folder, fsys := range map[string]fs.FS{"journal": Journal(), "cache": Cache()} {
		files, err := fs.ReadDir(fsys, ".")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("%s is empty", folder)
		}
		for i, f := range files {
			body, err := fs.ReadFile(fsys, f.Name())
			if err != nil {
				t.Fatal(err)
			}
			text, at := string(body), folder+"/"+f.Name()
			if m := name.FindStringSubmatch(f.Name()); m == nil || m[1] != fmt.Sprintf("%05d", i+1) {
				t.Errorf("%s: not the name of number %d", at, i+1)
			}
			if !strings.HasPrefix(text, "-- +goose Up\n") || strings.Contains(text, "+goose Down") {
				t.Errorf("%s: doesn't go up, or not only", at)
			}
			for _, create := range table.FindAllString(text, -1) {
				if !strings.HasSuffix(create, ") STRICT;") {
					t.Errorf("%s: not STRICT: %s", at, create)
				}
			}
			for _, clock := range []string{"now", "CURRENT_"} {
				if strings.Contains(text, clock) {
					t.Errorf("%s: asks SQLite for the time", at)
				}
			}
		}
	}
}
