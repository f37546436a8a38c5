package chain

import (
	"ward/ledger/receipt"
)

// A trie holds the chain's state: its root is what validators sign. Its form is in receipt/state.go. A change makes a new
// trie that shares what did not change, so a block that is tried and given up leaves nothing behind, and the state of
// the block before stays at hand for proofs.
//
// It lives in memory: about 300 bytes a key. A line of cards is one key, so a million people take 300 MB.
type trie struct{ root *branch }

// branch is a branch, or a leaf if it has no sides.
type branch struct {
	side       [2]*branch
	key, value receipt.Hash // of a leaf
	hash       receipt.Hash
	hashed     bool
}

func (b *branch) leaf() bool { return b.side[0] == nil && b.side[1] == nil }

// get is what is at a key; zero if nothing is.
func (t trie) get(key receipt.Key) (value receipt.Hash, ok bool) {
	b := t.root
	for depth := 0; b != nil; depth++ {
		if b.leaf() {
			if b.key == key {
				return b.value, true
			}
			return receipt.Hash{}, false
		}
		b = b.side[bit(key, depth)]
	}
	return receipt.Hash{}, false
}

func (t trie) set(key receipt.Key, value receipt.Hash) trie {
	return trie{put(t.root, &branch{key: key, value: value}, 0)}
}

func put(b, leaf *branch, depth int) *branch {
	if b == nil || b.leaf() && b.key == leaf.key {
		return leaf
	}
	var next branch
	if b.leaf() {
		next.side[bit(b.key, depth)] = b
	} else {
		next.side = b.side
	}
	at := bit(leaf.key, depth)
	next.side[at] = put(next.side[at], leaf, depth+1)
	return &next
}

func (t trie) drop(key receipt.Key) trie { return trie{take(t.root, key, 0)} }

func take(b *branch, key receipt.Key, depth int) *branch {
	if b == nil {
		return nil
	}
	if b.leaf() {
		if b.key == key {
			return nil
		}
		return b
	}
	at := bit(key, depth)
	left := take(b.side[at], key, depth+1)
	if left == b.side[at] {
		return b
	}
	other := b.side[1-at]
	switch {
	case left == nil && other != nil && other.leaf():
		return other // a subtree with one leaf is that leaf
	case other == nil && (left == nil || left.leaf()):
		return left
	}
	next := &branch{}
	next.side[at], next.side[1-at] = left, other
	return next
}

func (t trie) hash() receipt.Hash { return t.root.sum() }

func (b *branch) sum() receipt.Hash {
	if b == nil {
		return receipt.Hash{}
	}
	if !b.hashed {
		if b.leaf() {
			b.hash = receipt.StateLeaf(b.key, b.value)
		} else {
			b.hash = receipt.StateBranch(b.side[0].sum(), b.side[1].sum())
		}
		b.hashed = true
	}
	return b.hash
}

// prove gives what is beside the way to a key, and what is at its end.
func (t trie) prove(key receipt.Key) (path []receipt.Hash, value *receipt.Hash, other *receipt.Leaf) {
	b := t.root
	for depth := 0; b != nil && !b.leaf(); depth++ {
		at := bit(key, depth)
		path = append(path, b.side[1-at].sum())
		b = b.side[at]
	}
	switch {
	case b == nil:
	case b.key == key:
		v := b.value
		value = &v
	default:
		other = &receipt.Leaf{Key: b.key, Value: b.value}
	}
	return path, value, other
}

func bit(k receipt.Key, i int) int { return int(k[i>>3] >> (7 - i&7) & 1) }
