package receipt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// An auditor reads a whole log, as C2SP's tiles that anyone may fetch, and compares it with what the chain agreed on: so an
// organisation that took a leaf out, or put another in its place, is found by anyone who takes the trouble.

// tileHeight is C2SP's: 256 hashes.
const tileHeight = 8

// maxCheckpoint is longer than a signed note with a dozen witnesses.
const maxCheckpoint = 64 << 10

// ParseNote reads the size and the root that a checkpoint claims (c2sp.org/tlog-checkpoint). It does not check its
// signature: what the log is worth, the chain says.
func ParseNote(text []byte) (Seen, error) {
	lines := strings.SplitN(string(text), "\n", 4)
	if len(text) > maxCheckpoint || len(lines) < 4 {
		return Seen{}, errors.New("this is not a checkpoint of a log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, b64err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || size < 0 || size > maxSize || lines[1] != strconv.FormatInt(size, 10) || b64err != nil || len(root) != 32 || len(lines[2]) != base64.StdEncoding.EncodedLen(32) {
		return Seen{}, errors.New("this is not a checkpoint of a log")
	}
	return Seen{size, Hash(root)}, nil
}

// A Fetch gets a part of a log by its path: checkpoint, tile/0/x001/067.
type Fetch func(path string) ([]byte, error)

// Audit reads all leaves of a log, up to the size that its checkpoint claims, and gives that head. It checks that the
// leaves make the root that is claimed, and that what was agreed is how the log began.
func Audit(fetch Fetch, agreed ...Seen) (Seen, error) {
	note, err := fetch("checkpoint")
	if err != nil {
		return Seen{}, err
	}
	claimed, err := ParseNote(note)
	if err != nil {
		return Seen{}, err
	}
	roots := map[int64]Hash{}
	var largest int64
	for _, a := range agreed {
		if a.Size > claimed.Size {
			return claimed, fmt.Errorf("the log ends after %d leaves, and %d were agreed on: the end is missing", claimed.Size, a.Size)
		}
		largest = max(largest, a.Size)
	}
	roots[claimed.Size] = Hash{}
	for _, a := range agreed {
		roots[a.Size] = Hash{}
	}
	var f frontier
	for at := int64(0); at < claimed.Size; {
		count := min(claimed.Size-at, 1<<tileHeight)
		data, err := fetch(tilePath(at>>tileHeight, count))
		if err != nil {
			return claimed, err
		}
		if int64(len(data)) < 32*count || len(data) > 32<<tileHeight {
			return claimed, fmt.Errorf("the leaves from %d on are cut off", at)
		}
		for ; count > 0; count-- {
			f.add(Hash(data[:32]))
			data = data[32:]
			at++
			if _, wanted := roots[at]; wanted {
				roots[at] = f.root()
			}
		}
	}
	if claimed.Size > 0 && roots[claimed.Size] != claimed.Root {
		return claimed, errors.New("the leaves do not make the root that the log claims: some were changed")
	}
	for _, a := range agreed {
		if a.Size > 0 && roots[a.Size] != a.Root {
			return claimed, fmt.Errorf("the first %d leaves are not those that were agreed on: %w", a.Size, ErrForked)
		}
	}
	return claimed, nil
}

// tilePath is where the leaf hashes of a tile are (c2sp.org/tlog-tiles).
func tilePath(n, count int64) string {
	p := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		p = fmt.Sprintf("x%03d/%s", n%1000, p)
	}
	p = "tile/0/" + p
	if count < 1<<tileHeight {
		p += fmt.Sprintf(".p/%d", count)
	}
	return p
}

// frontier is what must be kept of a tree to let it grow: the roots of its full subtrees, the largest first.
type frontier struct {
	size  int64
	roots []Hash
}

// add takes a leaf's hash.
func (f *frontier) add(leaf Hash) {
	for n := f.size; n&1 == 1; n >>= 1 {
		leaf = node(f.roots[len(f.roots)-1], leaf)
		f.roots = f.roots[:len(f.roots)-1]
	}
	f.roots = append(f.roots, leaf)
	f.size++
}

// root is the RFC 6962 root of all leaves so far.
func (f *frontier) root() Hash {
	if len(f.roots) == 0 {
		h, _ := tlog.TreeHash(0, nil)
		return Hash(h)
	}
	h := f.roots[len(f.roots)-1]
	for i := len(f.roots) - 2; i >= 0; i-- {
		h = node(f.roots[i], h)
	}
	return h
}
