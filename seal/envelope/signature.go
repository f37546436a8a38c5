package envelope

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"

	"ward"
)

// RFC 8032 leaves some signatures to the library: those by keys of small order, which anybody can make, and those with
// numbers that are written in a second way. One that half of the browsers take would split a clinic, so all refuse them
// by their bytes, before any library is asked.

// Numbers as Ed25519 has them, 32 bytes, here with the highest first.
const (
	fieldPrime = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
	groupOrder = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"
)

// smallOrder has the y of the eight points of small order; three of the five belong to two points each.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000001",
	"05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
	"7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
	"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
}

// Signed tells whether a key, b64, signed a message.
func Signed(key string, message, signature []byte) bool {
	public, err := ward.B64.DecodeString(key)
	if err != nil || len(signature) != ed25519.SignatureSize || checkSigningPoint(public) != nil || checkSigningPoint(signature[:32]) != nil {
		return false
	}
	return number(signature[32:]) < groupOrder && ed25519.Verify(public, message, signature)
}

// checkSigningPoint looks at a public key, or at the R of a signature: y in 255 bits, then the sign of x.
func checkSigningPoint(point []byte) error {
	if len(point) != ed25519.PublicKeySize {
		return fmt.Errorf("it is %d bytes long", len(point))
	}
	y := slices.Clone(point)
	y[len(y)-1] &= 0x7f
	switch n := number(y); {
	case n >= fieldPrime:
		return fmt.Errorf("its y is p or more: a second writing of another")
	case slices.Contains(smallOrder, n):
		return fmt.Errorf("it is of small order")
	}
	return nil
}

// number writes bytes, lowest first, so that they compare as numbers do.
func number(low []byte) string {
	high := slices.Clone(low)
	slices.Reverse(high)
	return hex.EncodeToString(high)
}
