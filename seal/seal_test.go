package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"ward"
	"ward/membership"
	"ward/seal/envelope"
)

func TestSecretsAreNotPrinted(t *testing.T) {
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	code, key, invitation := NewCode(), NewSigningKey(), NewInvitation("")
	seed := key.Seed()
	secrets := []string{identity.Secret(), code.Text(), ward.B64.EncodeToString(seed[:]), ward.B64.EncodeToString(invitation.Secret[:])}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed := fmt.Sprintf(verb+verb+verb+verb+verb, identity, code, key, invitation, Hand{Signing: key})
		for _, secret := range secrets {
			if strings.Contains(printed, secret) {
				t.Errorf("%s prints a secret", verb)
			}
		}
		if strings.Contains(printed, fmt.Sprintf("%d", seed[:4])) {
			t.Errorf("%s prints a key's bytes", verb)
		}
	}
}

func TestSealedSizeIsThatOfTheFile(t *testing.T) {
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 65535, 65536, 65537, 200_000} {
		sealed, err := Seal(make([]byte, n), identity.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(sealed)) != SealedSize(int64(n)) {
			t.Errorf("%d bytes seal to %d, not %d", n, len(sealed), SealedSize(int64(n)))
		}
		if _, err := Open(sealed, identity, int64(n)); err != nil {
			t.Error(err)
		}
		if n > 0 {
			if _, err := Open(sealed, identity, int64(n)-1); err == nil {
				t.Error("more was opened than the limit")
			}
		}
	}
}

func TestPaddingHidesLengthForLittle(t *testing.T) {
	for n := int64(1); n < 1<<40; n = n*5/4 + 1 {
		padded := Padme(n)
		if padded < n || float64(padded) > float64(n)*1.12+1 {
			t.Fatalf("%d is padded to %d", n, padded)
		}
	}
}

func TestAStreamIsRefusedAtItsEndIfAnythingOfItIsWrong(t *testing.T) {
	town := newTown(t)
	amina := town.amina
	keys, line, _ := vectorLock(t, amina)
	person, err := town.check(amina.public())
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, 300_000)
	rand.Read(body)
	d := Draft{Kind: "file", Type: "application/octet-stream", Filename: "scan"}
	d.Size, d.SHA256, err = Measure(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	s, err := amina.pen().SealStream(&sealed, line[1].Body, d, bytes.NewReader(body), envelope.Start(keys[0].Lock), vectorTime)
	if err != nil {
		t.Fatal(err)
	}
	open := func(data []byte) ([]byte, error) {
		_, _, r, err := OpenEntry(s, bytes.NewReader(data), keys[1], person)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	if got, err := open(sealed.Bytes()); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	for name, data := range map[string][]byte{
		"altered in the middle": flip(sealed.Bytes(), sealed.Len()/2), "altered in the padding": flip(sealed.Bytes(), -1),
		"cut": sealed.Bytes()[:sealed.Len()-1], "cut by a chunk": sealed.Bytes()[:sealed.Len()-70_000], "longer": append(bytes.Clone(sealed.Bytes()), 0),
	} {
		if _, err := open(data); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	changed := flip(body, 10)
	if _, err := amina.pen().SealStream(io.Discard, line[1].Body, d, bytes.NewReader(changed), envelope.Start(keys[0].Lock), vectorTime); err == nil {
		t.Error("a file that changed between the two passes was sealed")
	}
	failed := errors.New("the disk is gone")
	if _, err := amina.pen().SealStream(io.Discard, line[1].Body, d, io.MultiReader(bytes.NewReader(body[:100]), errorReader{failed}), envelope.Start(keys[0].Lock), vectorTime); !errors.Is(err, failed) {
		t.Errorf("a read error: %v", err)
	}
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }

func BenchmarkSealEntry(b *testing.B) {
	pen, epoch, _, _ := benchLock(b)
	body := make([]byte, 4<<10)
	for b.Loop() {
		if _, err := pen.SealEntry(epoch, Draft{Kind: "record", Type: "application/fhir+json"}, body, envelope.Start(epoch.Lock), vectorTime); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenEntry(b *testing.B) {
	pen, epoch, key, person := benchLock(b)
	n, err := pen.SealEntry(epoch, Draft{Kind: "record", Type: "application/fhir+json"}, make([]byte, 4<<10), envelope.Start(epoch.Lock), vectorTime)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := CheckEntry([]byte(n.Text), person)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, _, err := OpenShort(s, n.Sealed, key, person); err != nil {
			b.Fatal(err)
		}
	}
}

func benchLock(b *testing.B) (Pen, envelope.Epoch, LockKey, *Person) {
	hand := Hand{vectorOrg, idOf[ward.PersonID]("someone"), NewSigningKey()}
	identity, err := NewIdentity()
	if err != nil {
		b.Fatal(err)
	}
	now := ward.FormatTime(vectorTime)
	card := membership.Card{Hash: Hash([]byte("a card")), Serial: 1, Signing: hand.Signing.Public()}
	pen := Pen{Hand: hand, Card: card.Hash, Name: "Someone", Browser: NewSigningKey()}
	browser, err1 := envelope.Write(envelope.Browser{Org: hand.Org, Person: hand.Person, Card: card.Hash, Key: pen.Browser.Public(), Time: now}, hand.Signing.Sign)
	key, epoch, err2 := hand.NewLock(envelope.LockTeam, "", "", vectorTime)
	if err := errors.Join(err1, err2); err != nil {
		b.Fatal(err)
	}
	person := &Person{Org: hand.Org, ID: hand.Person, Cards: []Card{{Card: card, Recipient: identity.Recipient()}}, Browsers: map[string]string{}}
	if err := person.AddBrowser(browser); err != nil {
		b.Fatal(err)
	}
	return pen, epoch.Body, key, person
}

func TestAWelcomeSaysWhoInvitesAndItsSizeTellsNothing(t *testing.T) {
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	key := LockKey{vectorOrg, idOf[ward.LockID]("lock"), 2, identity}
	size := 0
	for from, want := range map[string]string{
		"Li": "Li", "Dr Ada Okafor": "Dr Ada Okafor", "د. نور الخطيب": "د. نور الخطيب", strings.Repeat("n", nameRoom+1): "",
	} {
		text, err := key.Welcome(Called{From: from, Name: want, Salt: Hash(nil)})
		if err != nil {
			t.Fatal(err)
		}
		if size != 0 && len(text) != size {
			t.Errorf("a welcome from %.20q has %d bytes, another has %d", from, len(text), size)
		}
		size = len(text)
		opened, called, err := ParseWelcome(text)
		name := called.From
		if err != nil || called != (Called{want, want, Hash(nil)}) || opened.Identity.Secret() != identity.Secret() || opened.Lock != key.Lock {
			t.Errorf("a welcome from %.20q is read as %q of lock %s: %v", from, name, opened.Lock, err)
		}
	}
	if _, err := ParseLockFile([]byte(must(key.Welcome(Called{From: "Li"})))); err == nil {
		t.Error("a welcome passes for a grant")
	}
}
