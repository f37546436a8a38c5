package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"math/big"
	"strings"

	"ward"
)

// crockford is the alphabet of recovery codes: no I, L, O or U, so that nothing is read as something else.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	codeBytes    = 16 // of randomness
	checksumBits = 12
	codeLength   = (codeBytes*8 + checksumBits) / 5 // characters, without hyphens
	codeGroup    = 4
)

// A Code is a recovery code: 128 random bits that a person prints and keeps. With it alone they open their keyring
// on a new device, and their export with the stock age command.
type Code struct{ secret [codeBytes]byte }

// Errors of ParseCode, which a person reads while typing.
var (
	ErrCodeLength   = errors.New("a recovery code has 28 letters and digits")
	ErrCodeLetter   = errors.New("a recovery code has no such letter")
	ErrCodeChecksum = errors.New("a letter or digit of the recovery code is wrong")
)

// NewCode makes a random code.
func NewCode() Code {
	var c Code
	rand.Read(c.secret[:])
	return c
}

// CodeOf is the code of 16 bytes.
func CodeOf(secret [16]byte) Code { return Code{secret} }

// ParseCode reads what a person typed: spaces and hyphens do not count, nor does case; O is 0, I and L are 1.
func ParseCode(typed string) (Code, error) {
	clean := strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(typed))
	if len(clean) != codeLength {
		return Code{}, ErrCodeLength
	}
	n := new(big.Int)
	for _, letter := range clean {
		at := strings.IndexRune(crockford, letter)
		if at < 0 {
			return Code{}, ErrCodeLetter
		}
		n.Lsh(n, 5).Or(n, big.NewInt(int64(at)))
	}
	sum := new(big.Int).And(n, big.NewInt(1<<checksumBits-1)).Int64()
	var c Code
	n.Rsh(n, checksumBits).FillBytes(c.secret[:])
	if sum != c.checksum() {
		return Code{}, ErrCodeChecksum
	}
	return c, nil
}

// Text is the code as it is printed, and as age takes it for a passphrase.
func (c Code) Text() string {
	n := new(big.Int).SetBytes(c.secret[:])
	n.Lsh(n, checksumBits).Or(n, big.NewInt(c.checksum()))
	var letters [codeLength]byte
	for i := range letters {
		shift := uint(5 * (codeLength - 1 - i))
		letters[i] = crockford[new(big.Int).Rsh(n, shift).Int64()&31]
	}
	var text strings.Builder
	for i := 0; i < codeLength; i += codeGroup {
		if i > 0 {
			text.WriteByte('-')
		}
		text.Write(letters[i : i+codeGroup])
	}
	return text.String()
}

func (c Code) checksum() int64 {
	sum := sha256.Sum256(append([]byte("ward recovery code v1"), c.secret[:]...))
	return int64(sum[0])<<4 | int64(sum[1])>>4
}

// Proof is what shows the server that one has the code.
func (c Code) Proof() ward.RecoveryProof {
	return ward.RecoveryProof{
		Lookup: ward.B64.EncodeToString(derive(c.secret[:], "ward/recovery/lookup/1", 16)),
		Token:  ward.B64.EncodeToString(derive(c.secret[:], "ward/recovery/token/1", 32)),
	}
}

// Key is what the server keeps to check a Proof with.
func (c Code) Key() ward.RecoveryKey {
	token := derive(c.secret[:], "ward/recovery/token/1", 32)
	return ward.RecoveryKey{Lookup: c.Proof().Lookup, TokenHash: Hash(token)}
}

func (Code) String() string   { return "[redacted]" }
func (Code) GoString() string { return "[redacted]" }
