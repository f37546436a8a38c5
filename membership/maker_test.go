package membership

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
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
	m := &maker{t: t, org: id[ward.OrgID]("clinic"), clock: began, people: map[string]*keys{}, links: map[string]link{}, made: map[string]string{}, bendAt: -1}
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
			Place: p, Invitation: l.id, Person: person(who), Verifier: public(l.key), Roles: roles, Name: nameOf(who), Recover: recovers,
			Until: ward.FormatTime(m.clock.Add(until)), Author: a,
		}
	}, by)
}

func nameOf(who string) string { return envelope.NameHash(sha256.Sum256([]byte(who)), who) }

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
	state(m, func(p envelope.Place, a envelope.Author) envelope.Rename {
		return envelope.Rename{Place: p, Person: person(who), Name: nameOf(name), Author: a}
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

// patientAgain goes back to the thread that was begun.
func (m *maker) patientAgain(string) { m.on = m.thread }

// bendLast changes the next statement of the chain that is written.
func (m *maker) bendLast(bend func(*bent)) { m.target, m.bendAt, m.bend = m.on, len(m.on.texts), bend }
