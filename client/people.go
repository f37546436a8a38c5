package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// person finds someone's roles and public keys, by the signed history of the clinic.
func (c *Client) person(ctx context.Context, id ward.PersonID) (*seal.Person, error) {
	c.mu.Lock()
	known := c.people[id]
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	p, err := c.askPerson(ctx, id)
	if errors.Is(err, ErrOtherKeys) { // something may be stated between two answers
		p, err = c.askPerson(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.people[id] = p
	c.mu.Unlock()
	return p, nil
}

// personOrErased is person, but says which of the missing may be missing for good reason.
func (c *Client) personOrErased(ctx context.Context, id ward.PersonID) (*seal.Person, error) {
	p, err := c.person(ctx, id)
	if ward.KindOf(err) == ward.Missing {
		return nil, seal.ErrErased
	}
	return p, err
}

// forgetPerson makes the next question about someone go to the server.
func (c *Client) forgetPerson(id ward.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.people, id)
}

// People lists people as far as the caller may know of them; names are in Directory and Staff.
func (c *Client) People(ctx context.Context) ([]ward.PersonSummary, error) {
	answer, err := get[struct {
		People []ward.PersonSummary `json:"people"`
	}](ctx, c, "/api/people")
	return answer.People, err
}

// Staff lists the names of staff, by person.
func (c *Client) Staff(ctx context.Context) (map[ward.PersonID]Listing, error) {
	locks, err := c.clinicLocks()
	if err != nil {
		return nil, err
	}
	return c.listings(ctx, locks.Staff)
}

// Directory lists the names of patients and proxies, by person. Only staff hold it.
func (c *Client) Directory(ctx context.Context) (map[ward.PersonID]Listing, error) {
	locks, err := c.clinicLocks()
	if err != nil {
		return nil, err
	}
	return c.listings(ctx, locks.Directory)
}

// listings reads person entries. Anyone may write to the directory, so an entry counts if its author is its person or staff.
// A name is what the history commits to; of who is in no history that was read here, what staff say before what its owner
// says; and a founder, whom nobody invited, names themselves until somebody does. Of contacts, what someone says of
// themselves counts over what staff say, and what is later over what is earlier.
func (c *Client) listings(ctx context.Context, lock ward.LockID) (map[ward.PersonID]Listing, error) {
	entries, err := c.persons(ctx, lock)
	if err != nil {
		return nil, err
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	if _, err := c.followRoster(ctx); err != nil {
		return nil, err
	}
	found, ranks := map[ward.PersonID]Listing{}, map[ward.PersonID]int{}
	for _, l := range entries {
		if l.Author != l.Person && !l.byStaff {
			continue
		}
		rank, best := c.nameRank(l), max(1, ranks[l.Person])
		before, ok := found[l.Person]
		now := l
		if ok && before.Author == before.Person && l.Author != l.Person {
			now = before // of contacts
		}
		if rank >= best {
			now.Name, now.Given, now.Family, now.opening = l.Name, l.Given, l.Family, l.opening
			ranks[l.Person] = rank
		} else {
			now.Name, now.Given, now.Family, now.opening = before.Name, before.Given, before.Family, before.opening
		}
		found[l.Person] = now
	}
	return found, nil
}

// nameRank tells how much a name counts: 3 if it is the one that was stated, 2 by staff, 1 by its owner; 0 if another was
// stated. The caller holds c.reading.
func (c *Client) nameRank(l Listing) int {
	of := c.roster
	if t := c.threads[l.Person]; t != nil {
		of = t
	}
	m, known := of.Member(l.Person)
	own := l.Author == l.Person
	salt, err := ward.B64.DecodeString(l.opening)
	switch {
	case !known && own:
		return 1
	case !known:
		return 2
	case m.Name == "" && own, m.Name != "" && err == nil && len(salt) == 32 && envelope.NameHash([32]byte(salt), l.Name) == m.Name:
		return 3
	}
	return 0
}

// persons reads all person entries of a lock, in order. Those that are not FHIR persons are nobody's and left out.
func (c *Client) persons(ctx context.Context, lock ward.LockID) ([]Listing, error) {
	log, err := c.Read(ctx, lock)
	if err != nil {
		return nil, err
	}
	var all []Listing
	for _, e := range log.Entries {
		if e.Header.Kind != "person" {
			continue
		}
		text, err := e.Text()
		if err != nil {
			continue
		}
		l, err := readListing(text)
		if err != nil || l.Person == "" {
			continue
		}
		l.Author, l.byStaff = e.Header.Author, slices.ContainsFunc(e.Roles, ward.Role.IsStaff)
		all = append(all, l)
	}
	return all, nil
}

// Find searches the directory for all words, in names, birth dates and contacts.
func (c *Client) Find(ctx context.Context, words string) ([]Listing, error) {
	all, err := c.Directory(ctx)
	if err != nil {
		return nil, err
	}
	var found []Listing
	for _, l := range all {
		text := strings.ToLower(strings.Join([]string{l.Name, l.BirthDate, l.Phone, l.Email}, " "))
		if !slices.ContainsFunc(strings.Fields(strings.ToLower(words)), func(w string) bool { return !strings.Contains(text, w) }) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b Listing) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// An Invited is someone with the link that lets them join.
type Invited struct {
	Link       string
	Invitation ward.InvitationID
	Person     ward.PersonID
	Chart      ward.ChartID
	Sent       bool // by e-mail
}

// Invite invites someone. Their name goes, sealed, into the directory, with what opens the commitment to it in the
// invitation: who is invited has the name that they were invited by.
func (c *Client) Invite(ctx context.Context, who About, byEmail bool, roles ...ward.Role) (Invited, error) {
	invited := Invited{Person: ward.NewID[ward.PersonID]()}
	if slices.Contains(roles, ward.Patient) {
		invited.Chart = ward.NewID[ward.ChartID]()
	}
	open := opening()
	return c.invite(ctx, invited, who, byEmail, envelope.Invite{
		Person: invited.Person, Roles: envelope.FormatRoles(roles), Name: envelope.NameHash(open, who.Name()),
	}, ward.B64.EncodeToString(open[:]))
}

// InviteAgain invites a person whose keys are lost. Check who they are: whoever gets the link asks for new keys in their
// name, which others confirm and their old devices can refuse.
func (c *Client) InviteAgain(ctx context.Context, person ward.PersonID, byEmail bool) (Invited, error) {
	c.forgetPerson(person)
	p, err := c.person(ctx, person)
	if err != nil {
		return Invited{}, err
	}
	names, err := c.Directory(ctx)
	if err != nil {
		return Invited{}, err
	}
	known := names[person]
	invited := Invited{Person: person, Chart: known.Chart}
	about := About{Given: known.Given, Family: known.Family, BirthDate: known.BirthDate, Phone: known.Phone, Email: known.Email}
	return c.invite(ctx, invited, about, byEmail, envelope.Invite{
		Person: person, Roles: envelope.FormatRoles(p.Roles()), Name: p.Member.Name, Recover: true,
	}, known.opening)
}

func (c *Client) invite(ctx context.Context, invited Invited, who About, byEmail bool, invite envelope.Invite, opening string) (Invited, error) {
	state := c.state()
	if state.keyring == nil {
		return invited, ErrSignedOut
	}
	invitation := seal.NewInvitation(state.clinic.Hash())
	invited.Invitation, invited.Link = invitation.ID, invitation.Link(c.origin)
	request := ward.NewInvitation{Chart: invited.Chart, TokenHash: invitation.TokenHash(), Language: who.Language}
	var err error
	if request.Welcome, err = c.welcome(ctx, invitation, who.Name(), opening); err != nil {
		return invited, err
	}
	if byEmail {
		request.Email, request.Link = who.Email, invited.Link
	}
	roles := envelope.ParseRoles(invite.Roles)
	// The directory first: an invitation of nobody knows whom would be worse than an entry for one that was not sent.
	if err := c.list(ctx, invited, who, opening, roles); err != nil {
		return invited, err
	}
	invite.Invitation, invite.Verifier = invitation.ID, invitation.SigningKey().Public()
	invite.Until = ward.FormatTime(c.now().Add(ward.MaxInvitation * time.Second))
	var answer ward.Invitation
	err = c.stateNew(ctx, invited.Person, roles, stating(state.keyring, func(p envelope.Place, a envelope.Author) envelope.Invite {
		invite.Place, invite.Author = p, a
		return invite
	}), func(text []byte) (err error) {
		request.InviteText = string(text)
		answer, err = call[ward.Invitation](ctx, c, http.MethodPost, "/api/invitations", request)
		return err
	})
	invited.Sent = answer.Sent
	return invited, err
}

// welcome seals the staff list's key to the link, with one's name and the one that the invited are given.
func (c *Client) welcome(ctx context.Context, invitation seal.Invitation, name, opening string) ([]byte, error) {
	locks, err := c.clinicLocks()
	if err != nil {
		return nil, err
	}
	staff, err := c.OpenLock(ctx, locks.Staff)
	if err != nil {
		return nil, err
	}
	key, err := staff.key()
	if err != nil {
		return nil, err
	}
	file, err := key.Welcome(seal.Called{From: c.Name(), Name: name, Salt: opening})
	if err != nil {
		return nil, err
	}
	identity, err := invitation.Identity()
	if err != nil {
		return nil, err
	}
	return seal.Seal(file, identity.Recipient())
}

// list writes the invited into the directory.
func (c *Client) list(ctx context.Context, invited Invited, who About, opening string, roles []ward.Role) error {
	locks, err := c.clinicLocks()
	if err != nil {
		return err
	}
	kind := "Person"
	identifiers := []object{identifier(systemPerson, string(invited.Person))}
	switch {
	case invited.Chart != "":
		kind = "Patient"
		identifiers = append(identifiers, identifier(systemChart, string(invited.Chart)))
	case slices.ContainsFunc(roles, ward.Role.IsStaff):
		kind = "Practitioner"
	}
	who.opening = opening
	return c.writeOutside(ctx, locks.Directory, []Item{resource("person", named(kind, who, identifiers...))})
}

// Invitations lists them, for staff.
func (c *Client) Invitations(ctx context.Context) ([]ward.Invitation, error) {
	answer, err := get[struct {
		Invitations []ward.Invitation `json:"invitations"`
	}](ctx, c, "/api/invitations")
	return answer.Invitations, err
}

// Withdraw takes an invitation back.
func (c *Client) Withdraw(ctx context.Context, id ward.InvitationID) error {
	all, err := c.Invitations(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(v ward.Invitation) bool { return v.Invitation == id })
	k := c.state().keyring
	if i < 0 || k == nil {
		return &ward.Error{Kind: ward.Missing, Message: "there is no such invitation"}
	}
	return c.stateNew(ctx, all[i].Person, all[i].Roles, stating(k, func(p envelope.Place, a envelope.Author) envelope.Withdraw {
		return envelope.Withdraw{Place: p, What: all[i].Hash, Author: a}
	}), func(text []byte) error {
		return do(ctx, c, http.MethodDelete, path("invitations", string(id)), ward.StatementPut{Text: string(text)})
	})
}

// Looks lists who looked at a chart, newest first; before is 0 or the lowest sequence that is known.
func (c *Client) Looks(ctx context.Context, chart ward.ChartID, before int64) (ward.Events, error) {
	return get[ward.Events](ctx, c, fmt.Sprintf("%s?before=%d", path("charts", string(chart), "looks"), before))
}

// Record reads a page of the whole record, for officers.
func (c *Client) Record(ctx context.Context, after int64) (ward.Events, error) {
	return get[ward.Events](ctx, c, fmt.Sprintf("/api/record?after=%d", after))
}

// RecordState tells whether the record fits together.
func (c *Client) RecordState(ctx context.Context) (ward.RecordState, error) {
	return get[ward.RecordState](ctx, c, "/api/record/state")
}

// errNotHeld is for clients that look after locks: one they cannot open is for someone else to look after.
func errNotHeld(err error) bool {
	kind := ward.KindOf(err)
	return kind == ward.Refused || kind == ward.Missing || errors.Is(err, seal.ErrErased) || errors.Is(err, ErrShut)
}
