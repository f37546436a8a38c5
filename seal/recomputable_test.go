package seal

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"ward"
	"ward/seal/envelope"
)

func aLockKey(t *testing.T) LockKey {
	t.Helper()
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return LockKey{ward.NewID[ward.OrgID](), ward.NewID[ward.LockID](), 2, identity}
}

func TestStockAgeOpensWhatEveryHolderSealsAlike(t *testing.T) {
	key := aLockKey(t)
	file, err := key.File()
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{file, {}, bytes.Repeat([]byte("x"), maxRecomputable)} {
		member, err := age.GenerateHybridIdentity()
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := key.SealRecomputable(member.Recipient().String(), data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := key.SealRecomputable(member.Recipient().String(), data)
		if err != nil || !bytes.Equal(sealed, again) {
			t.Fatalf("two holders make different bytes (%v)", err)
		}
		if err := envelope.CheckSealed(sealed); err != nil {
			t.Fatal(err)
		}
		if int64(len(sealed)) != SealedSize(int64(len(data))) {
			t.Errorf("%d bytes are sealed as %d, age's own as %d", len(data), len(sealed), SealedSize(int64(len(data))))
		}
		r, err := age.Decrypt(bytes.NewReader(sealed), member)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(opened, data) {
			t.Fatalf("age opens other bytes (%v)", err)
		}
		stranger, err := age.GenerateHybridIdentity()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := age.Decrypt(bytes.NewReader(sealed), stranger); err == nil {
			t.Fatal("a stranger opens it")
		}
	}
}

// Two plaintexts under one key and nonce would give both away, so nothing that is drawn may be the same for both.
func TestNothingIsDrawnTwiceForDifferentThings(t *testing.T) {
	key := aLockKey(t)
	member, other := aLockKey(t).Identity.Recipient(), aLockKey(t).Identity.Recipient()
	elsewhere, later, another := key, key, key
	elsewhere.Lock, later.Epoch, another.Identity = ward.NewID[ward.LockID](), 3, aLockKey(t).Identity
	parts := map[string]string{}
	for name, one := range map[string]struct {
		key  LockKey
		to   string
		data string
	}{
		"the first": {key, member, "a"}, "another text": {key, member, "b"}, "another recipient": {key, other, "a"},
		"another lock": {elsewhere, member, "a"}, "another epoch": {later, member, "a"}, "another secret": {another, member, "a"},
	} {
		sealed, err := one.key.SealRecomputable(one.to, []byte(one.data))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitN(string(sealed[:envelope.HeaderSize]), "\n", 5)
		nonce := string(sealed[envelope.HeaderSize : envelope.HeaderSize+fileNonceSize])
		for what, part := range map[string]string{"encapsulation": lines[1], "wrapped key": lines[2], "MAC": lines[3], "nonce": nonce} {
			if before, ok := parts[what+part]; ok {
				t.Errorf("%s has the %s of %s", name, what, before)
			}
			parts[what+part] = name
		}
	}
}

func TestRecomputableSealingRefusesWhatIsNoRecipientAndWhatIsTooLong(t *testing.T) {
	key := aLockKey(t)
	good := key.Identity.Recipient()
	last := good[len(good)-1:]
	poisoned := good[:len(good)-1] + map[bool]string{true: "p", false: "q"}[last == "q"]
	for name, recipient := range map[string]string{"nothing": "", "an X25519 recipient": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", "a broken checksum": poisoned, "capitals": strings.ToUpper(good)} {
		if _, err := key.SealRecomputable(recipient, nil); err == nil {
			t.Errorf("sealed to %s", name)
		}
	}
	if _, err := key.SealRecomputable(good, make([]byte, maxRecomputable+1)); err == nil {
		t.Error("sealed more than a chunk, whose end it would have to mark differently")
	}
}

func TestAHolderSeesThatWhatTheOthersWereGivenIsRight(t *testing.T) {
	town := newTown(t)
	amina, okafor := town.amina, town.okafor
	old, first, err := amina.Hand().NewLock(envelope.LockTeam, "", "", vectorTime)
	if err != nil {
		t.Fatal(err)
	}
	key, epoch, _, err := amina.Hand().Turn(old, first, vectorTime)
	if err != nil {
		t.Fatal(err)
	}
	to := Grantee{Person: okafor.Person, Card: okafor.Card, Recipient: okafor.Identity.Recipient()}
	granted := func(to Grantee) envelope.Grant {
		t.Helper()
		g, err := amina.Hand().Grant(key, to, envelope.ForWork, "", vectorTime)
		if err != nil {
			t.Fatal(err)
		}
		s, err := CheckGrant([]byte(g.Text), epoch.Body, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.Body
	}
	if err := errors.Join(key.CheckSealed(granted(to), to.Recipient), key.CheckHistory(epoch.Body, old)); err != nil {
		t.Error(err)
	}
	garbage := to
	garbage.Recipient = amina.Identity.Recipient() // which is not that of the card
	if key.CheckSealed(granted(garbage), to.Recipient) == nil {
		t.Error("what was sealed to another key passes for right")
	}
	if old.CheckSealed(granted(to), to.Recipient) == nil {
		t.Error("a grant of another epoch passes for right")
	}
	stranger := old
	stranger.Identity = okafor.Identity
	if key.CheckHistory(epoch.Body, stranger) == nil {
		t.Error("a history that opens to another key passes for right")
	}
}
