package envelope

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// HeaderSize is the size of the header of an age file sealed to one hybrid recipient, which is always the same:
// version, stanza with 1,120 bytes of key encapsulation, wrapped file key, MAC. Then follow 16 bytes of nonce and
// the payload in chunks.
const HeaderSize = 1627

// MinSealed is the size of the smallest sealed file: header, nonce and the tag of one empty chunk.
const MinSealed = HeaderSize + 16 + 16

const (
	ageVersion   = "age-encryption.org/v1"
	stanzaPrefix = "-> mlkem768x25519 "
	macPrefix    = "--- "
)

// CheckSealed tells whether data begins as an age file sealed to exactly one hybrid recipient and to nobody else: a
// second stanza would let another key open it. It needs only the first HeaderSize bytes; it opens nothing.
func CheckSealed(data []byte) error {
	if len(data) < HeaderSize {
		return fmt.Errorf("sealed data is %d bytes long; the smallest age file is %d", len(data), MinSealed)
	}
	lines := strings.SplitAfterN(string(data[:HeaderSize]), "\n", 5)
	if lines[0] != ageVersion+"\n" {
		return errors.New("sealed data is not an age file, version 1")
	}
	if len(lines) != 5 || lines[4] != "" {
		return errors.New("sealed data must be an age file for exactly one recipient of type mlkem768x25519")
	}
	enc, isStanza := strings.CutPrefix(lines[1], stanzaPrefix)
	mac, isMAC := strings.CutPrefix(lines[3], macPrefix)
	if !isStanza || !isMAC || !isBytes(enc, 1120) || !isBytes(lines[2], 32) || !isBytes(mac, 32) {
		return errors.New("sealed data must be an age file for exactly one recipient of type mlkem768x25519")
	}
	return nil
}

// CheckPassphrase tells whether data begins as an age file sealed with a passphrase, which age allows only alone.
func CheckPassphrase(data []byte) error {
	if !bytes.HasPrefix(data, []byte(ageVersion+"\n-> scrypt ")) {
		return errors.New("sealed data must be an age file with a passphrase")
	}
	return nil
}

// isBytes tells whether line is n bytes in base64 without padding and a newline.
func isBytes(line string, n int) bool {
	text, ok := strings.CutSuffix(line, "\n")
	b, err := base64.RawStdEncoding.Strict().DecodeString(text)
	return ok && err == nil && len(b) == n
}
