package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"ward/seal/envelope"
)

// app serves the browser app from memory: each file once as it is and once compressed. Files under assets/ have a
// hash in their name and never change; the others are asked for again each time. Any other path is a screen of the
// app, which index.html shows.
type app map[string]asset

type asset struct {
	body, compressed []byte
	kind, etag       string
}

const noApp = "Ward runs, and its app has not been built. Run: go run ./build ward\n"

func newApp(files fs.FS) (app, error) {
	a := app{}
	if files == nil {
		return a, nil
	}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		var compressed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
		if _, err := w.Write(body); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		item := asset{body: body, kind: kindOf(name), etag: `"` + envelope.Hash(body)[:22] + `"`}
		if compressed.Len() < len(body) {
			item.compressed = compressed.Bytes()
		}
		a["/"+name] = item
		return nil
	})
	return a, err
}

// kindOf is the media type of a file; those that systems disagree on are named here.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

func (a app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "only GET here", http.StatusMethodNotAllowed)
		return
	}
	item, err := a.find(r.URL.Path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", item.kind)
	h.Set("ETag", item.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == item.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := item.body
	if item.compressed != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = item.compressed
	}
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

func (a app) find(name string) (asset, error) {
	if item, ok := a[name]; ok {
		return item, nil
	}
	if path.Ext(name) != "" {
		return asset{}, errors.New("there is no such file")
	}
	if item, ok := a["/index.html"]; ok {
		return item, nil
	}
	return asset{body: []byte(noApp), kind: "text/plain; charset=utf-8", etag: `"none"`}, nil
}
