package ledger

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"ward"
	"ward/store"
)

// The log as other people's tools read it: a C2SP checkpoint, and tiles (c2sp.org/tlog-tiles). It is public, since it is
// hashes of what nobody can guess.

// GetCheckpoint answers GET /ledger/{org}/checkpoint: the log as it is now, whether agreed or not, signed by its origin.
func (k *Keeper) GetCheckpoint(ctx context.Context, _ ward.Caller, w http.ResponseWriter, r *http.Request) error {
	org := ward.OrgID(r.PathValue("org"))
	var size int64
	var root [32]byte
	err := k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if size, err = sizeOf(ctx, tx, org); err != nil {
			return err
		}
		root, err = newTree(tx, org, size).rootAt(ctx, size)
		return err
	})
	if err != nil {
		return err
	}
	own, err := k.secretsOf(ctx, org)
	if err != nil {
		return err
	}
	signer, err := newOriginSigner(k.Host+"/ledger/"+string(org), own.origin)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.name, size, base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(signed)
	return nil
}

// originSigner signs notes with a log's origin.
type originSigner struct {
	name string
	hash uint32
	key  ed25519.PrivateKey
}

func newOriginSigner(name string, key ed25519.PrivateKey) (*originSigner, error) {
	text, err := note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(text)
	if err != nil {
		return nil, err
	}
	return &originSigner{name, v.KeyHash(), key}, nil
}

func (s *originSigner) Name() string                     { return s.name }
func (s *originSigner) KeyHash() uint32                  { return s.hash }
func (s *originSigner) Sign(text []byte) ([]byte, error) { return ed25519.Sign(s.key, text), nil }

// GetTile answers GET /ledger/{org}/tile/…: a tile of hashes, or a bundle of entries.
func (k *Keeper) GetTile(ctx context.Context, _ ward.Caller, w http.ResponseWriter, r *http.Request) error {
	org := ward.OrgID(r.PathValue("org"))
	want, err := parseTile(r.PathValue("tile"))
	if err != nil {
		return noTile()
	}
	var body []byte
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		size, err := sizeOf(ctx, tx, org)
		if err != nil {
			return err
		}
		body, err = want.read(ctx, tx, org, size)
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if want.width == tileWidth {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Write(body)
	return nil
}

func noTile() error { return ward.Errorf(ward.Missing, "the log has no such tile") }

// tilePath is what a tile's path asks for.
type tilePath struct {
	level, n, width int64 // level -1 for entries
}

// maxTile is more tiles than a log will have, and few enough to count leaves with.
const maxTile = 1 << 40

// parseTile reads LEVEL/N or entries/N, where N is in groups of three digits, all but the last marked by an x, and
// .p/WIDTH follows if the tile is not full.
func parseTile(path string) (tilePath, error) {
	no := errors.New("not the path of a tile")
	level, rest, ok := strings.Cut(path, "/")
	if !ok {
		return tilePath{}, no
	}
	t := tilePath{level: -1, width: tileWidth}
	if level != "entries" {
		n, err := strconv.ParseUint(level, 10, 8)
		if err != nil || n > maxLevel || strconv.FormatUint(n, 10) != level {
			return tilePath{}, no
		}
		t.level = int64(n)
	}
	if whole, width, partial := strings.Cut(rest, ".p/"); partial {
		n, err := strconv.ParseUint(width, 10, 16)
		if err != nil || n == 0 || n >= tileWidth || strconv.FormatUint(n, 10) != width {
			return tilePath{}, no
		}
		rest, t.width = whole, int64(n)
	}
	groups := strings.Split(rest, "/")
	for i, group := range groups {
		digits, marked := strings.CutPrefix(group, "x")
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || len(digits) != 3 || strings.Trim(digits, "0123456789") != "" || marked != (i < len(groups)-1) || len(groups) > 1 && i == 0 && n == 0 {
			return tilePath{}, no
		}
		if t.n = t.n*1000 + int64(n); t.n > maxTile {
			return tilePath{}, no
		}
	}
	return t, nil
}

// read gives a tile's bytes, of a log of this size.
func (t tilePath) read(ctx context.Context, tx *store.Tx, org ward.OrgID, size int64) ([]byte, error) {
	if t.level >= 0 {
		hashes, err := newTree(tx, org, size).tile(ctx, t.level, t.n)
		if err != nil || int64(len(hashes)) < t.width {
			return nil, errors.Join(err, noTile())
		}
		return joinHashes(hashes[:t.width]), nil
	}
	from := t.n * tileWidth
	if from+t.width > size {
		return nil, noTile()
	}
	entries, err := commitments(ctx, tx, org, from, from+t.width)
	var body []byte
	for _, e := range entries {
		body = binary.BigEndian.AppendUint16(body, uint16(len(e)))
		body = append(body, e...)
	}
	return body, err
}
