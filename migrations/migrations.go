// Package migrations holds the schemas of the kiosk's two databases as numbered SQL, one folder
// each, in the form that goose reads. They only go forward: a database that is newer than the
// program is refused (journal) or made anew (cache), never taken back.
//
// Tables are STRICT. Instants are INTEGER microseconds since 1970 in UTC, durations INTEGER
// microseconds. A migration that was released is never edited; a change is a new file.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed journal/*.sql cache/*.sql
var files embed.FS

// Journal returns the schema of journal.db: what must never be lost.
func Journal() fs.FS { return folder("journal") }

// Cache returns the schema of cache.db: what can be read anew.
func Cache() fs.FS { return folder("cache") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // only for a name that isn't a valid path
	}
	return sub
}
