package envelope

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ward"
)

// The statements of which the signed history of a clinic's people consists (docs/formats.md, Membership). Package
// membership says what they mean; here is what they look like.

// Place is where a statement stands: in which chain, at which seq, after what. A thread's statements name a head of
// the roster by which their author is judged.
type Place struct {
	Org        ward.OrgID `json:"org"`
	Chain      string     `json:"chain"` // the roster: the organisation's id; a thread: its person's id
	Seq        int64      `json:"seq"`   // from 1
	Previous   string     `json:"previous,omitempty"`
	RosterSeq  int64      `json:"rosterSeq,omitempty"`
	RosterHash string     `json:"rosterHash,omitempty"`
}

// Stands is the place itself, for code that takes any statement of a chain.
func (p Place) Stands() Place { return p }

// Author is who states something: the signature is by the card, which must be their current one.
type Author struct {
	By   ward.PersonID `json:"by"`
	Card string        `json:"card"`
	Time string        `json:"time"` // as the author claims
}

// States is the author itself, for code that takes any statement of a chain.
func (a Author) States() Author { return a }

// Membership is a statement of the history that has an author. All but cards are.
type Membership interface {
	Body
	Stands() Place
	States() Author
}

// MemberCard is the public half of a person's keys. It is its own author: what lets it count is the link's key, or the
// key of the card before.
//
// Signatures: Signing; then the link's key if Invitation is there, else the key of the card Before. A founder's first
// card has the first alone.
type MemberCard struct {
	Place
	Person        ward.PersonID     `json:"person"`
	Serial        int64             `json:"serial"`           // 1 for the first
	Before        string            `json:"before,omitempty"` // hash of the card that it replaces
	RecipientHash string            `json:"recipientHash"`    // of the recipient, which is sent beside the chain
	Signing       string            `json:"signing"`
	Invitation    ward.InvitationID `json:"invitation,omitempty"`
	Time          string            `json:"time"`
}

// Invite lets whoever has a link become a person of the clinic, or gives a person new keys if Recover.
type Invite struct {
	Place
	Invitation ward.InvitationID `json:"invitation"`
	Person     ward.PersonID     `json:"person"`
	Verifier   string            `json:"verifier"` // the public half of the link's key
	Roles      string            `json:"roles"`    // as FormatRoles writes them
	Name       string            `json:"name"`     // commitment to the name, see NameHash
	Recover    bool              `json:"recover,omitempty"`
	Until      string            `json:"until"`
	Author
}

// Withdraw ends an open invitation.
type Withdraw struct {
	Place
	What string `json:"what"` // hash of the invite
	Author
}

// Confirm says that a second person stands behind something that waits for that.
type Confirm struct {
	Place
	What string `json:"what"`
	How  string `json:"how"` // how the author made sure of who it is
	Author
}

// How a person was checked before a confirmation.
const (
	Met      = "met"
	ByVideo  = "video"
	ByPhone  = "phone"
	Document = "document"
)

// Complete says that the time in which a card after lost keys may be vetoed is over.
type Complete struct {
	Place
	What string `json:"what"`
	Author
}

// Veto refuses an invitation after lost keys, or the card that was made with it.
type Veto struct {
	Place
	What string `json:"what"`
	Author
}

// Roles gives a member of staff other roles.
type Roles struct {
	Place
	Person ward.PersonID `json:"person"`
	Roles  string        `json:"roles"`
	Author
}

// Rename gives a person another name.
type Rename struct {
	Place
	Person ward.PersonID `json:"person"`
	Name   string        `json:"name"`
	Author
}

// Deactivate ends a person's part in the clinic.
type Deactivate struct {
	Place
	Person ward.PersonID `json:"person"`
	Author
}

// Reinstate undoes a deactivation or a change of roles.
type Reinstate struct {
	Place
	What string `json:"what"`
	Author
}

// Rules sets how many hours a card after lost keys may be vetoed.
type Rules struct {
	Place
	Veto int64 `json:"veto"`
	Author
}

// MaxVeto is two weeks: whoever lost their keys waits as long.
const MaxVeto = 14 * 24

func (MemberCard) Type() string { return "ward/card/2" }
func (Invite) Type() string     { return "ward/invite/1" }
func (Withdraw) Type() string   { return "ward/withdraw/1" }
func (Confirm) Type() string    { return "ward/confirm/1" }
func (Complete) Type() string   { return "ward/complete/1" }
func (Veto) Type() string       { return "ward/veto/1" }
func (Roles) Type() string      { return "ward/roles/1" }
func (Rename) Type() string     { return "ward/rename/1" }
func (Deactivate) Type() string { return "ward/deactivate/1" }
func (Reinstate) Type() string  { return "ward/reinstate/1" }
func (Rules) Type() string      { return "ward/rules/1" }

func (p Place) checkPlace() error {
	roster := p.Chain == string(p.Org)
	return first(
		id("org", p.Org), id("chain", p.Chain), from1("seq", p.Seq),
		when(roster || p.Seq > 1, hash("previous", p.Previous)), when(!roster && p.Seq == 1, empty("previous", p.Previous)),
		when(roster && p.RosterSeq != 0, fmt.Errorf("rosterSeq is for threads")), when(roster, empty("rosterHash", p.RosterHash)),
		when(!roster, from1("rosterSeq", p.RosterSeq)), when(!roster, hash("rosterHash", p.RosterHash)),
	)
}

func (a Author) checkAuthor() error {
	return first(id("by", a.By), hash("card", a.Card), moment("time", a.Time))
}

func (c MemberCard) check() error {
	return first(
		c.checkPlace(), id("person", c.Person), from1("serial", c.Serial),
		when(c.Serial > 1, hash("before", c.Before)), when(c.Serial == 1, empty("before", c.Before)),
		hash("recipientHash", c.RecipientHash), key("signing", c.Signing),
		when(c.Invitation != "", id("invitation", c.Invitation)), moment("time", c.Time),
	)
}

func (i Invite) check() error {
	return first(
		i.checkPlace(), id("invitation", i.Invitation), id("person", i.Person), key("verifier", i.Verifier), i.checkRoles(), hash("name", i.Name),
		moment("until", i.Until), i.checkAuthor(),
	)
}

// checkRoles wants roles of the chain's kind: who works for the clinic is in the roster, everyone else in a thread.
func (i Invite) checkRoles() error { return roles(i.Roles, i.Chain == string(i.Org)) }

func (w Withdraw) check() error { return first(w.checkPlace(), hash("what", w.What), w.checkAuthor()) }

func (c Confirm) check() error {
	return first(c.checkPlace(), hash("what", c.What), oneOf("how", c.How, Met, ByVideo, ByPhone, Document), c.checkAuthor())
}

func (c Complete) check() error { return first(c.checkPlace(), hash("what", c.What), c.checkAuthor()) }

func (v Veto) check() error { return first(v.checkPlace(), hash("what", v.What), v.checkAuthor()) }

func (r Roles) check() error {
	return first(r.checkPlace(), id("person", r.Person), roles(r.Roles, true), r.checkAuthor())
}

func (r Rename) check() error {
	return first(r.checkPlace(), id("person", r.Person), hash("name", r.Name), r.checkAuthor())
}

func (d Deactivate) check() error {
	return first(d.checkPlace(), id("person", d.Person), d.checkAuthor())
}

func (r Reinstate) check() error { return first(r.checkPlace(), hash("what", r.What), r.checkAuthor()) }

func (r Rules) check() error {
	if r.Veto < 1 || r.Veto > MaxVeto {
		return fmt.Errorf("veto is %d hours; it must be from 1 to %d", r.Veto, MaxVeto)
	}
	return first(r.checkPlace(), r.checkAuthor())
}

// roles checks a list of roles: all of staff, or none.
func roles(list string, staff bool) error {
	parsed := ParseRoles(list)
	if len(parsed) == 0 || FormatRoles(parsed) != list {
		return fmt.Errorf("roles is %.80q; it must be roles in order, each once, with one space between", list)
	}
	for _, r := range parsed {
		if r.IsStaff() != staff {
			return fmt.Errorf("roles has %s, which is not of this chain", r)
		}
	}
	return nil
}

// ParseRoles reads the words that are roles.
func ParseRoles(list string) (found []ward.Role) {
	for word := range strings.SplitSeq(list, " ") {
		if slices.Contains(ward.Roles, ward.Role(word)) {
			found = append(found, ward.Role(word))
		}
	}
	return found
}

// FormatRoles writes roles in the one order that statements have.
func FormatRoles(list []ward.Role) string {
	var words []string
	for _, r := range ward.Roles {
		if slices.Contains(list, r) {
			words = append(words, string(r))
		}
	}
	return strings.Join(words, " ")
}

// NameHash commits to a person's name. Who may know the name gets opening, 32 random bytes, with it.
func NameHash(opening [32]byte, name string) string {
	sum := sha256.Sum256(append(append([]byte("ward/name/1\n"), opening[:]...), name...))
	return ward.B64.EncodeToString(sum[:])
}

// PlaceOf reads where a statement of membership says it stands, whatever its type.
func PlaceOf(text []byte) (Place, bool) {
	p, err := peek(text)
	return p.Place, err == nil
}

// Concerns reads who states something, of whom (nobody, if it speaks of another statement), and in which chain.
func Concerns(text []byte) (author, person ward.PersonID, chain string, ok bool) {
	p, err := peek(text)
	return p.By, p.Person, p.Chain, err == nil
}

// A peeked is what statements of membership have in common.
type peeked struct {
	Place
	Person ward.PersonID `json:"person"`
	By     ward.PersonID `json:"by"`
}

// peek reads a statement that is not checked yet, to find out who must check it.
func peek(text []byte) (peeked, error) {
	var p peeked
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	body, _, _ := bytes.Cut(rest, []byte("\n"))
	return p, json.Unmarshal(body, &p)
}
