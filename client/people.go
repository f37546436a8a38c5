package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// person finds someone's public keys and checks them: each card against the one before or its voucher, the browsers
// against the cards, all cards against the ledger, and, for the founder, the first card against the clinic's statement.
func (c *Client) person(ctx context.Context, id ward.PersonID) (*seal.Person, error) {
	return c.personWith(ctx, id, nil)
}

// personWith guards against vouchers who vouch in a circle: asking holds those whose cards are being checked.
func (c *Client) personWith(ctx context.Context, id ward.PersonID, asking []ward.PersonID) (*seal.Person, error) {
	c.mu.Lock()
	known := c.people[id]
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	if slices.Contains(asking, id) {
		return nil, fmt.Errorf("person %s: those who vouched for each other form a circle", id)
	}
	p, err := c.askPerson(ctx, id, asking)
	if errors.Is(err, ErrOtherKeys) { // a card may be made between two answers
		p, err = c.askPerson(ctx, id, asking)
	}
	if err != nil {
		return nil, err
	}
	if clinic := c.state().clinic; clinic != nil && clinic.Body.Founder == id && p.Cards[0].Body.Signing != clinic.Body.Signing {
		return nil, fmt.Errorf("person %s: the founder's card is not the one in the clinic's statement", id)
	}
	c.mu.Lock()
	c.people[id] = p
	c.mu.Unlock()
	return p, nil
}

// askPerson asks for someone's cards and checks them, also against what the organisations agreed on.
func (c *Client) askPerson(ctx context.Context, id ward.PersonID, asking []ward.PersonID) (*seal.Person, error) {
	given, err := get[ward.PersonCards](ctx, c, path("people", string(id), "cards"))
	if err != nil {
		return nil, err
	}
	if given.Person != id {
		return nil, fmt.Errorf("person %s: the server shows another", id)
	}
	p, err := seal.CheckPerson(c.Org(), given, func(voucher ward.PersonID) (*seal.Person, error) {
		return c.personWith(ctx, voucher, append(asking, id))
	})
	if err != nil {
		return nil, err
	}
	if err := c.checkCards(ctx, given); err != nil {
		return nil, fmt.Errorf("person %s: %w", id, err)
	}
	if given.State == "ended" {
		c.noteGone(id)
	}
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
	for _, p := range answer.People {
		if p.State == "ended" {
			c.noteGone(p.Person)
		}
	}
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

// listings reads person entries. Anyone may write to the directory, so an entry counts if its author is its person or
// staff. What someone says of themselves counts over what staff say of them, and what is later over what is earlier.
func (c *Client) listings(ctx context.Context, lock ward.LockID) (map[ward.PersonID]Listing, error) {
	entries, err := c.persons(ctx, lock)
	if err != nil {
		return nil, err
	}
	found := map[ward.PersonID]Listing{}
	for _, l := range entries {
		if l.Author != l.Person && !l.byStaff {
			continue
		}
		before, ok := found[l.Person]
		if !ok || l.Author == l.Person || before.Author != before.Person {
			found[l.Person] = l
		}
	}
	return found, nil
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

// Invite invites someone. Their name goes, sealed, into the directory with the link's secret, so that a colleague's
// client can check later that who joined is who was invited.
func (c *Client) Invite(ctx context.Context, who About, byEmail bool, roles ...ward.Role) (Invited, error) {
	invited := Invited{Person: ward.NewID[ward.PersonID]()}
	if slices.Contains(roles, ward.Patient) {
		invited.Chart = ward.NewID[ward.ChartID]()
	}
	return c.invite(ctx, invited, who, byEmail, false, roles)
}

// InviteAgain invites a person whose keys are lost. Check who they are: whoever gets the link becomes them.
func (c *Client) InviteAgain(ctx context.Context, person ward.PersonID, byEmail bool) (Invited, error) {
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
	return c.invite(ctx, invited, about, byEmail, true, p.Roles)
}

func (c *Client) invite(ctx context.Context, invited Invited, who About, byEmail, again bool, roles []ward.Role) (Invited, error) {
	state := c.state()
	if state.keyring == nil {
		return invited, ErrSignedOut
	}
	invitation := seal.NewInvitation(state.clinic.Hash())
	invited.Invitation, invited.Link = invitation.ID, invitation.Link(c.origin)
	request := ward.NewInvitation{
		Invitation: invitation.ID, Person: invited.Person, Roles: roles, Chart: invited.Chart, TokenHash: invitation.TokenHash(),
		Recover: again, Language: who.Language,
	}
	var err error
	if request.Welcome, err = c.welcome(ctx, invitation); err != nil {
		return invited, err
	}
	if byEmail {
		request.Email, request.Link = who.Email, invited.Link
	}
	// The directory first: an invitation that nobody can check would be worse than an entry for one that was not sent.
	if err := c.list(ctx, invited, who, invitation, roles); err != nil {
		return invited, err
	}
	answer, err := call[ward.Invitation](ctx, c, http.MethodPost, "/api/invitations", request)
	invited.Sent = answer.Sent
	return invited, err
}

// welcome seals the staff list's key and one's name to the link, so that the invited see who invites them.
func (c *Client) welcome(ctx context.Context, invitation seal.Invitation) ([]byte, error) {
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
	file, err := key.Welcome(c.Name())
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
func (c *Client) list(ctx context.Context, invited Invited, who About, invitation seal.Invitation, roles []ward.Role) error {
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
	identifiers = append(identifiers, identifier(systemInvitation, invitation.Value()))
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
	return do(ctx, c, http.MethodDelete, path("invitations", string(id)), nil)
}

// SetRoles changes what a person is to the clinic.
func (c *Client) SetRoles(ctx context.Context, person ward.PersonID, roles ...ward.Role) error {
	return do(ctx, c, http.MethodPut, path("people", string(person), "roles"), ward.RolesPut{Roles: roles})
}

// EndPerson ends someone's access at once.
func (c *Client) EndPerson(ctx context.Context, person ward.PersonID) error {
	err := do(ctx, c, http.MethodPost, path("people", string(person), "end"), struct{}{})
	if err == nil {
		c.noteGone(person)
	}
	return err
}

// bound checks, for each accepted invitation, that the card the server shows was made with the link that its inviter
// gave: the secret is in the directory, in an entry by the inviter. It gives the cards' texts, by person, that hold.
func (c *Client) bound(ctx context.Context, invitations []ward.Invitation) (map[ward.PersonID][]string, error) {
	locks, err := c.clinicLocks()
	if err != nil {
		return nil, err
	}
	entries, err := c.persons(ctx, locks.Directory)
	if err != nil {
		return nil, err
	}
	secrets := map[ward.InvitationID]Listing{}
	links := map[ward.InvitationID]seal.Invitation{}
	for _, l := range entries {
		i, err := seal.ParseLink(l.invitation)
		if err != nil {
			continue
		}
		if _, ok := secrets[i.ID]; !ok {
			secrets[i.ID], links[i.ID] = l, i
		}
	}
	held := map[ward.PersonID][]string{}
	for _, v := range invitations {
		l, ok := secrets[v.Invitation]
		if v.State != "accepted" || !ok || l.Author != v.By || l.Person != v.Person {
			continue
		}
		if i := links[v.Invitation]; i.IsBound([]byte(v.CardText), v.Bind) {
			held[v.Person] = append(held[v.Person], v.CardText)
		}
	}
	return held, nil
}

// isBound tells whether one of the texts is this card. A voucher's signature comes after the binding, so signatures
// are left out of the comparison; who the signers are is checked with the line of cards.
func isBound(card *envelope.Statement[envelope.Card], texts []string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		s, err := envelope.Parse[envelope.Card]([]byte(text))
		return err == nil && s.Body == card.Body
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
	return kind == ward.Refused || kind == ward.Missing || errors.Is(err, seal.ErrErased)
}
