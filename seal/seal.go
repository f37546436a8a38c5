// Package seal holds keys in hand: it makes and opens everything that docs/formats.md describes. A person's keyring,
// their passkeys and recovery code, the locks that charts and teams are, grants of them, entries, snapshots, proofs
// of requests, invitations, and the folder of an export.
//
// Whoever can import this package can open what its keys open, so the server cannot reach it (imports_test.go); what
// things look like from outside is in seal/envelope. Nothing here talks to a network.
//
// What it does not protect: keys are ordinary memory. Go does not promise to wipe it, and a program that can read
// this one's memory reads its keys.
//
// Read seal.go (age files and signatures), keyring.go, lock.go, content.go, then the rest in any order.
package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"github.com/btcsuite/btcd/btcutil/bech32"

	"ward"
	"ward/seal/envelope"
)

// scryptWork is the work factor (log2 N) of files under a recovery code. The code has 128 random bits, so the work
// protects nothing by itself; 15 keeps an old phone under a second.
const scryptWork = 15

// maxScryptWork is the most work this package does for a file from outside.
const maxScryptWork = 20

// An Identity opens what is sealed to its recipient: an age post-quantum hybrid key pair.
type Identity struct {
	key  *age.HybridIdentity
	text string
}

// NewIdentity makes a random identity.
func NewIdentity() (Identity, error) {
	var seed [32]byte
	rand.Read(seed[:])
	return IdentityOf(seed[:])
}

// IdentityOf makes the identity of a 32-byte seed.
func IdentityOf(seed []byte) (Identity, error) {
	if len(seed) != 32 {
		return Identity{}, fmt.Errorf("an identity's seed is 32 bytes, not %d", len(seed))
	}
	text, err := bech32.EncodeFromBase256("age-secret-key-pq-", seed)
	if err != nil {
		return Identity{}, fmt.Errorf("write identity: %w", err)
	}
	return ParseIdentity(strings.ToUpper(text))
}

// ParseIdentity reads an identity's text, AGE-SECRET-KEY-PQ-1….
func ParseIdentity(text string) (Identity, error) {
	key, err := age.ParseHybridIdentity(text)
	if err != nil || key.String() != text {
		return Identity{}, errors.New("this is not an age post-quantum identity") // the cause could quote the secret
	}
	return Identity{key, text}, nil
}

// Secret is the identity's text. Whoever has it opens everything sealed to it.
func (i Identity) Secret() string { return i.text }

// Recipient is what others seal to.
func (i Identity) Recipient() string { return i.key.Recipient().String() }

func (Identity) String() string   { return "[redacted]" }
func (Identity) GoString() string { return "[redacted]" }

// A SigningKey is an Ed25519 key.
type SigningKey struct{ key ed25519.PrivateKey }

// NewSigningKey makes a random key.
func NewSigningKey() SigningKey {
	var seed [32]byte
	rand.Read(seed[:])
	return SigningKeyOf(seed)
}

// SigningKeyOf makes the key of a seed.
func SigningKeyOf(seed [32]byte) SigningKey { return SigningKey{ed25519.NewKeyFromSeed(seed[:])} }

// Seed is the 32 secret bytes.
func (k SigningKey) Seed() [32]byte { return [32]byte(k.key.Seed()) }

// Public is the key that checks signatures, b64.
func (k SigningKey) Public() string {
	return ward.B64.EncodeToString(k.key.Public().(ed25519.PublicKey))
}

// Sign is an envelope.Signer.
func (k SigningKey) Sign(message []byte) ([]byte, error) { return ed25519.Sign(k.key, message), nil }

func (SigningKey) String() string   { return "[redacted]" }
func (SigningKey) GoString() string { return "[redacted]" }

// derive is HKDF-SHA-256 with an empty salt.
func derive(key []byte, info string, length int) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, info, length)
	if err != nil {
		panic("seal: derive " + info + ": " + err.Error()) // only a length above 8,160 bytes fails
	}
	return out
}

// Seal seals data to recipients.
func Seal(data []byte, recipients ...string) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := SealTo(&sealed, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed.Bytes(), nil
}

// SealTo seals a stream: what is written to the result goes, sealed, to w. Close ends it.
func SealTo(w io.Writer, recipients ...string) (io.WriteCloser, error) {
	keys := make([]age.Recipient, len(recipients))
	for i, text := range recipients {
		key, err := age.ParseHybridRecipient(text)
		if err != nil {
			return nil, fmt.Errorf("seal: recipient %d is not an age post-quantum recipient", i+1)
		}
		keys[i] = key
	}
	sealed, err := age.Encrypt(w, keys...)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// SealedSize is the size of an age file to one hybrid recipient of n bytes: header, nonce, and a tag for each chunk
// of 64 KiB, of which there is always one.
func SealedSize(n int64) int64 {
	const chunk, tag, nonce = 64 << 10, 16, 16
	chunks := max(1, (n+chunk-1)/chunk)
	return envelope.HeaderSize + nonce + n + chunks*tag
}

// Open opens what is sealed to the identity and refuses more than limit bytes.
func Open(sealed []byte, identity Identity, limit int64) ([]byte, error) {
	r, err := OpenFrom(bytes.NewReader(sealed), identity)
	if err != nil {
		return nil, err
	}
	return readLimited(r, limit)
}

// OpenFrom opens a stream. Read it to its end before trusting its whole: each chunk is authentic as it comes, but only the end
// says that nothing is missing.
func OpenFrom(sealed io.Reader, identity Identity) (io.Reader, error) {
	r, err := age.Decrypt(sealed, identity.key)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return r, nil
}

// SealWithCode seals data with a recovery code as age passphrase.
func SealWithCode(data []byte, code Code) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(code.Text())
	if err != nil {
		return nil, fmt.Errorf("seal with recovery code: %w", err)
	}
	recipient.SetWorkFactor(scryptWork)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, fmt.Errorf("seal with recovery code: %w", err)
	}
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("seal with recovery code: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal with recovery code: %w", err)
	}
	return sealed.Bytes(), nil
}

// OpenWithCode opens what SealWithCode sealed.
func OpenWithCode(sealed []byte, code Code, limit int64) ([]byte, error) {
	identity, err := age.NewScryptIdentity(code.Text())
	if err != nil {
		return nil, fmt.Errorf("open with recovery code: %w", err)
	}
	identity.SetMaxWorkFactor(maxScryptWork)
	r, err := age.Decrypt(bytes.NewReader(sealed), identity)
	if err != nil {
		return nil, fmt.Errorf("open with recovery code: %w", err)
	}
	return readLimited(r, limit)
}

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("open: it holds more than %d bytes", limit)
	}
	return data, nil
}

// Hash is the SHA-256 of data, b64: how files and statements are named.
func Hash(data []byte) string { return envelope.Hash(data) }
