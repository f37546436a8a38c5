package receipt

import (
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

// Fields of a block's header. The header's hash is the root of an RFC 6962 tree over its 14 fields.
const (
	fieldData           = 6  // DataHash: the transactions
	fieldValidators     = 7  // ValidatorsHash: who signs this block
	fieldNextValidators = 8  // NextValidatorsHash: who signs the next
	fieldApp            = 10 // AppHash: the state after the block before
	headerFields        = 14
)

// headerHash builds the root from the fields that are known, each a hash, and the rest: the roots of the largest
// subtrees without a known field, from left to right.
func headerHash(known map[int]Hash, rest []Hash) (Hash, error) {
	var walk func(from, to int) (Hash, error)
	walk = func(from, to int) (Hash, error) {
		inside := false
		for i := from; i < to; i++ {
			if _, ok := known[i]; ok {
				inside = true
			}
		}
		if !inside {
			if len(rest) == 0 {
				return Hash{}, errors.New("the header is cut off")
			}
			h := rest[0]
			rest = rest[1:]
			return h, nil
		}
		if to-from == 1 {
			value := known[from]
			return Hash(tlog.RecordHash(field(nil, 0x0a, value[:]))), nil
		}
		middle := from + half(to-from)
		l, err := walk(from, middle)
		if err != nil {
			return Hash{}, err
		}
		r, err := walk(middle, to)
		if err != nil {
			return Hash{}, err
		}
		return node(l, r), nil
	}
	h, err := walk(0, headerFields)
	if err == nil && len(rest) > 0 {
		err = errors.New("the header is longer than a header")
	}
	return h, err
}

// HeaderRest gives what a proof needs of a header besides what is known of it: see headerHash. leaves are the RFC 6962
// leaf hashes of all its fields.
func HeaderRest(leaves [headerFields]Hash, known ...int) []Hash {
	var rest []Hash
	var walk func(from, to int) (Hash, bool)
	walk = func(from, to int) (Hash, bool) {
		if to-from == 1 {
			for _, k := range known {
				if k == from {
					return leaves[from], true
				}
			}
			return leaves[from], false
		}
		middle := from + half(to-from)
		at := len(rest)
		l, inLeft := walk(from, middle)
		between := len(rest)
		r, inRight := walk(middle, to)
		switch {
		case inLeft && !inRight:
			rest = append(rest, r)
		case inRight && !inLeft:
			rest = append(rest[:at], append([]Hash{l}, rest[between:]...)...)
		}
		return node(l, r), inLeft || inRight
	}
	walk(0, headerFields)
	return rest
}

// What a proof of each kind knows of a header.
var (
	BlockFields  = []int{fieldData, fieldValidators}
	ChangeFields = []int{fieldValidators, fieldNextValidators}
	StateFields  = []int{fieldValidators, fieldApp}
)

// half is the size of the left part of a tree of n leaves: the largest power of two below n.
func half(n int) int {
	k := 1
	for k<<1 < n {
		k <<= 1
	}
	return k
}

// treeHash is the RFC 6962 root over leaf hashes.
func treeHash(leaves []Hash) Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := half(len(leaves))
	return node(treeHash(leaves[:k]), treeHash(leaves[k:]))
}
