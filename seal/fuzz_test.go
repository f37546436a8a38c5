package seal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"ward"
	"ward/seal/envelope"
)

// seeds gives a text field of the inputs of the vectors of one format.
func seeds(f *testing.F, format, field string) {
	files, err := filepath.Glob(filepath.Join(vectorFolder, format+"-*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no vectors of %s: %v", format, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v struct{ Input map[string]json.RawMessage }
		var text string
		if json.Unmarshal(data, &v) == nil && json.Unmarshal(v.Input[field], &text) == nil {
			f.Add([]byte(text))
		}
	}
}

func FuzzParseCode(f *testing.F) {
	seeds(f, "recovery-code", "typed")
	f.Fuzz(func(t *testing.T, typed []byte) {
		c, err := ParseCode(string(typed))
		if err != nil {
			return
		}
		again, err := ParseCode(c.Text())
		if err != nil || again != c {
			t.Fatalf("the code is read otherwise the second time: %v", err)
		}
	})
}

func FuzzParseLink(f *testing.F) {
	seeds(f, "invitation", "link")
	f.Fuzz(func(t *testing.T, link []byte) {
		i, err := ParseLink(string(link))
		if err != nil {
			return
		}
		if again, err := ParseLink(i.Link("https://clinic.example")); err != nil || again != i {
			t.Fatalf("the link is read otherwise the second time: %v", err)
		}
	})
}

func FuzzParseGuestLink(f *testing.F) {
	seeds(f, "guest-link", "link")
	f.Fuzz(func(t *testing.T, link []byte) {
		l, err := ParseGuestLink(string(link))
		if err != nil {
			return
		}
		if again, err := ParseGuestLink(l.Link("https://clinic.example")); err != nil || again != l {
			t.Fatalf("the link is read otherwise the second time: %v", err)
		}
	})
}

// FuzzReadHello reads what a guest's browser, which nobody vouches for, sealed to the host.
func FuzzReadHello(f *testing.F) {
	f.Add(must(filled("ward/guest-hello/1", GuestHello{Place: Place{Org: vectorOrg}, Name: "Inés", As: "family", Recipient: "age1pq1"}, guestHello)))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := readFilled[GuestHello]("ward/guest-hello/1", text)
		if err != nil {
			return
		}
		written, err := filled("ward/guest-hello/1", h, max(len(text)*8, guestHello)) // escapes may take more room
		if err != nil {
			t.Fatal(err)
		}
		if again, err := readFilled[GuestHello]("ward/guest-hello/1", written); err != nil || again != h {
			t.Fatalf("the hello is read otherwise the second time: %v", err)
		}
	})
}

func FuzzParseKeyring(f *testing.F) {
	seeds(f, "keyring", "text")
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParseKeyring(text)
		if err != nil {
			return
		}
		written, err := k.Text()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseKeyring(written); err != nil || again.Signing.Public() != k.Signing.Public() || again.Identity.Secret() != k.Identity.Secret() {
			t.Fatalf("the keyring is read otherwise the second time: %v", err)
		}
	})
}

func FuzzParseLockFile(f *testing.F) {
	identity, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(must(LockKey{vectorOrg, idOf[ward.LockID]("lock"), 2, identity}.File()))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := ParseLockFile(text)
		if err != nil {
			return
		}
		if again, err := ParseLockFile(must(key.File())); err != nil || again.Identity.Secret() != key.Identity.Secret() || again.Epoch != key.Epoch {
			t.Fatalf("the lock file is read otherwise the second time: %v", err)
		}
	})
}

func FuzzReadHeader(f *testing.F) {
	seedContent(f)
	author := &Person{Org: vectorOrg, ID: idOf[ward.PersonID]("Chidi Okafor")}
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, _, err := ReadHeader(bufio.NewReader(bytes.NewReader(content)), envelope.Entry{}, author); err == nil {
			t.Fatal("a header by nobody was believed")
		}
		lines := bytes.SplitAfterN(content, []byte("\n"), 4)
		h, err := ParseHeader(bytes.Join(lines[:min(3, len(lines))], nil))
		if err == nil && h.check() != nil {
			t.Fatal("a header with wrong values was read")
		}
	})
}

// seedContent opens the sealed entries of the vectors.
func seedContent(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(vectorFolder, "content-*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no vectors of content: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v struct{ Input entryInput }
		if err := json.Unmarshal(data, &v); err != nil {
			f.Fatal(err)
		}
		identity, err := ParseIdentity(v.Input.Identity)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(must(Open(v.Input.Sealed, identity, 1<<20)))
	}
}

func FuzzParseSnapshot(f *testing.F) {
	seeds(f, "snapshot", "snapshot")
	nobody := func(ward.PersonID) (*Person, error) { return nil, ErrErased }
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseSnapshot(text)
		if err != nil {
			return
		}
		if opened, err := s.Check(idOf[ward.LockID]("lock"), nobody); err == nil && len(opened) > 0 {
			t.Fatal("an entry by nobody was believed")
		}
	})
}
