package envelope

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"ward"
)

// vectors are the statements in testdata/vectors, with whether a whole vector is good. Package seal runs them; here
// they are seeds.
func vectors(t testing.TB, field func(input map[string]json.RawMessage) []string) (texts []string) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/vectors/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v struct{ Input map[string]json.RawMessage }
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, field(v.Input)...)
	}
	return texts
}

func statements(input map[string]json.RawMessage) (texts []string) {
	var one string
	for _, name := range []string{"text", "entry", "epoch", "card", "guest", "arrival"} {
		if json.Unmarshal(input[name], &one) == nil {
			texts = append(texts, one)
		}
	}
	var person struct{ Cards, Browsers []string }
	if json.Unmarshal(input["person"], &person) == nil {
		texts = append(append(texts, person.Cards...), person.Browsers...)
	}
	var grant struct{ Text string }
	if json.Unmarshal(input["grant"], &grant) == nil && grant.Text != "" {
		texts = append(texts, grant.Text)
	}
	return texts
}

// again parses a text and, if it is a statement, checks that it is the only text of what it says.
func again[B Body](t *testing.T, text []byte) bool {
	s, err := Parse[B](text)
	if err != nil {
		return false
	}
	if !bytes.Equal(s.Text, text) {
		t.Fatalf("%s keeps another text than it read", s.Body.Type())
	}
	var signers []Signer
	for _, sig := range s.Sigs {
		signers = append(signers, func([]byte) ([]byte, error) { return sig, nil })
	}
	written, err := Write(s.Body, signers...)
	if err != nil || !bytes.Equal(written.Text, text) {
		t.Fatalf("%s is written as another text (%v):\n%s\n%s", s.Body.Type(), err, text, written.Text)
	}
	return true
}

func FuzzParse(f *testing.F) {
	for _, text := range vectors(f, statements) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n := 0
		for _, is := range []bool{
			again[MemberCard](t, text), again[Browser](t, text), again[Clinic](t, text), again[Epoch](t, text), again[Grant](t, text), again[Entry](t, text),
			again[Visitor](t, text), again[Admission](t, text), again[Guest](t, text), again[Arrival](t, text),
		} {
			if is {
				n++
			}
		}
		if n > 1 {
			t.Fatalf("a text is a statement of %d types", n)
		}
	})
}

func FuzzCheckSealed(f *testing.F) {
	for _, text := range vectors(f, func(input map[string]json.RawMessage) []string {
		var sealed []byte
		if json.Unmarshal(input["sealed"], &sealed) != nil {
			return nil
		}
		return []string{string(sealed)}
	}) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := CheckSealed(data)
		if len(data) >= HeaderSize && (CheckSealed(data[:HeaderSize]) == nil) != (err == nil) {
			t.Fatal("what follows the header changes the answer")
		}
		r, errRead := ReadHeader(iotest.OneByteReader(bytes.NewReader(data)))
		if (errRead == nil) != (err == nil) {
			t.Fatalf("a stream is judged otherwise: %v and %v", err, errRead)
		}
		if err != nil {
			return
		}
		if strings.Count(string(data[:HeaderSize]), "\n-> ") != 1 {
			t.Fatal("more than one stanza was let pass")
		}
		whole, errRead := readAll(r)
		if errRead != nil || !bytes.Equal(whole, data) {
			t.Fatal("the stream is not what it was")
		}
	})
}

func readAll(r interface{ Read([]byte) (int, error) }) ([]byte, error) {
	var b bytes.Buffer
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func TestAHeaderThatIsNotForOneHybridRecipientIsRefusedWithTheReason(t *testing.T) {
	stanza := "-> mlkem768x25519 " + base64.RawStdEncoding.EncodeToString(make([]byte, 1120)) + "\n" + base64.RawStdEncoding.EncodeToString(make([]byte, 32)) + "\n"
	mac := "--- " + base64.RawStdEncoding.EncodeToString(make([]byte, 32)) + "\n"
	good := ageVersion + "\n" + stanza + mac
	if len(good) != HeaderSize {
		t.Fatalf("the header is %d bytes, not %d", len(good), HeaderSize)
	}
	if err := CheckSealed([]byte(good)); err != nil {
		t.Fatal(err)
	}
	pad := strings.Repeat("x", HeaderSize)
	for name, c := range map[string]struct{ data, want string }{
		"empty":     {"", "cut off"},
		"short":     {good[:HeaderSize-1], "cut off"},
		"not age":   {pad, "not an age file"},
		"version":   {strings.Replace(good, "/v1", "/v2", 1), "not an age file"},
		"classic":   {ageVersion + "\n-> X25519 " + pad, `type "X25519"`},
		"password":  {ageVersion + "\n-> scrypt " + pad, `type "scrypt"`},
		"two":       {ageVersion + "\n" + stanza + stanza + mac, "several recipients"},
		"grease":    {ageVersion + "\n" + stanza + "-> x-grease a\n\n" + mac, "several recipients"},
		"padded":    {strings.Replace(good, "A\n"+"A", "=\nA", 1), "wrong form"},
		"no mac":    {strings.Replace(good, "--- ", "+++ ", 1), "wrong form"},
		"two lines": {good[:100] + "\n" + good[101:], ""},
	} {
		if err := CheckSealed([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := ReadHeader(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a broken stream: %v", err)
	}
}

func TestAStatementTakesTwoSignaturesInOrder(t *testing.T) {
	first, second := ed25519.NewKeyFromSeed(make([]byte, 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	sign := func(key ed25519.PrivateKey) Signer {
		return func(message []byte) ([]byte, error) { return ed25519.Sign(key, message), nil }
	}
	public := func(key ed25519.PrivateKey) string {
		return ward.B64.EncodeToString(key.Public().(ed25519.PublicKey))
	}
	body := Browser{Org: ward.NewID[ward.OrgID](), Person: ward.NewID[ward.PersonID](), Card: Hash(nil), Key: public(first), Time: "2026-11-23T12:00:00.000Z"}
	s, err := Write(body, sign(first))
	if err != nil {
		t.Fatal(err)
	}
	before := s.Hash()
	if err := s.Countersign(sign(second)); err != nil {
		t.Fatal(err)
	}
	if s.Hash() == before {
		t.Fatal("a second signature does not change the hash")
	}
	if err := s.Countersign(sign(first)); err == nil {
		t.Fatal("a third signature was taken")
	}
	if err := s.Verify(public(first), public(second)); err != nil {
		t.Fatal(err)
	}
	for _, keys := range [][]string{{public(second), public(first)}, {public(first)}, {public(first), public(first)}, {}, {"", ""}} {
		if s.Verify(keys...) == nil {
			t.Errorf("verified with %d wrong keys", len(keys))
		}
	}
	failed := errors.New("no key here")
	if _, err := Write(body, func([]byte) ([]byte, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("a failed signature: %v", err)
	}
	body.Time = "yesterday"
	if _, err := Write(body, sign(first)); err == nil {
		t.Error("a statement with a wrong time was written")
	}
}

func TestALongStatementIsRefusedUnread(t *testing.T) {
	if _, err := Parse[MemberCard](bytes.Repeat([]byte("a"), MaxStatement+1)); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Fatalf("a long text: %v", err)
	}
}

func FuzzCheckRecipient(f *testing.F) {
	for _, text := range vectors(f, func(input map[string]json.RawMessage) []string {
		var text string
		if json.Unmarshal(input["recipient"], &text) != nil {
			return nil
		}
		return []string{text}
	}) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if CheckRecipient(text) != nil {
			return
		}
		for i, other := range []string{strings.ToUpper(text), text[:len(text)-1], text + "q", text[:100] + "\n" + text[100:]} {
			if CheckRecipient(other) == nil {
				t.Errorf("writing %d of a recipient counts besides its own", i)
			}
		}
	})
}
