package receipt

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind is the first byte of a transaction.
type Kind byte

// Kinds of transactions, and who signs them.
const (
	KindCheckpoint Kind = 1 // the origin of a log
	KindLink       Kind = 2 // the origin of a log
	KindVote       Kind = 3 // an operator
	KindRelease    Kind = 4 // any release key; what counts are the signatures in the body
	KindLog        Kind = 6 // an operator
)

// MaxTx is the longest transaction. The longest there is, a vote for a post-quantum key, is 2 KiB.
const MaxTx = 8 << 10

const (
	txHead = 1 + 32 // kind, signer
	txMin  = txHead + ed25519.SignatureSize
)

// Tx is a transaction: kind 1 | signer 32 | body | signature 64. All numbers in bodies are big endian.
type Tx struct {
	Kind      Kind
	Signer    Key
	Body      []byte
	Signature [ed25519.SignatureSize]byte
}

// ParseTx reads a transaction. It does not check the signature.
func ParseTx(raw []byte) (Tx, error) {
	if len(raw) < txMin || len(raw) > MaxTx {
		return Tx{}, fmt.Errorf("a transaction has %d to %d bytes, not %d", txMin, MaxTx, len(raw))
	}
	end := len(raw) - ed25519.SignatureSize
	return Tx{Kind(raw[0]), Key(raw[1:txHead]), raw[txHead:end], [ed25519.SignatureSize]byte(raw[end:])}, nil
}

// Encode writes it.
func (t Tx) Encode() []byte { return append(t.unsigned(), t.Signature[:]...) }

func (t Tx) unsigned() []byte {
	raw := append([]byte{byte(t.Kind)}, t.Signer[:]...)
	return append(raw, t.Body...)
}

// SignTx makes a transaction for one chain.
func SignTx(chain string, key ed25519.PrivateKey, kind Kind, body []byte) []byte {
	t := Tx{Kind: kind, Signer: Key(key.Public().(ed25519.PublicKey)), Body: body}
	t.Signature = [ed25519.SignatureSize]byte(ed25519.Sign(key, txMessage(chain, t.unsigned())))
	return t.Encode()
}

// Signed tells whether its signer signed it, for this chain.
func (t Tx) Signed(chain string) bool {
	return ed25519.Verify(t.Signer[:], txMessage(chain, t.unsigned()), t.Signature[:])
}

func txMessage(chain string, unsigned []byte) []byte {
	return append([]byte("ward/tx/v1\x00"+chain), unsigned...)
}

// Checkpoint says that a log of old leaves, whose root is agreed, has grown to new ones:
// old 8 | new 8 | root 32 | n 1 | attempt 2 | n × 32 of consistency proof.
type Checkpoint struct {
	Old, New int64
	Root     Hash
	Attempt  uint16 // other bytes for the same thing, when it must be sent again
	Proof    []Hash
}

const checkpointHead = 8 + 8 + 32 + 1 + 2

// Body writes it.
func (c Checkpoint) Body() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.Old))
	b = binary.BigEndian.AppendUint64(b, uint64(c.New))
	b = append(b, c.Root[:]...)
	b = append(b, byte(len(c.Proof)))
	b = binary.BigEndian.AppendUint16(b, c.Attempt)
	for _, h := range c.Proof {
		b = append(b, h[:]...)
	}
	return b
}

// ParseCheckpoint reads it. It does not check the proof.
func ParseCheckpoint(body []byte) (Checkpoint, error) {
	if len(body) < checkpointHead {
		return Checkpoint{}, errors.New("the checkpoint is cut off")
	}
	c := Checkpoint{
		Old:     int64(binary.BigEndian.Uint64(body)),
		New:     int64(binary.BigEndian.Uint64(body[8:])),
		Root:    Hash(body[16:48]),
		Attempt: binary.BigEndian.Uint16(body[49:]),
	}
	n := int(body[48])
	if n > 2*maxPath || len(body) != checkpointHead+32*n {
		return Checkpoint{}, errors.New("the checkpoint's proof has another length than it says")
	}
	if c.Old < 0 || c.New <= c.Old || c.New > maxSize {
		return Checkpoint{}, errors.New("a checkpoint must grow the log")
	}
	for i := range n {
		c.Proof = append(c.Proof, Hash(body[checkpointHead+32*i:]))
	}
	return c, nil
}

// maxSize of a log: whole numbers that a browser holds exactly.
const maxSize = 1<<53 - 1

// Link puts one more card on a person's line: label 32 | previous 32 | commitment 32.
type Link struct {
	Label    Key
	Previous Hash // what the state holds at the label; zero at first
	Value    Hash // what it holds after
}

// Body writes it.
func (l Link) Body() []byte {
	return append(append(append([]byte{}, l.Label[:]...), l.Previous[:]...), l.Value[:]...)
}

// ParseLink reads it.
func ParseLink(body []byte) (Link, error) {
	if len(body) != 96 {
		return Link{}, fmt.Errorf("a link has 96 bytes, not %d", len(body))
	}
	return Link{Key(body[:32]), Hash(body[32:64]), Hash(body[64:])}, nil
}
