package seal

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/google/go-cmp/cmp"

	"ward"
	"ward/ledger/receipt"
	"ward/membership"
	"ward/seal/envelope"
)

var (
	update  = flag.Bool("update", false, "write testdata/vectors anew")
	missing = flag.Bool("missing", false, "write those of testdata/vectors that are not there, and leave the others as they are")
)

const vectorFolder = "../testdata/vectors"

// A vector is one example, good or bad, of a format. testdata/vectors/README.md lists the formats.
type vector struct {
	Name   string          `json:"name"`
	Format string          `json:"format"`
	Good   bool            `json:"good"`
	Wrong  string          `json:"wrong,omitempty"` // what is wrong with a bad one
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output,omitempty"` // what a good one says
}

// TestVectors runs every file of testdata/vectors: a good one must give its output, a bad one must be refused.
func TestVectors(t *testing.T) {
	if *update || *missing {
		writeVectors(t)
	}
	files, err := filepath.Glob(vectorFolder + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s (%v); make them with -update", vectorFolder, err)
	}
	counts := map[string][2]int{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			v, err := ward.Decode[vector](bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			run := formats[v.Format]
			if run == nil {
				t.Fatalf("there is no format %q", v.Format)
			}
			output, err := run(v.Input)
			n := counts[v.Format]
			if !v.Good {
				n[1]++
				counts[v.Format] = n
				if err == nil {
					t.Fatalf("was taken for good, though: %s", v.Wrong)
				}
				return
			}
			n[0]++
			counts[v.Format] = n
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, v.Output), generic(t, marshal(t, output))); diff != "" {
				t.Fatalf("output (-want +got):\n%s", diff)
			}
		})
	}
	for format := range formats { // some are total: they take whatever they are given
		if n := counts[format]; n[0] == 0 || n[1] == 0 && format != "padding" && format != "chain" && format != "versions" {
			t.Errorf("format %s has %d good and %d bad vectors; it needs some of each", format, n[0], n[1])
		}
	}
}

func generic(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

type object = map[string]any

// formats has, for each format, what its input is and what reading it gives.
var formats = map[string]func(json.RawMessage) (any, error){
	"person": on(func(in struct {
		shown
		Person ward.PersonCards `json:"person"`
	},
	) (any, error) {
		p, err := in.check(in.Person)
		if err != nil {
			return nil, err
		}
		return object{"current": p.Current().Hash, "browsers": p.Browsers}, nil
	}),
	"clinic": on(func(in struct{ Text, Hash string }) (any, error) {
		s, err := CheckClinic([]byte(in.Text), in.Hash)
		if err != nil {
			return nil, err
		}
		return object{"hash": s.Hash(), "locks": s.Body.Locks}, nil
	}),
	"epoch": on(func(in struct {
		shown
		Lock    ward.LockID        `json:"lock"`
		Epochs  []string           `json:"epochs"`
		Authors []ward.PersonCards `json:"authors"`
	},
	) (any, error) {
		line, err := CheckLine(in.Org, in.Lock, in.Epochs, in.people(in.Authors))
		if err != nil {
			return nil, err
		}
		last := line[len(line)-1]
		return object{"epoch": last.Body.Epoch, "hash": last.Hash(), "recipient": last.Body.Recipient}, nil
	}),
	"history": on(func(in struct {
		Org      ward.OrgID  `json:"org"`
		Lock     ward.LockID `json:"lock"`
		Epochs   []string    `json:"epochs"`
		History  []byte      `json:"history"` // of the last epoch
		Identity string      `json:"identity"`
	},
	) (any, error) {
		line, err := CheckLine(in.Org, in.Lock, in.Epochs, nil)
		if err != nil {
			return nil, err
		}
		identity, err := ParseIdentity(in.Identity)
		if err != nil {
			return nil, err
		}
		key, err := OpenHistory(in.History, LockKey{in.Org, in.Lock, int64(len(line)), identity}, line)
		return object{"epoch": key.Epoch, "identity": key.Identity.Secret()}, err
	}),
	"grant": on(func(in struct {
		shown
		Epoch    string           `json:"epoch"`
		Grant    ward.HeldGrant   `json:"grant"`
		Granter  ward.PersonCards `json:"granter"`
		Identity string           `json:"identity"` // of whom it is to
	},
	) (any, error) {
		epoch, err := envelope.Parse[envelope.Epoch]([]byte(in.Epoch))
		if err != nil {
			return nil, err
		}
		granter, err := in.check(in.Granter)
		if err != nil {
			return nil, err
		}
		identity, err := ParseIdentity(in.Identity)
		if err != nil {
			return nil, err
		}
		key, err := OpenGrant(in.Grant, epoch.Body, granter, identity)
		return object{"lock": key.Lock, "epoch": key.Epoch, "identity": key.Identity.Secret(), "verify": key.Signing().PublicOrNone()}, err
	}),
	"recomputable": on(func(in struct {
		Org                        ward.OrgID
		Lock                       ward.LockID
		Epoch                      int64
		Identity, Recipient, Plain string
		Sealed                     []byte
	},
	) (any, error) {
		identity, err := ParseIdentity(in.Identity)
		if err != nil {
			return nil, err
		}
		sealed, err := LockKey{in.Org, in.Lock, in.Epoch, identity}.SealRecomputable(in.Recipient, []byte(in.Plain))
		if err == nil && !bytes.Equal(sealed, in.Sealed) {
			err = errors.New("what was sealed is not what the key gives")
		}
		return object{"sha256": Hash(sealed)}, err
	}),
	"entry":   runEntry,
	"content": runEntry,
	"chain": on(func(in struct {
		Lock       ward.LockID `json:"lock"`
		Statements []string    `json:"statements"`
	},
	) (any, error) {
		head := envelope.Start(in.Lock)
		for _, text := range in.Statements {
			head = head.Next([]byte(text))
		}
		return head, nil
	}),
	"padding": on(func(in struct{ Lengths []int64 }) (any, error) {
		padded := []int64{}
		for _, n := range in.Lengths {
			padded = append(padded, Padme(n))
		}
		return object{"padded": padded}, nil
	}),
	"versions": on(func(in struct{ Entries []versionIn }) (any, error) {
		var entries []Version
		for _, e := range in.Entries {
			entries = append(entries, Version(e))
		}
		shown := []object{}
		for _, t := range Threads(entries) {
			o := object{"versions": t.Versions}
			if t.Withdrawn >= 0 {
				o["withdrawn"] = t.Withdrawn
			}
			shown = append(shown, o)
		}
		return object{"threads": shown}, nil
	}),
	"snapshot": on(func(in struct {
		shown
		Lock     ward.LockID        `json:"lock"`
		Snapshot string             `json:"snapshot"`
		Authors  []ward.PersonCards `json:"authors"`
	},
	) (any, error) {
		s, err := ParseSnapshot([]byte(in.Snapshot))
		if err != nil {
			return nil, err
		}
		opened, err := s.Check(in.Lock, in.people(in.Authors))
		if err != nil {
			return nil, err
		}
		titles := []string{}
		for _, o := range opened {
			titles = append(titles, o.Header.Title)
		}
		return object{"upto": s.UpTo, "titles": titles}, nil
	}),
	"keyring": on(func(in struct{ Text, Card string }) (any, error) {
		k, err := ParseKeyring([]byte(in.Text))
		if err != nil {
			return nil, err
		}
		card, err := envelope.Parse[envelope.MemberCard]([]byte(in.Card))
		if err != nil {
			return nil, err
		}
		again, err := k.Text()
		return object{"person": k.Person, "name": k.Name, "signing": k.Signing.Public(), "recipient": k.Identity.Recipient(), "text": string(again)},
			errors.Join(err, k.Check(card.Body))
	}),
	"keyring-sealed": on(func(in struct {
		Sealed   []byte `json:"sealed"`
		PRF      string `json:"prf"`
		Recovery []byte `json:"recovery"`
		Code     string `json:"code"`
	},
	) (any, error) {
		prf, err := ward.B64.DecodeString(in.PRF)
		if err != nil {
			return nil, err
		}
		passkey, err := PasskeyIdentity(prf)
		if err != nil {
			return nil, err
		}
		k, err := OpenKeyring(in.Sealed, passkey)
		if err != nil {
			return nil, err
		}
		code, err := ParseCode(in.Code)
		if err != nil {
			return nil, err
		}
		again, err := OpenKeyringWithCode(in.Recovery, code)
		if err != nil {
			return nil, err
		}
		if k.Identity.Secret() != again.Identity.Secret() {
			return nil, errors.New("the two copies differ")
		}
		return object{"person": k.Person, "version": k.Version}, nil
	}),
	"recovery-code": on(func(in struct{ Typed string }) (any, error) {
		c, err := ParseCode(in.Typed)
		return object{"code": c.Text(), "lookup": c.Proof().Lookup, "token": c.Proof().Token, "tokenHash": c.Key().TokenHash}, err
	}),
	"passkey-identity": on(func(in struct{ PRF string }) (any, error) {
		prf, err := ward.B64.DecodeString(in.PRF)
		if err != nil {
			return nil, err
		}
		identity, err := PasskeyIdentity(prf)
		if err != nil {
			return nil, err
		}
		salt := PRFSalt()
		return object{"salt": ward.B64.EncodeToString(salt[:]), "identity": identity.Secret(), "recipient": identity.Recipient()}, nil
	}),
	"invitation": on(func(in struct{ Link string }) (any, error) {
		i, err := ParseLink(in.Link)
		if err != nil {
			return nil, err
		}
		identity, err := i.Identity()
		return object{
			"invitation": i.ID, "clinic": i.Clinic, "token": i.Token(), "tokenHash": i.TokenHash(), "verifier": i.SigningKey().Public(), "identity": identity.Secret(),
		}, err
	}),
	"guest-link": on(func(in struct{ Link string }) (any, error) {
		l, err := ParseGuestLink(in.Link)
		if err != nil {
			return nil, err
		}
		identity, err := l.Identity()
		return object{"guest": l.Guest, "key": l.Key().Public(), "identity": identity.Secret()}, err
	}),
	"guest": on(func(in struct {
		Link, Guest, Inviter, Arrival, Identity string
		Welcome, Hello                          []byte
	},
	) (any, error) {
		l, err := ParseGuestLink(in.Link)
		if err != nil {
			return nil, err
		}
		made, err1 := envelope.Parse[envelope.Guest]([]byte(in.Guest))
		came, err2 := envelope.Parse[envelope.Arrival]([]byte(in.Arrival))
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		at := Place{Org: made.Body.Org, Visit: made.Body.Visit, Member: made.Body.Guest}
		if came.Body.Org != at.Org || came.Body.Visit != at.Visit || came.Body.Guest != at.Member || Hash(in.Hello) != came.Body.SHA256 {
			return nil, errors.New("the arrival is with another link, or name")
		}
		host, err := ParseIdentity(in.Identity)
		if err != nil {
			return nil, err
		}
		welcome, err1 := l.OpenWelcome(in.Welcome)
		hello, err2 := OpenHello(in.Hello, host, at)
		if err := errors.Join(made.Verify(in.Inviter), came.Verify(made.Body.Link, came.Body.Key), err1, err2); err != nil {
			return nil, err
		}
		return object{"guest": at.Member, "key": came.Body.Key, "name": hello.Name, "as": hello.As, "recipient": hello.Recipient, "from": welcome.From, "host": welcome.Host, "card": welcome.Card}, nil
	}),
	"admission": on(func(in struct{ Text, Browser string }) (any, error) {
		s, err := envelope.Parse[envelope.Admission]([]byte(in.Text))
		if err != nil {
			return nil, err
		}
		return s.Body, s.Verify(in.Browser)
	}),
	"visitor": on(func(in struct{ Text, Browser string }) (any, error) {
		s, err := envelope.Parse[envelope.Visitor]([]byte(in.Text))
		if err != nil {
			return nil, err
		}
		return s.Body, s.Verify(in.Browser)
	}),
	"visit-name": on(func(in struct {
		Host, Identity string
		Place
		Names, Name []byte
	},
	) (any, error) {
		host, err1 := ParseIdentity(in.Host)
		identity, err2 := ParseIdentity(in.Identity)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		key, err := OpenNamesKey(in.Names, identity, in.Place)
		if err != nil {
			return nil, err
		}
		if key != NamesKey(host, in.Visit) {
			return nil, errors.New("this is not the key of the visit's names")
		}
		return OpenName(key, in.Place, in.Name)
	}),
	"export": on(func(in struct {
		Files map[string][]byte `json:"files"`
		Code  string            `json:"code"`
	},
	) (any, error) {
		code, err := ParseCode(in.Code)
		if err != nil {
			return nil, err
		}
		files := fstest.MapFS{}
		for name, data := range in.Files {
			files[name] = &fstest.MapFile{Data: data}
		}
		x, err := OpenExport(files, code)
		if err != nil {
			return nil, err
		}
		entries, err := x.Entries()
		if err != nil {
			return nil, err
		}
		hashes := object{}
		for _, e := range entries {
			var body bytes.Buffer
			if err := x.Body(e, &body); err != nil {
				return nil, err
			}
			hashes[e.Path] = Hash(body.Bytes())
		}
		return object{"person": x.Person, "entries": hashes}, nil
	}),
	"recipient": on(func(in struct {
		Recipient string `json:"recipient"`
	},
	) (any, error) {
		return object{"length": len(in.Recipient)}, envelope.CheckRecipient(in.Recipient)
	}),
	"signature": on(func(in struct{ Key, Message, Signature string }) (any, error) {
		signature, err := ward.B64.DecodeString(in.Signature)
		if err != nil {
			return nil, err
		}
		if !envelope.Signed(in.Key, []byte(in.Message), signature) {
			return nil, errors.New("the signature does not match")
		}
		return object{"key": in.Key}, nil
	}),
	"base64": on(func(in struct {
		Text     string `json:"text"`
		Standard bool   `json:"standard"`
	},
	) (any, error) {
		encoding := ward.B64
		if in.Standard {
			encoding = ward.StdB64
		}
		b, err := encoding.DecodeString(in.Text)
		return object{"bytes": hex.EncodeToString(b)}, err
	}),
	"dpop": on(func(in struct {
		Proof, Method, URL, Nonce, Token string
	},
	) (any, error) {
		key, err := checkProof(in.Proof, in.Method, in.URL, in.Nonce, in.Token)
		return object{"key": key}, err
	}),
}

// PublicOrNone is Public, for a key that may be missing because opening it failed.
func (k SigningKey) PublicOrNone() string {
	if k.key == nil {
		return ""
	}
	return k.Public()
}

func on[In any](read func(In) (any, error)) func(json.RawMessage) (any, error) {
	return func(raw json.RawMessage) (any, error) {
		var in In
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			panic(err) // a vector's input is ours
		}
		return read(in)
	}
}

// shown is what an example shows of the clinic's people: the clinic's statement and the roster.
type shown struct {
	Org    ward.OrgID `json:"org"`
	Clinic string     `json:"clinic"`
	Roster []string   `json:"roster"`
}

// check reads the roster, and the person's own thread if there is one, and checks what belongs to their cards.
func (s shown) check(given ward.PersonCards) (*Person, error) {
	clinic, err := CheckClinic([]byte(s.Clinic), "")
	if err != nil {
		return nil, err
	}
	chain, err := membership.NewRoster(clinic)
	if err != nil {
		return nil, err
	}
	for _, text := range s.Roster {
		if err := chain.Append([]byte(text), vectorNow); err != nil {
			return nil, err
		}
	}
	if given.Thread != nil {
		chain = membership.NewThread(chain, given.Person)
		for _, text := range given.Thread {
			if err := chain.Append([]byte(text), vectorNow); err != nil {
				return nil, err
			}
		}
	}
	return CheckPerson(s.Org, chain, given)
}

func (s shown) people(given []ward.PersonCards) func(ward.PersonID) (*Person, error) {
	return func(id ward.PersonID) (*Person, error) {
		for _, p := range given {
			if p.Person == id {
				return s.check(p)
			}
		}
		return nil, fmt.Errorf("person %s is not known", id)
	}
}

type entryInput struct {
	shown
	Entry    string           `json:"entry"`
	Sealed   []byte           `json:"sealed"`
	Epoch    int64            `json:"epoch"`
	Identity string           `json:"identity"` // of the lock in that epoch
	Author   ward.PersonCards `json:"author"`
}

func runEntry(raw json.RawMessage) (any, error) {
	return on(func(in entryInput) (any, error) {
		author, err := in.check(in.Author)
		if err != nil {
			return nil, err
		}
		s, err := CheckEntry([]byte(in.Entry), author)
		if err != nil {
			return nil, err
		}
		identity, err := ParseIdentity(in.Identity)
		if err != nil {
			return nil, err
		}
		h, lines, body, err := OpenShort(s, in.Sealed, LockKey{in.Org, s.Body.Lock, in.Epoch, identity}, author)
		return object{"header": h, "lines": string(lines), "body": ward.B64.EncodeToString(body)}, err
	})(raw)
}

// checkProof is what a server checks of a proof, but for its being new. The server's own is identity's.
func checkProof(text, method, url, nonce, token string) (string, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return "", errors.New("it is not three parts")
	}
	var header proofHeader
	var claims proofClaims
	for i, into := range []any{&header, &claims} {
		part, err := ward.B64.DecodeString(parts[i])
		if err == nil {
			err = ward.DecodeInto(part, into)
		}
		if err != nil {
			return "", err
		}
	}
	signature, err := ward.B64.DecodeString(parts[2])
	if id, err := ward.B64.DecodeString(claims.ID); err != nil || len(id) != 16 {
		return "", errors.New("its id is not 16 bytes")
	}
	wantToken := ""
	if token != "" {
		wantToken = Hash([]byte(token))
	}
	switch {
	case err != nil:
		return "", err
	case header != proofHeader{"dpop+jwt", "EdDSA", proofKey{"OKP", "Ed25519", header.Key.X}}:
		return "", errors.New("its header is another")
	case claims.Method != method || claims.URL != url || claims.Nonce != nonce || claims.Token != wantToken:
		return "", errors.New("it is for another request")
	case !envelope.Signed(header.Key.X, []byte(parts[0]+"."+parts[1]), signature):
		return "", errors.New("its signature does not match")
	}
	return header.Key.X, nil
}

// writer makes the vectors.
type writer struct {
	t     *testing.T
	names map[string]bool
}

func (w *writer) good(format, name string, input any) { w.write(format, name, "", input) }

func (w *writer) bad(format, name, wrong string, input any) { w.write(format, name, wrong, input) }

func (w *writer) write(format, name, wrong string, input any) {
	w.t.Helper()
	v := vector{Name: format + "-" + name, Format: format, Good: wrong == "", Wrong: wrong, Input: marshal(w.t, input)}
	if w.names[v.Name] {
		w.t.Fatalf("two vectors are named %s", v.Name)
	}
	w.names[v.Name] = true
	output, err := formats[format](v.Input)
	if v.Good != (err == nil) {
		w.t.Fatalf("%s: error is %v", v.Name, err)
	}
	if v.Good {
		v.Output = marshal(w.t, output)
	}
	file := filepath.Join(vectorFolder, v.Name+".json")
	if _, err := os.Stat(file); err == nil && *missing {
		return
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// The people and things in the vectors are made from their names, so that making the vectors anew changes only what
// age makes at random.
func seedOf(name string) [32]byte { return sha256.Sum256([]byte("ward vectors: " + name)) }

func idOf[T ~string](name string) T {
	seed := seedOf(name)
	return ward.IDOf[T]([16]byte(seed[:16]))
}

var vectorTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// vectorNow is when the vectors are read.
var vectorNow = vectorTime.Add(24 * time.Hour)

// someone is a person with keys: one who works at the front desk, whose card is in the roster, or a patient with a thread.
type someone struct {
	Keyring
	card    *envelope.Statement[envelope.MemberCard]
	thread  []string // nil for staff
	browser SigningKey
	cert    *envelope.Statement[envelope.Browser]
}

var vectorOrg = idOf[ward.OrgID]("clinic")

// A town is the clinic of the vectors: who founded it, the one who works there and its patient.
type town struct {
	shown
	founder, okafor, amina *someone
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{founder: newKeys(t, "Ada Founder"), okafor: newKeys(t, "Chidi Okafor"), amina: newKeys(t, "Amina Yusuf")}
	clinic := write(t, vectorClinic(w.founder), w.founder.Signing.Sign)
	w.Org, w.Clinic = vectorOrg, string(clinic.Text)
	w.Roster = append(w.Roster, w.founder.addCard(t, w.founder.firstCard(w.place(string(vectorOrg), nil), ""), w.founder.Signing.Sign))
	w.invite(t, w.okafor, ward.FrontDesk)
	w.invite(t, w.amina, ward.Patient)
	return w
}

// place is the next of a chain.
func (w *town) place(chain string, texts []string) envelope.Place {
	p := envelope.Place{Org: vectorOrg, Chain: chain}
	last := w.Clinic
	if chain == string(vectorOrg) {
		texts = w.Roster
	} else {
		p.RosterSeq, p.RosterHash, last = int64(len(w.Roster)), Hash([]byte(w.Roster[len(w.Roster)-1])), ""
	}
	p.Seq = int64(len(texts)) + 1
	if len(texts) > 0 {
		last = texts[len(texts)-1]
	}
	if last != "" {
		p.Previous = Hash([]byte(last))
	}
	return p
}

// invite has the founder invite someone, who makes their first card with the link.
func (w *town) invite(t *testing.T, s *someone, role ward.Role) {
	t.Helper()
	link, id := SigningKeyOf(seedOf(s.Name+"'s link")), idOf[ward.InvitationID](s.Name)
	chain, texts := string(vectorOrg), &w.Roster
	if !role.IsStaff() {
		chain, texts, s.thread = string(s.Person), &s.thread, []string{}
	}
	invite := write(t, envelope.Invite{
		Place: w.place(chain, *texts), Invitation: id, Person: s.Person, Verifier: link.Public(), Roles: string(role), Name: Hash([]byte(s.Name)),
		Until: ward.FormatTime(vectorTime.Add(time.Hour)), Author: envelope.Author{By: w.founder.Person, Card: w.founder.Card, Time: ward.FormatTime(vectorTime)},
	}, w.founder.Signing.Sign)
	*texts = append(*texts, string(invite.Text))
	*texts = append(*texts, s.addCard(t, s.firstCard(w.place(chain, *texts), id), s.Signing.Sign, link.Sign))
}

// newKeys makes keys, which belong to no card yet.
func newKeys(t *testing.T, name string) *someone {
	t.Helper()
	s := &someone{browser: SigningKeyOf(seedOf(name + "'s browser"))}
	s.Identity, s.Signing = identityFor(t, name+"'s identity"), SigningKeyOf(seedOf(name+"'s signing key"))
	s.Org, s.Person, s.Name, s.Version = vectorOrg, idOf[ward.PersonID](name), name, 1
	return s
}

func (s *someone) firstCard(at envelope.Place, invitation ward.InvitationID) envelope.MemberCard {
	return envelope.MemberCard{
		Place: at, Person: s.Person, Serial: 1, RecipientHash: Hash([]byte(s.Identity.Recipient())), Signing: s.Signing.Public(), Invitation: invitation,
		Time: ward.FormatTime(vectorTime),
	}
}

func (s *someone) addCard(t *testing.T, card envelope.MemberCard, signers ...envelope.Signer) string {
	t.Helper()
	s.card = write(t, card, signers...)
	s.Card = s.card.Hash()
	s.cert = write(t, envelope.Browser{Org: s.Org, Person: s.Person, Card: s.Card, Key: s.browser.Public(), Time: ward.FormatTime(vectorTime)}, s.Signing.Sign)
	return string(s.card.Text)
}

func (s *someone) public() ward.PersonCards {
	return ward.PersonCards{Person: s.Person, State: "active", Thread: slices.Clone(s.thread), Recipients: []string{s.Identity.Recipient()}, Browsers: []string{string(s.cert.Text)}}
}

// with adds to an input what it shows of the clinic's people.
func (w *town) with(in object) object {
	in["org"], in["clinic"], in["roster"] = w.Org, w.Clinic, w.Roster
	return in
}

func (s *someone) pen() Pen { return Pen{s.Hand(), s.Card, s.Name, s.browser} }

func write[B envelope.Body](t *testing.T, body B, signers ...envelope.Signer) *envelope.Statement[B] {
	t.Helper()
	s, err := envelope.Write(body, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// raw writes a statement without checking its values, to make bad ones.
func raw(body envelope.Body, signers ...envelope.Signer) string {
	var text bytes.Buffer
	text.WriteString(body.Type() + "\n")
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic(err)
	}
	return signText(text.String(), signers...)
}

func signText(text string, signers ...envelope.Signer) string {
	whole := text
	for _, sign := range signers {
		signature, err := sign([]byte(text))
		if err != nil {
			panic(err)
		}
		whole += ward.B64.EncodeToString(signature) + "\n"
	}
	return whole
}

func edit(text, old, new string) string {
	if !strings.Contains(text, old) {
		panic("there is no " + old + " in " + text)
	}
	return strings.Replace(text, old, new, 1)
}

func body(text string) string { return strings.Join(strings.SplitAfter(text, "\n")[:2], "") }

func flip(data []byte, at int) []byte {
	data = bytes.Clone(data)
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 1
	return data
}

func writeVectors(t *testing.T) {
	old, err := filepath.Glob(vectorFolder + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range old {
		if *missing {
			break
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	w := &writer{t, map[string]bool{}}
	w.persons()
	w.clinics()
	w.epochs()
	w.grants()
	w.recomputable()
	w.entries()
	w.snapshots()
	w.versions()
	w.keyrings()
	w.codes()
	w.invitations()
	w.guests()
	w.proofs()
	w.exports()
	w.base64s()
	w.recipients()
	w.signatures()
}

func (w *writer) persons() {
	town := newTown(w.t)
	amina, okafor := town.amina, town.okafor
	in := func(p ward.PersonCards) object { return town.with(object{"person": p}) }
	w.good("person", "staff", in(okafor.public()))
	w.good("person", "patient", in(amina.public()))
	w.good("person", "founder", in(town.founder.public()))

	// The newest card of the roster, written wrong.
	link := SigningKeyOf(seedOf("Chidi Okafor's link"))
	sign := []envelope.Signer{okafor.Signing.Sign, link.Sign}
	text := string(okafor.card.Text)
	change := func(name, wrong, text string) {
		o := in(okafor.public())
		o["roster"] = append(slices.Clone(town.Roster[:len(town.Roster)-1]), text)
		w.bad("person", name, wrong, o)
	}
	again := func(old, new string) string { return signText(edit(body(text), old, new), sign...) }
	change("space", "there is a space in the JSON: it is not canonical", again(`,"person"`, `, "person"`))
	change("order", "fields are in another order", signText(strings.TrimSuffix(edit(body(text), `"serial":1,`, ``), "}\n")+`,"serial":1}`+"\n", sign...))
	change("twice", "a field is there twice", again(`"serial":1,`, `"serial":1,"serial":1,`))
	change("unknown", "there is a field that the format does not have", again(`"serial":1,`, `"serial":1,"extra":1,`))
	change("empty", "an optional field is present and empty", again(`"serial":1,`, `"serial":1,"before":"",`))
	signing := okafor.Signing.Public()
	for name, with := range map[string]string{"lf": `\n`, "cr": `\r`, "crlf-inside": `\r\n`} {
		change("key-"+name, "the key has a line break in it", again(signing, signing[:20]+with+signing[20:]))
	}
	change("key-padding", "the key is padded", again(signing, signing+"="))
	change("key-bits", "the key's last character has bits that base64 does not use", again(signing, strings.TrimSuffix(loose(signing+"\n"), "\n")))
	signature := strings.Split(text, "\n")[2]
	change("sig-cr", "the signature has a carriage return in it", edit(text, signature, signature[:40]+"\r"+signature[40:]))
	change("sig-padding", "the signature's last character has bits that base64 does not use", loose(text))
	change("case", "a field's name has another case", again(`"serial"`, `"Serial"`))
	change("time", "the time has no milliseconds", again(`12:00:00.000Z`, `12:00:00Z`))
	change("date", "the date does not exist", again(`2026-11-23`, `2026-02-30`))
	change("serial-text", "a number is a text", again(`"serial":1`, `"serial":"1"`))
	change("serial-float", "a number has a fraction", again(`"serial":1`, `"serial":1.0`))
	change("escaped", "a text is escaped though it need not be", again(`"org":"`+string(vectorOrg)[:1], fmt.Sprintf(`"org":"\u%04x`, string(vectorOrg)[0])))
	change("null", "a field is null", again(`"serial":1`, `"serial":1,"before":null`))
	change("crlf", "lines end with a carriage return", strings.ReplaceAll(text, "\n", "\r\n"))
	change("no-end", "the last line does not end", strings.TrimSuffix(text, "\n"))
	change("more", "something follows the signatures", text+"\n")
	change("unsigned", "there is no signature", body(text))
	change("forged", "the signature is by another key", signText(body(text), amina.Signing.Sign, link.Sign))
	change("without-link", "the second signature is not by the link", signText(body(text), okafor.Signing.Sign, okafor.Signing.Sign))
	change("signatures", "the two signatures are in the wrong order", signText(body(text), link.Sign, okafor.Signing.Sign))
	change("altered", "it was altered after it was signed", edit(text, `2026-11-23`, `2026-11-24`))
	change("type", "it is of another type", strings.Replace(text, "ward/card/2", "ward/browser/1", 1))
	change("version", "it is of a version that is gone", strings.Replace(text, "ward/card/2", "ward/card/1", 1))
	change("bom", "it begins with a byte order mark", "\ufeff"+text)
	change("org", "it is of another clinic", again(string(vectorOrg), string(idOf[ward.OrgID]("another clinic"))))

	// What is shown beside the history.
	beside := func(name, wrong string, of *someone, change func(*ward.PersonCards)) {
		p := of.public()
		change(&p)
		w.bad("person", name, wrong, in(p))
	}
	beside("stranger", "the history has nobody of this id", okafor, func(p *ward.PersonCards) { p.Person = idOf[ward.PersonID]("a stranger") })
	beside("recipient-missing", "the card's recipient is not shown", okafor, func(p *ward.PersonCards) { p.Recipients = []string{} })
	beside("recipient-other", "the recipient is another than the card's", okafor, func(p *ward.PersonCards) { p.Recipients = amina.public().Recipients })
	beside("browser-forged", "the browser's certificate is signed by another person", amina, func(p *ward.PersonCards) {
		p.Browsers = []string{raw(amina.cert.Body, okafor.Signing.Sign)}
	})
	beside("browser-stranger", "the browser is certified for another person", amina, func(p *ward.PersonCards) { p.Browsers = okafor.public().Browsers })
	beside("thread-other", "the thread is another person's", amina, func(p *ward.PersonCards) { p.Person = idOf[ward.PersonID]("a stranger") })
	beside("thread-cut", "the thread lacks its first statement", amina, func(p *ward.PersonCards) { p.Thread = p.Thread[1:] })
	p, b := amina.public(), amina.cert.Body
	b.Card = Hash([]byte("another card"))
	p.Browsers = []string{raw(b, amina.Signing.Sign)}
	w.good("person", "browser-card", in(p)) // it names no card that counts, so it certifies nothing
}

// loose sets an unused bit of the last character of a statement's last signature.
func loose(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, text[len(text)-2])
	return text[:len(text)-2] + string(alphabet[last|1]) + "\n"
}

func (w *writer) clinics() {
	town := newTown(w.t)
	founder, other := town.founder, town.okafor
	body := vectorClinic(founder)
	s := write(w.t, body, founder.Signing.Sign)
	w.good("clinic", "pinned", object{"text": string(s.Text), "hash": s.Hash()})
	w.bad("clinic", "swapped", "it is not the one that was pinned", object{"text": string(s.Text), "hash": Hash([]byte("another clinic"))})
	w.bad("clinic", "forged", "the signature is by someone else", object{"text": raw(body, other.Signing.Sign), "hash": ""})
	body.Locks.Staff = "staff"
	w.bad("clinic", "lock", "a lock is not an id", object{"text": raw(body, founder.Signing.Sign), "hash": ""})
}

func vectorClinic(founder *someone) envelope.Clinic {
	return envelope.Clinic{Org: vectorOrg, Founder: founder.Person, Signing: founder.Signing.Public(), Time: ward.FormatTime(vectorTime), Locks: envelope.ClinicLocks{
		Directory: idOf[ward.LockID]("directory"), Staff: idOf[ward.LockID]("staff"), Clinicians: idOf[ward.LockID]("clinicians"), Emergency: idOf[ward.LockID]("emergency"),
	}}
}

// vectorLock makes a chart's general compartment with two epochs.
func vectorLock(t *testing.T, by *someone) (keys []LockKey, line []*envelope.Statement[envelope.Epoch], history []byte) {
	t.Helper()
	one, two := seedOf("lock, epoch 1"), seedOf("lock, epoch 2")
	first, err1 := IdentityOf(one[:])
	second, err2 := IdentityOf(two[:])
	key, epoch, err3 := by.Hand().lockOf(first, envelope.LockChart, idOf[ward.ChartID]("chart"), envelope.General, vectorTime)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	next, turned, history, err := by.Hand().turnTo(second, key, epoch, vectorTime.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return []LockKey{key, next}, []*envelope.Statement[envelope.Epoch]{epoch, turned}, history
}

func (w *writer) epochs() {
	town := newTown(w.t)
	amina, other := town.amina, town.okafor
	keys, line, history := vectorLock(w.t, amina)
	in := func(epochs ...string) object {
		return town.with(object{"lock": keys[0].Lock, "epochs": epochs, "authors": []ward.PersonCards{amina.public(), other.public()}})
	}
	one, two := string(line[0].Text), string(line[1].Text)
	w.good("epoch", "first", in(one))
	w.good("epoch", "second", in(one, two))
	w.bad("epoch", "none", "there is no epoch", in())
	w.bad("epoch", "missing", "the first epoch is left out", in(two))
	w.bad("epoch", "repeated", "the first epoch comes twice", in(one, one))
	w.bad("epoch", "unsigned-lock", "the lock's own signature is missing", in(raw(line[0].Body, amina.Signing.Sign)))
	w.bad("epoch", "forged-lock", "the second epoch is signed by its own new key, not by the one before", in(one, raw(line[1].Body, amina.Signing.Sign, keys[1].Signing().Sign)))
	w.bad("epoch", "forged-author", "the author's signature is by someone else", in(raw(line[0].Body, other.Signing.Sign, keys[0].Signing().Sign)))
	swapped := line[0].Body
	swapped.Lock = idOf[ward.LockID]("another lock")
	w.bad("epoch", "id", "the lock's id is not made from its first keys", town.with(object{
		"lock": swapped.Lock, "epochs": []string{raw(swapped, amina.Signing.Sign, keys[0].Signing().Sign)}, "authors": []ward.PersonCards{amina.public()},
	}))
	kind := line[1].Body
	kind.Compartment = envelope.Restricted
	w.bad("epoch", "compartment", "the second epoch changes the compartment", in(one, raw(kind, amina.Signing.Sign, keys[0].Signing().Sign)))
	team := line[0].Body
	team.Kind = envelope.LockTeam
	w.bad("epoch", "team-chart", "a team names a chart", in(raw(team, amina.Signing.Sign, keys[0].Signing().Sign)))
	previous := line[1].Body
	previous.Previous = Hash([]byte("another epoch"))
	w.bad("epoch", "previous", "the second epoch does not name the first", in(one, raw(previous, amina.Signing.Sign, keys[0].Signing().Sign)))

	past := func(sealed []byte, identity Identity) object {
		return object{"org": vectorOrg, "lock": keys[0].Lock, "epochs": []string{one, two}, "history": sealed, "identity": identity.Secret()}
	}
	w.good("history", "second", past(history, keys[1].Identity))
	w.bad("history", "altered", "the sealed history was altered", past(flip(history, -1), keys[1].Identity))
	w.bad("history", "key", "the identity is not the newer epoch's", past(history, keys[0].Identity))
}

func (w *writer) grants() {
	town := newTown(w.t)
	amina, okafor := town.amina, town.okafor
	keys, line, _ := vectorLock(w.t, amina)
	epoch, key := line[0], keys[0]
	toOkafor := okafor.ToSelf()
	g, err := amina.Hand().Grant(key, toOkafor, envelope.ForCare, ward.FormatTime(vectorTime.Add(24*time.Hour)), vectorTime)
	if err != nil {
		w.t.Fatal(err)
	}
	in := func(g ward.NewGrant, identity Identity) object {
		return town.with(object{"epoch": string(epoch.Text), "grant": g, "granter": amina.public(), "identity": identity.Secret()})
	}
	w.good("grant", "person", in(g, okafor.Identity))
	teamSeed := seedOf("team")
	team, _ := IdentityOf(teamSeed[:])
	teamKey, teamEpoch, err := okafor.Hand().lockOf(team, envelope.LockTeam, "", "", vectorTime)
	if err != nil {
		w.t.Fatal(err)
	}
	toTeam, err := amina.Hand().Grant(key, ToLock(teamEpoch), envelope.ForCare, "", vectorTime)
	if err != nil {
		w.t.Fatal(err)
	}
	w.good("grant", "team", in(toTeam, teamKey.Identity))
	w.bad("grant", "identity", "it is sealed to someone else", in(g, amina.Identity))
	w.bad("grant", "altered", "the sealed file was altered", in(ward.NewGrant{Text: g.Text, Sealed: flip(g.Sealed, -1)}, okafor.Identity))
	s, err := envelope.Parse[envelope.Grant]([]byte(g.Text))
	if err != nil {
		w.t.Fatal(err)
	}
	sign := []envelope.Signer{amina.Signing.Sign, key.Signing().Sign}
	change := func(name, wrong string, sealed []byte, by []envelope.Signer, edit func(*envelope.Grant)) {
		b := s.Body
		b.SHA256 = Hash(sealed)
		edit(&b)
		w.bad("grant", name, wrong, in(ward.NewGrant{Text: raw(b, by...), Sealed: sealed}, okafor.Identity))
	}
	same := func(*envelope.Grant) {}
	change("forged-granter", "the granter's signature is by someone else", g.Sealed, []envelope.Signer{okafor.Signing.Sign, key.Signing().Sign}, same)
	change("forged-lock", "the lock's signature is by someone who does not hold it", g.Sealed, []envelope.Signer{amina.Signing.Sign, okafor.Signing.Sign}, same)
	change("epoch", "it is of another epoch", g.Sealed, sign, func(b *envelope.Grant) { b.Epoch = 2 })
	change("both", "it is to a person and to a lock", g.Sealed, sign, func(b *envelope.Grant) { b.Holder, b.HolderEpoch = teamKey.Lock, 1 })
	change("nobody", "it is to nobody", g.Sealed, sign, func(b *envelope.Grant) { b.Person, b.Card = "", "" })
	change("purpose", "the purpose is none that exists", g.Sealed, sign, func(b *envelope.Grant) { b.Purpose = "curiosity" })
	change("itself", "a lock holds itself", g.Sealed, sign, func(b *envelope.Grant) {
		b.Person, b.Card, b.Holder, b.HolderEpoch = "", "", b.Lock, 1
	})
	seal := func(file []byte, recipients ...string) []byte {
		sealed, err := Seal(file, recipients...)
		if err != nil {
			w.t.Fatal(err)
		}
		return sealed
	}
	file := must(key.File())
	change("two", "the file is sealed to a second recipient", seal(file, toOkafor.Recipient, amina.Identity.Recipient()), sign, same)
	wrongKey := LockKey{key.Org, key.Lock, key.Epoch, amina.Identity}
	change("file-key", "the lock file holds another identity than the epoch's", seal(must(wrongKey.File()), toOkafor.Recipient), sign, same)
	wrongEpoch := LockKey{key.Org, key.Lock, 2, key.Identity}
	change("file-epoch", "the lock file is of another epoch", seal(must(wrongEpoch.File()), toOkafor.Recipient), sign, same)
	change("file-type", "the lock file is of another type", seal(bytes.Replace(file, []byte("ward/lock/1"), []byte("ward/lock/2"), 1), toOkafor.Recipient), sign, same)
	change("file-more", "the lock file holds two identities", seal(append(bytes.Clone(file), amina.Identity.Secret()+"\n"...), toOkafor.Recipient), sign, same)
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

var note = Draft{
	Kind: "note", Type: "text/plain;charset=utf-8", Title: `Control of asthma: "stable" – اطمئنان <b>&\`,
}

func (w *writer) recomputable() {
	amina, okafor := newKeys(w.t, "Amina Yusuf"), newKeys(w.t, "Chidi Okafor")
	epoch, another := newKeys(w.t, "An epoch"), newKeys(w.t, "Another") // for their identities
	key := LockKey{vectorOrg, ward.NewID[ward.LockID](), 2, epoch.Identity}
	other := LockKey{vectorOrg, key.Lock, 2, another.Identity}
	file := must(key.File())
	to := amina.Identity.Recipient()
	in := func(sealed []byte, changes ...string) object {
		o := object{
			"org": key.Org, "lock": key.Lock, "epoch": key.Epoch, "identity": key.Identity.Secret(),
			"recipient": to, "plain": string(file), "sealed": sealed,
		}
		for i := 0; i < len(changes); i += 2 {
			o[changes[i]] = changes[i+1]
		}
		return o
	}
	sealed := must(key.SealRecomputable(to, file))
	w.good("recomputable", "member", in(sealed))
	w.good("recomputable", "empty", in(must(key.SealRecomputable(to, nil)), "plain", ""))
	w.bad("recomputable", "recipient", "it is sealed to somebody else", in(must(key.SealRecomputable(okafor.Identity.Recipient(), file))))
	w.bad("recomputable", "plaintext", "it holds another plaintext", in(must(key.SealRecomputable(to, must(other.File())))))
	w.bad("recomputable", "secret", "it is made with the secret of another key", in(must(other.SealRecomputable(to, file))))
	w.bad("recomputable", "random", "it is an ordinary age file of the same: nobody can tell that it is right", in(must(Seal(file, to))))
	for name, k := range map[string]LockKey{
		"org": {ward.NewID[ward.OrgID](), key.Lock, 2, key.Identity}, "lock": {key.Org, ward.NewID[ward.LockID](), 2, key.Identity}, "epoch": {key.Org, key.Lock, 3, key.Identity},
	} {
		w.bad("recomputable", name, "it is of another "+name, in(must(k.SealRecomputable(to, file))))
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	w.bad("recomputable", "altered", "its last bit is another", in(altered))
	w.bad("recomputable", "more", "a byte follows", in(append(bytes.Clone(sealed), 0)))
	w.bad("recomputable", "cut", "its last byte is missing", in(sealed[:len(sealed)-1]))
	wrong := map[bool]string{true: "p", false: "q"}[strings.HasSuffix(to, "q")]
	w.bad("recomputable", "checksum", "the recipient's checksum is wrong", in(sealed, "recipient", to[:len(to)-1]+wrong))
	w.bad("recomputable", "capitals", "the recipient is in capitals", in(sealed, "recipient", strings.ToUpper(to)))
	w.bad("recomputable", "classic", "the recipient is a classic age recipient", in(sealed, "recipient", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"))
}

func (w *writer) entries() {
	town := newTown(w.t)
	okafor, other := town.okafor, town.amina
	keys, line, _ := vectorLock(w.t, okafor)
	epoch, key := line[1].Body, keys[1]
	draft := note
	draft.Entry = idOf[ward.EntryID]("a note")
	seen := envelope.Start(key.Lock)
	text := []byte("Peak flow 410 l/min. Same inhaler, once a day. See again in three months.\n")
	n, err := okafor.pen().SealEntry(epoch, draft, text, seen, vectorTime)
	if err != nil {
		w.t.Fatal(err)
	}
	in := func(n ward.NewEntry) entryInput {
		return entryInput{shown: town.shown, Entry: n.Text, Sealed: n.Sealed, Epoch: 2, Identity: key.Identity.Secret(), Author: okafor.public()}
	}
	w.good("entry", "note", in(n))
	s, err := envelope.Parse[envelope.Entry]([]byte(n.Text))
	if err != nil {
		w.t.Fatal(err)
	}
	change := func(format, name, wrong string, sealed []byte, by SigningKey, edit func(*envelope.Entry)) {
		b := s.Body
		b.Size, b.SHA256 = int64(len(sealed)), Hash(sealed)
		edit(&b)
		w.bad(format, name, wrong, in(ward.NewEntry{Text: raw(b, by.Sign), Sealed: sealed}))
	}
	same := func(*envelope.Entry) {}
	w.bad("entry", "altered", "the sealed bytes were altered", in(ward.NewEntry{Text: n.Text, Sealed: flip(n.Sealed, -1)}))
	w.bad("entry", "cut", "the sealed bytes were cut", in(ward.NewEntry{Text: n.Text, Sealed: n.Sealed[:len(n.Sealed)-1]}))
	w.bad("entry", "kind-altered", "the kind was altered after it was signed", in(ward.NewEntry{Text: edit(n.Text, `"kind":"note"`, `"kind":"file"`), Sealed: n.Sealed}))
	change("entry", "forged", "the browser's signature is by another key", n.Sealed, other.browser, same)
	change("entry", "browser", "the browser is not certified by the author", n.Sealed, other.browser, func(b *envelope.Entry) { b.Browser = other.browser.Public() })
	change("entry", "author", "the statement names another author", n.Sealed, okafor.browser, func(b *envelope.Entry) { b.Author = other.Person })
	change("entry", "kind", "the kind is none that exists", n.Sealed, okafor.browser, func(b *envelope.Entry) { b.Kind = "rumour" })
	change("entry", "epoch", "the statement says another epoch", n.Sealed, okafor.browser, func(b *envelope.Entry) { b.Epoch = 1 })
	change("entry", "negative", "a place is negative", n.Sealed, okafor.browser, func(b *envelope.Entry) { b.Seen.Seq = -1 })
	change("entry", "truncated-age", "the age file lost its last chunk's end, and the statement agrees", n.Sealed[:len(n.Sealed)-4], okafor.browser, same)
	change("entry", "tampered-age", "a byte of the age file is changed, and the statement agrees", flip(n.Sealed, -20), okafor.browser, same)
	change("entry", "not-age", "the sealed bytes are not an age file, and the statement agrees", bytes.Repeat([]byte("no secret at all\n"), 200), okafor.browser, same)
	content := must(Open(n.Sealed, key.Identity, 1<<20))
	seal := func(content []byte, recipients ...string) []byte { return must(Seal(content, recipients...)) }
	change("entry", "two", "it is sealed to a second recipient too", seal(content, epoch.Recipient, other.Identity.Recipient()), okafor.browser, same)
	change("entry", "elsewhere", "it is sealed to another lock", seal(content, other.Identity.Recipient()), okafor.browser, same)

	// Inside the seal.
	w.good("content", "empty", in(w.seal(okafor, epoch, Draft{Kind: "file", Type: "application/octet-stream", Filename: "nothing"}, nil)))
	w.good("content", "amends", in(w.seal(okafor, epoch, Draft{Kind: "note", Type: "text/plain;charset=utf-8", Amends: draft.Entry}, []byte("Correction."))))
	w.good("content", "retracts", in(w.seal(okafor, epoch, Draft{Kind: "note", Type: "text/plain;charset=utf-8", Retracts: draft.Entry}, []byte("Wrong patient."))))
	w.good("content", "newlines", in(w.seal(okafor, epoch, Draft{Kind: "file", Type: "text/plain"}, []byte("a body may end with the byte that pads it\n\n\n"))))
	parts := strings.SplitAfterN(string(content), "\n", 4)
	rest := strings.Join(parts[3:], "")
	inside := func(name, wrong, json string, key SigningKey, rest string) {
		lines := signText("ward/content/1\n"+json+"\n", key.Sign)
		change("content", name, wrong, seal([]byte(lines+rest), epoch.Recipient), okafor.browser, same)
	}
	json := strings.TrimSuffix(parts[1], "\n")
	mine := okafor.Signing
	inside("forged", "the author's signature is by someone else", json, other.Signing, rest)
	inside("entry", "the header is of another entry", edit(json, string(draft.Entry), string(idOf[ward.EntryID]("another"))), mine, rest)
	inside("lock", "the header is of another lock", edit(json, string(key.Lock), string(idOf[ward.LockID]("another"))), mine, rest)
	inside("kind", "the header says another kind", edit(json, `"kind":"note"`, `"kind":"message"`), mine, rest)
	inside("author", "the header says another author", edit(json, string(okafor.Person), string(other.Person)), mine, rest)
	inside("time", "the header says another time", edit(json, "12:00:00.000Z", "12:00:01.000Z"), mine, rest)
	inside("card", "the header names a card that is not the author's", edit(json, okafor.Card, other.Card), mine, rest)
	inside("encoding", "the encoding is none that exists", edit(json, `"title"`, `"encoding":"br","title"`), mine, rest)
	inside("title", "the title is longer than 200 characters", edit(json, `"title":"`, `"title":"`+strings.Repeat("é", 200)), mine, rest)
	inside("unknown", "the header has a field that the format does not have", edit(json, `"title"`, `"extra":1,"title"`), mine, rest)
	inside("case", "a field's name has another case", edit(json, `"title"`, `"Title"`), mine, rest)
	inside("twice", "a field is there twice", edit(json, `"title"`, `"title":"Allergy","title"`), mine, rest)
	inside("more", "something follows the JSON", json+"{}", mine, rest)
	inside("size", "the header says a larger body than there is", edit(json, fmt.Sprintf(`"size":%d`, len(text)), `"size":100000`), mine, rest)
	inside("body", "the body was altered", json, mine, "X"+rest[1:])
	inside("long", "the line of JSON is longer than 8 KiB", edit(json, `"title":"`, `"title":"`+strings.Repeat(" ", 9000)), mine, rest)
	change("content", "cut", "the header is cut off", seal([]byte(parts[0]+parts[1]), epoch.Recipient), okafor.browser, same)
	change("content", "type", "it is of another type", seal([]byte(strings.Replace(string(content), "ward/content/1", "ward/content/2", 1)), epoch.Recipient), okafor.browser, same)

	w.good("chain", "empty", object{"lock": key.Lock, "statements": []string{}})
	w.good("chain", "three", object{"lock": key.Lock, "statements": []string{n.Text, n.Text, string(line[0].Text)}})
	w.good("padding", "lengths", object{"lengths": []int64{0, 1, 2, 3, 7, 8, 9, 10, 100, 255, 256, 257, 1000, 4095, 4097, 65536, 65537, 1000000, 1 << 20, 1<<30 + 1, 1<<53 - 1<<40}})
}

func (w *writer) seal(by *someone, epoch envelope.Epoch, d Draft, body []byte) ward.NewEntry {
	d.Entry = idOf[ward.EntryID](d.Type + d.Filename + string(d.Amends) + string(d.Retracts) + d.Title + string(body))
	n, err := by.pen().SealEntry(epoch, d, body, envelope.Start(epoch.Lock), vectorTime)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// A versionIn is a Version as vectors have it.
type versionIn struct {
	Lock      ward.LockID   `json:"lock"`
	Seq       int64         `json:"seq"`
	Entry     ward.EntryID  `json:"entry"`
	Kind      string        `json:"kind"`
	Author    ward.PersonID `json:"author"`
	Clinician bool          `json:"clinician"`
	Amends    ward.EntryID  `json:"amends,omitempty"`
	Retracts  ward.EntryID  `json:"retracts,omitempty"`
}

func (w *writer) versions() {
	made := map[ward.LockID]int64{}
	entry := func(id, author string, change ...func(*versionIn)) versionIn {
		e := versionIn{Lock: "general", Entry: ward.EntryID(id), Kind: "note", Author: ward.PersonID(author)}
		for _, c := range change {
			c(&e)
		}
		made[e.Lock]++
		e.Seq = made[e.Lock]
		return e
	}
	amends := func(id string) func(*versionIn) { return func(e *versionIn) { e.Amends = ward.EntryID(id) } }
	retracts := func(id string) func(*versionIn) { return func(e *versionIn) { e.Retracts = ward.EntryID(id) } }
	clinician := func(e *versionIn) { e.Clinician = true }
	in := func(lock string) func(*versionIn) { return func(e *versionIn) { e.Lock = ward.LockID(lock) } }
	snapshot := func(e *versionIn) { e.Kind = "snapshot" }
	good := func(name string, entries ...versionIn) {
		w.good("versions", name, object{"entries": entries})
		clear(made)
	}
	good("one", entry("a", "amina"))
	good("amended", entry("a", "amina"), entry("b", "amina", amends("a")), entry("c", "amina", amends("b")))
	good("amended-twice-from-the-first", entry("a", "amina"), entry("b", "amina", amends("a")), entry("c", "amina", amends("a")))
	good("amended-by-a-clinician", entry("a", "amina"), entry("b", "okafor", clinician, amends("a")))
	good("amended-by-another", entry("a", "amina"), entry("b", "eve", amends("a")))
	good("own-version-of-a-clinicians", entry("a", "amina"), entry("b", "okafor", clinician, amends("a")), entry("c", "amina", amends("b")))
	good("withdrawn", entry("a", "okafor", clinician), entry("b", "okafor", clinician, retracts("a")))
	good("withdrawn-by-another-clinician", entry("a", "okafor", clinician), entry("b", "mensah", clinician, retracts("a")))
	good("withdrawn-by-another", entry("a", "okafor", clinician), entry("b", "eve", retracts("a")))
	good("withdrawn-older-version", entry("a", "amina"), entry("b", "amina", amends("a")), entry("c", "amina", retracts("a")))
	good("withdrawn-twice", entry("a", "amina"), entry("b", "amina", retracts("a")), entry("c", "okafor", clinician, retracts("a")))
	good("amended-after-it-was-withdrawn", entry("a", "amina"), entry("b", "amina", retracts("a")), entry("c", "amina", amends("a")))
	good("retraction-of-a-retraction", entry("a", "amina"), entry("b", "amina", retracts("a")), entry("c", "amina", retracts("b")))
	good("amendment-of-a-retraction", entry("a", "amina"), entry("b", "amina", retracts("a")), entry("c", "amina", amends("b")))
	good("of-another-lock", entry("a", "amina"), entry("b", "amina", in("restricted"), amends("a")), entry("c", "okafor", clinician, in("restricted"), retracts("a")))
	good("same-id-in-another-lock", entry("a", "amina"), entry("a", "amina", in("restricted")), entry("b", "amina", in("restricted"), retracts("a")))
	good("same-id-later", entry("a", "okafor", clinician), entry("a", "eve"), entry("b", "eve", retracts("a")), entry("c", "eve", amends("a")))
	good("of-what-comes-later", entry("a", "amina", amends("b")), entry("b", "amina", amends("a")))
	good("of-itself", entry("a", "amina", amends("a")), entry("b", "amina", retracts("b")))
	good("of-nothing", entry("a", "amina", amends("gone")), entry("b", "amina", retracts("gone")))
	good("both", entry("a", "amina"), entry("b", "amina", amends("a"), retracts("a")))
	good("snapshots", entry("a", "amina"), entry("s", "amina", snapshot), entry("b", "amina", amends("s")), entry("t", "amina", snapshot, retracts("a")))
}

func (w *writer) snapshots() {
	town := newTown(w.t)
	okafor := town.okafor
	keys, line, _ := vectorLock(w.t, okafor)
	person, err := town.check(okafor.public())
	if err != nil {
		w.t.Fatal(err)
	}
	var opened []Opened
	for i := range 3 {
		d := Draft{Kind: "note", Type: "text/plain", Title: fmt.Sprintf("Note %d", i+1)}
		n := w.seal(okafor, line[1].Body, d, fmt.Appendf(nil, "Text %d", i+1))
		s, err := CheckEntry([]byte(n.Text), person)
		if err != nil {
			w.t.Fatal(err)
		}
		h, lines, body, err := OpenShort(s, n.Sealed, keys[1], person)
		if err != nil {
			w.t.Fatal(err)
		}
		opened = append(opened, Opened{Seq: int64(i) + 1, Statement: s, Header: h, Lines: lines, Body: body, HasBody: true})
	}
	make := func(change func(*Snapshot)) object {
		s, err := NewSnapshot(keys[0].Lock, opened)
		if err != nil {
			w.t.Fatal(err)
		}
		change(s)
		return town.with(object{"lock": keys[0].Lock, "snapshot": string(marshal(w.t, s)), "authors": []ward.PersonCards{okafor.public()}})
	}
	w.good("snapshot", "three", make(func(*Snapshot) {}))
	w.bad("snapshot", "left-out", "what an entry says is left out", make(func(s *Snapshot) { s.Entries[1].Body = "" }))
	w.bad("snapshot", "missing", "an entry is left out", make(func(s *Snapshot) { s.Entries = append(s.Entries[:1], s.Entries[2]) }))
	w.bad("snapshot", "truncated", "the last entry is left out", make(func(s *Snapshot) { s.Entries = s.Entries[:2] }))
	w.bad("snapshot", "swapped", "two entries change places", make(func(s *Snapshot) {
		s.Entries[0], s.Entries[1] = s.Entries[1], s.Entries[0]
		s.Entries[0].Seq, s.Entries[1].Seq = 1, 2
	}))
	w.bad("snapshot", "body", "a body was altered", make(func(s *Snapshot) { s.Entries[0].Body = ward.B64.EncodeToString([]byte("Text 9")) }))
	w.bad("snapshot", "content", "an entry has the content of another", make(func(s *Snapshot) { s.Entries[0].Content = s.Entries[1].Content }))
	w.bad("snapshot", "upto", "it says another head than its entries make", make(func(s *Snapshot) { s.UpTo.Chain = envelope.Start(keys[0].Lock).Chain }))
}

func (w *writer) keyrings() {
	town := newTown(w.t)
	amina, other := town.amina, town.okafor
	prf := seedOf("Amina Yusuf's passkey")
	passkey, err := PasskeyIdentity(prf[:])
	if err != nil {
		w.t.Fatal(err)
	}
	seed := seedOf("Amina Yusuf's recovery code")
	code := CodeOf([16]byte(seed[:16]))
	k := amina.Keyring
	k.Clinic, k.Code, k.Name = Hash([]byte("a clinic")), code, `Amina "Mina" Yusuf أمينة`
	k.Passkeys = []KeyringPasskey{{idOf[ward.PasskeyID]("phone"), "My phone", passkey.Recipient()}}
	text := string(must(k.Text()))
	card := string(amina.card.Text)
	in := func(text, card string) object { return object{"text": text, "card": card} }
	w.good("keyring", "whole", in(text, card))
	w.bad("keyring", "card", "its keys are not those of the card", in(text, string(other.card.Text)))
	w.bad("keyring", "type", "it is of another type", in(edit(text, "ward/keyring/1", "ward/keyring/2"), card))
	w.bad("keyring", "comment", "the JSON is not in a comment, so stock age would refuse it", in(edit(text, "# {", "{"), card))
	w.bad("keyring", "identity", "the identity has a wrong checksum", in(edit(text, k.Identity.Secret()[:30], k.Identity.Secret()[:29]+"Q"), card))
	w.bad("keyring", "classic", "the identity is a classic age identity", in(edit(text, k.Identity.Secret(), "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"), card))
	w.bad("keyring", "signing", "the signing key is too short", in(edit(text, `"signing":"`, `"signing":"AAAA","was":"`), card))
	w.bad("keyring", "version", "the version is 0", in(edit(text, `"version":1`, `"version":0`), card))
	w.bad("keyring", "code", "the recovery code has a wrong letter", in(edit(text, code.Text()[:4], "0000"), card))
	w.bad("keyring", "code-typed", "the recovery code is not written as it is printed", in(edit(text, code.Text(), strings.ToLower(code.Text())), card))
	w.bad("keyring", "case", "a field's name has another case", in(edit(text, `"version"`, `"Version"`), card))
	w.bad("keyring", "twice", "a field is there twice", in(edit(text, `"version":1`, `"version":2,"version":1`), card))
	w.bad("keyring", "twice-escaped", "a field is there twice, once with its name escaped", in(edit(text, `"version":1`, `"\u0076ersion":2,"version":1`), card))
	w.bad("keyring", "twice-inside", "a passkey's field is there twice", in(edit(text, `"name":"My phone"`, `"name":"Mine","name":"My phone"`), card))
	w.bad("keyring", "unknown", "there is a field that the format does not have", in(edit(text, `"version":1`, `"extra":1,"version":1`), card))
	seedText := strings.Split(strings.SplitAfter(text, `"signing":"`)[1], `"`)[0]
	w.bad("keyring", "signing-lf", "the signing key has a line break in it", in(edit(text, seedText, seedText[:9]+`\n`+seedText[9:]), card))
	w.bad("keyring", "signing-bits", "the signing key's last character has bits that base64 does not use", in(edit(text, seedText, strings.TrimSuffix(loose(seedText+"\n"), "\n")), card))
	w.bad("keyring", "two", "there are two identities", in(text+other.Identity.Secret()+"\n", card))

	trusting := k
	key := seedOf("a validator")
	trusting.Ledger = &receipt.Trust{
		Chain: "ward-clinic", Height: 1, Origin: seedOf("an origin"), Salt: seedOf("a salt"), Seen: receipt.Seen{Size: 7, Root: seedOf("a root")},
		Validators: []receipt.Validator{{Name: "Hillside Clinic", Key: key[:], Power: 10, Kind: receipt.Ed25519}},
	}
	ledger := string(must(trusting.Text()))
	w.good("keyring", "ledger", in(ledger, card))
	w.bad("keyring", "ledger-power", "a validator that it trusts has no power", in(edit(ledger, `"power":10`, `"power":0`), card))
	w.bad("keyring", "ledger-nobody", "it trusts nobody", in(edit(ledger, string(marshal(w.t, trusting.Ledger.Validators)), "[]"), card))
	w.bad("keyring", "ledger-origin", "the log's key is cut off", in(edit(ledger, trusting.Ledger.Origin.String(), "AAAA"), card))

	sealed, recovery := must(k.Seal()), must(k.SealForRecovery())
	both := func(sealed, recovery []byte, prf []byte, code string) object {
		return object{"sealed": sealed, "recovery": recovery, "prf": ward.B64.EncodeToString(prf), "code": code}
	}
	w.good("keyring-sealed", "both", both(sealed, recovery, prf[:], code.Text()))
	w.good("keyring-sealed", "two-passkeys", func() object {
		two := k
		two.Passkeys = append([]KeyringPasskey{{idOf[ward.PasskeyID]("key"), "Security key", other.Identity.Recipient()}}, k.Passkeys...)
		return both(must(two.Seal()), recovery, prf[:], strings.ToLower(strings.ReplaceAll(code.Text(), "-", " ")))
	}())
	w.bad("keyring-sealed", "passkey", "the passkey is another", both(sealed, recovery, flip(prf[:], 0), code.Text()))
	w.bad("keyring-sealed", "altered", "the sealed keyring was altered", both(flip(sealed, -1), recovery, prf[:], code.Text()))
	w.bad("keyring-sealed", "code", "the recovery code is another", both(sealed, recovery, prf[:], CodeOf([16]byte{}).Text()))
	w.bad("keyring-sealed", "recovery-altered", "the copy for recovery was altered", both(sealed, flip(recovery, -1), prf[:], code.Text()))

	w.good("passkey-identity", "seeded", object{"prf": ward.B64.EncodeToString(prf[:])})
	w.good("passkey-identity", "zero", object{"prf": ward.B64.EncodeToString(make([]byte, 32))})
	w.bad("passkey-identity", "short", "the secret has 31 bytes", object{"prf": ward.B64.EncodeToString(prf[:31])})
	w.bad("passkey-identity", "long", "the secret has 64 bytes", object{"prf": ward.B64.EncodeToString(make([]byte, 64))})
}

func (w *writer) codes() {
	in := func(typed string) object { return object{"typed": typed} }
	w.good("recovery-code", "zero", in(CodeOf([16]byte{}).Text()))
	w.good("recovery-code", "ones", in(CodeOf([16]byte(bytes.Repeat([]byte{255}, 16))).Text()))
	text := CodeOf([16]byte([]byte("sixteen letters!"))).Text()
	w.good("recovery-code", "seeded", in(text))
	w.good("recovery-code", "spoken", in(" "+strings.ToLower(strings.ReplaceAll(text, "-", "  "))+" "))
	zero := CodeOf([16]byte{}).Text()
	w.good("recovery-code", "letters", in(strings.NewReplacer("0", "o").Replace(zero)))
	one := CodeOf([16]byte{0x08}).Text()
	if !strings.Contains(one, "1") {
		w.t.Fatalf("code %s has no 1", one)
	}
	w.good("recovery-code", "ones-typed-i", in(strings.ReplaceAll(one, "1", "i")))
	w.good("recovery-code", "ones-typed-l", in(strings.ReplaceAll(one, "1", "L")))
	w.bad("recovery-code", "empty", "there is nothing", in(""))
	w.bad("recovery-code", "short", "the last character is missing", in(text[:len(text)-1]))
	w.bad("recovery-code", "long", "there is a character too many", in(text+"0"))
	w.bad("recovery-code", "letter", "a U is no letter of codes", in("U"+text[1:]))
	w.bad("recovery-code", "accent", "a character is not of codes", in("é"+text[1:]))
	next := string(crockford[(strings.IndexByte(crockford, text[0])+1)%32])
	w.bad("recovery-code", "typo", "one character is another", in(next+text[1:]))
	w.bad("recovery-code", "checksum", "the last character is another", in(text[:len(text)-1]+string(crockford[(strings.IndexByte(crockford, text[len(text)-1])+1)%32])))
	b := []byte(text)
	for i := range len(b) - 1 {
		if b[i] != b[i+1] && b[i] != '-' && b[i+1] != '-' {
			b[i], b[i+1] = b[i+1], b[i]
			break
		}
	}
	w.bad("recovery-code", "swapped", "two neighbours changed places", in(string(b)))
}

func (w *writer) invitations() {
	seed := seedOf("invitation")
	i := Invitation{ID: idOf[ward.InvitationID]("invitation"), Secret: [16]byte(seed[:16]), Clinic: Hash([]byte("a clinic"))}
	link := i.Link("https://clinic.example")
	in := func(link string) object { return object{"link": link} }
	w.good("invitation", "link", in(link))
	_, fragment, _ := strings.Cut(link, "#")
	w.good("invitation", "fragment", in(fragment))
	founding := i
	founding.Clinic = ""
	w.good("invitation", "founding", in(founding.Link("http://localhost:8080")))
	w.good("invitation", "pasted", in("  "+link+" \n"))
	w.bad("invitation", "empty", "there is nothing", in(""))
	w.bad("invitation", "half", "the secret is cut off", in("https://clinic.example/join#"+string(i.ID)+".abc"))
	w.bad("invitation", "no-secret", "there is no secret", in("https://clinic.example/join#"+string(i.ID)))
	w.bad("invitation", "id", "the id is none", in(edit(link, string(i.ID), "not-an-id")))
	w.bad("invitation", "clinic", "the clinic's hash is cut off", in(link[:len(link)-3]))
	w.bad("invitation", "more", "there is a fourth part", in(link+".more"))
}

func (w *writer) guests() {
	town := newTown(w.t)
	amina, okafor := town.amina, town.okafor
	seed := seedOf("a guest's link")
	l := GuestLink{Guest: idOf[ward.PersonID]("a guest"), Secret: [16]byte(seed[:16])}
	link := l.Link("https://clinic.example")
	w.good("guest-link", "whole", object{"link": link})
	_, fragment, _ := strings.Cut(link, "#")
	w.good("guest-link", "fragment", object{"link": " " + fragment + "\n"})
	w.bad("guest-link", "half", "the secret is cut off", object{"link": link[:len(link)-4]})
	w.bad("guest-link", "none", "there is no secret", object{"link": "https://clinic.example/guest#" + string(l.Guest)})
	w.bad("guest-link", "more", "there is a third part", object{"link": link + ".more"})
	w.bad("guest-link", "id", "the id is none", object{"link": edit(link, string(l.Guest), "not-an-id")})

	now, visit := ward.FormatTime(vectorTime), idOf[ward.VisitID]("a visit")
	at := Place{Org: vectorOrg, Visit: visit, Member: l.Guest}
	browser, mine := SigningKeyOf(seedOf("a guest's browser")), identityFor(w.t, "a guest's identity")
	made := envelope.Guest{Org: vectorOrg, Visit: visit, Guest: l.Guest, Link: l.Key().Public(), Inviter: amina.Person, Time: now}
	sealed := func(data []byte, err error) []byte {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
		return data
	}
	hello := sealed(SealHello(okafor.Identity.Recipient(), GuestHello{Place: at, Name: "Inés Ñúñez", As: "interpreter", Recipient: mine.Recipient()}))
	welcome := sealed(l.Welcome(GuestWelcome{Place: at, Host: okafor.Person, Card: okafor.card.Hash(), HostName: "Chidi Okafor", Inviter: amina.Person, From: "Amina Yusuf", As: "interpreter"}))
	came := envelope.Arrival{Org: vectorOrg, Visit: visit, Guest: l.Guest, Key: browser.Public(), Time: now, SHA256: Hash(hello)}
	in := func(change func(object)) object {
		o := object{
			"link": link, "guest": string(write(w.t, made, amina.browser.Sign).Text), "inviter": amina.browser.Public(), "identity": okafor.Identity.Secret(),
			"arrival": string(write(w.t, came, l.Key().Sign, browser.Sign).Text), "welcome": welcome, "hello": hello,
		}
		if change != nil {
			change(o)
		}
		return o
	}
	w.good("guest", "interpreter", in(nil))
	w.bad("guest", "inviter", "the link is signed by another browser", in(func(o object) { o["guest"] = string(write(w.t, made, okafor.browser.Sign).Text) }))
	w.bad("guest", "without-link", "the arrival is not signed with the link", in(func(o object) { o["arrival"] = string(write(w.t, came, browser.Sign, browser.Sign).Text) }))
	w.bad("guest", "without-key", "the arrival is not signed by the guest's browser", in(func(o object) { o["arrival"] = string(write(w.t, came, l.Key().Sign, l.Key().Sign).Text) }))
	w.bad("guest", "one-signature", "the arrival has one signature", in(func(o object) { o["arrival"] = string(write(w.t, came, l.Key().Sign).Text) }))
	w.bad("guest", "swapped-name", "the name is not the one that was signed", in(func(o object) {
		o["hello"] = sealed(SealHello(okafor.Identity.Recipient(), GuestHello{Place: at, Name: "Mallory", As: "interpreter", Recipient: mine.Recipient()}))
	}))
	other := at
	other.Visit = idOf[ward.VisitID]("another visit")
	w.bad("guest", "elsewhere", "the arrival is at another visit", in(func(o object) {
		c := came
		c.Visit = other.Visit
		o["arrival"] = string(write(w.t, c, l.Key().Sign, browser.Sign).Text)
	}))
	again := func(name, wrong string, h GuestHello) {
		hello := sealed(SealHello(okafor.Identity.Recipient(), h))
		c := came
		c.SHA256 = Hash(hello)
		w.bad("guest", name, wrong, in(func(o object) {
			o["hello"], o["arrival"] = hello, string(write(w.t, c, l.Key().Sign, browser.Sign).Text)
		}))
	}
	again("hello-elsewhere", "the name is sealed for another visit", GuestHello{Place: other, Name: "Inés", As: "interpreter", Recipient: mine.Recipient()})
	again("hello-role", "what the guest comes as is not a role of guests", GuestHello{Place: at, Name: "Inés", As: "clinic", Recipient: mine.Recipient()})
	again("hello-empty", "the name is empty", GuestHello{Place: at, As: "family", Recipient: mine.Recipient()})
	text := func(name, wrong string, edit func(string) string) {
		body := string(must(json.Marshal(GuestHello{Place: at, Name: "Inés", As: "interpreter", Recipient: mine.Recipient()})))
		line := "ward/guest-hello/1\n" + edit(body) + "\n"
		hello := must(Seal([]byte(line+strings.Repeat(" ", guestHello-len(line))), okafor.Identity.Recipient()))
		c := came
		c.SHA256 = Hash(hello)
		w.bad("guest", name, wrong, in(func(o object) {
			o["hello"], o["arrival"] = hello, string(write(w.t, c, l.Key().Sign, browser.Sign).Text)
		}))
	}
	text("hello-twice", "the name is there twice", func(s string) string { return edit(s, `"name":"Inés"`, `"name":"Dr Okafor","name":"Inés"`) })
	text("hello-case", "a field's name has another case", func(s string) string { return edit(s, `"name"`, `"Name"`) })
	again("hello-long", "the name has 101 characters", GuestHello{Place: at, Name: strings.Repeat("ñ", 101), As: "family", Recipient: mine.Recipient()})
	w.bad("guest", "welcome-two", "the welcome is sealed to a second recipient", in(func(o object) {
		text := sealed(filled("ward/guest-welcome/1", GuestWelcome{Place: at}, guestText))
		identity, err := l.Identity()
		o["welcome"] = sealed(Seal(text, identity.Recipient(), mine.Recipient()))
		sealed(nil, err)
	}))
	w.bad("guest", "welcome-other", "the welcome is for another guest", in(func(o object) {
		p := at
		p.Member = amina.Person
		o["welcome"] = sealed(l.Welcome(GuestWelcome{Place: p, Host: okafor.Person, Card: okafor.card.Hash(), Inviter: amina.Person, As: "family"}))
	}))

	name, key := MemberName{Name: "Inés Ñúñez", As: "interpreter", Inviter: amina.Person, By: "Amina <Yusuf> & family"}, NamesKey(okafor.Identity, visit)
	called := sealed(SealName(key, at, name))
	admitted := envelope.Admission{Org: vectorOrg, Visit: visit, Member: l.Guest, Guest: browser.Public(), Called: Hash(called), Role: envelope.AsGuest, Admitter: okafor.Person, Time: now, Until: now}
	admission := func(change func(*envelope.Admission)) object {
		a := admitted
		if change != nil {
			change(&a)
		}
		return object{"text": raw(a, okafor.browser.Sign), "browser": okafor.browser.Public()}
	}
	asPatient := func(a *envelope.Admission) {
		a.Member, a.Role, a.Guest, a.Called, a.Card = amina.Person, envelope.AsPatient, "", "", amina.card.Hash()
	}
	w.good("admission", "guest", admission(nil))
	w.good("admission", "patient", admission(asPatient))
	w.good("admission", "named", admission(func(a *envelope.Admission) { asPatient(a); a.Called = Hash(called) }))
	out := func(ids ...ward.PersonID) func(*envelope.Admission) {
		return func(a *envelope.Admission) {
			for _, id := range ids {
				a.Out += string(id)
			}
		}
	}
	first, last := min(okafor.Person, amina.Person), max(okafor.Person, amina.Person)
	w.good("admission", "out", admission(out(first, last)))
	w.bad("admission", "out-order", "who is out is in another order", admission(out(last, first)))
	w.bad("admission", "out-twice", "someone is out twice", admission(out(first, first)))
	w.bad("admission", "out-cut", "an id of who is out is cut", admission(func(a *envelope.Admission) { a.Out = string(first)[1:] }))
	w.bad("admission", "out-many", "more are out than can be", admission(func(a *envelope.Admission) {
		var ids []string
		for n := range 101 {
			ids = append(ids, idOf[string](fmt.Sprintf("out %d", n)))
		}
		slices.Sort(ids)
		a.Out = strings.Join(ids, "")
	}))
	w.bad("admission", "nameless", "a guest has no name", admission(func(a *envelope.Admission) { a.Called = "" }))
	w.bad("admission", "guest-card", "a guest has a card", admission(func(a *envelope.Admission) { a.Card = Hash(nil) }))
	w.bad("admission", "keyless", "a guest has no key", admission(func(a *envelope.Admission) { a.Guest = "" }))
	w.bad("admission", "cardless", "a patient has no card", admission(func(a *envelope.Admission) { asPatient(a); a.Card = "" }))
	w.bad("admission", "role", "nobody is let in as that", admission(func(a *envelope.Admission) { a.Role = "owner" }))
	w.bad("admission", "forged", "it is signed by another browser", object{"text": raw(admitted, amina.browser.Sign), "browser": okafor.browser.Public()})

	leaf := SigningKeyOf(seedOf("a leaf")).Public()
	visitor := envelope.Visitor{Org: vectorOrg, Visit: visit, Member: amina.Person, Person: amina.Person, Card: amina.card.Hash(), Leaf: leaf, Time: now}
	asGuest := envelope.Visitor{Org: vectorOrg, Visit: visit, Member: l.Guest, Leaf: leaf, Time: now}
	w.good("visitor", "person", object{"text": raw(visitor, amina.browser.Sign), "browser": amina.browser.Public()})
	w.good("visitor", "guest", object{"text": raw(asGuest, browser.Sign), "browser": browser.Public()})
	wrong := visitor
	wrong.Member = okafor.Person
	w.bad("visitor", "member", "a person is a member under another id", object{"text": raw(wrong, amina.browser.Sign), "browser": amina.browser.Public()})
	wrong = asGuest
	wrong.Card = Hash(nil)
	w.bad("visitor", "guest-card", "a guest has a card", object{"text": raw(wrong, browser.Sign), "browser": browser.Public()})
	w.bad("visitor", "forged", "it is signed by another browser", object{"text": raw(visitor, browser.Sign), "browser": amina.browser.Public()})

	names := sealed(SealNamesKey(mine.Recipient(), at, key))
	named := func(change func(object)) object {
		o := object{"host": okafor.Identity.Secret(), "identity": mine.Secret(), "org": at.Org, "visit": at.Visit, "member": at.Member, "names": names, "name": called}
		if change != nil {
			change(o)
		}
		return o
	}
	w.good("visit-name", "guest", named(nil))
	w.good("visit-name", "person", named(func(o object) { o["name"] = sealed(SealName(key, at, MemberName{Name: "أمينة يوسف"})) }))
	w.bad("visit-name", "flipped", "a bit of it was changed", named(func(o object) { o["name"] = flip(called, len(called)-1) }))
	w.bad("visit-name", "short", "it is shorter than a nonce", named(func(o object) { o["name"] = called[:5] }))
	w.bad("visit-name", "elsewhere", "it is another member's", named(func(o object) {
		p := at
		p.Member = amina.Person
		o["name"] = sealed(SealName(key, p, name))
	}))
	w.bad("visit-name", "key-elsewhere", "the key is sealed for another visit", named(func(o object) { o["names"] = sealed(SealNamesKey(mine.Recipient(), other, key)) }))
	w.bad("visit-name", "key-other", "it is the key of another visit's names", named(func(o object) {
		k := NamesKey(okafor.Identity, other.Visit)
		o["names"], o["name"] = sealed(SealNamesKey(mine.Recipient(), at, k)), sealed(SealName(k, at, name))
	}))
	w.bad("visit-name", "role", "it has a role that guests do not have", named(func(o object) { o["name"] = sealed(SealName(key, at, MemberName{Name: "x", As: "owner"})) }))
}

// identityFor is an identity of a name, the same each time.
func identityFor(t *testing.T, name string) Identity {
	t.Helper()
	seed := seedOf(name)
	identity, err := IdentityOf(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func (w *writer) proofs() {
	key := SigningKeyOf(seedOf("a browser"))
	id := seedOf("a proof")
	p := Proof{ward.B64.EncodeToString(id[:16]), "POST", "https://clinic.example/api/sign-in", vectorTime, "server-nonce", "session-token"}
	sign := func(p Proof) string {
		text, err := p.Sign(key)
		if err != nil {
			w.t.Fatal(err)
		}
		return text
	}
	in := func(proof string) object {
		return object{"proof": proof, "method": p.Method, "url": p.URL, "nonce": p.Nonce, "token": p.Token}
	}
	good := sign(p)
	w.good("dpop", "session", in(good))
	before := p
	before.Token = ""
	w.good("dpop", "before-session", object{"proof": sign(before), "method": p.Method, "url": p.URL, "nonce": p.Nonce, "token": ""})
	change := func(name, wrong string, edit func(*Proof)) {
		other := p
		edit(&other)
		w.bad("dpop", name, wrong, in(sign(other)))
	}
	change("method", "it is for another method", func(p *Proof) { p.Method = "GET" })
	change("url", "it is for another address", func(p *Proof) { p.URL = "https://clinic.example/api/me" })
	change("origin", "it is for another clinic", func(p *Proof) { p.URL = "https://other.example/api/sign-in" })
	change("nonce", "it carries another nonce", func(p *Proof) { p.Nonce = "older-nonce" })
	change("no-nonce", "it carries no nonce", func(p *Proof) { p.Nonce = "" })
	change("token", "it is for another session", func(p *Proof) { p.Token = "another-token" })
	change("no-token", "it is for no session", func(p *Proof) { p.Token = "" })
	parts := strings.Split(good, ".")
	w.bad("dpop", "altered", "its claims were altered", in(parts[0]+"."+strings.ReplaceAll(base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(must(ward.B64.DecodeString(parts[1]))), "POST", "PUST", 1))), "\n", "")+"."+parts[2]))
	remake := func(header string) string {
		signed := ward.B64.EncodeToString([]byte(header)) + "." + parts[1]
		signature := must(key.Sign([]byte(signed)))
		return signed + "." + ward.B64.EncodeToString(signature)
	}
	header := string(must(ward.B64.DecodeString(parts[0])))
	w.bad("dpop", "alg-none", "it says that it is not signed", in(remake(edit(header, "EdDSA", "none"))))
	w.bad("dpop", "alg-hmac", "it says that it is signed with a shared secret", in(remake(edit(header, "EdDSA", "HS256"))))
	w.bad("dpop", "typ", "it is of another type", in(remake(edit(header, "dpop+jwt", "jwt"))))
	w.bad("dpop", "key", "the key in it is another than the one that signed", in(remake(edit(header, key.Public(), SigningKeyOf(seedOf("another")).Public()))))
	w.bad("dpop", "crit", "it names what must be understood (RFC 7515, section 4.1.11)", in(remake(edit(header, `{"typ"`, `{"crit":["exp"],"typ"`))))
	w.bad("dpop", "private", "its key has the private half (RFC 9449, section 4.3)", in(remake(edit(header, `{"kty"`, `{"d":"`+strings.Repeat("A", 43)+`","kty"`))))
	w.bad("dpop", "header-twice", "a field of its header is there twice", in(remake(edit(header, `{"typ"`, `{"alg":"none","typ"`))))
	w.bad("dpop", "header-case", "a field of its header has another case", in(remake(edit(header, `"alg"`, `"Alg"`))))
	w.bad("dpop", "header-unknown", "its header has a field that no proof has", in(remake(edit(header, `{"typ"`, `{"b64":false,"typ"`))))
	claim := func(claims string) string {
		signed := parts[0] + "." + ward.B64.EncodeToString([]byte(claims))
		return signed + "." + ward.B64.EncodeToString(must(key.Sign([]byte(signed))))
	}
	claims := string(must(ward.B64.DecodeString(parts[1])))
	for name, with := range map[string]string{"lf": `\n`, "cr": `\r`} {
		w.bad("dpop", "id-"+name, "its id has a line break in it", in(claim(edit(claims, p.ID, p.ID[:10]+with+p.ID[10:]))))
	}
	w.bad("dpop", "id-other", "its id is in another base64", in(claim(edit(claims, p.ID, "+"+p.ID[1:]))))
	w.bad("dpop", "id-bits", "its id's last character has bits that base64 does not use", in(claim(edit(claims, p.ID, strings.TrimSuffix(loose(p.ID+"\n"), "\n")))))
	w.bad("dpop", "claim-twice", "a claim is there twice", in(claim(edit(claims, `"htm":`, `"htm":"GET","htm":`))))
	w.bad("dpop", "claim-case", "a claim has another case", in(claim(edit(claims, `"htm"`, `"HTM"`))))
	w.bad("dpop", "claim-unknown", "there is a claim that no proof has", in(claim(edit(claims, `"htm":`, `"exp":1,"htm":`))))
	w.bad("dpop", "no-id", "it has no id", in(claim(edit(claims, `"jti":"`+p.ID+`",`, ""))))
	w.bad("dpop", "line-break", "the base64 of its header has a line break in it", in(good[:20]+"\n"+good[20:]))
	w.bad("dpop", "two-parts", "the signature is missing", in(parts[0]+"."+parts[1]))
	w.bad("dpop", "padded", "the base64 is padded", in(good+"=="))
}

func (w *writer) recipients() {
	in := func(recipient string) object { return object{"recipient": recipient} }
	encode := func(prefix string, words []byte) string {
		text, err := bech32.Encode(prefix, words)
		if err != nil {
			w.t.Fatal(err)
		}
		return text
	}
	of := func(words []byte) string { return encode("age1pq", words) }
	words := func(key []byte) []byte { return must(bech32.ConvertBits(key, 8, 5, true)) }
	whole := newKeys(w.t, "Amina Yusuf").Identity.Recipient()
	_, data, err := bech32.DecodeNoLimit(whole)
	if err != nil {
		w.t.Fatal(err)
	}
	key := must(bech32.ConvertBits(data, 5, 8, false))
	change := func(edit func(key []byte)) string {
		other := bytes.Clone(key)
		edit(other)
		return of(words(other))
	}
	coefficient := func(at int, value uint16) string {
		return change(func(k []byte) {
			k = k[at/2*3:]
			if at%2 == 0 {
				k[0], k[1] = byte(value), k[1]&0xf0|byte(value>>8)
			} else {
				k[1], k[2] = k[1]&0x0f|byte(value<<4), byte(value>>4)
			}
		})
	}
	point := func(hexed string) string {
		p := must(hex.DecodeString(hexed))
		return change(func(k []byte) { copy(k[1184:], p) })
	}
	w.good("recipient", "amina", in(whole))
	w.good("recipient", "okafor", in(newKeys(w.t, "Chidi Okafor").Identity.Recipient()))
	w.good("recipient", "coefficient", in(coefficient(0, 3328)))
	w.good("recipient", "coefficient-last", in(coefficient(767, 3328)))
	w.good("recipient", "point-high", in(point("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")))
	w.good("recipient", "point-two", in(point("0200000000000000000000000000000000000000000000000000000000000000")))
	bad := func(name, wrong, recipient string) { w.bad("recipient", name, wrong, in(recipient)) }
	last := map[bool]string{true: "p", false: "q"}[strings.HasSuffix(whole, "q")]
	bad("checksum", "the last letter of the checksum is another", whole[:len(whole)-1]+last)
	bad("letter", "a letter inside is another", whole[:900]+map[bool]string{true: "p", false: "q"}[whole[900] == 'q']+whole[901:])
	bad("swapped", "two letters changed places", whole[:8]+whole[9:10]+whole[8:9]+whole[10:])
	bad("alphabet", "it has a letter that bech32 does not have", whole[:900]+"b"+whole[901:])
	bad("capitals", "it is in capitals", strings.ToUpper(whole))
	bad("mixed", "one letter is a capital", whole[:900]+strings.ToUpper(whole[900:910])+whole[910:])
	bad("cut", "it is cut off", whole[:len(whole)-1])
	bad("more", "there is a letter more", whole+"q")
	bad("line-break", "there is a line break in it", whole[:900]+"\n"+whole[901:])
	bad("empty", "it is empty", "")
	loose := bytes.Clone(data)
	loose[len(loose)-1] |= 1
	bad("bits", "its last letter has bits that are not used; the checksum is right", of(loose))
	bad("short", "it has a byte less; the checksum is right", of(words(key[:len(key)-1])))
	bad("long", "it has a byte more; the checksum is right", of(words(append(bytes.Clone(key), 0))))
	bad("prefix", "it has another beginning; the checksum is right", encode("age1px", data))
	bad("classic", "it is a classic age recipient", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")
	bad("coefficient-q", "the first coefficient is q", coefficient(0, 3329))
	bad("coefficient-second", "the second coefficient is q", coefficient(1, 3329))
	bad("coefficient-middle", "a coefficient in the middle is the largest that has 12 bits", coefficient(400, 4095))
	bad("coefficient-end", "the last coefficient is q", coefficient(767, 3329))
	for name, p := range map[string]string{
		"zero": "0000000000000000000000000000000000000000000000000000000000000000", "one": "0100000000000000000000000000000000000000000000000000000000000000",
		"eight": "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "eight-other": "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"minus-one": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		bad("point-"+name, "its point is of low order", point(p))
	}
	for name, p := range map[string]string{
		"p": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p-one": "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"two-again": "efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "most": "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		bad("point-"+name, "its point is p or more: a second writing of another", point(p))
	}
	bad("point-bit", "its point has the high bit, which readers ignore: a second writing of another", change(func(k []byte) { k[len(k)-1] |= 0x80 }))
}

// signatures that RFC 8032 leaves to the library: Go's takes those by keys of small order.
func (w *writer) signatures() {
	const message = "Ward"
	unhex := func(text string) []byte { return must(hex.DecodeString(text)) }
	seed := sha256.Sum256([]byte("signature vectors"))
	private := ed25519.NewKeyFromSeed(seed[:])
	public := []byte(private.Public().(ed25519.PublicKey))
	signature := ed25519.Sign(private, []byte(message))
	of := func(key []byte, message string, signature []byte) object {
		return object{"key": ward.B64.EncodeToString(key), "message": message, "signature": ward.B64.EncodeToString(signature)}
	}
	bad := func(name, wrong string, key, signature []byte) {
		w.bad("signature", name, wrong, of(key, message, signature))
	}

	w.good("signature", "plain", of(public, message, signature))
	bad("altered", "one bit of S is another", public, append(signature[:63:63], signature[63]^1))
	bad("short", "it has a byte less", public, signature[:63])
	bad("key-short", "the key has a byte less", public[:31], signature)

	// With R the public key of somebody and S their secret scalar, S·B = R + k·A holds whenever k·A is the neutral point:
	// for one message in eight at least.
	digest := sha512.Sum512(seed[:])
	scalar := number(digest[:32])
	scalar.SetBit(scalar, 255, 0).SetBit(scalar, 254, 1)
	for bit := range 3 {
		scalar.SetBit(scalar, bit, 0)
	}
	order, _ := new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
	nobody := append(bytes.Clone(public), little(new(big.Int).Mod(scalar, order))...)
	secretless := func(name, wrong, point string) {
		key, said := unhex(point), message
		for n := 1; !ed25519.Verify(key, []byte(said), nobody); n++ {
			said = fmt.Sprintf("%s %d", message, n)
		}
		w.bad("signature", name, wrong, of(key, said, nobody))
	}
	zeros, ones := strings.Repeat("00", 30), strings.Repeat("ff", 30)
	for name, point := range map[string]string{
		"one": "01" + zeros + "00", "minus-one": "ec" + ones + "7f", "zero": "00" + zeros + "00", "zero-other": "00" + zeros + "80",
		"eight":       "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"eight-other": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"eight-third": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"eight-last":  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	} {
		secretless("key-"+name, "the key is of small order: it signs without a secret", point)
	}
	for name, point := range map[string]string{"one-sign": "01" + zeros + "80", "minus-one-sign": "ec" + ones + "ff", "p": "ed" + ones + "7f", "p-one": "ee" + ones + "7f", "p-one-sign": "ee" + ones + "ff"} {
		secretless("key-"+name, "the key is written in a second way, and of small order", point)
	}

	// With R the neutral point, S is k times the secret.
	for name, point := range map[string]string{"one": "01" + zeros + "00", "one-sign": "01" + zeros + "80", "p-one": "ee" + ones + "7f"} {
		r := unhex(point)
		k := sha512.Sum512(slices.Concat(r, public, []byte(message)))
		s := new(big.Int).Mul(number(k[:]), scalar)
		bad("r-"+name, "its R is of small order", public, append(r, little(s.Mod(s, order))...))
	}
	s := number(signature[32:])
	bad("s-again", "its S is not reduced: a second writing of the same", public, append(signature[:32:32], little(s.Add(s, order))...))
}

// number reads bytes, lowest first.
func number(low []byte) *big.Int {
	high := bytes.Clone(low)
	slices.Reverse(high)
	return new(big.Int).SetBytes(high)
}

// little writes a number in 32 bytes, lowest first.
func little(n *big.Int) []byte {
	low := n.FillBytes(make([]byte, 32))
	slices.Reverse(low)
	return low
}

func (w *writer) base64s() {
	url := func(name, wrong, text string) { w.bad("base64", name, wrong, object{"text": text, "standard": false}) }
	standard := func(name, wrong, text string) { w.bad("base64", name, wrong, object{"text": text, "standard": true}) }
	url("lf", "there is a line feed in it", "AAEC\nAwQF")
	url("cr", "there is a carriage return in it", "AAEC\rAwQF")
	url("crlf", "it is on two lines", "AAEC\r\nAwQF")
	url("lf-end", "it ends with a line feed", "AAECAwQF\n")
	url("lf-start", "it begins with a line feed", "\nAAECAwQF")
	url("space", "there is a space in it", "AAEC AwQF")
	url("padding", "it is padded", "AAECAw==")
	url("bits", "its last character has bits that are not used", "AAECAx")
	url("bits-two", "its last character has bits that are not used", "AAECAwR")
	url("short", "its last character stands for nothing", "AAECAwQFB")
	url("other", "it is in standard base64", "+/+/")
	url("letters", "there is a letter in it that base64 does not have", "AAÉC")
	w.good("base64", "url", object{"text": "-_-_AAECAw", "standard": false})
	w.good("base64", "nothing", object{"text": "", "standard": false})
	standard("standard-lf", "there is a line feed in it", "AAEC\nAwQF")
	standard("standard-crlf", "it is on two lines", "AAEC\r\nAwQF")
	standard("standard-space", "there is a space in it", "AAEC AwQF")
	standard("standard-unpadded", "its padding is missing", "AAECAw")
	standard("standard-bits", "its last character has bits that are not used", "AAECAx==")
	standard("standard-more", "there is more padding than there must be", "AAECAw===")
	standard("standard-url", "it is in base64url", "-_-_")
	w.good("base64", "standard", object{"text": "+/+/AAECAw==", "standard": true})
}

func (w *writer) exports() {
	town := newTown(w.t)
	amina, okafor := town.amina, town.okafor
	keys, line, _ := vectorLock(w.t, amina)
	seed := seedOf("Amina Yusuf's recovery code")
	code := CodeOf([16]byte(seed[:16]))
	k := amina.Keyring
	k.Clinic, k.Code = Hash([]byte(town.Clinic)), code
	lock := keys[0].Lock
	files := map[string][]byte{
		ExportOpen: OpenMD, ExportClinic: []byte(town.Clinic), ExportKeyring: must(k.SealForRecovery()), ExportLooks: nil,
		ExportBrowser(amina.cert.Text): amina.cert.Text, ExportBrowser(okafor.cert.Text): okafor.cert.Text,
		ExportRecipient(amina.Person, 1): []byte(amina.Identity.Recipient()), ExportRecipient(okafor.Person, 1): []byte(okafor.Identity.Recipient()),
	}
	for chain, texts := range map[string][]string{string(vectorOrg): town.Roster, string(amina.Person): amina.thread} {
		for i, text := range texts {
			files[ExportStatement(chain, int64(i)+1)] = []byte(text)
		}
	}
	for i, epoch := range line {
		files[ExportEpoch(lock, int64(i)+1)] = epoch.Text
		files[ExportGrant(lock, int64(i)+1)+".age"] = must(Seal(must(keys[i].File()), amina.Identity.Recipient()))
	}
	head := envelope.Start(lock)
	var paths []string
	add := func(by *someone, d Draft, body []byte) {
		n := w.seal(by, line[1].Body, d, body)
		head = head.Next([]byte(n.Text))
		s, err := envelope.Parse[envelope.Entry]([]byte(n.Text))
		if err != nil {
			w.t.Fatal(err)
		}
		path := ExportEntryPath(lock, head.Seq, s.Body.Entry)
		paths = append(paths, path)
		files[path+".txt"], files[path+".age"] = s.Text, n.Sealed
	}
	add(okafor, Draft{Kind: "note", Type: "text/plain;charset=utf-8", Title: "Asthma"}, []byte("Same inhaler."))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(`{"resourceType":"Basic","code":{"text":"nothing"}}`))
	z.Close()
	add(amina, Draft{Kind: "record", Type: "application/fhir+json", Encoding: "gzip"}, zipped.Bytes())
	manifest := Manifest{Org: vectorOrg, Person: amina.Person, Time: ward.FormatTime(vectorTime), Locks: []ExportLock{{
		Lock: lock, Kind: envelope.LockChart, Chart: idOf[ward.ChartID]("chart"), Compartment: envelope.General, Epochs: 2, Head: head,
	}}}
	describe := func(change func(*Manifest)) []byte {
		m := manifest
		m.Locks = slices.Clone(m.Locks)
		change(&m)
		var text bytes.Buffer
		if err := WriteManifest(&text, m); err != nil {
			w.t.Fatal(err)
		}
		return text.Bytes()
	}
	files[ExportFile] = describe(func(*Manifest) {})
	in := func(change func(map[string][]byte)) object {
		copied := maps.Clone(files)
		change(copied)
		return object{"files": copied, "code": code.Text()}
	}
	w.good("export", "whole", in(func(map[string][]byte) {}))
	w.bad("export", "code", "the recovery code is another", object{"files": files, "code": CodeOf([16]byte{}).Text()})
	w.bad("export", "missing", "an entry is missing", in(func(f map[string][]byte) { delete(f, paths[1]+".txt"); delete(f, paths[1]+".age") }))
	w.bad("export", "swapped", "two sealed files change places", in(func(f map[string][]byte) {
		f[paths[0]+".age"], f[paths[1]+".age"] = f[paths[1]+".age"], f[paths[0]+".age"]
	}))
	w.bad("export", "altered", "a sealed file was altered", in(func(f map[string][]byte) { f[paths[0]+".age"] = flip(f[paths[0]+".age"], -1) }))
	w.bad("export", "person", "the keyring is another person's than export.json says", in(func(f map[string][]byte) {
		f[ExportFile] = describe(func(m *Manifest) { m.Person = okafor.Person })
	}))
	w.bad("export", "clinic", "the clinic's statement is not the one that the keyring pins", in(func(f map[string][]byte) {
		body := vectorClinic(town.founder)
		body.Time = ward.FormatTime(vectorTime.Add(-time.Hour))
		f[ExportClinic] = []byte(raw(body, town.founder.Signing.Sign))
	}))
	w.bad("export", "epochs", "the second epoch is missing", in(func(f map[string][]byte) {
		f[ExportFile] = describe(func(m *Manifest) { m.Locks[0].Epochs = 1 })
	}))
	w.bad("export", "grant", "a grant holds the key of another epoch", in(func(f map[string][]byte) {
		f[ExportGrant(lock, 1)+".age"] = f[ExportGrant(lock, 2)+".age"]
	}))
	w.bad("export", "author", "the recipient of an author is missing", in(func(f map[string][]byte) { delete(f, ExportRecipient(okafor.Person, 1)) }))
	w.bad("export", "roster", "the roster lacks its last statement, an author's card", in(func(f map[string][]byte) {
		delete(f, ExportStatement(string(vectorOrg), int64(len(town.Roster))))
	}))
	w.bad("export", "thread", "the thread lacks its last statement, a patient's card", in(func(f map[string][]byte) {
		delete(f, ExportStatement(string(amina.Person), int64(len(amina.thread))))
	}))
	w.bad("export", "browser", "the certificate of an author's browser is missing", in(func(f map[string][]byte) { delete(f, ExportBrowser(okafor.cert.Text)) }))
	w.bad("export", "format", "it is of a format that does not exist", in(func(f map[string][]byte) {
		f[ExportFile] = bytes.Replace(f[ExportFile], []byte(ExportFormat), []byte("ward/export/2"), 1)
	}))
	w.bad("export", "path", "the lock in export.json is a path", in(func(f map[string][]byte) {
		f[ExportFile] = bytes.Replace(f[ExportFile], []byte(lock), []byte("../../../../etc/something/"), 1)
	}))
}
