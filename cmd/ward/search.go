package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// searcher looks for canaries: words that occur nowhere else. It finds a word however a program would write it by
// accident: in any of three cases, in UTF-8 or UTF-16, in hex, in either base64 at each of its three alignments, and
// with %-escapes. What was compressed it does not find: nothing on the server compresses what it is given.
type searcher struct {
	forms   []form
	longest int
	read    int64 // bytes looked at
}

// A form is a canary as some program might write it.
type form struct {
	canary, how string
	bytes       []byte
}

// A hit is a canary where none may be.
type hit struct{ where, canary, how string }

func (h hit) String() string { return fmt.Sprintf("%s holds %q (%s)", h.where, h.canary, h.how) }

func newSearcher(canaries []string) *searcher {
	s := &searcher{}
	seen := map[string]bool{}
	add := func(canary, how string, b []byte) {
		if seen[string(b)] {
			return
		}
		seen[string(b)] = true
		s.forms = append(s.forms, form{canary, how, b})
		s.longest = max(s.longest, len(b))
	}
	for _, canary := range canaries {
		for _, text := range []string{canary, strings.ToLower(canary), strings.ToUpper(canary)} {
			raw := []byte(text)
			add(canary, "as it is", raw)
			add(canary, "in UTF-16", wide(text, binary.LittleEndian))
			add(canary, "in UTF-16", wide(text, binary.BigEndian))
			add(canary, "in hex", []byte(hex.EncodeToString(raw)))
			add(canary, "in hex", []byte(strings.ToUpper(hex.EncodeToString(raw))))
			add(canary, "escaped", []byte(strings.ReplaceAll(text, " ", "%20")))
			add(canary, "escaped", []byte(strings.ReplaceAll(text, " ", "+")))
			for offset := range 3 {
				add(canary, "in base64", aligned(base64.StdEncoding, raw, offset))
				add(canary, "in base64", aligned(base64.URLEncoding, raw, offset))
			}
		}
	}
	return s
}

// aligned is the part of the base64 of raw that does not depend on what stands before or after it, if raw begins at
// an offset of 0, 1 or 2 bytes into a group of three.
func aligned(encoding *base64.Encoding, raw []byte, offset int) []byte {
	skip := (3 - offset) % 3 // bytes that share a group with what stands before
	if skip >= len(raw) {
		return raw
	}
	whole := raw[skip:]
	whole = whole[:len(whole)/3*3]
	if len(whole) < 9 {
		return raw // too short to be told from chance: twelve characters of base64 at least
	}
	return []byte(encoding.EncodeToString(whole))
}

func wide(text string, order binary.AppendByteOrder) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return b
}

// reader looks through all that r gives, in blocks that overlap by the longest form.
func (s *searcher) reader(where string, r io.Reader) ([]hit, error) {
	var hits []hit
	found := map[string]bool{}
	block := make([]byte, 0, 1<<20+s.longest)
	for {
		n, err := io.ReadFull(r, block[len(block):cap(block)])
		block = block[:len(block)+n]
		s.read += int64(n)
		for _, f := range s.forms {
			if !found[f.canary+f.how] && bytes.Contains(block, f.bytes) {
				found[f.canary+f.how] = true
				hits = append(hits, hit{where, f.canary, f.how})
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return hits, nil
		}
		if err != nil {
			return hits, fmt.Errorf("search %s: %w", where, err)
		}
		kept := copy(block, block[max(0, len(block)-s.longest):])
		block = block[:kept]
	}
}

// tree looks through the names and contents of all files below a folder, whose program may be running.
func (s *searcher) tree(dir string) ([]hit, error) {
	var hits []hit
	err := walkLive(dir, func(path string, entry os.DirEntry) error {
		in, err := s.reader("the name of "+path, strings.NewReader(path))
		hits = append(hits, in...)
		if err != nil || !entry.Type().IsRegular() { // a folder, or the socket by which an operator asks
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		more, err := s.reader(path, f)
		hits = append(hits, more...)
		return err
	})
	return hits, err
}

// livePasses bounds how often a folder is walked because files went away: a chain that is busy renames some all the time.
const livePasses = 20

// walkLive visits all that is below a folder in which a program may be at work. What goes away before it is visited may
// have been renamed to where the walk was already, so the folder is walked again for what is new.
func walkLive(dir string, visit func(path string, entry os.DirEntry) error) error {
	visited := map[string]bool{}
	for range livePasses {
		gone := false
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			vanished := errors.Is(err, fs.ErrNotExist) && path != dir
			if err != nil && !vanished {
				return err
			}
			var version string
			if !vanished {
				version, err = versionOf(path, entry)
			}
			if err == nil && !visited[version] {
				err = visit(path, entry)
				visited[version] = err == nil
			}
			if errors.Is(err, fs.ErrNotExist) {
				gone = true
				return nil
			}
			return err
		})
		if err != nil || !gone {
			return err
		}
	}
	return fmt.Errorf("files of %s went away each of %d times that it was walked, so it was not searched whole", dir, livePasses)
}

// versionOf names a file as it is now: written again or put in the place of another it has another name. A folder's own
// times change with each file in it, and do not count.
func versionOf(path string, entry os.DirEntry) (string, error) {
	info, err := entry.Info()
	if err != nil || entry.IsDir() {
		return path, err
	}
	return fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano()), nil
}
