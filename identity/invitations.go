package identity

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/membership"
	"ward/seal/envelope"
	"ward/store"
)

const (
	// maxInvitation is how long an invitation may stay open.
	maxInvitation = ward.MaxInvitation * time.Second
	// foundingTime is how long the founding link is good: an operator may finish tomorrow.
	foundingTime = 7 * 24 * time.Hour
	// maxAttempts is how many wrong tokens close an invitation or a recovery code. Both have 128 bits, so this only
	// ends mischief early.
	maxAttempts = 20
	// maxOpenInvitations bounds those of one clinic that wait, so that a stolen session cannot flood it.
	maxOpenInvitations = 500
	// maxWelcome is the size of a sealed lock file.
	maxWelcome = ward.MaxHeldGrant
)

// counted is an error after which something must stay written: the count of attempts.
type counted struct{ error }

// Counts tells the guard to keep what was written.
func (counted) Counts() bool { return true }

func (c counted) Unwrap() error { return c.error }

// noInvitation is the one answer to an unknown invitation and a wrong token, so that nobody learns which exist.
func noInvitation() *ward.Error {
	return ward.Errorf(ward.Missing, "this link does not open an invitation").WithHint("Check that the whole link was copied, or ask for a new one.")
}

// Found begins an organisation and gives its founding link: an invitation of the first clinician, who is also
// administrator. Whoever opens the link first founds the clinic.
func (i *Identity) Found(ctx context.Context, name, tokenHash string) (ward.OrgID, ward.InvitationID, error) {
	id, invited := ward.NewID[ward.OrgID](), ward.NewID[ward.InvitationID]()
	err := i.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := insertOrg(ctx, tx, org{id: id, name: name}, i.Now()); err != nil {
			return err
		}
		v := invitation{
			org: id, id: invited, person: ward.NewID[ward.PersonID](), roles: []ward.Role{ward.Clinician, ward.Admin}, founding: true,
			tokenHash: tokenHash, created: i.Now(), until: i.Now().Add(foundingTime),
		}
		if err := insertInvitation(ctx, tx, v); err != nil {
			return err
		}
		return i.record(ctx, tx, id, ward.Event{Action: "found", About: "invitation:" + string(invited)})
	})
	return id, invited, err
}

// Unfounded tells whether no organisation was begun.
func (i *Identity) Unfounded(ctx context.Context) (none bool, err error) {
	err = i.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		var n int64
		err := tx.Row(ctx, `SELECT count(*) FROM orgs`).Scan(&n)
		none = n == 0
		return err
	})
	return none, err
}

// invite stores an invitation that was stated, and sends its letter if that was asked for.
func (i *Identity) invite(ctx context.Context, tx *store.Tx, who ward.Caller, n ward.NewInvitation) (ward.Invitation, error) {
	s, err := envelope.Parse[envelope.Invite]([]byte(n.InviteText))
	if err != nil {
		return ward.Invitation{}, wrapInvalid(err)
	}
	b := s.Body
	until, err := ward.ParseTime(b.Until)
	now := i.Now()
	if err != nil || until.Before(now) || until.After(now.Add(maxInvitation+membership.Skew)) {
		return ward.Invitation{}, ward.Errorf(ward.Invalid, "an invitation ends in the future, within %d days", int(maxInvitation.Hours()/24))
	}
	v := invitation{
		org: who.Org, id: b.Invitation, person: b.Person, roles: envelope.ParseRoles(b.Roles), chart: n.Chart, recover: b.Recover, by: who.Person,
		tokenHash: n.TokenHash, welcome: n.Welcome, state: "open", created: now, until: until, sent: n.Email != "" && i.Letters != nil, hash: s.Hash(),
	}
	if err := i.checkInvitation(ctx, tx, who, n, v); err != nil {
		return ward.Invitation{}, err
	}
	if b.By != who.Person {
		return ward.Invitation{}, ward.Errorf(ward.Invalid, "the invitation is stated by someone else")
	}
	if _, err := i.state(ctx, tx, who.Org, b.Chain, s.Text, who.Person); err != nil {
		return ward.Invitation{}, err
	}
	if err := withdrawOthers(ctx, tx, who.Org, v.person); err != nil {
		return ward.Invitation{}, err
	}
	if err := insertInvitation(ctx, tx, v); err != nil {
		if store.IsDuplicate(err) {
			return ward.Invitation{}, ward.Errorf(ward.Conflict, "this invitation exists already")
		}
		return ward.Invitation{}, err
	}
	if v.sent {
		tx.AfterCommit(func() { i.send(ctx, v, n) })
	}
	if err := i.record(ctx, tx, who.Org, ward.Event{Person: who.Person, Roles: who.Roles, Action: "invited", About: "person:" + string(v.person), Chart: n.Chart}); err != nil {
		return ward.Invitation{}, err
	}
	i.tell(tx, who.Org, ward.Notice{Kind: "invitation"})
	return i.show(v), nil
}

// checkInvitation checks what comes beside the statement. Who may invite whom as what, the rules of membership say.
func (i *Identity) checkInvitation(ctx context.Context, tx *store.Tx, who ward.Caller, n ward.NewInvitation, v invitation) error {
	hash, err := ward.B64.DecodeString(n.TokenHash)
	switch {
	case err != nil || len(hash) != 32:
		return ward.Errorf(ward.Invalid, "the hash of the invitation's token is not 32 bytes of base64url")
	case slices.Contains(v.roles, ward.Patient) != ward.IsID(n.Chart):
		return ward.Errorf(ward.Invalid, "a patient, and nobody else, is invited to a chart")
	case len(n.Welcome) > maxWelcome:
		return ward.Errorf(ward.TooLarge, "a welcome may be %d bytes long", maxWelcome)
	case len(n.Welcome) > 0 && envelope.CheckSealed(n.Welcome) != nil:
		return ward.Errorf(ward.Invalid, "the welcome is not sealed to the invitation")
	}
	if n.Email != "" {
		address, err := mail.ParseAddress(n.Email)
		prefix := i.Origin + "/join#" + string(v.id) + "."
		if err != nil || address.Address != n.Email || len(n.Email) > 254 {
			return ward.Errorf(ward.Invalid, "this is not an e-mail address")
		}
		if !strings.HasPrefix(n.Link, prefix) || len(n.Link) > 300 || strings.ContainsAny(n.Link, " \r\n<>\"") {
			return ward.Errorf(ward.Invalid, "the link in the letter must be the invitation's")
		}
	}
	open := int64(0)
	err = tx.Row(ctx, `SELECT count(*) FROM invitations WHERE org = $1 AND state IN ('open', 'opened') AND until > $2`, string(who.Org), i.Now().UnixMilli()).Scan(&open)
	if err != nil {
		return err
	}
	if open >= maxOpenInvitations {
		return ward.Errorf(ward.TooMany, "%d invitations wait to be accepted", open).WithHint("Withdraw those that are not needed.")
	}
	return nil
}

// withToken finds the invitation that a token opens.
func (i *Identity) withToken(ctx context.Context, tx *store.Tx, id ward.InvitationID, token string) (invitation, error) {
	raw, err := ward.B64.DecodeString(token)
	if err != nil || len(raw) != 32 {
		return invitation{}, noInvitation()
	}
	v, err := getInvitation(ctx, tx, id)
	if errors.Is(err, store.ErrNoRow) {
		return v, noInvitation()
	}
	if err != nil {
		return v, err
	}
	if !hmac.Equal([]byte(v.tokenHash), []byte(envelope.Hash(raw))) {
		state := v.state
		if v.attempts+1 >= maxAttempts && state != "accepted" {
			state = "withdrawn"
		}
		err := errors.Join(countInvitation(ctx, tx, id, v.attempts+1), setInvitation(ctx, tx, id, state))
		return v, errors.Join(err, counted{noInvitation()})
	}
	switch {
	case v.state == "accepted":
		return v, ward.Errorf(ward.Gone, "this invitation has been used").WithHint("If it was you, sign in. If not, tell the clinic.")
	case v.state == "withdrawn":
		return v, ward.Errorf(ward.Gone, "this invitation was withdrawn").WithHint("Ask the clinic for a new one.")
	case i.Now().After(v.until):
		return v, ward.Errorf(ward.Gone, "this invitation has expired").WithHint("Ask the clinic for a new one.")
	}
	return v, nil
}

// openInvitation shows who is invited and starts the making of their passkey.
func (i *Identity) openInvitation(ctx context.Context, tx *store.Tx, id ward.InvitationID, token string) (ward.InvitationOpened, error) {
	v, err := i.withToken(ctx, tx, id, token)
	if err != nil {
		return ward.InvitationOpened{}, err
	}
	o, err := getOrg(ctx, tx, v.org)
	if err != nil {
		return ward.InvitationOpened{}, err
	}
	answer := ward.InvitationOpened{
		Org: i.info(o), Person: v.person, Roles: v.roles, Chart: v.chart, Recover: v.recover, Founding: v.founding,
		Until: ward.FormatTime(v.until), Welcome: v.welcome, ClinicText: string(o.clinic),
	}
	if len(o.clinic) > 0 {
		c, err := envelope.Parse[envelope.Clinic](o.clinic)
		if err != nil {
			return answer, err
		}
		l := c.Body.Locks
		if answer.Locks, err = i.Charts.Outside(ctx, tx, v.org, l.Directory, l.Staff, l.Clinicians, l.Emergency); err != nil {
			return answer, err
		}
	}
	if !v.founding {
		if answer.Membership, err = i.page(ctx, tx, v.org, 0); err != nil {
			return answer, err
		}
		if answer.Thread, err = thread(ctx, tx, v.org, v.person); err != nil {
			return answer, err
		}
	}
	if v.recover {
		c, err := currentCard(ctx, tx, v.org, v.person)
		if err != nil {
			return answer, err
		}
		answer.CardText = string(c.Text)
	}
	if v.state == "open" {
		if err := setInvitation(ctx, tx, v.id, "opened"); err != nil {
			return answer, err
		}
	}
	c, err := i.beginPasskey(ctx, tx, "accept/"+string(v.id), v.org, v.person)
	answer.Ceremony, answer.PublicKey = c.Ceremony, c.PublicKey
	return answer, err
}

// accept makes the invited a person of the clinic, with all that their client made, or changes nothing. It gives the hash
// of their card, which may have to wait for a second person.
func (i *Identity) accept(ctx context.Context, tx *store.Tx, id ward.InvitationID, body ward.Acceptance, key string) (ward.OrgID, ward.PersonID, string, error) {
	v, err := i.withToken(ctx, tx, id, body.Token)
	if err != nil {
		return "", "", "", err
	}
	s, err := i.newCard(body.CardText, body.Recipient, v.org, v.person)
	if err != nil {
		return "", "", "", err
	}
	if !v.founding && s.Body.Invitation != v.id {
		return "", "", "", ward.Errorf(ward.Invalid, "the card is not made with this invitation")
	}
	return v.org, v.person, s.Hash(), i.acceptAs(ctx, tx, v, s, body, key)
}

func (i *Identity) acceptAs(ctx context.Context, tx *store.Tx, v invitation, s *envelope.Statement[envelope.MemberCard], body ward.Acceptance, key string) error {
	browser, err := checkBrowser(body.BrowserText, s, key)
	if err != nil {
		return err
	}
	if err := checkKeyring(body.Keyring, body.RecoveryKeyring); err != nil {
		return err
	}
	if n, err := acceptInvitation(ctx, tx, v.id); err != nil || n == 0 {
		return errors.Join(err, ward.Errorf(ward.Gone, "this invitation has been used"))
	}
	kinds, err := kindsOf(body.Locks)
	if err != nil {
		return err
	}
	if v.founding != (body.ClinicText != "") {
		return ward.Errorf(ward.Invalid, "the founder, and nobody else, makes the clinic's statement")
	}
	if v.founding {
		if err := i.found(ctx, tx, v, s, body, kinds); err != nil {
			return err
		}
	}
	if !v.recover {
		if err := insertPerson(ctx, tx, v.org, v.person, v.roles, i.Now()); err != nil {
			return err
		}
	}
	if err := insertCard(ctx, tx, s, body.Recipient); err != nil {
		return err
	}
	if err := i.keepBrowser(ctx, tx, browser); err != nil {
		return err
	}
	if err := i.finishPasskey(ctx, tx, "accept/"+string(v.id), body.Ceremony, v.org, v.person, s.Hash(), body.Passkey, body.Credential); err != nil {
		return err
	}
	if err := insertKeyring(ctx, tx, v.org, v.person, s.Hash(), 1, body.Keyring, body.RecoveryKeyring); err != nil {
		return err
	}
	if err := putRecovery(ctx, tx, v.org, v.person, s.Hash(), body.Recovery); err != nil {
		return err
	}
	if _, err := i.state(ctx, tx, v.org, s.Body.Chain, s.Text, v.person); err != nil {
		return err
	}
	if err := i.beginLocks(ctx, tx, v, s, body, kinds); err != nil {
		return err
	}
	action := "joined"
	if v.recover {
		action = "asked-for-new-keys"
	}
	if err := i.record(ctx, tx, v.org, ward.Event{Person: v.person, Roles: v.roles, Action: action, About: "invitation:" + string(v.id), Chart: v.chart}); err != nil {
		return err
	}
	i.tell(tx, v.org, ward.Notice{Kind: "invitation"})
	return nil
}

// beginLocks stores the locks that begin with a person: the clinic's with its founder, a chart with its patient. Who waits
// for a second person begins none.
func (i *Identity) beginLocks(ctx context.Context, tx *store.Tx, v invitation, s *envelope.Statement[envelope.MemberCard], body ward.Acceptance, kinds map[string]*envelope.Statement[envelope.Epoch]) error {
	switch {
	case v.founding:
	case v.chart != "" && !v.recover:
		for _, want := range []string{"chart/general", "chart/restricted"} {
			if kinds[want] == nil || kinds[want].Body.Chart != v.chart {
				return ward.Errorf(ward.Invalid, "a patient's client makes both parts of the chart they are invited to")
			}
		}
		if len(body.Locks) != 2 {
			return ward.Errorf(ward.Invalid, "a patient's client makes the two parts of their chart and nothing else")
		}
	case len(body.Locks) > 0:
		return ward.Errorf(ward.Invalid, "this invitation begins no locks")
	}
	c, err := getCard(ctx, tx, v.org, v.person, s.Hash())
	if err != nil || c.pending {
		return err
	}
	if err := i.Charts.Create(ctx, tx, v.org, v.person, body.Locks); err != nil {
		return err
	}
	return i.Charts.Regrant(ctx, tx, v.org, v.person, body.Grants)
}

// found pins the clinic's statement, whose locks must be those that come with it.
func (i *Identity) found(ctx context.Context, tx *store.Tx, v invitation, card *envelope.Statement[envelope.MemberCard], body ward.Acceptance, kinds map[string]*envelope.Statement[envelope.Epoch]) error {
	c, err := envelope.Parse[envelope.Clinic]([]byte(body.ClinicText))
	if err != nil {
		return wrapInvalid(err)
	}
	if c.Body.Org != v.org || c.Body.Founder != v.person || c.Body.Signing != card.Body.Signing {
		return ward.Errorf(ward.Invalid, "the clinic's statement is not by its founder")
	}
	if err := c.Verify(card.Body.Signing); err != nil {
		return wrapInvalid(err)
	}
	l := c.Body.Locks
	for kind, id := range map[string]ward.LockID{
		envelope.LockDirectory: l.Directory, envelope.LockStaff: l.Staff, envelope.LockTeam: l.Clinicians, envelope.LockEmergency: l.Emergency,
	} {
		if kinds[kind] == nil || kinds[kind].Body.Lock != id {
			return ward.Errorf(ward.Invalid, "the clinic's statement names a lock of kind %s that did not come with it", kind)
		}
	}
	if len(body.Locks) != 4 {
		return ward.Errorf(ward.Invalid, "a clinic begins with four locks")
	}
	n, err := tx.Exec(ctx, `UPDATE orgs SET clinic = $1 WHERE org = $2 AND length(clinic) = 0`, c.Text, string(v.org))
	if err == nil && n == 0 {
		err = ward.Errorf(ward.Gone, "this clinic has been founded already")
	}
	if err != nil {
		return err
	}
	return i.Ledger.Commit(ctx, tx, v.org, ledger.Leaf{Kind: receipt.LeafClinic, Ref: string(v.org), Content: c.Text})
}

// kindsOf maps new locks by kind, or chart/compartment.
func kindsOf(locks []ward.NewLock) (map[string]*envelope.Statement[envelope.Epoch], error) {
	kinds := map[string]*envelope.Statement[envelope.Epoch]{}
	for _, n := range locks {
		e, err := envelope.Parse[envelope.Epoch]([]byte(n.Epoch))
		if err != nil {
			return nil, wrapInvalid(err)
		}
		kind := e.Body.Kind
		if e.Body.Compartment != "" {
			kind = fmt.Sprintf("%s/%s", kind, e.Body.Compartment)
		}
		kinds[kind] = e
	}
	return kinds, nil
}

// show is an invitation as its makers see it.
func (i *Identity) show(v invitation) ward.Invitation {
	state := v.state
	if state != "accepted" && state != "withdrawn" && i.Now().After(v.until) {
		state = "expired"
	}
	return ward.Invitation{
		Invitation: v.id, Person: v.person, Roles: v.roles, Chart: v.chart, Recover: v.recover, By: v.by, State: state,
		Created: ward.FormatTime(v.created), Until: ward.FormatTime(v.until), Sent: v.sent, Hash: v.hash,
	}
}
