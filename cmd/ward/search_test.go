package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSearchFindsACanaryHoweverItIsWritten(t *testing.T) {
	const canary = "Amsel Zirbenholz 7731"
	for name, text := range map[string]string{
		"as it is":         canary,
		"lower case":       strings.ToLower(canary),
		"in JSON":          `{"name":"` + canary + `"}`,
		"UTF-16":           "A\x00m\x00s\x00e\x00l\x00 \x00Z\x00i\x00r\x00b\x00e\x00n\x00h\x00o\x00l\x00z\x00 \x007\x007\x003\x001\x00",
		"hex":              hex.EncodeToString([]byte("..." + canary)),
		"base64":           base64.StdEncoding.EncodeToString([]byte(canary)),
		"base64, moved":    base64.StdEncoding.EncodeToString([]byte("x" + canary + "y")),
		"base64, again":    base64.RawURLEncoding.EncodeToString([]byte("xy" + canary + "yz")),
		"in an address":    "/find?name=Amsel+Zirbenholz+7731",
		"in an address %":  "/find?name=amsel%20zirbenholz%207731",
		"across blocks":    strings.Repeat("x", 1<<20-5) + canary,
		"after many":       strings.Repeat("x", 5<<20) + canary + strings.Repeat("x", 5<<20),
		"in a folded line": "x\n" + canary + "\n",
	} {
		hits, err := newSearcher([]string{"Somebody Else 1", canary}).reader(name, iotest.HalfReader(strings.NewReader(text)))
		if err != nil || len(hits) == 0 || hits[0].canary != canary {
			t.Errorf("%s: found %v, %v", name, hits, err)
		}
	}
}

func TestSearchFindsNothingInWhatIsSealed(t *testing.T) {
	noise := bytes.Repeat([]byte("age-encryption.org/v1 mlkem768x25519 QW1zZWw"), 1000)
	hits, err := newSearcher([]string{"Amsel Zirbenholz 7731"}).reader("noise", bytes.NewReader(noise))
	if err != nil || len(hits) > 0 {
		t.Errorf("found %v, %v", hits, err)
	}
}

func TestSearchLooksAtTheNamesOfFilesToo(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter to amsel zirbenholz 7731.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	hits, err := newSearcher([]string{"Amsel Zirbenholz 7731"}).tree(dir)
	if err != nil || len(hits) != 1 || !strings.HasPrefix(hits[0].where, "the name of ") {
		t.Errorf("found %v, %v", hits, err)
	}
}

func TestWalkFindsWhatIsRenamedWhileItWalks(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"b/first": "1", "c/gone": "2", "c/moved": "3", "d/last": "4"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := map[string]int{}
	err := walkLive(dir, func(path string, entry os.DirEntry) error {
		if entry.IsDir() {
			return nil
		}
		if path == filepath.Join(dir, "b", "first") { // the chain is at work
			if err := errors.Join(os.Rename(filepath.Join(dir, "c", "moved"), filepath.Join(dir, "a")), os.Remove(filepath.Join(dir, "c", "gone"))); err != nil && len(read) == 0 {
				t.Fatal(err)
			}
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read[string(content)]++
		if string(content) == "1" && read["1"] == 1 { // a folder that was listed goes, too
			return os.RemoveAll(filepath.Join(dir, "c"))
		}
		return nil
	})
	if want := map[string]int{"1": 1, "3": 1, "4": 1}; err != nil || !maps.Equal(read, want) {
		t.Errorf("read %v, %v; want %v", read, err, want)
	}
}

func TestWalkFailsAtWhatCannotBeRead(t *testing.T) {
	if err := walkLive(filepath.Join(t.TempDir(), "nothing"), func(string, os.DirEntry) error { return nil }); err == nil {
		t.Error("a folder that is not there was walked")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := walkLive(dir, func(path string, _ os.DirEntry) error {
		if path == dir {
			return nil
		}
		return fs.ErrNotExist
	}); err == nil {
		t.Error("what always went away before it was read counts as searched")
	}
	if err := walkLive(dir, func(string, os.DirEntry) error { return fs.ErrPermission }); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}
