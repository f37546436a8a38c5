// Package envelope knows what a sealed or signed thing looks like from outside: what it says of itself, for whom
// it is, and whose signature is on it. It opens nothing and holds no secret key, so the server may use it.
//
// Everything that people agree on is a statement: a line that names its type, one line of JSON, and one or two
// lines of Ed25519 signatures over the two lines before them.
//
//	ward/grant/1
//	{"org":"…","lock":"…",…}
//	<signature, base64url>
//	<second signature, base64url>
//
// A statement is kept and passed on byte for byte. To have only one way to write a thing, Parse encodes what it
// read and refuses a text that differs: no spaces, no reordered, repeated, unknown or empty optional fields.
// docs/formats.md is the reference for both implementations; testdata/vectors holds good and bad examples.
package envelope

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"ward"
)

// MaxStatement is the longest statement in bytes. The largest real one, a clinic's founding with a recipient of
// 1,959 characters in each of its four locks, stays under half of it.
const MaxStatement = 16 << 10

// A Body is the JSON line of a statement.
type Body interface {
	// Type is the statement's first line.
	Type() string
	// check says what is wrong with the values, whoever signed them.
	check() error
}

// A Statement is a body with its text and signatures.
type Statement[B Body] struct {
	Body B
	Text []byte   // the whole statement, as received
	Sigs [][]byte // one or two Ed25519 signatures, 64 bytes each
}

// A Signer signs with an Ed25519 key; the browser's keys do not leave it, so this is a function and not a key.
type Signer func(message []byte) ([]byte, error)

// Write makes a statement: the body, signed by each signer in turn.
func Write[B Body](body B, signers ...Signer) (*Statement[B], error) {
	if err := body.check(); err != nil {
		return nil, fmt.Errorf("write %s: %w", body.Type(), err)
	}
	signed, err := signedText(body)
	if err != nil {
		return nil, err
	}
	s := &Statement[B]{Body: body, Text: signed}
	for _, sign := range signers {
		if err := s.Countersign(sign); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Countersign adds a signature, such as that of the person who vouches for a recovered card.
func (s *Statement[B]) Countersign(sign Signer) error {
	if len(s.Sigs) >= 2 {
		return fmt.Errorf("sign %s: it already has two signatures", s.Body.Type())
	}
	signed, err := signedText(s.Body)
	if err != nil {
		return err
	}
	sig, err := sign(signed)
	if err != nil {
		return fmt.Errorf("sign %s: %w", s.Body.Type(), err)
	}
	s.Sigs = append(s.Sigs, sig)
	s.Text = append(bytes.Clone(s.Text), ward.B64.EncodeToString(sig)+"\n"...)
	return nil
}

// Parse reads a statement of one type. It does not check signatures: the caller knows whose they must be.
func Parse[B Body](text []byte) (*Statement[B], error) {
	var body B
	want := body.Type()
	if len(text) > MaxStatement {
		return nil, fmt.Errorf("%s is %d bytes long; the limit is %d", want, len(text), MaxStatement)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 4 || len(lines) > 5 || lines[len(lines)-1] != "" {
		return nil, fmt.Errorf("%s must be a type, a body and one or two signatures, each on its line", want)
	}
	if lines[0] != want {
		return nil, fmt.Errorf("found %.40q instead of %s", lines[0], want)
	}
	decoder := json.NewDecoder(strings.NewReader(lines[1]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		return nil, fmt.Errorf("%s: %v", want, err)
	}
	signed, err := signedText(body)
	if err != nil {
		return nil, err
	}
	if string(signed) != lines[0]+"\n"+lines[1]+"\n" {
		return nil, fmt.Errorf("%s is not written in its one canonical form", want)
	}
	if err := body.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", want, err)
	}
	s := &Statement[B]{Body: body, Text: bytes.Clone(text)}
	for _, line := range lines[2 : len(lines)-1] {
		sig, err := ward.B64.DecodeString(line)
		if err != nil || len(sig) != ed25519.SignatureSize {
			return nil, fmt.Errorf("%s: a signature is not 64 bytes of base64url", want)
		}
		s.Sigs = append(s.Sigs, sig)
	}
	return s, nil
}

// Verify checks that the statement has exactly one signature for each key, in order. Keys are b64.
func (s *Statement[B]) Verify(keys ...string) error {
	if len(keys) != len(s.Sigs) {
		return fmt.Errorf("%s has %d signatures; it needs %d", s.Body.Type(), len(s.Sigs), len(keys))
	}
	for i := range keys {
		if err := s.VerifyNth(i, keys[i]); err != nil {
			return err
		}
	}
	return nil
}

// VerifyNth checks the i-th signature alone.
func (s *Statement[B]) VerifyNth(i int, key string) error {
	signed, err := signedText(s.Body)
	if err != nil {
		return err
	}
	if i >= len(s.Sigs) || !Signed(key, signed, s.Sigs[i]) {
		return fmt.Errorf("%s: signature %d does not match", s.Body.Type(), i+1)
	}
	return nil
}

// Hash is the SHA-256 of the whole statement, b64: how one statement names another.
func (s *Statement[B]) Hash() string { return Hash(s.Text) }

// Hash is the SHA-256 of data, b64.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return ward.B64.EncodeToString(sum[:])
}

// signedText is the first two lines, which the signatures are over.
func signedText(body Body) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString(body.Type() + "\n")
	encoder := json.NewEncoder(&text) // ends the line itself
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, fmt.Errorf("write %s: %w", body.Type(), err)
	}
	if text.Len() > MaxStatement {
		return nil, fmt.Errorf("%s is %d bytes long; the limit is %d", body.Type(), text.Len(), MaxStatement)
	}
	return text.Bytes(), nil
}
