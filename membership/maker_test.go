package membership

import (
	"cmp"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/seal/envelope"
)

// A maker writes histories, good and bad, always the same bytes: keys and ids follow from names.
type maker struct {
	t      testing.TB
	org    ward.OrgID
	clinic *envelope.Statement[envelope.Clinic]
	clock  time.Time
	latest time.Time // that was stated
	roster line
	thread *line // of one patient, if there is one
	on     *line // where statements go
	people map[string]*keys
	links  map[string]link
	names  map[string]string // of who was renamed
	made   map[string]string // hash of the last statement of a kind about someone: "card bea"
	count  int               // of invitations
	target *line
	bend   func(*bent) // of the statement at place bendAt of the target
	bendAt int
}

type line struct {
	chain string
	texts [][]byte
	head  string
}

// keys of a person: how many cards they made, which they have now.
type keys struct {
	name   string
	serial int64
	card   string
	before []string // cards that were replaced
}

type link struct {
	id  ward.InvitationID
	key ed25519.PrivateKey
}

// A bent is what a bad vector changes of one statement before it is signed.
type bent struct {
	place   *envelope.Place
	author  *envelope.Author
	signers []ed25519.PrivateKey
}

var began = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)

func id[T ~string](name string) T {
	sum := sha256.Sum256([]byte("membership vectors " + name))
	return ward.IDOf[T]([16]byte(sum[:16]))
}

func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("membership vectors key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(k ed25519.PrivateKey) string {
	return ward.B64.EncodeToString(k.Public().(ed25519.PublicKey))
}

func signer(k ed25519.PrivateKey) envelope.Signer {
	return func(message []byte) ([]byte, error) { return ed25519.Sign(k, message), nil }
}

func newMaker(t testing.TB) *maker {
	m := &maker{t: t, org: id[ward.OrgID]("clinic"), clock: began, people: map[string]*keys{}, links: map[string]link{}, names: map[string]string{}, made: map[string]string{}, bendAt: -1}
	var err error
	m.clinic, err = envelope.Write(envelope.Clinic{
		Org: m.org, Founder: person("ada"), Signing: public(key("ada 1")), Time: ward.FormatTime(began),
		Locks: envelope.ClinicLocks{Directory: id[ward.LockID]("d"), Staff: id[ward.LockID]("s"), Clinicians: id[ward.LockID]("c"), Emergency: id[ward.LockID]("e")},
	}, signer(key("ada 1")))
	m.check(err)
	m.roster = line{chain: string(m.org), head: m.clinic.Hash()}
	m.on = &m.roster
	return m
}

func (m *maker) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func person(name string) ward.PersonID { return id[ward.PersonID]("person " + name) }

// of is a person's keys as they are now.
func (m *maker) of(name string) *keys {
	if m.people[name] == nil {
		m.people[name] = &keys{name: name}
	}
	return m.people[name]
}

func (k *keys) signing(serial int64) ed25519.PrivateKey {
	return key(k.name + " " + string(rune('0'+serial)))
}

// wait lets time pass.
func (m *maker) wait(d time.Duration) { m.clock = m.clock.Add(d) }

// patient turns to the thread of a patient.
func (m *maker) patient(name string) {
	m.thread = &line{chain: string(person(name))}
	m.on = m.thread
}

func (m *maker) staff() { m.on = &m.roster }

func (m *maker) place() envelope.Place {
	p := envelope.Place{Org: m.org, Chain: m.on.chain, Seq: int64(len(m.on.texts)) + 1, Previous: m.on.head}
	if m.on != &m.roster {
		p.RosterSeq, p.RosterHash = int64(len(m.roster.texts)), m.roster.head
	}
	return p
}

func (m *maker) author(by string) envelope.Author {
	return envelope.Author{By: person(by), Card: m.of(by).card, Time: ward.FormatTime(m.clock)}
}

// state signs a statement and puts it at the end of the chain.
func state[B envelope.Body](m *maker, body func(envelope.Place, envelope.Author) B, by string, signers ...ed25519.PrivateKey) string {
	m.t.Helper()
	m.wait(time.Minute)
	if m.clock.After(m.latest) {
		m.latest = m.clock
	}
	place, author := m.place(), m.author(by)
	if signers == nil {
		signers = []ed25519.PrivateKey{m.of(by).signing(m.of(by).serial)}
	}
	if m.on == m.target && len(m.on.texts) == m.bendAt {
		b := bent{&place, &author, signers}
		m.bend(&b)
		signers = b.signers
	}
	var of []envelope.Signer
	for _, k := range signers {
		of = append(of, signer(k))
	}
	s, err := envelope.Write(body(place, author), of...)
	m.check(err)
	m.on.texts, m.on.head = append(m.on.texts, s.Text), s.Hash()
	return s.Hash()
}

func (m *maker) invite(by, who, roles string) { m.invites(by, who, roles, false, 7*24*time.Hour) }
func (m *maker) again(by, who, roles string)  { m.invites(by, who, roles, true, 7*24*time.Hour) }

func (m *maker) invites(by, who, roles string, recovers bool, until time.Duration) {
	name := who + " " + roles + map[bool]string{true: " again"}[recovers] + string(rune('a'+m.count))
	m.count++
	secret := sha256.Sum256([]byte("membership vectors link " + name))
	seed, err := hkdf.Key(sha256.New, secret[:16], nil, "ward/invitation/signing/1", 32)
	m.check(err)
	l := link{id[ward.InvitationID]("invitation " + name), ed25519.NewKeyFromSeed(seed)}
	m.links[who] = l
	m.made["invite "+who] = state(m, func(p envelope.Place, a envelope.Author) envelope.Invite {
		return envelope.Invite{
			Place: p, Invitation: l.id, Person: person(who), Verifier: public(l.key), Roles: roles, Name: m.nameOf(who), Recover: recovers,
			Until: ward.FormatTime(m.clock.Add(until)), Author: a,
		}
	}, by)
}

// nameOf commits to the name that somebody has now.
func (m *maker) nameOf(who string) string {
	name := cmp.Or(m.names[who], who)
	return envelope.NameHash(sha256.Sum256([]byte(name)), name)
}

// card makes someone's next keys: with their link, if they have one that is new, else with the keys of before.
func (m *maker) card(who string) {
	k := m.of(who)
	l, invited := m.links[who]
	delete(m.links, who)
	signing := k.signing(k.serial + 1)
	signers := []ed25519.PrivateKey{signing}
	switch {
	case invited:
		signers = append(signers, l.key)
	case k.serial > 0:
		signers = append(signers, k.signing(k.serial))
	}
	before, serial := k.card, k.serial+1
	hash := state(m, func(p envelope.Place, a envelope.Author) envelope.MemberCard {
		return envelope.MemberCard{
			Place: p, Person: person(who), Serial: serial, Before: before, RecipientHash: envelope.Hash([]byte(who + string(rune('0'+serial)))),
			Signing: public(signing), Invitation: l.id, Time: a.Time,
		}
	}, who, signers...)
	m.made["card "+who] = hash
	if invited && serial > 1 {
		return // waits: keep the keys of before until it is completed
	}
	m.takes(who, hash)
}

// ownCard makes someone's next keys with those of before, whatever links there are.
func (m *maker) ownCard(who string) {
	delete(m.links, who)
	m.card(who)
}

// takes says that somebody's newest card counts.
func (m *maker) takes(who, card string) {
	k := m.of(who)
	if k.card != "" {
		k.before = append(k.before, k.card)
	}
	k.card = card
	k.serial++
}

func (m *maker) joins(by, who, roles string) {
	m.invite(by, who, roles)
	m.card(who)
}

func (m *maker) confirm(by, what, how string) {
	state(m, func(p envelope.Place, a envelope.Author) envelope.Confirm {
		return envelope.Confirm{Place: p, What: m.made[what], How: how, Author: a}
	}, by)
}

func (m *maker) complete(by, who string) {
	state(m, func(p envelope.Place, a envelope.Author) envelope.Complete {
		return envelope.Complete{Place: p, What: m.made["card "+who], Author: a}
	}, by)
	m.takes(who, m.made["card "+who])
}

func (m *maker) withdraw(by, what string) {
	state(m, func(p envelope.Place, a envelope.Author) envelope.Withdraw {
		return envelope.Withdraw{Place: p, What: m.made[what], Author: a}
	}, by)
}

func (m *maker) veto(by, what string) {
	state(m, func(p envelope.Place, a envelope.Author) envelope.Veto {
		return envelope.Veto{Place: p, What: m.made[what], Author: a}
	}, by)
}

func (m *maker) roles(by, who, roles string) {
	m.made["roles "+who] = state(m, func(p envelope.Place, a envelope.Author) envelope.Roles {
		return envelope.Roles{Place: p, Person: person(who), Roles: roles, Author: a}
	}, by)
}

func (m *maker) rename(by, who, name string) {
	m.names[who] = name
	state(m, func(p envelope.Place, a envelope.Author) envelope.Rename {
		return envelope.Rename{Place: p, Person: person(who), Name: m.nameOf(who), Author: a}
	}, by)
}

func (m *maker) deactivate(by, who string) {
	m.made["end "+who] = state(m, func(p envelope.Place, a envelope.Author) envelope.Deactivate {
		return envelope.Deactivate{Place: p, Person: person(who), Author: a}
	}, by)
}

func (m *maker) reinstate(by, what string) {
	m.made["reinstate"] = state(m, func(p envelope.Place, a envelope.Author) envelope.Reinstate {
		return envelope.Reinstate{Place: p, What: m.made[what], Author: a}
	}, by)
}

func (m *maker) rules(by string, veto int64) {
	m.made["rules"] = state(m, func(p envelope.Place, a envelope.Author) envelope.Rules {
		return envelope.Rules{Place: p, Veto: veto, Author: a}
	}, by)
}

// forge puts at the end of the chain what Write would not write.
func (m *maker) forge(body func(envelope.Place, envelope.Author) envelope.Body, by string, signers ...envelope.Signer) {
	m.t.Helper()
	m.wait(time.Minute)
	m.latest = m.clock
	b := body(m.place(), m.author(by))
	line, err := json.Marshal(b)
	m.check(err)
	signed := b.Type() + "\n" + string(line) + "\n"
	text := []byte(signed)
	for _, sign := range signers {
		signature, err := sign([]byte(signed))
		m.check(err)
		text = append(text, ward.B64.EncodeToString(signature)+"\n"...)
	}
	m.on.texts, m.on.head = append(m.on.texts, text), envelope.Hash(text)
}

// forgedCard is a first card with any key, signed so that Ed25519's equation holds where the key is the neutral point.
func (m *maker) forgedCard(who, signing string) {
	l := m.links[who]
	m.forge(func(p envelope.Place, a envelope.Author) envelope.Body {
		return envelope.MemberCard{
			Place: p, Person: person(who), Serial: 1, RecipientHash: envelope.Hash([]byte(who)), Signing: point(signing), Invitation: l.id, Time: a.Time,
		}
	}, who, signedByNobody, signer(l.key))
}

func (m *maker) forgedInvite(who, verifier string) {
	m.forge(func(p envelope.Place, a envelope.Author) envelope.Body {
		return envelope.Invite{
			Place: p, Invitation: id[ward.InvitationID](who), Person: person(who), Verifier: point(verifier), Roles: "frontdesk", Name: m.nameOf(who),
			Until: ward.FormatTime(m.clock.Add(time.Hour)), Author: a,
		}
	}, "ada", signer(key("ada 1")))
}

func (m *maker) forgedRename(sign envelope.Signer) {
	m.forge(func(p envelope.Place, a envelope.Author) envelope.Body {
		return envelope.Rename{Place: p, Person: person("finn"), Name: m.nameOf("F"), Author: a}
	}, "ada", sign)
}

// Points of Ed25519 that no key of anybody's is.
const (
	neutral      = "0100000000000000000000000000000000000000000000000000000000000000"
	neutralAgain = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" // y is p + 1
	orderEight   = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
	threeAgain   = "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" // y is p + 3
)

func point(text string) string {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return ward.B64.EncodeToString(b)
}

// signedByNobody has the base point as R and 1 as S.
func signedByNobody([]byte) ([]byte, error) {
	return hex.DecodeString("58" + strings.Repeat("66", 31) + "01" + strings.Repeat("00", 31))
}

var groupOrder, _ = new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)

// withNeutralR has the neutral point as R, so that S is the secret times what is hashed.
func withNeutralR(k ed25519.PrivateKey) envelope.Signer {
	return func(message []byte) ([]byte, error) {
		r, err := hex.DecodeString(neutral)
		secret := sha512.Sum512(k.Seed())
		secret[0] &= 248
		secret[31] = secret[31]&63 | 64
		hashed := sha512.Sum512(slices.Concat(r, k[32:], message))
		s := new(big.Int).Mul(number(secret[:32]), number(hashed[:]))
		return append(r, little(s.Mod(s, groupOrder))...), err
	}
}

// withMoreS has an S that is not reduced.
func withMoreS(k ed25519.PrivateKey) envelope.Signer {
	return func(message []byte) ([]byte, error) {
		signature := ed25519.Sign(k, message)
		s := number(signature[32:])
		return append(signature[:32], little(s.Add(s, groupOrder))...), nil
	}
}

// number reads bytes, lowest first.
func number(low []byte) *big.Int {
	high := slices.Clone(low)
	slices.Reverse(high)
	return new(big.Int).SetBytes(high)
}

// little writes a number in 32 bytes, lowest first.
func little(n *big.Int) []byte {
	low := n.FillBytes(make([]byte, 32))
	slices.Reverse(low)
	return low
}

// patientAgain goes back to the thread that was begun.
func (m *maker) patientAgain(string) { m.on = m.thread }

// bendLast changes the next statement of the chain that is written.
func (m *maker) bendLast(bend func(*bent)) { m.target, m.bendAt, m.bend = m.on, len(m.on.texts), bend }
