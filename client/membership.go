package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ward"
	"ward/ledger/receipt"
	"ward/membership"
	"ward/seal"
	"ward/seal/envelope"
)

// Who is who, as this client computes it from what people signed: the roster of staff, which it follows, and the threads
// of the patients and proxies whom it meets. The server's word is a hint: it may withhold what comes after, and is found
// out if it shows anything else than before.

// ErrOtherHistory is the error of a server that shows another history of people than it did, or less of it.
var ErrOtherHistory = errors.New("the server shows another history of who is who than before")

// A chain is one history of membership as far as this client has read it.
type chain struct {
	*membership.History
	name  string
	texts [][]byte
}

// read takes statements that follow.
func (h *chain) read(texts []string, now time.Time) error {
	for _, text := range texts {
		if err := h.Append([]byte(text), now); err != nil {
			return err
		}
		h.texts = append(h.texts, []byte(text))
	}
	return nil
}

// place is where the next statement of a chain stands.
func (h *chain) place(org ward.OrgID, roster *chain) envelope.Place {
	head := h.Head()
	p := envelope.Place{Org: org, Chain: h.name, Seq: head.Seq + 1, Previous: head.Hash}
	if h != roster {
		at := roster.Head()
		p.RosterSeq, p.RosterHash = at.Seq, at.Hash
	}
	return p
}

func newRoster(clinic *envelope.Statement[envelope.Clinic]) (*chain, error) {
	h, err := membership.NewRoster(clinic)
	return &chain{History: h, name: string(clinic.Body.Org)}, err
}

func (h *chain) thread(person ward.PersonID) *chain {
	return &chain{History: membership.NewThread(h.History, person), name: string(person)}
}

// with is a copy of a chain with one statement more, to find out what it would say.
func (h *chain) with(clinic *envelope.Statement[envelope.Clinic], roster *chain, text []byte, now time.Time) (*chain, error) {
	again, err := newRoster(clinic)
	if err != nil {
		return nil, err
	}
	for _, t := range roster.texts {
		if err := again.Append(t, now); err != nil {
			return nil, err
		}
	}
	to := again
	if h != roster {
		to = again.thread(ward.PersonID(h.name))
		for _, t := range h.texts {
			if err := to.Append(t, now); err != nil {
				return nil, err
			}
		}
	}
	return to, to.Append(text, now)
}

// followRoster reads what is new in the roster. The caller holds c.reading.
func (c *Client) followRoster(ctx context.Context) (*chain, error) {
	if c.roster == nil {
		clinic := c.state().clinic
		if clinic == nil {
			return nil, ErrSignedOut
		}
		roster, err := newRoster(clinic)
		if err != nil {
			return nil, err
		}
		c.roster = roster
	}
	for {
		// The newest statement that is known is asked for again: who shows less, or another in its place, is found out.
		known := c.roster.texts[max(0, len(c.roster.texts)-1):]
		page, err := get[ward.MembershipPage](ctx, c, fmt.Sprintf("/api/membership?after=%d", len(c.roster.texts)-len(known)))
		if err != nil {
			return nil, err
		}
		for _, text := range known {
			if len(page.Statements) == 0 || page.Statements[0] != string(text) {
				return nil, fmt.Errorf("the clinic's people: %w", ErrOtherHistory)
			}
			page.Statements = page.Statements[1:]
		}
		if err := c.roster.read(page.Statements, c.now()); err != nil {
			return nil, err
		}
		if !page.More || len(page.Statements) == 0 {
			return c.roster, nil
		}
	}
}

// chainOf finds the chain that a person is in: the roster, or their own thread as it was sent. The caller holds c.reading.
func (c *Client) chainOf(ctx context.Context, given ward.PersonCards) (*chain, error) {
	roster, err := c.followRoster(ctx)
	if err != nil {
		return nil, err
	}
	if len(given.Thread) == 0 {
		return roster, nil
	}
	known := c.threads[given.Person]
	if known == nil {
		known = roster.thread(given.Person)
	}
	for i, text := range known.texts {
		if i >= len(given.Thread) || given.Thread[i] != string(text) {
			return nil, fmt.Errorf("person %s: %w", given.Person, ErrOtherHistory)
		}
	}
	if err := known.read(given.Thread[len(known.texts):], c.now()); err != nil {
		return nil, fmt.Errorf("person %s: %w", given.Person, err)
	}
	c.threads[given.Person] = known
	return known, nil
}

// askPerson asks for someone's keys and checks them by the history.
func (c *Client) askPerson(ctx context.Context, id ward.PersonID) (*seal.Person, error) {
	given, err := get[ward.PersonCards](ctx, c, path("people", string(id), "cards"))
	if err != nil {
		return nil, err
	}
	if given.Person != id {
		return nil, fmt.Errorf("person %s: the server shows another", id)
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	h, err := c.chainOf(ctx, given)
	if err != nil {
		return nil, err
	}
	p, err := seal.CheckPerson(c.Org(), h.History, given)
	if err != nil {
		return nil, err
	}
	return p, c.checkChain(ctx, h)
}

// checkChain refuses a chain if the organisations agreed on another. That they have agreed on none of it yet, or not on its
// end, or that it cannot be asked now, is no reason to: nobody's work waits for that. What seals asks isAgreed.
func (c *Client) checkChain(ctx context.Context, h *chain) error {
	ledger, err := c.lastHistory(ctx)
	if errors.Is(err, ErrNoLedger) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.agreed[h.name] == len(h.texts) {
		return nil
	}
	line, _, err := c.line(ctx, h.name)
	if kind := ward.KindOf(err); kind == ward.Unavailable || kind == ward.Gone || err == nil && line == nil { // the chain is halted here, or has none
		return nil
	}
	if err != nil {
		return err
	}
	n, _, err := ledger.agreedOn(h, line.Proof)
	if err != nil && !errors.Is(err, ErrOtherKeys) { // signed by those who came since, or by nobody
		if ledger, err = c.checkHistory(ctx); err == nil {
			n, _, err = ledger.agreedOn(h, line.Proof)
		}
	}
	if err == nil {
		c.agreed[h.name] = n
	}
	return err
}

// agreedOn tells how many of a chain's statements the organisations agreed on, and at which height.
func (h *History) agreedOn(of *chain, p receipt.StateProof) (n int, at receipt.Agreed, err error) {
	trust := h.Sets.At(p.Height)
	value, there, at, err := trust.CheckState(receipt.LinkKey(trust.Origin, receipt.Label(trust.Salt, of.name)), p)
	if err != nil || !there {
		return 0, at, err
	}
	var have receipt.Hash
	for n, text := range of.texts {
		if have = receipt.LinkValue(have, text); have == value {
			return n + 1, at, nil
		}
	}
	return 0, at, ErrOtherKeys
}

// line shows what the ledger holds of a chain, and whether more of it is on its way.
func (c *Client) line(ctx context.Context, name string) (*receipt.Line, bool, error) {
	route := path("people", name, "card-proof")
	if name == string(c.Org()) {
		route = "/api/membership/proof"
	}
	given, err := get[ward.CardProof](ctx, c, route)
	if err != nil || given.Proof == nil {
		return nil, given.Pending, err
	}
	proof, err := receipt.Parse[receipt.StateProof](given.Proof)
	return &receipt.Line{Person: name, Proof: proof}, given.Pending, err
}

// maxStated is how often a statement is written again because somebody else stated something in the meantime.
const maxStated = 5

// A statement is written once its place and author are known.
type statement func(envelope.Place, envelope.Author) ([]byte, error)

// stating makes a statement of a type out of its body.
func stating[B envelope.Membership](k *seal.Keyring, body func(envelope.Place, envelope.Author) B) statement {
	return func(p envelope.Place, a envelope.Author) ([]byte, error) {
		s, err := envelope.Write(body(p, a), k.Signing.Sign)
		if err != nil {
			return nil, err
		}
		return s.Text, nil
	}
}

// stateOf writes the next statement of the chain of a person, and again if the chain moved on.
func (c *Client) stateOf(ctx context.Context, person ward.PersonID, write statement, send func(text []byte) error) error {
	var err error
	for range maxStated {
		var text []byte
		if text, err = c.next(ctx, person, write); err != nil {
			return err
		}
		if err = send(text); ward.KindOf(err) != ward.Conflict {
			return err
		}
	}
	return err
}

// next writes the next statement of the chain of a person: the roster for staff and who is to be, else their thread.
func (c *Client) next(ctx context.Context, person ward.PersonID, write statement) ([]byte, error) {
	k := c.state().keyring
	if k == nil {
		return nil, ErrSignedOut
	}
	var given ward.PersonCards
	if person != "" {
		var err error
		if given, err = get[ward.PersonCards](ctx, c, path("people", string(person), "cards")); err != nil {
			return nil, err
		}
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	h, err := c.chainOf(ctx, given)
	if err != nil {
		return nil, err
	}
	return write(h.place(k.Org, c.roster), c.states(k))
}

// stateNew states something of an invitation: in the roster for staff, else in the thread of whom it is about, which may
// begin with it.
func (c *Client) stateNew(ctx context.Context, person ward.PersonID, roles []ward.Role, write statement, send func(text []byte) error) error {
	if slices.ContainsFunc(roles, ward.Role.IsStaff) {
		return c.stateOf(ctx, "", write, send)
	}
	_, err := get[ward.PersonCards](ctx, c, path("people", string(person), "cards"))
	if err == nil {
		return c.stateOf(ctx, person, write, send)
	}
	if ward.KindOf(err) != ward.Missing {
		return err
	}
	text, err := c.first(ctx, person, write)
	if err != nil {
		return err
	}
	return send(text)
}

// first writes the first statement of a thread.
func (c *Client) first(ctx context.Context, person ward.PersonID, write statement) ([]byte, error) {
	k := c.state().keyring
	if k == nil {
		return nil, ErrSignedOut
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	roster, err := c.followRoster(ctx)
	if err != nil {
		return nil, err
	}
	return write(roster.thread(person).place(k.Org, roster), c.states(k))
}

func (c *Client) states(k *seal.Keyring) envelope.Author {
	return envelope.Author{By: k.Person, Card: k.Card, Time: ward.FormatTime(c.now())}
}

// say states something of a person.
func (c *Client) say(ctx context.Context, person ward.PersonID, write func(*seal.Keyring) statement) error {
	k := c.state().keyring
	if k == nil {
		return ErrSignedOut
	}
	err := c.stateOf(ctx, person, write(k), func(text []byte) error {
		return do(ctx, c, http.MethodPost, path("people", string(person), "membership"), ward.StatementPut{Text: string(text)})
	})
	c.forgetPerson(person)
	return err
}

// Pending lists what waits in the roster, and in the thread of a person if one is named.
func (c *Client) Pending(ctx context.Context, person ward.PersonID) ([]membership.Pending, error) {
	var given ward.PersonCards
	if person != "" {
		var err error
		if given, err = get[ward.PersonCards](ctx, c, path("people", string(person), "cards")); err != nil {
			return nil, err
		}
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	h, err := c.chainOf(ctx, given)
	if err != nil {
		return nil, err
	}
	return h.Pending(), nil
}

// Confirm stands, as a second person, behind something that waits. How says how the author made sure of who it is: met,
// video, phone or document.
func (c *Client) Confirm(ctx context.Context, person ward.PersonID, what, how string) error {
	return c.say(ctx, person, func(k *seal.Keyring) statement {
		return stating(k, func(p envelope.Place, a envelope.Author) envelope.Confirm {
			return envelope.Confirm{Place: p, What: what, How: how, Author: a}
		})
	})
}

// Complete states that the time is over in which new keys could be refused.
func (c *Client) Complete(ctx context.Context, person ward.PersonID, what string) error {
	return c.say(ctx, person, func(k *seal.Keyring) statement {
		return stating(k, func(p envelope.Place, a envelope.Author) envelope.Complete {
			return envelope.Complete{Place: p, What: what, Author: a}
		})
	})
}

// Veto refuses new keys in a person's name.
func (c *Client) Veto(ctx context.Context, person ward.PersonID, what string) error {
	return c.say(ctx, person, func(k *seal.Keyring) statement {
		return stating(k, func(p envelope.Place, a envelope.Author) envelope.Veto {
			return envelope.Veto{Place: p, What: what, Author: a}
		})
	})
}

// Reinstate undoes that somebody was deactivated or their roles changed.
func (c *Client) Reinstate(ctx context.Context, person ward.PersonID, what string) error {
	return c.say(ctx, person, func(k *seal.Keyring) statement {
		return stating(k, func(p envelope.Place, a envelope.Author) envelope.Reinstate {
			return envelope.Reinstate{Place: p, What: what, Author: a}
		})
	})
}

// SetRoles changes what a member of staff is to the clinic. A clinician or administrator is made by two people.
func (c *Client) SetRoles(ctx context.Context, person ward.PersonID, roles ...ward.Role) error {
	return c.say(ctx, person, func(k *seal.Keyring) statement {
		return stating(k, func(p envelope.Place, a envelope.Author) envelope.Roles {
			return envelope.Roles{Place: p, Person: person, Roles: envelope.FormatRoles(roles), Author: a}
		})
	})
}

// Rename gives a person another name: a commitment in the history, and the name, with what opens it, in the directory.
func (c *Client) Rename(ctx context.Context, person ward.PersonID, who About) error {
	p, err := c.person(ctx, person)
	if err != nil {
		return err
	}
	names, err := c.Directory(ctx)
	if err != nil {
		return err
	}
	// The directory first: nobody could show a name that is stated and that no entry opens.
	open := opening()
	if err := c.list(ctx, Invited{Person: person, Chart: names[person].Chart}, who, ward.B64.EncodeToString(open[:]), p.Roles()); err != nil {
		return err
	}
	return c.say(ctx, person, func(k *seal.Keyring) statement {
		return stating(k, func(p envelope.Place, a envelope.Author) envelope.Rename {
			return envelope.Rename{Place: p, Person: person, Name: envelope.NameHash(open, who.Name()), Author: a}
		})
	})
}

// EndPerson ends someone's access at once.
func (c *Client) EndPerson(ctx context.Context, person ward.PersonID) error {
	return c.say(ctx, person, func(k *seal.Keyring) statement {
		return stating(k, func(p envelope.Place, a envelope.Author) envelope.Deactivate {
			return envelope.Deactivate{Place: p, Person: person, Author: a}
		})
	})
}

// SetVetoHours sets for how many hours new keys after a loss can be refused.
func (c *Client) SetVetoHours(ctx context.Context, hours int64) error {
	return c.say(ctx, c.Person(), func(k *seal.Keyring) statement {
		return stating(k, func(p envelope.Place, a envelope.Author) envelope.Rules {
			return envelope.Rules{Place: p, Veto: hours, Author: a}
		})
	})
}

// opening are 32 bytes that open the commitment to a name.
func opening() (o [32]byte) {
	rand.Read(o[:])
	return o
}

// ChangeKeys gives this person new keys, for who thinks that somebody else has theirs. What they hold is due for new
// epochs; other devices sign in again. It gives the new recovery code.
func (c *Client) ChangeKeys(ctx context.Context) (seal.Code, error) {
	code := seal.NewCode()
	c.changing.Lock()
	defer c.changing.Unlock()
	version, err := c.followKeyring(ctx)
	if err != nil {
		return code, err
	}
	old := c.state().keyring
	me, err := c.askPerson(ctx, old.Person)
	if err != nil {
		return code, err
	}
	identity, err := seal.NewIdentity()
	if err != nil {
		return code, err
	}
	k := *old
	k.Identity, k.Signing, k.Code, k.Version = identity, seal.NewSigningKey(), code, version+1
	chainOf := old.Person
	if slices.ContainsFunc(me.Roles(), ward.Role.IsStaff) {
		chainOf = ""
	}
	held, err := c.heldDirectly(ctx)
	if err != nil {
		return code, err
	}
	var put ward.KeysPut
	err = c.stateOf(ctx, chainOf, func(p envelope.Place, _ envelope.Author) ([]byte, error) {
		s, err := envelope.Write(envelope.MemberCard{
			Place: p, Person: k.Person, Serial: me.Current().Serial + 1, Before: me.Current().Hash,
			RecipientHash: seal.Hash([]byte(identity.Recipient())), Signing: k.Signing.Public(), Time: ward.FormatTime(c.now()),
		}, k.Signing.Sign, old.Signing.Sign)
		if err != nil {
			return nil, err
		}
		k.Card = s.Hash()
		put = ward.KeysPut{CardText: string(s.Text), Recipient: identity.Recipient(), KeyringPut: ward.KeyringPut{Version: k.Version}}
		browser, err := certify(&k, c.browser.Public(), ward.FormatTime(c.now()))
		if err != nil {
			return nil, err
		}
		put.BrowserText = string(browser.Text)
		if put.Keyring, err = k.Seal(); err != nil {
			return nil, err
		}
		for _, h := range held {
			g, err := k.Hand().Grant(h.key, k.ToSelf(), h.grant.Purpose, h.grant.Until, c.now())
			if err != nil {
				return nil, err
			}
			put.Grants = append(put.Grants, g)
		}
		key := code.Key()
		put.Recovery = &key
		put.RecoveryKeyring, err = k.SealForRecovery()
		return s.Text, err
	}, func([]byte) error { return do(ctx, c, http.MethodPost, "/api/keys", put) })
	if err != nil {
		return code, err
	}
	c.mu.Lock()
	c.keyring = &k
	c.mu.Unlock()
	c.forgetPerson(k.Person)
	return code, nil
}

// A holding is a lock that a person holds by a grant to themselves, opened.
type holding struct {
	key   seal.LockKey
	grant envelope.Grant
}

// heldDirectly opens what this person was granted themselves.
func (c *Client) heldDirectly(ctx context.Context) (held []holding, err error) {
	locks, err := c.Locks(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range locks {
		l, err := c.OpenLock(ctx, s.Lock)
		if errNotHeld(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		key, err := l.key()
		if err != nil {
			continue // by an older epoch: somebody grants the new one
		}
		members, err := c.Members(ctx, l)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.State == "live" && m.Grant.Person == c.Person() && m.Grant.Epoch == key.Epoch {
				held = append(held, holding{key, m.Grant})
			}
		}
	}
	return held, nil
}
