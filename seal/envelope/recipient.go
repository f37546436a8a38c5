package envelope

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// A recipient is a public key that others seal to: age1pq1… is bech32 (BIP 173, without its limit of 90 characters) of an
// encapsulation key of ML-KEM-768 (FIPS 203) and a point of X25519 (RFC 7748).
//
// It is looked at in full before a statement counts, since libraries differ in what they seal to. One refuses a
// coefficient of q or more and another seals to it; one refuses a point of low order only when it seals; all take a
// second writing of a point. A card that one client takes and another cannot seal to would stop every lock that its
// person holds from being rotated.
const (
	recipientPrefix = "age1pq"
	// RecipientLength is that of every recipient: prefix, separator, 1,216 bytes in groups of five bits, checksum.
	RecipientLength = 1959

	bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	bech32Checksum = 6

	latticeSize = 1184 // 768 coefficients of 12 bits, and the seed of the matrix
	latticeSeed = 32
	latticeQ    = 3329
	pointSize   = 32
)

// lowOrder are the points of Curve25519, by their u-coordinates, whose order divides 8 (RFC 7748, section 6.1, and the
// curve's author's list, without the writings of p and more): what is agreed with them is zero, whoever asks.
var lowOrder = [][pointSize]byte{
	{},
	{1},
	{
		0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
	},
	{
		0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
	},
	{
		0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
	},
}

// CheckRecipient tells whether everyone can seal to a recipient, and whether it is written in its one form.
func CheckRecipient(value string) error {
	key, err := recipientBytes(value)
	if err != nil {
		return fmt.Errorf("recipient is not an age post-quantum recipient (age1pq1…, %d characters): %w", RecipientLength, err)
	}
	if err := checkLattice(key[:latticeSize]); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	if err := checkPoint([pointSize]byte(key[latticeSize:])); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	return nil
}

// recipientBytes decodes the bech32, in lower case.
func recipientBytes(value string) ([]byte, error) {
	data, ok := strings.CutPrefix(value, recipientPrefix+"1")
	if !ok || len(value) != RecipientLength {
		return nil, errors.New("its length or beginning is another")
	}
	sum := uint32(1)
	for _, c := range recipientPrefix {
		sum = bech32Step(sum, uint32(c)>>5)
	}
	sum = bech32Step(sum, 0)
	for _, c := range recipientPrefix {
		sum = bech32Step(sum, uint32(c)&31)
	}
	var key []byte
	var bits, n uint32
	for i := range len(data) {
		word := strings.IndexByte(bech32Alphabet, data[i])
		if word < 0 {
			return nil, errors.New("it has a letter that bech32 does not have")
		}
		sum = bech32Step(sum, uint32(word))
		if i >= len(data)-bech32Checksum {
			continue
		}
		bits, n = bits<<5|uint32(word), n+5
		if n >= 8 {
			n -= 8
			key, bits = append(key, byte(bits>>n)), bits&(1<<n-1)
		}
	}
	switch {
	case sum != 1:
		return nil, errors.New("its checksum is wrong")
	case bits != 0 || n >= 5 || len(key) != latticeSize+pointSize:
		return nil, errors.New("its last letter has bits that are not used")
	}
	return key, nil
}

// bech32Step is the checksum's polynomial, one letter on.
func bech32Step(sum, word uint32) uint32 {
	top := sum >> 25
	sum = sum&0x1ffffff<<5 ^ word
	for i, generator := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			sum ^= generator
		}
	}
	return sum
}

// checkLattice checks that every coefficient is below q (FIPS 203, section 7.2).
func checkLattice(key []byte) error {
	for at := 0; at < latticeSize-latticeSeed; at += 3 {
		three := uint32(key[at]) | uint32(key[at+1])<<8 | uint32(key[at+2])<<16
		if three&0xfff >= latticeQ || three>>12 >= latticeQ {
			return errors.New("a coefficient of its ML-KEM key is too large")
		}
	}
	return nil
}

// checkPoint checks that the point is below p, 2^255 - 19, and not of low order.
func checkPoint(point [pointSize]byte) error {
	low, whole := binary.LittleEndian.Uint64(point[:]), true
	for _, b := range point[8:31] {
		whole = whole && b == 0xff
	}
	if point[31] > 0x7f || whole && point[31] == 0x7f && low >= 1<<64-19 {
		return errors.New("its X25519 point is not written in its one form")
	}
	for _, p := range lowOrder {
		if p == point {
			return errors.New("its X25519 point is of low order")
		}
	}
	return nil
}
