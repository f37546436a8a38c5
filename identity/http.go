package identity

import (
	"context"
	"crypto/hmac"
	"errors"
	"net/http"
	"slices"
	"time"

	"ward"
	"ward/policy"
	"ward/seal/envelope"
	"ward/store"
)

// AboutSelf is the caller.
func (i *Identity) AboutSelf(_ context.Context, _ *store.Tx, who ward.Caller, _ *http.Request) (policy.Resource, error) {
	return policy.Resource{Type: "Person", ID: string(who.Person), Org: who.Org, Roles: who.Roles}, nil
}

// AboutPerson loads the person in the path.
func (i *Identity) AboutPerson(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	id := ward.PersonID(r.PathValue("person"))
	p, err := getPerson(ctx, tx, who.Org, id)
	if ward.KindOf(err) == ward.Missing {
		if said, failed := thread(ctx, tx, who.Org, id); failed != nil || len(said) > 0 { // invited, and has not joined yet
			err = failed
		}
	}
	return policy.Resource{Type: "Person", ID: string(id), Org: who.Org, Roles: p.roles}, err
}

// AboutNewInvitation is the invitation in the body.
func (i *Identity) AboutNewInvitation(_ context.Context, _ *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	n, err := ward.Decode[ward.NewInvitation](r.Body)
	if err != nil {
		return policy.Resource{}, err
	}
	invite, err := envelope.Parse[envelope.Invite]([]byte(n.InviteText))
	if err != nil {
		return policy.Resource{}, wrapInvalid(err)
	}
	return policy.Resource{Type: "Invitation", ID: string(invite.Body.Invitation), Org: who.Org, Chart: n.Chart, Roles: envelope.ParseRoles(invite.Body.Roles)}, nil
}

// AboutInvitation loads the invitation in the path.
func (i *Identity) AboutInvitation(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	v, err := getInvitation(ctx, tx, ward.InvitationID(r.PathValue("invitation")))
	if errors.Is(err, store.ErrNoRow) {
		err = ward.Errorf(ward.Missing, "there is no such invitation here")
	}
	return policy.Resource{Type: "Invitation", ID: string(v.id), Org: v.org, Chart: v.chart, Roles: v.roles}, err
}

func (i *Identity) info(o org) ward.ClinicInfo {
	return ward.ClinicInfo{Org: o.id, Name: o.name, Version: i.Version}
}

// GetClinic answers GET /api/clinic: the one clinic here, or no name if there are several, which one address serves.
func (i *Identity) GetClinic(ctx context.Context, tx *store.Tx, _ ward.Caller, _ *http.Request) (any, error) {
	found, err := tx.Rows(ctx, `SELECT org, name FROM orgs ORDER BY created LIMIT 2`)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	answer, n := ward.ClinicInfo{Version: i.Version}, 0
	for found.Next() {
		if err := found.Scan((*string)(&answer.Org), &answer.Name); err != nil {
			return nil, err
		}
		n++
	}
	if n != 1 {
		answer = ward.ClinicInfo{Version: i.Version}
	}
	return answer, found.Err()
}

// OpenInvitation answers POST /api/invitations/{invitation}/open.
func (i *Identity) OpenInvitation(ctx context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.TokenProof](r.Body)
	if err != nil {
		return nil, err
	}
	return i.openInvitation(ctx, tx, ward.InvitationID(r.PathValue("invitation")), body.Token)
}

// AcceptInvitation answers POST /api/invitations/{invitation}/accept.
func (i *Identity) AcceptInvitation(ctx context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.Acceptance](r.Body)
	if err != nil {
		return nil, err
	}
	key, err := i.proven(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	org, person, card, err := i.accept(ctx, tx, ward.InvitationID(r.PathValue("invitation")), body, key)
	if err != nil {
		return nil, err
	}
	return i.begin(ctx, tx, r, org, person, card, key)
}

// SignInOptions answers POST /api/sign-in/options: the same for everyone, since a passkey says whose it is.
func (i *Identity) SignInOptions(ctx context.Context, tx *store.Tx, _ ward.Caller, _ *http.Request) (any, error) {
	return i.beginSignIn(ctx, tx)
}

// SignIn answers POST /api/sign-in.
func (i *Identity) SignIn(ctx context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.SignIn](r.Body)
	if err != nil {
		return nil, err
	}
	key, err := i.proven(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	org, person, card, err := i.finishSignIn(ctx, tx, body)
	if err != nil {
		return nil, err
	}
	return i.started(ctx, tx, r, org, person, card, key, "signed-in")
}

func (i *Identity) started(ctx context.Context, tx *store.Tx, r *http.Request, org ward.OrgID, person ward.PersonID, card, key, action string) (any, error) {
	s, err := i.begin(ctx, tx, r, org, person, card, key)
	if err != nil {
		return nil, err
	}
	return s, i.record(ctx, tx, org, ward.Event{Person: person, Roles: s.Roles, Action: action, About: "session:" + string(s.Session)})
}

// noCode is the one answer to an unknown recovery code and a wrong one.
func noCode() *ward.Error {
	return ward.Errorf(ward.Missing, "this recovery code opens no account here").WithHint("Check each group of four. If you made a newer code, use that.")
}

// withCode finds whose a recovery code is.
func (i *Identity) withCode(ctx context.Context, tx *store.Tx, p ward.RecoveryProof) (recoveryRow, error) {
	raw, err := ward.B64.DecodeString(p.Token)
	if err != nil {
		return recoveryRow{}, noCode()
	}
	row, err := getRecovery(ctx, tx, p.Lookup)
	if errors.Is(err, store.ErrNoRow) || err == nil && row.attempts >= maxAttempts {
		return row, noCode()
	}
	if err != nil {
		return row, err
	}
	if !hmac.Equal([]byte(row.tokenHash), []byte(envelope.Hash(raw))) {
		return row, errors.Join(countRecovery(ctx, tx, p.Lookup, row.attempts+1), counted{noCode()})
	}
	who, err := getPerson(ctx, tx, row.org, row.person)
	if err == nil && who.ended != 0 {
		err = ward.Errorf(ward.Gone, "this account has ended").WithHint("Ask the clinic.")
	}
	return row, err
}

// OpenRecovery answers POST /api/recovery/open.
func (i *Identity) OpenRecovery(ctx context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.RecoveryProof](r.Body)
	if err != nil {
		return nil, err
	}
	row, err := i.withCode(ctx, tx, body)
	if err != nil {
		return nil, err
	}
	o, err := getOrg(ctx, tx, row.org)
	if err != nil {
		return nil, err
	}
	p, err := getPerson(ctx, tx, row.org, row.person)
	if err != nil {
		return nil, err
	}
	k, err := getKeyring(ctx, tx, row.org, row.person, row.card)
	if err != nil {
		return nil, err
	}
	card, err := getCard(ctx, tx, row.org, row.person, row.card)
	if err != nil {
		return nil, err
	}
	c, err := i.beginPasskey(ctx, tx, "recover", row.org, row.person)
	if err != nil {
		return nil, err
	}
	err = i.record(ctx, tx, row.org, ward.Event{Person: row.person, Roles: p.roles, Action: "opened-recovery"})
	return ward.RecoveryOpened{
		Org: i.info(o), Person: row.person, Roles: p.roles, RecoveryKeyring: k.RecoveryKeyring, Version: k.Version,
		CardText: string(card.Text), Ceremony: c.Ceremony, PublicKey: c.PublicKey,
	}, err
}

// FinishRecovery answers POST /api/recovery/finish.
func (i *Identity) FinishRecovery(ctx context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.RecoveryFinish](r.Body)
	if err != nil {
		return nil, err
	}
	key, err := i.proven(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	row, err := i.withCode(ctx, tx, body.RecoveryProof)
	if err != nil {
		return nil, err
	}
	card, err := getCard(ctx, tx, row.org, row.person, row.card)
	if err != nil {
		return nil, err
	}
	browser, err := checkBrowser(body.BrowserText, card.Statement, key)
	if err != nil {
		return nil, err
	}
	if err := i.keepBrowser(ctx, tx, browser); err != nil {
		return nil, err
	}
	if err := i.finishPasskey(ctx, tx, "recover", body.Ceremony, row.org, row.person, row.card, body.Passkey, body.Credential); err != nil {
		return nil, err
	}
	put := ward.KeyringPut{Version: body.Version, Keyring: body.Keyring, RecoveryKeyring: body.RecoveryKeyring, Recovery: body.Recovery}
	if err := putKeyring(ctx, tx, row.org, row.person, row.card, put); err != nil {
		return nil, err
	}
	return i.started(ctx, tx, r, row.org, row.person, row.card, key, "recovered")
}

// GetMe answers GET /api/me.
func (i *Identity) GetMe(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	o, err := getOrg(ctx, tx, who.Org)
	if err != nil {
		return nil, err
	}
	card, err := getCard(ctx, tx, who.Org, who.Person, who.Card)
	if err != nil {
		return nil, err
	}
	s, err := getSession(ctx, tx, who.Org, who.Session)
	if err != nil {
		return nil, err
	}
	share, err := i.Sealer.Open(shareName(who.Session), s.share)
	if err != nil {
		return nil, err
	}
	k, err := getKeyring(ctx, tx, who.Org, who.Person, who.Card)
	if err != nil {
		return nil, err
	}
	me := ward.Me{
		Org: i.info(o), Person: who.Person, Roles: who.Roles, CardText: string(card.Text), Pending: who.Pending, ClinicText: string(o.clinic),
		Session: i.showSession(s, who), Idle: int64(s.idle.Seconds()), Share: ward.B64.EncodeToString(share), Version: k.Version,
	}
	if me.Charts, err = i.Charts.ChartsOf(ctx, tx, who.Org, who.Person); err != nil {
		return nil, err
	}
	return me, nil
}

// DeleteMe answers DELETE /api/me: erases the caller.
func (i *Identity) DeleteMe(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	if err := i.Charts.EraseOf(ctx, tx, who.Org, who.Person); err != nil {
		return nil, err
	}
	if err := i.forgetCommitted(ctx, tx, who.Org, who.Person); err != nil {
		return nil, err
	}
	i.tell(tx, who.Org, ward.Notice{Kind: "session", Person: who.Person})
	i.tell(tx, who.Org, ward.Notice{Kind: "person"})
	return nil, erasePerson(ctx, tx, who.Org, who.Person)
}

// GetKeyring answers GET /api/keyring.
func (i *Identity) GetKeyring(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	return getKeyring(ctx, tx, who.Org, who.Person, who.Card)
}

// PutKeyring answers PUT /api/keyring.
func (i *Identity) PutKeyring(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.KeyringPut](r.Body)
	if err != nil {
		return nil, err
	}
	if body.Recovery != nil {
		if err := i.record(ctx, tx, who.Org, ward.Event{Person: who.Person, Roles: who.Roles, Action: "changed-recovery"}); err != nil {
			return nil, err
		}
	}
	return nil, putKeyring(ctx, tx, who.Org, who.Person, who.Card, body)
}

// PutBrowser answers PUT /api/browser.
func (i *Identity) PutBrowser(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.BrowserPut](r.Body)
	if err != nil {
		return nil, err
	}
	card, err := getCard(ctx, tx, who.Org, who.Person, who.Card)
	if err != nil {
		return nil, err
	}
	s, err := checkBrowser(body.BrowserText, card.Statement, who.Browser)
	if err != nil {
		return nil, err
	}
	return nil, i.keepBrowser(ctx, tx, s)
}

// IsNewCode tells whether a keyring comes with a new recovery code.
func (i *Identity) IsNewCode(_ ward.Caller, _ policy.Resource, r *http.Request) bool {
	body, err := ward.Decode[ward.KeyringPut](r.Body)
	return err == nil && body.Recovery != nil // what is no keyring, PutKeyring refuses
}

// TouchOptions answers POST /api/touch/options.
func (i *Identity) TouchOptions(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	return i.beginTouch(ctx, tx, who)
}

// Touch answers POST /api/touch.
func (i *Identity) Touch(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.SignIn](r.Body)
	if err != nil {
		return nil, err
	}
	return nil, i.finishTouch(ctx, tx, who, body)
}

// GetPasskeys answers GET /api/passkeys.
func (i *Identity) GetPasskeys(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	keys, err := passkeysOf(ctx, tx, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	u, err := i.user(ctx, tx, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	answer := []ward.Passkey{}
	for n, k := range keys {
		shown := ward.Passkey{Passkey: k.id, Created: formatMilli(k.created), Synced: u.credentials[n].Flags.BackupState}
		if k.used > 0 {
			shown.Used = formatMilli(k.used)
		}
		answer = append(answer, shown)
	}
	return struct {
		Passkeys []ward.Passkey `json:"passkeys"`
	}{answer}, nil
}

func formatMilli(millis int64) string { return ward.FormatTime(time.UnixMilli(millis)) }

// PasskeyOptions answers POST /api/passkeys/options.
func (i *Identity) PasskeyOptions(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	return i.beginPasskey(ctx, tx, "add", who.Org, who.Person)
}

// AddPasskey answers POST /api/passkeys.
func (i *Identity) AddPasskey(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.PasskeyAdd](r.Body)
	if err != nil {
		return nil, err
	}
	if err := i.finishPasskey(ctx, tx, "add", body.Ceremony, who.Org, who.Person, who.Card, body.Passkey, body.Credential); err != nil {
		return nil, err
	}
	if err := putKeyring(ctx, tx, who.Org, who.Person, who.Card, body.KeyringPut); err != nil {
		return nil, err
	}
	return nil, i.record(ctx, tx, who.Org, ward.Event{Person: who.Person, Roles: who.Roles, Action: "added-passkey", About: "passkey:" + string(body.Passkey)})
}

// RemovePasskey answers DELETE /api/passkeys/{passkey}.
func (i *Identity) RemovePasskey(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.KeyringPut](r.Body)
	if err != nil {
		return nil, err
	}
	keys, err := passkeysOf(ctx, tx, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	if len(keys) < 2 {
		return nil, ward.Errorf(ward.Invalid, "this is your last passkey").WithHint("Add another first.")
	}
	id := ward.PasskeyID(r.PathValue("passkey"))
	n, err := deletePasskeys(ctx, tx, who.Org, who.Person, id)
	if err == nil && (n == 0 || id == "") {
		err = ward.Errorf(ward.Missing, "there is no such passkey of yours")
	}
	if err != nil {
		return nil, err
	}
	if err := putKeyring(ctx, tx, who.Org, who.Person, who.Card, body); err != nil {
		return nil, err
	}
	return nil, i.record(ctx, tx, who.Org, ward.Event{Person: who.Person, Roles: who.Roles, Action: "removed-passkey", About: "passkey:" + string(id)})
}

// GetSessions answers GET /api/sessions.
func (i *Identity) GetSessions(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	all, err := sessionsOf(ctx, tx, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	answer := []ward.SessionInfo{}
	for _, s := range all {
		if i.Now().Before(s.until) && i.Now().Before(s.used.Add(s.idle)) {
			answer = append(answer, i.showSession(s, who))
		}
	}
	return struct {
		Sessions []ward.SessionInfo `json:"sessions"`
	}{answer}, nil
}

func (i *Identity) showSession(s session, who ward.Caller) ward.SessionInfo {
	return ward.SessionInfo{
		Session: s.id, Browser: s.browser, Agent: s.agent, Started: ward.FormatTime(s.started), Used: ward.FormatTime(s.used),
		Until: ward.FormatTime(s.until), Current: s.id == who.Session,
	}
}

// EndSession answers DELETE /api/sessions/{session}.
func (i *Identity) EndSession(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	id := ward.SessionID(r.PathValue("session"))
	if !ward.IsID(id) {
		return nil, ward.Errorf(ward.Missing, "there is no such session of yours")
	}
	return nil, i.endSessions(ctx, tx, who.Org, who.Person, id)
}

// EndSessions answers DELETE /api/sessions.
func (i *Identity) EndSessions(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	return nil, i.endSessions(ctx, tx, who.Org, who.Person, "")
}

// GetInvitations answers GET /api/invitations.
func (i *Identity) GetInvitations(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	all, err := invitationsOf(ctx, tx, who.Org)
	if err != nil {
		return nil, err
	}
	answer := []ward.Invitation{}
	for _, v := range all {
		answer = append(answer, i.show(v))
	}
	return struct {
		Invitations []ward.Invitation `json:"invitations"`
	}{answer}, nil
}

// Invite answers POST /api/invitations.
func (i *Identity) Invite(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	n, err := ward.Decode[ward.NewInvitation](r.Body)
	if err != nil {
		return nil, err
	}
	return i.invite(ctx, tx, who, n)
}

// WithdrawInvitation answers DELETE /api/invitations/{invitation}.
func (i *Identity) WithdrawInvitation(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	v, err := getInvitation(ctx, tx, ward.InvitationID(r.PathValue("invitation")))
	if err != nil {
		return nil, err
	}
	body, err := ward.Decode[ward.StatementPut](r.Body)
	if err != nil {
		return nil, err
	}
	s, err := envelope.Parse[envelope.Withdraw]([]byte(body.Text))
	if err != nil {
		return nil, wrapInvalid(err)
	}
	switch {
	case v.state == "accepted":
		return nil, ward.Errorf(ward.Gone, "this invitation has been used")
	case s.Body.By != who.Person || s.Body.What != v.hash:
		return nil, ward.Errorf(ward.Invalid, "the statement is not the caller's own, of this invitation")
	}
	if _, err := i.state(ctx, tx, who.Org, s.Body.Chain, s.Text, who.Person); err != nil {
		return nil, err
	}
	i.tell(tx, who.Org, ward.Notice{Kind: "invitation"})
	return nil, setInvitation(ctx, tx, v.id, "withdrawn")
}

// GetPeople answers GET /api/people. Patients and proxies learn of staff and of those who share a chart with them.
func (i *Identity) GetPeople(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	all, err := peopleOf(ctx, tx, who.Org)
	if err != nil {
		return nil, err
	}
	isStaff := slices.ContainsFunc(who.Roles, ward.Role.IsStaff)
	var around []ward.PersonID
	if !isStaff {
		if around, err = i.Charts.Holders(ctx, tx, who.Org, who.Person); err != nil {
			return nil, err
		}
	}
	answer := []ward.PersonSummary{}
	for _, p := range all {
		if !isStaff && p.id != who.Person && !slices.ContainsFunc(p.roles, ward.Role.IsStaff) && !slices.Contains(around, p.id) {
			continue
		}
		answer = append(answer, summary(p))
	}
	return struct {
		People []ward.PersonSummary `json:"people"`
	}{answer}, nil
}

func summary(p personRow) ward.PersonSummary {
	s := ward.PersonSummary{Person: p.id, Roles: p.roles, State: "active", Card: p.card}
	switch {
	case p.ended != 0:
		s.State = "ended"
	case p.card == "":
		s.State = "pending"
	}
	return s
}

// GetCards answers GET /api/people/{person}/cards.
func (i *Identity) GetCards(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	return i.cards(ctx, tx, who.Org, ward.PersonID(r.PathValue("person")))
}
