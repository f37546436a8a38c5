package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// app is a small browser app of every kind of part that web knows.
var app = map[string]string{
	"web/index.html":                     `<!doctype html><link rel="stylesheet" href="/src/main.css"><link rel="manifest" href="/manifest.webmanifest"><script type="module" src="/src/main.ts"></script>`,
	"web/src/main.ts":                    `document.title = 'ward'; import('./later.ts').then((m) => m.late())`,
	"web/src/later.ts":                   `export function late() { document.title = 'later' }`,
	"web/src/main.css":                   `@font-face { font-family: a; src: url(./a.woff2) } body { font-family: a }`,
	"web/src/a.woff2":                    "not really a font",
	"web/src/sw.ts":                      `declare const ASSETS: string[], VERSION: string; console.log(VERSION, ASSETS)`,
	"web/src/visit/media.worker.ts":      `import { late } from '../later.ts'; late()`,
	"web/src/visit/background.worker.ts": `console.log("few ask for this")`,
	"web/public/manifest.webmanifest":    `{"name":"Ward"}`,
	"web/dist/.keep":                     "",
	"web/dist/assets/old-XXXXXXXX.js":    "from the build before",
}

func TestTheAppIsBundledUnderHashedNames(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, app)
	if err := web(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := readDist(t)
	var names []string
	hash := regexp.MustCompile(`-[A-Z0-9]{8}\.`)
	for name := range first {
		names = append(names, hash.ReplaceAllString(name, "-HASH."))
	}
	want := []string{
		".keep", "assets/a-HASH.woff2", "assets/later-HASH.js", "assets/main-HASH.css", "assets/main-HASH.js",
		"background.js", "files.txt", "frames.js", "index.html", "manifest.webmanifest", "sw.js",
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(names))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	page := first["index.html"]
	for name := range first {
		if name == ".keep" || name == "sw.js" || name == "files.txt" { // which is asked for, to compare with what is recorded
			continue
		}
		if listed := strings.Contains(first["sw.js"], `"/`+name+`"`); listed == later(name) {
			t.Errorf("sw.js lists %s: %t", name, listed)
		}
		if strings.HasPrefix(name, "assets/main-") && !strings.Contains(page, `"/`+name+`"`) {
			t.Errorf("index.html does not name %s: %s", name, page)
		}
	}
	if strings.Contains(page, "/src/") {
		t.Errorf("index.html names a source: %s", page)
	}

	if err := web(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, readDist(t)); diff != "" {
		t.Errorf("built again, the app differs:\n%s", diff)
	}
}

func TestAFaultInTheAppIsShownWithItsPlace(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, app)
	writeFiles(t, map[string]string{"web/src/later.ts": "export function late( {"})
	if err := web(t.Context()); err == nil || !strings.Contains(err.Error(), "src/later.ts:1") {
		t.Errorf("got %v", err)
	}
}

func writeFiles(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readDist(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(webOut, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(webOut, path)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
