// Package receipt is how anyone checks what the ledger says, without trusting who says it.
//
// An organisation keeps a log (RFC 6962) of commitments: one for each thing that happened or was written. Now and then
// it sends the log's size and root, a checkpoint, to the chain, which several organisations run. A receipt leads
// from one thing to the signatures of more than two thirds of them:
//
//	what happened → commitment → leaf → the log's root → checkpoint → block → signatures
//
// Who checks starts from a Trust: the chain's name, its validators and the log's key, pinned when they joined. Every
// step is a SHA-256 or a signature, so a browser does it alone: web/src/ledger/verify.ts is this package's twin, and
// testdata/vectors/receipts holds both to the same answers. The bytes are in docs/formats.md.
//
// What it does not show: that what happened was written down at all, which only those who were there can know. Names of
// organisations in a Trust are as the server told them; CheckNames shows what is agreed of them.
package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Limits of what is read.
const (
	MaxReceipt    = 1 << 20 // 100 validators with post-quantum signatures fill half of it
	MaxValidators = 150     // more than a consortium has; each costs a signature to check
	maxPath       = 64      // no log or trie that fits a disk is deeper
	maxStatePath  = 256     // a trie over 256-bit keys
	maxPower      = 1 << 31 // so that sums stay exact in a browser too
)

// Hash is a SHA-256. In JSON it is base64url without padding, as all bytes of Ward are.
type Hash = Bytes32

// Key names an origin, a label or a signer: 32 bytes.
type Key = Bytes32

// Bytes32 are 32 bytes.
type Bytes32 [32]byte

var b64 = base64.RawURLEncoding.Strict()

// MarshalText writes them.
func (h Bytes32) MarshalText() ([]byte, error) { return []byte(b64.EncodeToString(h[:])), nil }

// UnmarshalText reads them.
func (h *Bytes32) UnmarshalText(text []byte) error {
	raw, err := b64.DecodeString(string(text))
	if err != nil || len(raw) != len(h) || b64.EncodedLen(len(raw)) != len(text) { // b64 alone skips line breaks
		return fmt.Errorf("%.50q is not 32 bytes in base64url", text)
	}
	copy(h[:], raw)
	return nil
}

// String writes them as JSON does.
func (h Bytes32) String() string { return b64.EncodeToString(h[:]) }

// Bytes are any number of bytes.
type Bytes []byte

// MarshalText writes them.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b64.EncodeToString(b)), nil }

// UnmarshalText reads them.
func (b *Bytes) UnmarshalText(text []byte) error {
	raw, err := b64.DecodeString(string(text))
	if err != nil || b64.EncodedLen(len(raw)) != len(text) {
		return errors.New("bytes are not in base64url without padding")
	}
	*b = raw
	return nil
}

// Signed is a block's header, as far as it must be known, and who signed it.
type Signed struct {
	Chain     string `json:"chain"`
	Height    int64  `json:"height"`
	Round     int32  `json:"round"`
	Header    []Hash `json:"header"` // the rest of the header's tree: see headerHash
	Parts     int64  `json:"parts"`
	PartsHash Hash   `json:"partsHash"`
	Votes     []Vote `json:"votes"` // by validator, ascending
}

// Vote is one validator's signature. In JSON: [validator, seconds, nanoseconds, signature].
type Vote struct {
	Validator int64 // its place in the set
	Seconds   int64
	Nanos     int64
	Signature Bytes
}

// MarshalJSON writes it as an array.
func (v Vote) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{v.Validator, v.Seconds, v.Nanos, v.Signature})
}

// UnmarshalJSON reads it.
func (v *Vote) UnmarshalJSON(data []byte) error {
	var fields []json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	if len(fields) != 4 {
		return fmt.Errorf("a vote has 4 parts, not %d", len(fields))
	}
	for i, into := range []any{&v.Validator, &v.Seconds, &v.Nanos, &v.Signature} {
		if err := json.Unmarshal(fields[i], into); err != nil {
			return err
		}
	}
	return nil
}

// Block is a signed block with a checkpoint in it: all of a receipt but the place of one leaf.
type Block struct {
	Signed
	Tx      Bytes  `json:"tx"`
	TxIndex int64  `json:"txIndex"`
	TxTotal int64  `json:"txTotal"`
	TxPath  []Hash `json:"txPath"`
}

// Receipt leads from a leaf of an organisation's log to a signed block.
type Receipt struct {
	Block
	Index int64  `json:"index"`
	Size  int64  `json:"size"`
	Path  []Hash `json:"path"`
}

// Agreed is what a set of validators signed, and how many of them.
type Agreed struct {
	Height int64
	Time   time.Time // the median of the times at which they signed
	Size   int64     // of the log
	Root   Hash
	Votes  []int // the validators that signed, by their places in the set
	Of     int   // of so many
}

// ErrNotAgreed is why a receipt is not worth anything: too few of the trusted validators signed it.
var ErrNotAgreed = errors.New("not signed by more than two thirds of the organisations that are trusted")

// Check follows a receipt from a commitment to the trusted validators' signatures.
func (t Trust) Check(commitment Entry, r Receipt) (Agreed, error) {
	agreed, err := t.CheckBlock(r.Block)
	if err != nil {
		return Agreed{}, err
	}
	if r.Size != agreed.Size {
		return Agreed{}, fmt.Errorf("the receipt is of a log of %d, its checkpoint of one of %d", r.Size, agreed.Size)
	}
	root, err := climb(Hash(tlog.RecordHash(commitment[:])), r.Index, r.Size, r.Path)
	if err != nil {
		return Agreed{}, fmt.Errorf("the leaf's path: %w", err)
	}
	if root != agreed.Root {
		return Agreed{}, errors.New("this is not what was agreed: it leads to another root")
	}
	return agreed, nil
}

// CheckBlock checks that a block is signed by the trusted validators and holds a checkpoint of the trusted log. That it is
// in the block is enough: a block with a transaction that does not hold is refused as a whole.
func (t Trust) CheckBlock(b Block) (Agreed, error) {
	tx, err := ParseTx(b.Tx)
	if err != nil {
		return Agreed{}, err
	}
	if tx.Kind != KindCheckpoint || tx.Signer != t.Origin {
		return Agreed{}, errors.New("this is not a checkpoint of this organisation's log")
	}
	checkpoint, err := ParseCheckpoint(tx.Body)
	if err != nil {
		return Agreed{}, err
	}
	id := sha256.Sum256(b.Tx)
	data, err := climb(Hash(tlog.RecordHash(id[:])), b.TxIndex, b.TxTotal, b.TxPath)
	if err != nil {
		return Agreed{}, fmt.Errorf("the transaction's path: %w", err)
	}
	agreed, err := t.check(b.Signed, map[int]Hash{fieldData: data})
	if err != nil {
		return Agreed{}, err
	}
	agreed.Size, agreed.Root = checkpoint.New, checkpoint.Root
	return agreed, nil
}

// check tells whether the trusted validators signed a block whose header says what is known of it.
func (t Trust) check(s Signed, known map[int]Hash) (Agreed, error) {
	if s.Chain != t.Chain {
		return Agreed{}, errors.New("this is of another chain")
	}
	if s.Height < 1 || s.Round < 0 || s.Parts < 1 || s.Parts > maxParts || len(s.Votes) > len(t.Validators) || len(t.Validators) > MaxValidators {
		return Agreed{}, errors.New("the block's numbers cannot be")
	}
	set, err := ValidatorsHash(t.Validators)
	if err != nil {
		return Agreed{}, err
	}
	known[fieldValidators] = set
	header, err := headerHash(known, s.Header)
	if err != nil {
		return Agreed{}, err
	}
	agreed := Agreed{Height: s.Height, Of: len(t.Validators)}
	var times []time.Time
	var power, total int64
	for _, v := range t.Validators {
		total += v.Power
	}
	last := int64(-1)
	for _, v := range s.Votes {
		if v.Validator <= last || v.Validator >= int64(len(t.Validators)) {
			return Agreed{}, errors.New("a vote is of no validator, or counted twice")
		}
		last = v.Validator
		if v.Seconds < 0 || v.Seconds > maxSeconds || v.Nanos < 0 || v.Nanos > 999_999_999 {
			return Agreed{}, errors.New("a vote's time cannot be")
		}
		signer := t.Validators[v.Validator]
		if !signer.verifies(signBytes(s, header, v), v.Signature) {
			return Agreed{}, fmt.Errorf("the signature of validator %d is not good", v.Validator)
		}
		power += signer.Power
		times = append(times, time.Unix(v.Seconds, v.Nanos).UTC())
		agreed.Votes = append(agreed.Votes, int(v.Validator))
	}
	if power*3 <= total*2 {
		return Agreed{}, ErrNotAgreed
	}
	slices.SortFunc(times, time.Time.Compare)
	agreed.Time = times[(len(times)-1)/2]
	return agreed, nil
}

// maxParts is more than the largest block has: it may have 100 MB, in parts of 64 KiB.
const maxParts = 2000

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

// signBytes are what a validator signs when it commits to a block: CometBFT's CanonicalVote, with its length before.
func signBytes(s Signed, header Hash, v Vote) []byte {
	parts := binary.AppendUvarint([]byte{0x08}, uint64(s.Parts))
	parts = field(parts, 0x12, s.PartsHash[:])
	block := field(nil, 0x0a, header[:])
	block = field(block, 0x12, parts)
	var at []byte
	if v.Seconds != 0 {
		at = binary.AppendUvarint(append(at, 0x08), uint64(v.Seconds))
	}
	if v.Nanos != 0 {
		at = binary.AppendUvarint(append(at, 0x10), uint64(v.Nanos))
	}
	m := binary.LittleEndian.AppendUint64([]byte{0x08, 0x02, 0x11}, uint64(s.Height)) // a precommit
	if s.Round != 0 {
		m = binary.LittleEndian.AppendUint64(append(m, 0x19), uint64(s.Round))
	}
	m = field(m, 0x22, block)
	m = field(m, 0x2a, at)
	m = field(m, 0x32, []byte(s.Chain))
	return append(binary.AppendUvarint(nil, uint64(len(m))), m...)
}

// field appends a field of a protocol buffer: its tag, the length, the bytes.
func field(b []byte, tag byte, value []byte) []byte {
	b = binary.AppendUvarint(append(b, tag), uint64(len(value)))
	return append(b, value...)
}

// climb gives the root that a leaf's audit path leads to (RFC 9162, section 2.1.3.2).
func climb(h Hash, index, size int64, path []Hash) (Hash, error) {
	if index < 0 || index >= size || len(path) > maxPath {
		return Hash{}, errors.New("there is no such place")
	}
	i, last := index, size-1
	for _, p := range path {
		if last == 0 {
			return Hash{}, errors.New("longer than the tree is deep")
		}
		if i&1 == 1 || i == last {
			h = node(p, h)
			for i&1 == 0 && i != 0 {
				i, last = i>>1, last>>1
			}
		} else {
			h = node(h, p)
		}
		i, last = i>>1, last>>1
	}
	if last != 0 {
		return Hash{}, errors.New("cut off")
	}
	return h, nil
}

func node(l, r Hash) Hash { return Hash(tlog.NodeHash(tlog.Hash(l), tlog.Hash(r))) }

// Parse reads a receipt, a set change, a proof or a trust: one JSON value, no unknown fields.
func Parse[T Receipt | Block | Change | StateProof | Trust | Folder | Proof | Line | Names](data []byte) (T, error) {
	var value, none T
	if len(data) > MaxReceipt {
		return none, errors.New("longer than any receipt")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&value); err != nil {
		return none, fmt.Errorf("read a receipt: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return none, errors.New("read a receipt: something follows it")
	}
	return value, nil
}
