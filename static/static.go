// Package static holds what browsers fetch besides pages: style sheets, scripts, icons. Every file is
// served under a name that contains a hash of its content, so that it can be kept for ever.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed *.css *.js
var files embed.FS

// Prefix is where the files are served.
const Prefix = "/static/"

type asset struct {
	url     string
	kind    string // media type
	raw     []byte
	gzipped []byte // nil where it isn't smaller
}

// Assets are the embedded files with their hashed names.
type Assets struct {
	byName map[string]*asset
	byURL  map[string]*asset
	hash   string
}

// Load reads the embedded files. It panics on a file that can't be read: that is a broken build.
func Load() *Assets {
	a := &Assets{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	all := sha256.New()
	names, err := fs.Glob(files, "*")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		raw, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(raw)
		all.Write([]byte(name))
		all.Write(sum[:])
		ext := path.Ext(name)
		it := &asset{
			url:     Prefix + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			kind:    kindOf(ext),
			raw:     raw,
			gzipped: squeeze(raw),
		}
		a.byName[name], a.byURL[it.url] = it, it
	}
	a.hash = hex.EncodeToString(all.Sum(nil)[:6])
	return a
}

// URL is where the file of that name is served. It panics on an unknown name: views name files that
// exist.
func (a *Assets) URL(name string) string {
	it, ok := a.byName[name]
	if !ok {
		panic("static: no file " + name)
	}
	return it.url
}

// Hash changes when any file does.
func (a *Assets) Hash() string { return a.hash }

// ServeHTTP serves the files under their hashed names, compressed where the browser can.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	it, ok := a.byURL[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", it.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := it.raw
	if it.gzipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = it.gzipped
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// kindOf is the media type of files of that extension. The machine's own table (package mime reads it)
// isn't asked: browsers refuse a script that some machine takes for text.
func kindOf(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		panic("static: no media type for " + ext)
	}
}

func squeeze(raw []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err)
	}
	if _, err := z.Write(raw); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	if b.Len() >= len(raw) {
		return nil
	}
	return b.Bytes()
}
