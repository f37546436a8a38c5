package seal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/bits"
	"strings"
	"time"
	"unicode/utf8"

	"ward"
	"ward/seal/envelope"
)

// What is inside a sealed entry: three header lines (a type, a line of JSON, the author's signature over both), the
// body, and padding. The author signs with their person key, so that authorship survives sealing anew; the browser
// signs outside, which the server checks without reading.

const (
	contentType = "ward/content/1"
	// maxContentLine is the longest line of JSON: two titles of 200 characters in their longest escapes are under it.
	maxContentLine = 8 << 10
	// maxTitle is how many characters a title or a file's name has.
	maxTitle = 200
	// minContent is the size of the smallest content: so a short message is not told from a shorter one.
	minContent = 256
)

// MaxFHIR is how large a FHIR body may be once gunzipped.
const MaxFHIR = 32 << 20

// A Header is the content's line of JSON.
type Header struct {
	Org      ward.OrgID    `json:"org"`
	Lock     ward.LockID   `json:"lock"`
	Entry    ward.EntryID  `json:"entry"`
	Kind     string        `json:"kind"`
	Author   ward.PersonID `json:"author"`
	Card     string        `json:"card"` // hash of the author's card
	Name     string        `json:"name"` // the author's, as shown
	Time     string        `json:"time"`
	Type     string        `json:"type"`               // media type of the body
	Encoding string        `json:"encoding,omitempty"` // gzip
	Title    string        `json:"title,omitempty"`
	Filename string        `json:"filename,omitempty"`
	Amends   ward.EntryID  `json:"amends,omitempty"`
	Retracts ward.EntryID  `json:"retracts,omitempty"`
	Size     int64         `json:"size"`   // of the body
	SHA256   string        `json:"sha256"` // of the body
}

// A Draft is what a person wants to write.
type Draft struct {
	Entry    ward.EntryID // empty for a new one
	Kind     string
	Type     string
	Encoding string
	Title    string
	Filename string
	Amends   ward.EntryID
	Retracts ward.EntryID
	Size     int64
	SHA256   string
}

// A Pen is a person in a browser, ready to write.
type Pen struct {
	Hand
	Card    string // hash of their current card
	Name    string
	Browser SigningKey
}

// Measure reads a body for its size and hash: the first of two passes.
func Measure(body io.Reader) (size int64, sum string, err error) {
	h := sha256.New()
	size, err = io.Copy(h, body)
	if err != nil {
		return 0, "", fmt.Errorf("read: %w", err)
	}
	return size, ward.B64.EncodeToString(h.Sum(nil)), nil
}

// Padme is the size that n bytes are padded to: at most 12% more, so that few sizes remain to be told apart
// (Nikitin et al., 2019).
func Padme(n int64) int64 {
	if n < 2 {
		return n
	}
	e := bits.Len64(uint64(n)) - 1
	s := bits.Len64(uint64(e))
	mask := int64(1)<<(e-s) - 1
	return (n + mask) &^ mask
}

// SealEntry seals a short body in memory.
func (p Pen) SealEntry(epoch envelope.Epoch, d Draft, body []byte, seen envelope.Head, now time.Time) (ward.NewEntry, error) {
	d.Size, d.SHA256 = int64(len(body)), Hash(body)
	var sealed bytes.Buffer
	s, err := p.SealStream(&sealed, epoch, d, bytes.NewReader(body), seen, now)
	if err != nil {
		return ward.NewEntry{}, err
	}
	return ward.NewEntry{Text: string(s.Text), Sealed: sealed.Bytes()}, nil
}

// SealStream seals a body of any size to w, the second of two passes: the draft says its size and hash. The entry's
// statement comes last, since it names the hash of the sealed bytes.
func (p Pen) SealStream(w io.Writer, epoch envelope.Epoch, d Draft, body io.Reader, seen envelope.Head, now time.Time) (*envelope.Statement[envelope.Entry], error) {
	if d.Entry == "" {
		d.Entry = ward.NewIDAt[ward.EntryID](now)
	}
	header := Header{
		Org: p.Org, Lock: epoch.Lock, Entry: d.Entry, Kind: d.Kind, Author: p.Person, Card: p.Card, Name: p.Name,
		Time: ward.FormatTime(now), Type: d.Type, Encoding: d.Encoding, Title: d.Title, Filename: d.Filename,
		Amends: d.Amends, Retracts: d.Retracts, Size: d.Size, SHA256: d.SHA256,
	}
	lines, err := header.sign(p.Signing)
	if err != nil {
		return nil, err
	}
	outside := &measuring{w: w, sum: sha256.New()}
	if err := sealContent(outside, epoch.Recipient, lines, header, body); err != nil {
		return nil, fmt.Errorf("seal entry: %w", err)
	}
	return envelope.Write(envelope.Entry{
		Org: p.Org, Lock: epoch.Lock, Epoch: epoch.Epoch, Entry: d.Entry, Kind: d.Kind, Author: p.Person,
		Browser: p.Browser.Public(), Time: header.Time, Seen: seen, Size: outside.n, SHA256: outside.hash(),
	}, p.Browser.Sign)
}

// sealContent writes lines, body and padding, sealed. It refuses a body that is not the one that was measured.
func sealContent(w io.Writer, recipient string, lines []byte, h Header, body io.Reader) error {
	sealed, err := SealTo(w, recipient)
	if err != nil {
		return err
	}
	if _, err := sealed.Write(lines); err != nil {
		return err
	}
	measured := &measuring{w: sealed, sum: sha256.New()}
	if _, err := io.Copy(measured, io.LimitReader(body, h.Size+1)); err != nil {
		return err
	}
	if measured.n != h.Size || measured.hash() != h.SHA256 {
		return errors.New("the body has changed since it was measured")
	}
	if _, err := io.Copy(sealed, padding(int64(len(lines))+h.Size)); err != nil {
		return err
	}
	return sealed.Close()
}

// padding is what follows n bytes of content.
func padding(n int64) io.Reader {
	return io.LimitReader(newlines{}, max(Padme(n), minContent)-n)
}

// newlines is an endless reader.
type newlines struct{}

func (newlines) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '\n'
	}
	return len(b), nil
}

// measuring counts and hashes what passes to w.
type measuring struct {
	w   io.Writer
	n   int64
	sum hash.Hash
}

func (m *measuring) Write(b []byte) (int, error) {
	n, err := m.w.Write(b)
	m.n += int64(n)
	m.sum.Write(b[:n])
	return n, err
}

func (m *measuring) hash() string { return ward.B64.EncodeToString(m.sum.Sum(nil)) }

// sign writes the three header lines.
func (h Header) sign(key SigningKey) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("write %s: %w", contentType, err)
	}
	var text bytes.Buffer
	text.WriteString(contentType + "\n")
	encoder := json.NewEncoder(&text) // ends the line itself
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(h); err != nil {
		return nil, fmt.Errorf("write %s: %w", contentType, err)
	}
	if text.Len() > len(contentType)+1+maxContentLine+1 {
		return nil, fmt.Errorf("write %s: it is longer than %d bytes", contentType, maxContentLine)
	}
	signature, err := key.Sign(text.Bytes())
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", contentType, err)
	}
	text.WriteString(ward.B64.EncodeToString(signature) + "\n")
	return text.Bytes(), nil
}

func (h Header) check() error {
	switch {
	case !ward.IsID(h.Org) || !ward.IsID(h.Lock) || !ward.IsID(h.Entry) || !ward.IsID(h.Author):
		return errors.New("org, lock, entry or author is not an id")
	case !is32Bytes(h.Card) || !is32Bytes(h.SHA256):
		return errors.New("card or sha256 is not a hash")
	case h.Type == "":
		return errors.New("the body's type is missing")
	case h.Encoding != "" && h.Encoding != "gzip":
		return fmt.Errorf("encoding is %.40q; it must be gzip or absent", h.Encoding)
	case utf8.RuneCountInString(h.Title) > maxTitle || utf8.RuneCountInString(h.Filename) > maxTitle:
		return fmt.Errorf("title or filename is longer than %d characters", maxTitle)
	case h.Amends != "" && !ward.IsID(h.Amends) || h.Retracts != "" && !ward.IsID(h.Retracts):
		return errors.New("amends or retracts is not an id")
	case h.Size < 0 || h.Size > ward.MaxFile:
		return fmt.Errorf("size is %d", h.Size)
	}
	return nil
}

// ReadHeader reads the three header lines from an opened entry and checks them against the entry's statement and
// the author's cards. What follows in r is the body. It gives the lines too, for a snapshot.
func ReadHeader(r *bufio.Reader, entry envelope.Entry, author *Person) (Header, []byte, error) {
	var lines []byte
	for range 3 {
		line, err := readLine(r, maxContentLine+1)
		if err != nil {
			return Header{}, nil, fmt.Errorf("content: %w", err)
		}
		lines = append(lines, line...)
	}
	h, err := ParseHeader(lines)
	if err != nil {
		return Header{}, nil, err
	}
	return h, lines, h.checkAgainst(lines, entry, author)
}

// readLine reads to the end of a line, with it.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		b, err := r.ReadByte()
		if err != nil {
			return nil, errors.New("its header is cut off")
		}
		line = append(line, b)
		if b == '\n' {
			return line, nil
		}
		if len(line) > limit {
			return nil, errors.New("a line of its header is too long")
		}
	}
}

// ParseHeader reads three header lines. It does not check the signature, for which it needs the author's card.
func ParseHeader(lines []byte) (Header, error) {
	parts := strings.Split(string(lines), "\n")
	if len(parts) != 4 || parts[0] != contentType || parts[3] != "" || len(parts[1]) > maxContentLine {
		return Header{}, fmt.Errorf("content: it does not begin as %s", contentType)
	}
	var h Header
	if err := ward.DecodeInto([]byte(parts[1]), &h); err != nil {
		return Header{}, errors.New("content: the second line is not its JSON")
	}
	if err := h.check(); err != nil {
		return Header{}, fmt.Errorf("content: %w", err)
	}
	if signature, err := ward.B64.DecodeString(parts[2]); err != nil || len(signature) != 64 {
		return Header{}, errors.New("content: its signature is not 64 bytes of base64url")
	}
	return h, nil
}

func (h Header) checkAgainst(lines []byte, e envelope.Entry, author *Person) error {
	if h.Org != e.Org || h.Lock != e.Lock || h.Entry != e.Entry || h.Kind != e.Kind || h.Author != e.Author || h.Time != e.Time {
		return errors.New("content: its header says something else than the statement outside")
	}
	card := author.CardBy(h.Card)
	if card == nil || author.ID != h.Author {
		return errors.New("content: its author has no such card")
	}
	at := bytes.LastIndexByte(lines[:len(lines)-1], '\n') + 1
	signature, err := ward.B64.DecodeString(string(lines[at : len(lines)-1]))
	if err != nil || !envelope.Signed(card.Signing, lines[:at], signature) {
		return errors.New("content: the author's signature does not match")
	}
	return nil
}

// CheckEntry checks an entry from outside: its browser's certificate and signature.
func CheckEntry(text []byte, author *Person) (*envelope.Statement[envelope.Entry], error) {
	s, err := envelope.Parse[envelope.Entry](text)
	if err != nil {
		return nil, err
	}
	return s, checkOutside(s, author)
}

func checkOutside(s *envelope.Statement[envelope.Entry], author *Person) error {
	if s.Body.Org != author.Org || s.Body.Author != author.ID {
		return errors.New("entry: it is by someone else")
	}
	card := author.Browsers[s.Body.Browser]
	if card == "" || author.CardBy(card) == nil {
		return errors.New("entry: its browser is not certified by its author")
	}
	return s.Verify(s.Body.Browser)
}

// OpenEntry opens an entry and checks everything about it, in the order of docs/formats.md. The body must be read to its
// end: only then is an error in it, or in the sealed bytes, known, and it comes in place of io.EOF.
func OpenEntry(s *envelope.Statement[envelope.Entry], sealed io.Reader, key LockKey, author *Person) (Header, []byte, io.Reader, error) {
	if err := checkOutside(s, author); err != nil {
		return Header{}, nil, nil, err
	}
	if key.Lock != s.Body.Lock || key.Epoch != s.Body.Epoch {
		return Header{}, nil, nil, errors.New("entry: it is of another lock or epoch than the key")
	}
	outside := &hashing{r: sealed, sum: sha256.New()}
	whole, err := envelope.ReadHeader(outside)
	if err != nil {
		return Header{}, nil, nil, fmt.Errorf("entry: %w", err)
	}
	opened, err := OpenFrom(whole, key.Identity)
	if err != nil {
		return Header{}, nil, nil, fmt.Errorf("entry: %w", err)
	}
	inside := bufio.NewReader(opened)
	h, lines, err := ReadHeader(inside, s.Body, author)
	if err != nil {
		return Header{}, nil, nil, err
	}
	body := &bodyReader{r: inside, left: h.Size, sum: sha256.New(), want: h.SHA256, outside: outside, entry: s.Body}
	return h, lines, body, nil
}

// OpenShort opens an entry that is in memory: its sealed bytes are checked before anything is opened.
func OpenShort(s *envelope.Statement[envelope.Entry], sealed []byte, key LockKey, author *Person) (Header, []byte, []byte, error) {
	if int64(len(sealed)) != s.Body.Size || Hash(sealed) != s.Body.SHA256 {
		return Header{}, nil, nil, errSealed
	}
	h, lines, r, err := OpenEntry(s, bytes.NewReader(sealed), key, author)
	if err != nil {
		return Header{}, nil, nil, err
	}
	body, err := io.ReadAll(r)
	return h, lines, body, err
}

var errSealed = errors.New("entry: its sealed bytes do not have the size and hash that its statement says")

// hashing counts and hashes what is read.
type hashing struct {
	r   io.Reader
	n   int64
	sum hash.Hash
}

func (h *hashing) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	h.n += int64(n)
	h.sum.Write(b[:n])
	return n, err
}

// bodyReader cuts the body from the padding and checks, at its end, the body's hash and that of the sealed bytes.
type bodyReader struct {
	r       io.Reader
	left    int64
	sum     hash.Hash
	want    string
	outside *hashing
	entry   envelope.Entry
	err     error
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left == 0 {
		b.err = b.end()
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.sum.Write(p[:n])
	switch {
	case err == io.EOF && b.left > 0:
		b.err = errors.New("content: its body is cut off")
	case err != nil && err != io.EOF:
		b.err = fmt.Errorf("content: %w", err)
	}
	return n, b.err
}

func (b *bodyReader) end() error {
	if ward.B64.EncodeToString(b.sum.Sum(nil)) != b.want {
		return errors.New("content: its body does not have the hash that its header says")
	}
	if _, err := io.Copy(io.Discard, b.r); err != nil {
		return fmt.Errorf("content: %w", err)
	}
	if _, err := io.Copy(io.Discard, b.outside); err != nil {
		return fmt.Errorf("entry: %w", err)
	}
	if b.outside.n != b.entry.Size || ward.B64.EncodeToString(b.outside.sum.Sum(nil)) != b.entry.SHA256 {
		return errSealed
	}
	return io.EOF
}
