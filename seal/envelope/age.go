package envelope

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// HeaderSize is the size of the header of an age file sealed to one hybrid recipient, which is always the same:
// version, stanza with 1,120 bytes of key encapsulation, wrapped file key, MAC. Then follow 16 bytes of nonce and
// the payload in chunks.
const HeaderSize = 1627

// MinSealed is the size of the smallest sealed file: header, nonce and the tag of one empty chunk.
const MinSealed = HeaderSize + 16 + 16

const (
	ageVersion = "age-encryption.org/v1"
	hybrid     = "mlkem768x25519"
	macPrefix  = "--- "

	encapsulation = 1120 // bytes of ML-KEM-768 ciphertext and X25519 share
	wrappedKey    = 32   // the file key and its tag
	macSize       = 32
)

// CheckSealed tells whether data begins as an age file sealed to exactly one hybrid recipient and to nobody else: a
// second stanza would let another key open it. It needs only the first HeaderSize bytes; it opens nothing.
func CheckSealed(data []byte) error {
	if len(data) < HeaderSize {
		return fmt.Errorf("sealed data is cut off: the smallest age file is %d bytes", MinSealed)
	}
	lines := strings.SplitAfterN(string(data[:HeaderSize]), "\n", 5)
	if lines[0] != ageVersion+"\n" {
		return errors.New("sealed data is not an age file, version 1")
	}
	if kind, _, ok := strings.Cut(strings.TrimPrefix(lines[1], "-> "), " "); !ok || kind != hybrid {
		return fmt.Errorf("sealed data is for a recipient of type %.20q; it must be %s", strings.TrimSpace(kind), hybrid)
	}
	if len(lines) == 5 && strings.HasPrefix(lines[3], "-> ") || len(lines) < 5 {
		return errors.New("sealed data is for several recipients; it must be for exactly one")
	}
	enc, isStanza := strings.CutPrefix(lines[1], "-> "+hybrid+" ")
	mac, isMAC := strings.CutPrefix(lines[3], macPrefix)
	if !isStanza || !isMAC || !isBytes(enc, encapsulation) || !isBytes(lines[2], wrappedKey) || !isBytes(mac, macSize) || lines[4] != "" {
		return errors.New("sealed data has an age header of a wrong form")
	}
	return nil
}

// ReadHeader reads as much of a stream as the header is, checks it as CheckSealed does, and gives it with the stream as
// it was. It never holds more than HeaderSize bytes.
func ReadHeader(r io.Reader) (io.Reader, error) {
	header := make([]byte, HeaderSize)
	n, err := io.ReadFull(r, header)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, fmt.Errorf("read sealed data: %w", err)
	}
	if err := CheckSealed(header[:n]); err != nil {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(header), r), nil
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
	return ok && err == nil && len(b) == n && len(text) == base64.RawStdEncoding.EncodedLen(n) // Strict alone skips CR
}
