package membership

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ward"
	"ward/seal/envelope"
)

var update = flag.Bool("update", false, "write testdata/vectors/membership anew")

const vectorFolder = "../testdata/vectors/membership"

// A vector is a history, good or bad (testdata/vectors/README.md). Of a bad one exactly the statement at Breaks is refused.
type vector struct {
	Name   string  `json:"name"`
	Format string  `json:"format"`
	Good   bool    `json:"good"`
	Wrong  string  `json:"wrong,omitempty"`
	Input  input   `json:"input"`
	Output *output `json:"output,omitempty"`
}

type input struct {
	Org    ward.OrgID    `json:"org"`
	Clinic string        `json:"clinic"`
	Roster []string      `json:"roster"`
	Person ward.PersonID `json:"person,omitempty"`
	Thread []string      `json:"thread,omitempty"`
	Now    string        `json:"now"`
	Breaks int64         `json:"breaks,omitempty"`
}

type output struct {
	Places  []placeOut   `json:"places"`
	Pending []pendingOut `json:"pending"`
}

type placeOut struct {
	Seq    int64       `json:"seq"`
	People []personOut `json:"people"`
}

type personOut struct {
	Person ward.PersonID `json:"person"`
	Roles  string        `json:"roles"`
	Active bool          `json:"active"`
	Alone  bool          `json:"alone"`
	Serial int64         `json:"serial"`
	Card   string        `json:"card"`
	Name   string        `json:"name"`
}

type pendingOut struct {
	What   string        `json:"what"`
	Type   string        `json:"type"`
	Person ward.PersonID `json:"person"`
	Needs  []string      `json:"needs"`
	From   string        `json:"from"`
}

// TestVectors reads every history: a good one must say what its output says, a bad one must break where it says.
func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	files, err := filepath.Glob(vectorFolder + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	good, bad := 0, 0
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
			h, err := v.Input.read()
			if v.Good {
				good++
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(*v.Output, h.output()); diff != "" {
					t.Fatalf("output (-want +got):\n%s", diff)
				}
				return
			}
			bad++
			var broken *BadStatement
			if !errors.As(err, &broken) || broken.Seq != v.Input.Breaks || broken.Chain != h.chain {
				t.Fatalf("got %v; statement %d should be refused: %s", err, v.Input.Breaks, v.Wrong)
			}
		})
	}
	if bad < 60 || good < 20 {
		t.Errorf("%d good and %d bad histories; there must be at least 20 and 60", good, bad)
	}
}

// TestChangedTellsWhomAStatementChanged asks after statements that change somebody, nobody, and somebody later.
func TestChangedTellsWhomAStatementChanged(t *testing.T) {
	m := newMaker(t)
	clinic(m)
	m.joins("ben", "carl", "clinician") // 10 invites, 11 waits
	m.confirm("dora", "card carl", "met")
	m.rename("ada", "finn", "F")
	h, err := NewRoster(m.clinic)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Read(m.roster.texts, m.latest); err != nil {
		t.Fatal(err)
	}
	for seq, who := range map[int64][]ward.PersonID{0: nil, 1: {person("ada")}, 10: nil, 11: nil, 12: {person("carl")}, 13: {person("finn")}, 14: nil} {
		if diff := cmp.Diff(who, h.Changed(seq)); diff != "" {
			t.Errorf("statement %d (-want +got):\n%s", seq, diff)
		}
	}
}

func (in input) read() (*History, error) {
	clinic, err := envelope.Parse[envelope.Clinic]([]byte(in.Clinic))
	if err != nil {
		return nil, err
	}
	now, err := ward.ParseTime(in.Now)
	if err != nil {
		return nil, err
	}
	h, err := NewRoster(clinic)
	if err != nil {
		return nil, err
	}
	if err := h.Read(texts(in.Roster), now); err != nil || in.Person == "" {
		return h, err
	}
	thread := NewThread(h, in.Person)
	return thread, thread.Read(texts(in.Thread), now)
}

func texts(list []string) (all [][]byte) {
	for _, text := range list {
		all = append(all, []byte(text))
	}
	return all
}

func (h *History) output() output {
	o := output{Places: []placeOut{}, Pending: []pendingOut{}}
	first := int64(0)
	if h.roster != nil {
		first = 1
	}
	for seq := first; seq <= h.Head().Seq; seq++ {
		place := placeOut{Seq: seq, People: []personOut{}}
		for _, m := range h.Members(seq) {
			place.People = append(place.People, personOut{m.Person, envelope.FormatRoles(m.Roles), m.Active, m.Alone(), m.Card.Serial, m.Card.Hash, m.Name})
		}
		o.Places = append(o.Places, place)
	}
	for _, p := range h.Pending() {
		out := pendingOut{What: p.What, Type: p.Type, Person: p.Person, Needs: []string{}}
		for _, roles := range p.Needs {
			out.Needs = append(out.Needs, envelope.FormatRoles(roles))
		}
		if !p.From.IsZero() {
			out.From = ward.FormatTime(p.From)
		}
		o.Pending = append(o.Pending, out)
	}
	return o
}

// clinic is one that is a few days old: nobody in it is young.
func clinic(m *maker) {
	m.card("ada")
	m.joins("ada", "dora", "clinician")
	m.joins("ada", "ben", "admin")
	m.joins("ada", "finn", "frontdesk")
	m.joins("ada", "sam", "security")
	m.wait(100 * time.Hour)
}

// amina has joined a clinic as a patient.
func amina(m *maker) {
	clinic(m)
	m.patient("amina")
	m.joins("finn", "amina", "patient")
	m.wait(100 * time.Hour)
}

type example struct {
	name, wrong string
	make        func(*maker)
}

var goodOnes = []example{
	{"begin", "", func(m *maker) { m.card("ada") }},
	{"clinic", "", clinic},
	{"clinician-alone", "", func(m *maker) { m.card("ada"); m.joins("ada", "dora", "clinician") }},
	{"clinician-waits", "", func(m *maker) { clinic(m); m.joins("ben", "carl", "clinician") }},
	{"clinician-confirmed", "", func(m *maker) {
		clinic(m)
		m.joins("ben", "carl", "clinician")
		m.confirm("dora", "card carl", "met")
	}},
	{"admin-confirmed", "", func(m *maker) { clinic(m); m.joins("ada", "carl", "admin"); m.confirm("ben", "card carl", "video") }},
	{"both-confirmed-by-two", "", func(m *maker) {
		clinic(m)
		m.joins("ada", "carl", "clinician admin")
		m.confirm("ben", "card carl", "phone")
		m.confirm("dora", "card carl", "document")
	}},
	{"both-half-confirmed", "", func(m *maker) {
		clinic(m)
		m.joins("ada", "carl", "clinician admin")
		m.confirm("ben", "card carl", "phone")
	}},
	{"mark-taken-away", "", func(m *maker) {
		clinic(m)
		m.joins("ben", "eve", "clinician")
		m.confirm("ada", "card eve", "met")
		m.wait(100 * time.Hour)
		m.confirm("eve", "card dora", "met")
		m.confirm("eve", "card ada", "met")
	}},
	{"invited-twice", "", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		m.invite("ben", "carl", "security")
		m.card("carl")
	}},
	{"withdrawn", "", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		m.withdraw("ben", "invite carl")
	}},
	{"own-new-card", "", func(m *maker) { clinic(m); m.card("finn"); m.card("finn") }},
	{"staff-after-loss", "", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
	}},
	{"staff-after-loss-completed", "", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
		m.wait(25 * time.Hour)
		m.complete("sam", "finn")
	}},
	{"clinician-after-loss-needs-two", "", func(m *maker) {
		clinic(m)
		m.again("ben", "dora", "clinician")
		m.card("dora")
		m.confirm("ada", "card dora", "met")
	}},
	{"clinician-after-loss-two", "", func(m *maker) {
		clinic(m)
		m.joins("ben", "eve", "clinician")
		m.confirm("dora", "card eve", "met")
		m.again("ada", "dora", "clinician")
		m.card("dora")
		m.confirm("ben", "card dora", "met")
		m.confirm("eve", "card dora", "video")
		m.wait(25 * time.Hour)
		m.complete("finn", "dora")
	}},
	{"admin-after-loss-alone", "", func(m *maker) {
		m.card("ada")
		m.joins("ada", "ben", "admin")
		m.wait(100 * time.Hour)
		m.again("ben", "ada", "clinician admin")
		m.card("ada")
		m.confirm("ben", "card ada", "met")
		m.wait(50 * time.Hour)
		m.complete("ben", "ada")
	}},
	{"vetoed-invitation", "", func(m *maker) { clinic(m); m.again("dora", "finn", "frontdesk"); m.veto("finn", "invite finn") }},
	{"vetoed-card", "", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.veto("sam", "card finn")
	}},
	{"own-card-voids-recovery", "", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn") // by the link, waits
		m.card("finn") // by the keys of before
	}},
	{"own-card-voids-an-invitation", "", func(m *maker) { clinic(m); m.again("dora", "finn", "frontdesk"); m.ownCard("finn") }},
	{"own-card-against-one", "", func(m *maker) {
		amina(m)
		ownVetoed(m)
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.confirm("ada", "card amina", "video")
		m.ownCard("amina")
	}},
	{"own-cards-are-vetoes", "", func(m *maker) {
		amina(m)
		ownVetoed(m)
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.confirm("ada", "card amina", "met")
		m.wait(25 * time.Hour)
		m.complete("sam", "amina")
	}},
	{"own-cards-of-nothing-are-no-vetoes", "", func(m *maker) {
		amina(m)
		m.card("amina")
		m.card("amina")
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.confirm("ada", "card amina", "met")
		m.ownCard("amina")
	}},
	{"other-roles", "", func(m *maker) { clinic(m); m.roles("ada", "finn", "frontdesk privacy") }},
	{"more-power-waits", "", func(m *maker) { clinic(m); m.roles("ada", "finn", "clinician frontdesk") }},
	{"more-power-confirmed", "", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "clinician frontdesk")
		m.confirm("dora", "roles finn", "met")
	}},
	{"roles-wait-through-an-own-card", "", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "clinician frontdesk")
		m.card("finn")
		m.confirm("dora", "roles finn", "met")
	}},
	{"roles-wait-through-new-keys", "", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "clinician frontdesk")
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
		m.wait(25 * time.Hour)
		m.complete("sam", "finn")
		m.confirm("dora", "roles finn", "met")
	}},
	{"end-waits-through-an-own-card", "", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.deactivate("sam", "ada")
		m.card("ada")
		m.confirm("dora", "end ada", "met")
	}},
	{"renamed", "", func(m *maker) { clinic(m); m.rename("ada", "finn", "Finn the Second") }},
	{"deactivated", "", func(m *maker) { clinic(m); m.deactivate("sam", "finn") }},
	{"deactivated-is-not-admin-again", "", func(m *maker) { clinic(m); m.deactivate("sam", "ben"); m.rename("ada", "finn", "F") }},
	{"last-admin-waits", "", func(m *maker) { clinic(m); m.deactivate("sam", "ben"); m.deactivate("sam", "ada") }},
	{"last-admin-by-two", "", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.deactivate("sam", "ada")
		m.confirm("dora", "end ada", "met")
	}},
	{"reinstated", "", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.reinstate("ada", "end ben")
		m.confirm("dora", "reinstate", "phone")
	}},
	{"reinstated-by-the-deactivated", "", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.deactivate("sam", "dora")
		m.reinstate("ben", "end dora")
		m.confirm("dora", "reinstate", "phone")
	}},
	{"who-was-undone-waits", "", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.reinstate("ada", "end ben")
		m.confirm("dora", "reinstate", "phone")
		m.deactivate("sam", "finn")
	}},
	{"who-was-undone-waits-for-roles", "", func(m *maker) {
		clinic(m)
		undone(m)
		m.roles("ada", "ben", "frontdesk")
		m.roles("ada", "sam", "frontdesk")
		m.roles("ada", "finn", "privacy") // takes nobody's power
	}},
	{"who-was-undone-by-two", "", func(m *maker) {
		clinic(m)
		undone(m)
		m.roles("ada", "ben", "frontdesk")
		m.confirm("sam", "roles ben", "phone")
	}},
	{"who-was-undone-long-ago", "", func(m *maker) {
		clinic(m)
		undone(m)
		m.wait(73 * time.Hour)
		m.roles("ada", "sam", "frontdesk")
	}},
	{"reinstate-waits", "", func(m *maker) { clinic(m); m.deactivate("sam", "ben"); m.reinstate("ada", "end ben") }},
	{"reinstate-of-two", "", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.reinstate("dora", "end ben")
		m.reinstate("ada", "end ben")
		m.confirm("dora", "reinstate", "phone")
	}},
	{"reinstate-keeps-the-card", "", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "privacy")
		m.card("finn")
		m.reinstate("sam", "roles finn")
		m.card("finn")
		m.confirm("dora", "reinstate", "phone")
	}},
	{"reinstate-keeps-the-name", "", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "privacy")
		m.rename("ben", "finn", "F")
		m.reinstate("sam", "roles finn")
		m.rename("ben", "finn", "G")
		m.confirm("dora", "reinstate", "phone")
	}},
	{"reinstate-ends-with-who-it-is-of", "", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "privacy")
		m.reinstate("dora", "roles finn")
		m.deactivate("sam", "finn")
	}},
	{"roles-undone", "", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "privacy")
		m.reinstate("sam", "roles finn")
		m.confirm("dora", "reinstate", "phone")
	}},
	{"rules", "", func(m *maker) { clinic(m); m.rules("ada", 48); m.confirm("ben", "rules", "phone") }},
	{"rules-wait", "", func(m *maker) { clinic(m); m.rules("ada", 1) }},
	{"rules-longer-veto", "", func(m *maker) {
		clinic(m)
		m.rules("ada", 48)
		m.confirm("ben", "rules", "phone")
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
	}},
	{"rules-after-the-card", "", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.rules("ada", 48)
		m.confirm("ben", "rules", "phone")
		m.confirm("ada", "card finn", "met")
		m.wait(24 * time.Hour)
		m.complete("sam", "finn")
	}},
	{"invite-again-renamed", "", func(m *maker) { clinic(m); m.rename("ada", "finn", "F"); m.again("dora", "finn", "frontdesk") }},
	{"mark-of-two", "", func(m *maker) {
		twoMarks(m)
		m.confirm("dora", "card carl", "met")
		m.confirm("ben", "card carl", "met")
	}},
	{"mark-stays-under-another", "", func(m *maker) {
		m.card("ada")
		m.joins("ada", "dora", "clinician")
		m.roles("ada", "dora", "clinician admin")
		m.joins("ada", "ben", "admin")
		m.wait(100 * time.Hour)
		m.confirm("ben", "card dora", "met")
	}},
	{"mark-of-new-keys", "", func(m *maker) {
		halfMark(m)
		m.joins("ben", "eve", "clinician")
		m.confirm("ada", "card eve", "met")
		m.confirm("eve", "card dora", "met")
	}},
	{"patient", "", amina},
	{"proxy", "", func(m *maker) { clinic(m); m.patient("pia"); m.joins("dora", "pia", "proxy") }},
	{"patient-after-loss", "", func(m *maker) {
		amina(m)
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.wait(25 * time.Hour)
		m.complete("sam", "amina")
	}},
	{"patient-vetoes", "", func(m *maker) {
		amina(m)
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.veto("amina", "card amina")
	}},
	{"thief-vetoes-twice", "", func(m *maker) {
		amina(m)
		for range 2 {
			m.again("finn", "amina", "patient")
			m.veto("amina", "invite amina")
		}
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.confirm("ada", "card amina", "met")
		m.wait(25 * time.Hour)
		m.complete("sam", "amina")
	}},
	{"patient-after-loss-alone", "", func(m *maker) {
		m.card("ada")
		m.patient("amina")
		m.joins("ada", "amina", "patient")
		m.again("ada", "amina", "patient")
		m.card("amina")
		m.confirm("ada", "card amina", "met")
		m.wait(49 * time.Hour)
		m.complete("ada", "amina")
	}},
	{"patient-rules-after-the-card", "", func(m *maker) {
		amina(m)
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.staff()
		m.rules("ada", 48)
		m.confirm("ben", "rules", "phone")
		m.patientAgain("amina")
		m.confirm("dora", "card amina", "met")
		m.wait(24 * time.Hour)
		m.complete("sam", "amina")
	}},
	{"patient-leaves", "", func(m *maker) { amina(m); m.deactivate("amina", "amina") }},
	{"patient-deactivated-and-back", "", func(m *maker) {
		amina(m)
		m.deactivate("sam", "amina")
		m.reinstate("ada", "end amina")
		m.confirm("dora", "reinstate", "phone")
	}},
	{"patient-renamed", "", func(m *maker) { amina(m); m.rename("finn", "amina", "Amina Y.") }},
	{"thread-ten-minutes-back", "", func(m *maker) { datedBack(m, Skew) }},
	{"thread-names-a-newer-roster", "", func(m *maker) {
		amina(m)
		m.staff()
		m.deactivate("sam", "finn")
		m.patientAgain("amina")
		m.rename("dora", "amina", "A")
	}},
}

// ownVetoed has amina's old device make new cards against two recoveries, one with a link that is open and one that waits.
func ownVetoed(m *maker) {
	m.again("finn", "amina", "patient")
	m.ownCard("amina")
	m.again("finn", "amina", "patient")
	m.card("amina")
	m.ownCard("amina")
}

// undone has ada do something that others undo.
func undone(m *maker) {
	m.deactivate("ada", "ben")
	m.reinstate("sam", "end ben")
	m.confirm("dora", "reinstate", "phone")
}

// twoMarks has carl lack two confirmations, by a clinician and an administrator.
func twoMarks(m *maker) {
	m.card("ada")
	m.joins("ada", "carl", "clinician admin")
	m.joins("ada", "dora", "clinician")
	m.joins("ada", "ben", "admin")
	m.wait(100 * time.Hour)
}

// halfMark has dora's new keys confirmed by ben alone, where there should be two.
func halfMark(m *maker) {
	clinic(m)
	m.again("ada", "dora", "clinician")
	m.card("dora")
	m.confirm("ben", "card dora", "met")
	m.wait(50 * time.Hour)
	m.complete("sam", "dora")
}

// datedBack has a thread's statement claim to be so much older than the roster's that it names.
func datedBack(m *maker, by time.Duration) {
	amina(m)
	m.staff()
	m.rename("ada", "finn", "F")
	named := m.clock
	m.patientAgain("amina")
	m.bendLast(func(b *bent) { b.author.Time = ward.FormatTime(named.Add(-by)) })
	m.rename("dora", "amina", "A")
}

var badOnes = []example{
	{"founder-other", "the first card is not the founder's", func(m *maker) { m.card("eve") }},
	{"founder-twice", "a second first card", func(m *maker) { m.card("ada"); m.people["ada"] = nil; m.card("ada") }},
	{"uninvited", "a first card without an invitation", func(m *maker) { clinic(m); m.card("carl") }},
	{"link-used-twice", "two first cards with one link", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		l := m.links["carl"]
		m.card("carl")
		m.people["carl"], m.links["carl"] = nil, l
		m.card("carl")
	}},
	{"link-of-another", "the link was made for somebody else", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		m.links["eve"] = m.links["carl"]
		m.card("eve")
	}},
	{"link-forged", "the second signature is not by the link's key", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		m.links["carl"] = link{m.links["carl"].id, key("somebody")}
		m.card("carl")
	}},
	{"link-withdrawn", "the invitation was withdrawn", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		m.withdraw("ada", "invite carl")
		m.card("carl")
	}},
	{"link-replaced", "a newer invitation of the same person ended it", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		l := m.links["carl"]
		m.invite("ada", "carl", "security")
		m.links["carl"] = l
		m.card("carl")
	}},
	{"link-expired", "the invitation has expired", func(m *maker) {
		clinic(m)
		m.invites("ada", "carl", "frontdesk", false, time.Hour)
		m.wait(2 * time.Hour)
		m.card("carl")
	}},
	{"card-by-old-keys", "a card that is signed by a card of before", func(m *maker) {
		clinic(m)
		m.card("finn")
		m.bendLast(func(b *bent) { b.signers[1] = key("finn 1") })
		m.card("finn")
	}},
	{"card-by-nobody-before", "a later card that the card before did not sign", func(m *maker) {
		clinic(m)
		m.bendLast(func(b *bent) { b.signers = b.signers[:1] })
		m.card("finn")
	}},
	{"card-of-the-deactivated", "a new card of someone who is not active", func(m *maker) { clinic(m); m.deactivate("sam", "finn"); m.card("finn") }},
	{"patients-in-the-roster", "a patient's first card in the roster", func(m *maker) {
		clinic(m)
		m.patient("amina")
		m.invite("finn", "amina", "patient")
		m.staff()
		m.card("amina")
	}},
	{"invite-by-the-desk", "the front desk invites staff", func(m *maker) { clinic(m); m.invite("finn", "carl", "frontdesk") }},
	{"invite-by-security", "security invites staff", func(m *maker) { clinic(m); m.invite("sam", "carl", "frontdesk") }},
	{"invite-who-joined", "it invites someone who has joined", func(m *maker) { clinic(m); m.invite("ada", "finn", "admin") }},
	{"invite-again-other-roles", "new keys with more roles", func(m *maker) { clinic(m); m.again("ada", "finn", "frontdesk admin") }},
	{"invite-again-nobody", "new keys for who has none", func(m *maker) { clinic(m); m.again("ada", "carl", "frontdesk") }},
	{"invite-again-by-the-desk", "the front desk gives staff new keys", func(m *maker) { clinic(m); m.again("finn", "dora", "clinician") }},
	{"invite-id-twice", "an invitation's id comes twice", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		m.count--
		m.invite("ada", "carl", "frontdesk")
	}},
	{"withdraw-by-a-stranger", "who withdraws may not", func(m *maker) { clinic(m); m.invite("ada", "carl", "frontdesk"); m.withdraw("finn", "invite carl") }},
	{"withdraw-nothing", "it withdraws what was used", func(m *maker) {
		clinic(m)
		m.joins("ada", "carl", "frontdesk")
		m.withdraw("ada", "invite carl")
	}},
	{"confirm-by-the-inviter", "who invited confirms", func(m *maker) {
		clinic(m)
		m.joins("ben", "eve", "clinician")
		m.confirm("dora", "card eve", "met")
		m.joins("ada", "carl", "clinician")
		m.confirm("ada", "card carl", "met")
	}},
	{"confirm-by-oneself", "who joins confirms", func(m *maker) {
		clinic(m)
		m.again("dora", "ada", "clinician admin")
		m.card("ada")
		m.confirm("ada", "card ada", "met")
	}},
	{"confirm-by-the-young", "who was invited by the inviter a moment ago confirms", func(m *maker) {
		clinic(m)
		m.joins("ben", "eve", "clinician")
		m.confirm("dora", "card eve", "met")
		m.joins("ben", "carl", "clinician")
		m.confirm("eve", "card carl", "met")
	}},
	{"confirm-without-the-role", "who confirms has no role that is needed", func(m *maker) { clinic(m); m.joins("ben", "carl", "clinician"); m.confirm("finn", "card carl", "met") }},
	{"confirm-admin-by-a-clinician", "a clinician confirms an administrator where there is another administrator", func(m *maker) { clinic(m); m.joins("ada", "carl", "admin"); m.confirm("dora", "card carl", "met") }},
	{"confirm-twice", "one person confirms twice", func(m *maker) {
		clinic(m)
		m.joins("ben", "eve", "clinician")
		m.confirm("dora", "card eve", "met")
		m.again("ada", "dora", "clinician")
		m.card("dora")
		m.confirm("ben", "card dora", "met")
		m.confirm("ben", "card dora", "met")
	}},
	{"confirm-what-counts", "it confirms what waits for nobody", func(m *maker) { clinic(m); m.joins("ada", "carl", "frontdesk"); m.confirm("ben", "card carl", "met") }},
	{"confirm-what-was-vetoed", "it confirms a card that was vetoed", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.veto("finn", "card finn")
		m.confirm("ada", "card finn", "met")
	}},
	{"confirm-the-first-of-two", "a first card of someone who joined by another link meanwhile", func(m *maker) {
		clinic(m)
		m.joins("ben", "carl", "clinician")
		first := m.made["card carl"]
		m.people["carl"] = nil
		m.joins("ada", "carl", "frontdesk")
		m.made["card carl"] = first
		m.confirm("dora", "card carl", "met")
	}},
	{"mark-by-who-made-it", "who made someone alone takes the mark away", func(m *maker) { clinic(m); m.confirm("ada", "card dora", "met") }},
	{"complete-unconfirmed", "the card is not confirmed", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.wait(25 * time.Hour)
		m.complete("ada", "finn")
	}},
	{"complete-half-confirmed", "only one of two has confirmed", func(m *maker) {
		clinic(m)
		m.joins("ben", "eve", "clinician")
		m.confirm("dora", "card eve", "met")
		m.again("ada", "dora", "clinician")
		m.card("dora")
		m.confirm("ben", "card dora", "met")
		m.wait(25 * time.Hour)
		m.complete("finn", "dora")
	}},
	{"complete-early", "the time of the veto is not over", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
		m.wait(23 * time.Hour)
		m.complete("sam", "finn")
	}},
	{"complete-alone-early", "alone it takes twice as long", func(m *maker) {
		m.card("ada")
		m.patient("amina")
		m.joins("ada", "amina", "patient")
		m.again("ada", "amina", "patient")
		m.card("amina")
		m.confirm("ada", "card amina", "met")
		m.wait(25 * time.Hour)
		m.complete("ada", "amina")
	}},
	{"complete-vetoed", "the card was vetoed", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
		m.veto("finn", "card finn")
		m.wait(25 * time.Hour)
		m.complete("sam", "finn")
	}},
	{"complete-by-the-patient", "the old device completes", func(m *maker) {
		amina(m)
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.wait(25 * time.Hour)
		m.complete("amina", "amina")
	}},
	{"veto-by-a-stranger", "a colleague vetoes", func(m *maker) { clinic(m); m.again("dora", "finn", "frontdesk"); m.veto("dora", "invite finn") }},
	{"veto-a-first-invitation", "nobody lost keys", func(m *maker) { clinic(m); m.invite("ada", "carl", "frontdesk"); m.veto("sam", "invite carl") }},
	{"veto-a-completed-card", "it counts already", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
		m.wait(25 * time.Hour)
		m.complete("sam", "finn")
		m.veto("sam", "card finn")
	}},
	{"veto-a-third-time", "two who met the person outweigh the old device", func(m *maker) {
		amina(m)
		for range 2 {
			m.again("finn", "amina", "patient")
			m.veto("amina", "invite amina")
		}
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.confirm("ada", "card amina", "met")
		m.veto("amina", "card amina")
	}},
	{"roles-by-oneself", "someone gives themselves roles", func(m *maker) { clinic(m); m.roles("ada", "ada", "admin") }},
	{"roles-by-the-desk", "the front desk gives roles", func(m *maker) { clinic(m); m.roles("finn", "sam", "privacy") }},
	{"roles-by-security", "security gives roles", func(m *maker) { clinic(m); m.roles("sam", "finn", "privacy") }},
	{"roles-the-same", "it changes nothing", func(m *maker) { clinic(m); m.roles("ada", "finn", "frontdesk") }},
	{"roles-of-the-deactivated", "someone who left gets roles", func(m *maker) { clinic(m); m.deactivate("sam", "finn"); m.roles("ada", "finn", "privacy") }},
	{"own-card-a-third-time", "two who met the person outweigh the old device, which makes a new card", func(m *maker) {
		amina(m)
		ownVetoed(m)
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.confirm("ada", "card amina", "met")
		m.ownCard("amina")
	}},
	{"own-card-after-vetoes", "two who met the person outweigh the old device, which vetoed twice", func(m *maker) {
		amina(m)
		for range 2 {
			m.again("finn", "amina", "patient")
			m.veto("amina", "invite amina")
		}
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.confirm("ada", "card amina", "met")
		m.ownCard("amina")
	}},
	{"veto-after-own-cards", "two who met the person outweigh the old device, which made two new cards", func(m *maker) {
		amina(m)
		ownVetoed(m)
		m.again("finn", "amina", "patient")
		m.card("amina")
		m.confirm("dora", "card amina", "met")
		m.confirm("ada", "card amina", "met")
		m.veto("amina", "card amina")
	}},
	{"confirm-after-an-own-card", "the card after lost keys is void: its person made one with the keys of before", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		recovery := m.made["card finn"]
		m.ownCard("finn")
		m.made["card finn"] = recovery
		m.confirm("ada", "card finn", "met")
	}},
	{"who-was-undone-with-nobody", "who was undone takes roles away, and there is nobody to confirm it", func(m *maker) {
		m.card("ada")
		m.joins("ada", "ben", "admin")
		m.joins("ada", "sam", "security")
		m.wait(100 * time.Hour)
		m.deactivate("ada", "sam")
		m.reinstate("ben", "end sam")
		m.confirm("sam", "reinstate", "phone")
		m.deactivate("sam", "ben")
		m.roles("ada", "sam", "frontdesk")
	}},
	{"who-was-undone-alone", "who was undone takes roles away and confirms it", func(m *maker) {
		clinic(m)
		undone(m)
		m.roles("ada", "sam", "frontdesk")
		m.confirm("ada", "roles sam", "met")
	}},
	{"reinstate-confirmed-late", "what it undoes is 72 hours old when it is confirmed", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.wait(71 * time.Hour)
		m.reinstate("ada", "end ben")
		m.wait(time.Hour)
		m.confirm("dora", "reinstate", "phone")
	}},
	{"reinstate-confirmed-after-a-change", "the person has other roles since", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "privacy")
		m.reinstate("sam", "roles finn")
		m.roles("ada", "finn", "security")
		m.confirm("dora", "reinstate", "phone")
	}},
	{"reinstate-confirmed-twice", "another brought them back already", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.reinstate("dora", "end ben")
		first := m.made["reinstate"]
		m.reinstate("ada", "end ben")
		m.confirm("dora", "reinstate", "phone")
		m.made["reinstate"] = first
		m.confirm("ada", "reinstate", "phone")
	}},
	{"invite-again-other-name", "new keys with another name", func(m *maker) { clinic(m); m.names["finn"] = "F"; m.again("dora", "finn", "frontdesk") }},
	{"invite-again-old-name", "new keys with the name of before", func(m *maker) {
		clinic(m)
		m.rename("ada", "finn", "F")
		delete(m.names, "finn")
		m.again("dora", "finn", "frontdesk")
	}},
	{"patient-again-other-name", "new keys of a patient with another name", func(m *maker) { amina(m); m.names["amina"] = "A"; m.again("finn", "amina", "patient") }},
	{"rules-after-the-card-shorter", "the wait is that of when the card was made", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.rules("ada", 1)
		m.confirm("ben", "rules", "phone")
		m.confirm("ada", "card finn", "met")
		m.wait(23 * time.Hour)
		m.complete("sam", "finn")
	}},
	{"mark-twice-by-one", "one person takes both marks away", func(m *maker) {
		m.card("ada")
		m.joins("ada", "carl", "clinician admin")
		m.joins("ada", "dora", "clinician admin")
		m.wait(100 * time.Hour)
		m.confirm("dora", "card carl", "met")
		m.confirm("dora", "card carl", "met")
	}},
	{"mark-by-who-confirmed-the-keys", "who confirmed new keys takes away the mark that another is missing", func(m *maker) {
		halfMark(m)
		m.confirm("ben", "card dora", "met")
	}},
	{"thread-dated-back", "it claims to be ten minutes and a bit older than the roster's statement that it names", func(m *maker) { datedBack(m, Skew+time.Millisecond) }},
	{"thread-card-dated-back", "a card claims to be older than the roster's statement that it names", func(m *maker) {
		clinic(m)
		m.patient("amina")
		m.invite("finn", "amina", "patient")
		m.staff()
		m.wait(time.Hour)
		m.rename("ada", "finn", "F")
		m.patientAgain("amina")
		m.bendLast(func(b *bent) { b.author.Time = ward.FormatTime(m.clock.Add(-time.Hour)) })
		m.card("amina")
	}},
	{"card-key-small-order", "its key is of small order: it signs without a secret", func(m *maker) { clinic(m); m.invite("ada", "carl", "frontdesk"); m.forgedCard("carl", neutral) }},
	{"card-key-second-writing", "its key is written in a second way", func(m *maker) {
		clinic(m)
		m.invite("ada", "carl", "frontdesk")
		m.forgedCard("carl", neutralAgain)
	}},
	{"invite-key-small-order", "the link's key is of small order", func(m *maker) { clinic(m); m.forgedInvite("carl", orderEight) }},
	{"invite-key-second-writing", "the link's key is written in a second way", func(m *maker) { clinic(m); m.forgedInvite("carl", threeAgain) }},
	{"signature-small-order", "the R of its signature is of small order", func(m *maker) { clinic(m); m.forgedRename(withNeutralR(key("ada 1"))) }},
	{"signature-second-writing", "the S of its signature is not reduced", func(m *maker) { clinic(m); m.forgedRename(withMoreS(key("ada 1"))) }},
	{"roles-confirmed-too-late", "the person has other roles since", func(m *maker) {
		clinic(m)
		m.roles("ada", "finn", "clinician frontdesk")
		first := m.made["roles finn"]
		m.roles("ada", "finn", "privacy")
		m.made["roles finn"] = first
		m.confirm("dora", "roles finn", "met")
	}},
	{"rename-oneself", "someone changes their own name", func(m *maker) { clinic(m); m.rename("ada", "ada", "Queen") }},
	{"rename-by-the-desk", "the front desk renames staff", func(m *maker) { clinic(m); m.rename("finn", "sam", "Nobody") }},
	{"patient-renames-herself", "a patient changes her own name", func(m *maker) { amina(m); m.rename("amina", "amina", "Doctor") }},
	{"deactivate-oneself", "staff deactivate themselves", func(m *maker) { clinic(m); m.deactivate("sam", "sam") }},
	{"deactivate-by-a-clinician", "a clinician deactivates", func(m *maker) { clinic(m); m.deactivate("dora", "finn") }},
	{"deactivate-the-last-with-nobody", "the last administrator, and nobody to confirm it", func(m *maker) {
		m.card("ada")
		m.joins("ada", "sam", "security")
		m.wait(100 * time.Hour)
		m.deactivate("sam", "ada")
	}},
	{"deactivate-a-patient-by-the-desk", "the front desk deactivates a patient", func(m *maker) { amina(m); m.deactivate("finn", "amina") }},
	{"act-after-the-end", "someone who was deactivated invites", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.invite("ben", "carl", "frontdesk")
	}},
	{"withdraw-after-the-end", "someone who was deactivated withdraws their invitation", func(m *maker) {
		clinic(m)
		m.invite("ben", "carl", "frontdesk")
		m.deactivate("sam", "ben")
		m.withdraw("ben", "invite carl")
	}},
	{"complete-after-the-end", "someone who was deactivated completes", func(m *maker) {
		clinic(m)
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
		m.deactivate("sam", "ben")
		m.wait(25 * time.Hour)
		m.complete("ben", "finn")
	}},
	{"confirm-after-the-end", "someone who was deactivated confirms", func(m *maker) {
		clinic(m)
		m.joins("ada", "carl", "clinician")
		m.deactivate("sam", "dora")
		m.confirm("dora", "card carl", "met")
	}},
	{"reinstate-by-the-doer", "who deactivated undoes it", func(m *maker) { clinic(m); m.deactivate("sam", "ben"); m.reinstate("sam", "end ben") }},
	{"reinstate-confirmed-by-the-doer", "who deactivated confirms that it is undone", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.reinstate("ada", "end ben")
		m.confirm("sam", "reinstate", "phone")
	}},
	{"reinstate-by-one", "one person states and confirms", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.reinstate("ada", "end ben")
		m.confirm("ada", "reinstate", "phone")
	}},
	{"reinstate-late", "it is 72 hours later", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.wait(73 * time.Hour)
		m.reinstate("ada", "end ben")
	}},
	{"reinstate-by-the-desk", "the front desk undoes it", func(m *maker) { clinic(m); m.deactivate("sam", "ben"); m.reinstate("finn", "end ben") }},
	{"reinstate-who-left", "a patient who left is brought back", func(m *maker) { amina(m); m.deactivate("amina", "amina"); m.reinstate("ada", "end amina") }},
	{"reinstate-twice", "it was undone already", func(m *maker) {
		clinic(m)
		m.deactivate("sam", "ben")
		m.reinstate("ada", "end ben")
		m.confirm("dora", "reinstate", "phone")
		m.reinstate("ada", "end ben")
	}},
	{"rules-by-security", "security sets the rules", func(m *maker) { clinic(m); m.rules("sam", 1) }},
	{"rules-confirmed-by-one", "one administrator states and confirms", func(m *maker) { clinic(m); m.rules("ada", 1); m.confirm("ada", "rules", "met") }},
	{"thread-begins-with-recovery", "a thread begins with new keys", func(m *maker) { clinic(m); m.patient("amina"); m.again("finn", "amina", "patient") }},
	{"thread-of-another", "a thread invites somebody else", func(m *maker) { clinic(m); m.patient("amina"); m.invite("finn", "pia", "proxy") }},
	{"thread-by-security", "security invites a patient", func(m *maker) { clinic(m); m.patient("amina"); m.invite("sam", "amina", "patient") }},
	{"thread-by-the-deactivated", "its author is not active at the head that it names", func(m *maker) {
		amina(m)
		m.staff()
		m.deactivate("sam", "finn")
		m.patientAgain("amina")
		m.rename("finn", "amina", "A")
	}},
	{"thread-older-roster", "it names an older head of the roster", func(m *maker) {
		amina(m)
		m.staff()
		m.rename("ada", "finn", "F")
		m.patientAgain("amina")
		m.rename("dora", "amina", "A")
		m.bendLast(func(b *bent) {
			b.place.RosterSeq--
			b.place.RosterHash = envelope.Hash(m.roster.texts[b.place.RosterSeq-1])
		})
		m.rename("dora", "amina", "B")
	}},
	{"thread-unknown-roster", "it names a head that the roster does not have", func(m *maker) {
		amina(m)
		m.bendLast(func(b *bent) { b.place.RosterHash = envelope.Hash(nil) })
		m.rename("dora", "amina", "A")
	}},
	{"thread-roster-to-come", "it names a head that the roster does not have yet", func(m *maker) {
		amina(m)
		m.bendLast(func(b *bent) { b.place.RosterSeq++ })
		m.rename("dora", "amina", "A")
	}},
	{"patient-invites", "a patient invites herself again", func(m *maker) { amina(m); m.again("amina", "amina", "patient") }},
	{"older-than-before", "it claims to be an hour older than what came before", func(m *maker) {
		clinic(m)
		m.rename("ada", "finn", "F")
		m.wait(-time.Hour - time.Minute)
		m.rename("ada", "finn", "G")
	}},
	{"of-the-future", "it claims to be of tomorrow", func(m *maker) {
		clinic(m)
		m.bendLast(func(b *bent) { b.author.Time = ward.FormatTime(m.clock.Add(24 * time.Hour)) })
		m.rename("ada", "finn", "F")
	}},
}

// each type of statement in a history that is good, to be bent in every general way.
var lastOfType = []example{
	{"card", "", func(m *maker) { clinic(m); m.card("finn"); m.card("finn") }},
	{"invite", "", func(m *maker) { clinic(m); m.card("ada"); m.invite("ada", "carl", "frontdesk") }},
	{"withdraw", "", func(m *maker) {
		clinic(m)
		m.card("ada")
		m.invite("ada", "carl", "frontdesk")
		m.withdraw("ada", "invite carl")
	}},
	{"confirm", "", func(m *maker) {
		clinic(m)
		m.card("dora")
		m.joins("ben", "carl", "clinician")
		m.confirm("dora", "card carl", "met")
	}},
	{"complete", "", func(m *maker) {
		clinic(m)
		m.card("ada")
		m.again("dora", "finn", "frontdesk")
		m.card("finn")
		m.confirm("ada", "card finn", "met")
		m.wait(25 * time.Hour)
		m.complete("ada", "finn")
	}},
	{"veto", "", func(m *maker) {
		clinic(m)
		m.card("ada")
		m.again("dora", "finn", "frontdesk")
		m.veto("ada", "invite finn")
	}},
	{"roles", "", func(m *maker) { clinic(m); m.card("ada"); m.roles("ada", "finn", "privacy") }},
	{"rename", "", func(m *maker) { clinic(m); m.card("ada"); m.rename("ada", "finn", "F") }},
	{"deactivate", "", func(m *maker) { clinic(m); m.card("ada"); m.deactivate("ada", "finn") }},
	{"reinstate", "", func(m *maker) { clinic(m); m.card("ada"); m.deactivate("sam", "ben"); m.reinstate("ada", "end ben") }},
	{"rules", "", func(m *maker) { clinic(m); m.card("ada"); m.rules("ada", 48) }},
}

// bends are what is wrong of any statement.
var bends = []struct {
	name, wrong string
	bend        func(m *maker, b *bent)
}{
	{"previous", "it does not name the statement before it", func(m *maker, b *bent) { b.place.Previous = envelope.Hash(nil) }},
	{"seq", "it leaves a place out", func(_ *maker, b *bent) { b.place.Seq++ }},
	{"org", "it is of another clinic", func(_ *maker, b *bent) {
		b.place.Org = id[ward.OrgID]("other")
		b.place.Chain = string(b.place.Org)
	}},
	{"signature", "it is signed by somebody else", func(_ *maker, b *bent) {
		b.signers = []ed25519.PrivateKey{key("somebody"), key("somebody")}[:len(b.signers)]
	}},
	{"old-card", "it is by a card that was replaced", func(m *maker, b *bent) {
		for _, k := range m.people {
			if person(k.name) == b.author.By && k.serial == 2 {
				b.author.Card, b.signers = k.before[0], []ed25519.PrivateKey{k.signing(1)}
			}
		}
	}},
	{"no-card", "it names a card that its author never had", func(_ *maker, b *bent) { b.author.Card = envelope.Hash(nil) }},
	{"stranger", "its author is not of the clinic", func(_ *maker, b *bent) { b.author.By = person("nobody") }},
}

func writeVectors(t *testing.T) {
	if err := os.RemoveAll(vectorFolder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(vectorFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, e := range goodOnes {
		m := newMaker(t)
		e.make(m)
		write(t, m, vector{Name: e.name, Good: true})
	}
	for _, e := range badOnes {
		m := newMaker(t)
		e.make(m)
		write(t, m, vector{Name: e.name, Wrong: e.wrong})
	}
	for _, e := range lastOfType {
		for _, b := range bends {
			if e.name == "card" && slices.Contains([]string{"old-card", "no-card", "stranger"}, b.name) {
				continue // a card has no author
			}
			counted := newMaker(t)
			e.make(counted)
			m := newMaker(t)
			m.target, m.bendAt = &m.roster, len(counted.roster.texts)-1
			m.bend = func(bent *bent) { b.bend(m, bent) }
			e.make(m)
			write(t, m, vector{Name: fmt.Sprintf("%s-%s", e.name, b.name), Wrong: b.wrong})
		}
	}
}

func write(t *testing.T, m *maker, v vector) {
	t.Helper()
	v.Format = "membership"
	v.Input = input{Org: m.org, Clinic: string(m.clinic.Text), Now: ward.FormatTime(m.latest.Add(time.Minute)), Roster: []string{}}
	for _, text := range m.roster.texts {
		v.Input.Roster = append(v.Input.Roster, string(text))
	}
	if m.thread != nil && m.on == m.thread {
		v.Input.Person = ward.PersonID(m.thread.chain)
		for _, text := range m.thread.texts {
			v.Input.Thread = append(v.Input.Thread, string(text))
		}
	}
	if v.Good {
		h, err := v.Input.read()
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		o := h.output()
		v.Output = &o
	} else {
		v.Input.Breaks = int64(len(m.on.texts))
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(vectorFolder, v.Name+".json")
	if _, err := os.Stat(name); err == nil {
		t.Fatalf("two vectors are called %s", v.Name)
	}
	if err := os.WriteFile(name, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
