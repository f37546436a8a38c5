package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/store"
)

// frontier is the end of a tree: the roots of the whole subtrees that it is made of, one for each bit of its size,
// largest first. It is all that adding a leaf needs.
type frontier []tlog.Hash

// add gives the frontier after one more leaf, of a tree that had size.
func (f frontier) add(size int64, leaf tlog.Hash) frontier {
	for ; size&1 == 1; size >>= 1 {
		leaf = tlog.NodeHash(f[len(f)-1], leaf)
		f = f[:len(f)-1]
	}
	return append(f, leaf)
}

// root is the root of the whole tree.
func (f frontier) root() tlog.Hash {
	if len(f) == 0 {
		root, _ := tlog.TreeHash(0, nil)
		return root
	}
	root := f[len(f)-1]
	for i := len(f) - 2; i >= 0; i-- {
		root = tlog.NodeHash(f[i], root)
	}
	return root
}

func (f frontier) bytes() []byte { return joinHashes(f) }

func parseFrontier(size int64, kept []byte) (frontier, error) {
	hashes, err := splitHashes(kept)
	if err != nil || len(hashes) != bits.OnesCount64(uint64(size)) {
		return nil, fmt.Errorf("the end of a log of %d leaves has %d bytes", size, len(kept))
	}
	return hashes, nil
}

func joinHashes(hashes []tlog.Hash) []byte {
	b := make([]byte, 0, 32*len(hashes))
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

func splitHashes(b []byte) ([]tlog.Hash, error) {
	if len(b)%32 != 0 {
		return nil, fmt.Errorf("%d bytes are no list of hashes", len(b))
	}
	hashes := make([]tlog.Hash, len(b)/32)
	for i := range hashes {
		hashes[i] = tlog.Hash(b[32*i:])
	}
	return hashes, nil
}

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// tile keeps the tiles that leaves make full, which begin at a place of the log, and adds their roots to those above.
func tile(ctx context.Context, tx *store.Tx, org ward.OrgID, from int64, leaves []tlog.Hash) error {
	for len(leaves) > 0 {
		n, within := from/tileWidth, from%tileWidth
		if within+int64(len(leaves)) < tileWidth {
			return nil
		}
		end := tileWidth - within
		whole := leaves[:end]
		if within > 0 {
			before, err := leafHashes(ctx, tx, org, from-within, from)
			if err != nil {
				return err
			}
			whole = append(before, whole...)
		}
		if len(whole) != tileWidth {
			return fmt.Errorf("the log has lost leaves between %d and %d", from-within, from)
		}
		if err := putTile(ctx, tx, org, 0, n, whole); err != nil {
			return err
		}
		if err := raise(ctx, tx, org, 1, n, subtree(whole)); err != nil {
			return err
		}
		from, leaves = from+end, leaves[end:]
	}
	return nil
}

// raise adds the n-th hash of a level to its tile, and if that makes it full, its root to the one above.
func raise(ctx context.Context, tx *store.Tx, org ward.OrgID, level, n int64, h tlog.Hash) error {
	var hashes []tlog.Hash
	if n%tileWidth > 0 {
		var err error
		if hashes, err = getTile(ctx, tx, org, level, n/tileWidth); err != nil {
			return err
		}
	}
	if int64(len(hashes)) != n%tileWidth {
		return fmt.Errorf("tile %d of level %d has %d hashes", n/tileWidth, level, len(hashes))
	}
	hashes = append(hashes, h)
	if err := putTile(ctx, tx, org, level, n/tileWidth, hashes); err != nil || len(hashes) < tileWidth {
		return err
	}
	return raise(ctx, tx, org, level+1, n/tileWidth, subtree(hashes))
}

// subtree is the root of a tree of 2^k hashes.
func subtree(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(subtree(hashes[:half]), subtree(hashes[half:]))
}

func putTile(ctx context.Context, tx *store.Tx, org ward.OrgID, level, n int64, hashes []tlog.Hash) error {
	return tx.Queue(ctx, `INSERT INTO ledger_tiles (org, level, tile, hashes) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org, level, tile) DO UPDATE SET hashes = excluded.hashes`, string(org), level, n, joinHashes(hashes))
}

// getTile reads a kept tile; one that is not kept has no hashes.
func getTile(ctx context.Context, tx *store.Tx, org ward.OrgID, level, n int64) ([]tlog.Hash, error) {
	var b []byte
	err := tx.Row(ctx, `SELECT hashes FROM ledger_tiles WHERE org = $1 AND level = $2 AND tile = $3`, string(org), level, n).Scan(&b)
	if errors.Is(err, store.ErrNoRow) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return splitHashes(b)
}

// commitments reads entries of the log, from one place up to another.
func commitments(ctx context.Context, tx *store.Tx, org ward.OrgID, from, to int64) ([][]byte, error) {
	found, err := tx.Rows(ctx, `SELECT commitment FROM ledger_leaves WHERE org = $1 AND idx >= $2 AND idx < $3 ORDER BY idx`, string(org), from, to)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all [][]byte
	for found.Next() {
		var c []byte
		if err := found.Scan(&c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, found.Err()
}

func leafHashes(ctx context.Context, tx *store.Tx, org ward.OrgID, from, to int64) ([]tlog.Hash, error) {
	all, err := commitments(ctx, tx, org, from, to)
	hashes := make([]tlog.Hash, len(all))
	for i, c := range all {
		hashes[i] = tlog.RecordHash(c)
	}
	return hashes, err
}

// tree reads hashes of a log as it is in one transaction, for tlog's proofs.
type tree struct {
	tx    *store.Tx
	org   ward.OrgID
	size  int64
	tiles map[[2]int64][]tlog.Hash
}

func newTree(tx *store.Tx, org ward.OrgID, size int64) *tree {
	return &tree{tx, org, size, map[[2]int64][]tlog.Hash{}}
}

func (t *tree) rootAt(ctx context.Context, size int64) (tlog.Hash, error) {
	return tlog.TreeHash(size, t.reader(ctx))
}

func (t *tree) reader(ctx context.Context) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			level, n := tlog.SplitStoredHashIndex(index)
			within := level % tileHeight
			first := n << within
			base, err := t.tile(ctx, int64(level/tileHeight), first/tileWidth)
			if err != nil {
				return nil, err
			}
			at := first % tileWidth
			if at+1<<within > int64(len(base)) {
				return nil, fmt.Errorf("the log has no hash %d of level %d", n, level)
			}
			hashes[i] = subtree(base[at:][:1<<within])
		}
		return hashes, nil
	}
}

// tile reads a tile as far as the tree's size makes it; one that it does not have is empty.
func (t *tree) tile(ctx context.Context, level, n int64) ([]tlog.Hash, error) {
	if hashes, ok := t.tiles[[2]int64{level, n}]; ok {
		return hashes, nil
	}
	if level < 0 || level > maxLevel || n < 0 || n > t.size/tileWidth {
		return nil, nil
	}
	width := min(t.size>>(tileHeight*level)-n*tileWidth, tileWidth)
	if width <= 0 {
		return nil, nil
	}
	var hashes []tlog.Hash
	var err error
	if level > 0 || width == tileWidth {
		hashes, err = getTile(ctx, t.tx, t.org, level, n)
	}
	if err == nil && level == 0 && len(hashes) == 0 {
		hashes, err = leafHashes(ctx, t.tx, t.org, n*tileWidth, n*tileWidth+width)
	}
	if err != nil {
		return nil, err
	}
	if int64(len(hashes)) < width {
		return nil, fmt.Errorf("tile %d of level %d has %d hashes of %d", n, level, len(hashes), width)
	}
	t.tiles[[2]int64{level, n}] = hashes[:width]
	return hashes[:width], nil
}

// maxLevel of tiles: 2^56 leaves are more than a log will have.
const maxLevel = 6
