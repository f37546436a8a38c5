package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// How a person comes in: by an invitation, once; then by a passkey; or by the recovery code.

// About is what people say of themselves when they join. Staff give a name only.
type About struct {
	Given, Family string
	BirthDate     string // YYYY-MM-DD
	Phone, Email  string
	Language      string // BCP 47
	PasskeyName   string // how they call the device
	Consent       string // the text that a patient was shown and agreed to
	opening       string // of the commitment to the name
}

// Name is the whole name, as it is shown.
func (a About) Name() string {
	if a.Given == "" || a.Family == "" {
		return a.Given + a.Family
	}
	return a.Given + " " + a.Family
}

// OpenInvitation shows what a link invites to.
func (c *Client) OpenInvitation(ctx context.Context, link string) (ward.InvitationOpened, error) {
	i, err := seal.ParseLink(link)
	if err != nil {
		return ward.InvitationOpened{}, &ward.Error{Kind: ward.Invalid, Message: err.Error(), Err: err}
	}
	return call[ward.InvitationOpened](ctx, c, http.MethodPost, path("invitations", string(i.ID), "open"), ward.TokenProof{Token: i.Token()})
}

// Accept joins by a link: makes the passkey, the keyring and the card; for a founder the clinic's locks, for a patient
// the chart. It gives the recovery code, to be kept on paper, and leaves the client signed in.
func (c *Client) Accept(ctx context.Context, link string, about About) (seal.Code, error) {
	code := seal.NewCode()
	invitation, err := seal.ParseLink(link)
	if err != nil {
		return code, &ward.Error{Kind: ward.Invalid, Message: err.Error(), Err: err}
	}
	opened, err := c.OpenInvitation(ctx, link)
	if err != nil {
		return code, err
	}
	j := &joining{client: c, invitation: invitation, opened: opened, about: about, code: code}
	if err := j.checkClinic(ctx); err != nil {
		return code, err
	}
	session, err := j.accept(ctx)
	if err != nil {
		return code, err
	}
	c.signedIn(session, j.keyring, j.clinic)
	if opened.Recover || j.waits {
		return code, nil
	}
	return code, c.introduce(ctx, j.about, opened.Chart)
}

// accept joins, and again with the same passkey if somebody stated something in the meantime.
func (j *joining) accept(ctx context.Context) (session ward.Session, err error) {
	credential, prf, err := j.client.keys.Create(j.opened.PublicKey, j.client.origin)
	if err != nil {
		return session, err
	}
	for range maxStated {
		var acceptance ward.Acceptance
		if acceptance, err = j.prepare(credential, prf); err != nil {
			return session, err
		}
		session, err = call[ward.Session](ctx, j.client, http.MethodPost, path("invitations", string(j.invitation.ID), "accept"), acceptance)
		if ward.KindOf(err) != ward.Conflict {
			return session, err
		}
		if err := j.readOn(ctx); err != nil {
			return session, err
		}
	}
	return session, err
}

// joining is an acceptance in the making.
type joining struct {
	client     *Client
	invitation seal.Invitation
	opened     ward.InvitationOpened
	about      About
	code       seal.Code
	keyring    *seal.Keyring
	clinic     *envelope.Statement[envelope.Clinic]
	card       *envelope.Statement[envelope.MemberCard]
	roster     *chain
	chain      *chain        // that the card goes into
	waits      bool          // for a second person
	invited    string        // commitment to the name in the invitation
	key        *seal.LockKey // of the staff list, from the welcome
	lines      map[ward.LockID][]*envelope.Statement[envelope.Epoch]
}

// checkClinic checks the clinic's statement against the link, reads who is who, and checks the line of each of its four locks.
func (j *joining) checkClinic(ctx context.Context) error {
	if j.opened.Founding {
		return nil
	}
	if j.invitation.Clinic == "" {
		return errors.New("join: the link does not name the clinic")
	}
	var err error
	if j.clinic, err = seal.CheckClinic([]byte(j.opened.ClinicText), j.invitation.Clinic); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	j.lines = map[ward.LockID][]*envelope.Statement[envelope.Epoch]{}
	for _, l := range j.opened.Locks {
		if j.lines[l.Lock], err = seal.CheckLine(j.opened.Org.Org, l.Lock, l.Epochs, nil); err != nil {
			return fmt.Errorf("join: %w", err)
		}
	}
	if j.roster, err = newRoster(j.clinic); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	if err := j.roster.read(j.opened.Membership.Statements, j.client.now()); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	return j.take(ctx, j.opened.Membership.More, j.opened.Thread)
}

// readOn reads what was stated since.
func (j *joining) readOn(ctx context.Context) error {
	if j.opened.Founding {
		return errors.New("join: somebody else founded the clinic")
	}
	return j.take(ctx, true, nil)
}

// take reads the rest of the roster, and the thread of whom is invited.
func (j *joining) take(ctx context.Context, more bool, thread []string) error {
	for more {
		page, err := call[ward.InvitedMembership](ctx, j.client, http.MethodPost, path("invitations", string(j.invitation.ID), "membership"),
			ward.MembershipAfter{Token: j.invitation.Token(), After: j.roster.Head().Seq})
		if err != nil {
			return err
		}
		if err := j.roster.read(page.Statements, j.client.now()); err != nil {
			return fmt.Errorf("join: %w", err)
		}
		more, thread = page.More && len(page.Statements) > 0, page.Thread
	}
	j.chain = j.roster
	if !slices.ContainsFunc(j.opened.Roles, ward.Role.IsStaff) {
		j.chain = j.roster.thread(j.opened.Person)
		if err := j.chain.read(thread, j.client.now()); err != nil {
			return fmt.Errorf("join: %w", err)
		}
	}
	for _, text := range j.chain.texts {
		if s, err := envelope.Parse[envelope.Invite](text); err == nil && s.Body.Invitation == j.invitation.ID {
			j.invited = s.Body.Name
		}
	}
	return j.readWelcome()
}

func (j *joining) prepare(credential json.RawMessage, prf []byte) (ward.Acceptance, error) {
	passkey := ward.NewID[ward.PasskeyID]()
	if err := j.makeKeyring(passkey, prf); err != nil {
		return ward.Acceptance{}, err
	}
	a := ward.Acceptance{
		Token: j.invitation.Token(), Ceremony: j.opened.Ceremony, Credential: credential, Passkey: passkey,
		Recipient: j.keyring.Identity.Recipient(), Recovery: j.code.Key(),
	}
	var err error
	switch {
	case j.opened.Founding:
		err = j.found(&a)
	case j.opened.Recover || j.waits:
	default:
		err = j.join(&a)
	}
	if err != nil {
		return a, err
	}
	a.CardText = string(j.card.Text)
	if a.BrowserText, err = j.browser(); err != nil {
		return a, err
	}
	j.keyring.Clinic = j.clinic.Hash()
	if a.Keyring, err = j.keyring.Seal(); err != nil {
		return a, err
	}
	a.RecoveryKeyring, err = j.keyring.SealForRecovery()
	return a, err
}

// makeKeyring makes the person's keys, and, for all but a founder, whose clinic is yet to be made, their card.
func (j *joining) makeKeyring(passkey ward.PasskeyID, prf []byte) error {
	identity, err := seal.NewIdentity()
	if err != nil {
		return err
	}
	opens, err := seal.PasskeyIdentity(prf)
	if err != nil {
		return err
	}
	k := &seal.Keyring{Identity: identity, Signing: seal.NewSigningKey()}
	k.Org, k.Person, k.Name, k.Version, k.Code = j.opened.Org.Org, j.opened.Person, j.about.Name(), 1, j.code
	k.Passkeys = []seal.KeyringPasskey{{ID: passkey, Name: j.about.PasskeyName, Recipient: opens.Recipient()}}
	j.keyring = k
	if j.opened.Founding {
		return nil
	}
	return j.makeCard(envelope.MemberCard{Serial: 1, Invitation: j.invitation.ID}, k.Signing.Sign, j.invitation.SigningKey().Sign)
}

// makeCard writes the person's card at the end of its chain. Whether it counts at once, the chain says.
func (j *joining) makeCard(card envelope.MemberCard, signers ...envelope.Signer) error {
	k := j.keyring
	card.Place, card.Person, card.Signing = j.chain.place(k.Org, j.roster), k.Person, k.Signing.Public()
	card.RecipientHash, card.Time = seal.Hash([]byte(k.Identity.Recipient())), ward.FormatTime(j.client.now())
	if j.opened.Recover {
		before, ok := j.chain.Member(k.Person)
		if !ok {
			return fmt.Errorf("join again: %w", seal.ErrNoMember)
		}
		card.Serial, card.Before = before.Card.Serial+1, before.Card.Hash
	}
	var err error
	if j.card, err = envelope.Write(card, signers...); err != nil {
		return err
	}
	k.Card = j.card.Hash()
	after, err := j.chain.with(j.clinic, j.roster, j.card.Text, j.client.now())
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	m, ok := after.Member(k.Person)
	j.waits = !ok || m.Card.Hash != k.Card
	return nil
}

func (j *joining) browser() (string, error) {
	s, err := certify(j.keyring, j.client.browser.Public(), ward.FormatTime(j.client.now()))
	if err != nil {
		return "", err
	}
	return string(s.Text), nil
}

func certify(k *seal.Keyring, browser, now string) (*envelope.Statement[envelope.Browser], error) {
	return envelope.Write(envelope.Browser{Org: k.Org, Person: k.Person, Card: k.Card, Key: browser, Time: now}, k.Signing.Sign)
}

// found makes the clinic: its four locks, the statement that pins them, and the founder's card, with which the roster
// begins. The founder holds the locks.
func (j *joining) found(a *ward.Acceptance) error {
	hand, now := j.keyring.Hand(), j.client.now()
	ids := map[string]ward.LockID{}
	var keys []seal.LockKey
	for _, kind := range []string{envelope.LockDirectory, envelope.LockStaff, envelope.LockTeam, envelope.LockEmergency} {
		key, epoch, err := hand.NewLock(kind, "", "", now)
		if err != nil {
			return err
		}
		ids[kind], keys = key.Lock, append(keys, key)
		a.Locks = append(a.Locks, ward.NewLock{Epoch: string(epoch.Text)})
	}
	var err error
	j.clinic, err = envelope.Write(envelope.Clinic{
		Org: j.keyring.Org, Founder: j.keyring.Person, Signing: j.keyring.Signing.Public(), Time: ward.FormatTime(now),
		Locks: envelope.ClinicLocks{
			Directory: ids[envelope.LockDirectory], Staff: ids[envelope.LockStaff], Clinicians: ids[envelope.LockTeam], Emergency: ids[envelope.LockEmergency],
		},
	}, j.keyring.Signing.Sign)
	if err != nil {
		return err
	}
	a.ClinicText = string(j.clinic.Text)
	if j.roster, err = newRoster(j.clinic); err != nil {
		return err
	}
	j.chain = j.roster
	if err := j.makeCard(envelope.MemberCard{Serial: 1}, j.keyring.Signing.Sign); err != nil {
		return err
	}
	for i, key := range keys {
		grant, err := hand.Grant(key, j.keyring.ToSelf(), envelope.ForWork, "", now)
		if err != nil {
			return err
		}
		a.Locks[i].Grants = []ward.NewGrant{grant}
	}
	return nil
}

// join makes what everyone but the founder brings along: the staff list's grant and, for a patient, the chart.
func (j *joining) join(a *ward.Acceptance) error {
	if err := j.welcome(a); err != nil {
		return err
	}
	if !slices.Contains(j.opened.Roles, ward.Patient) {
		return nil
	}
	locks := j.clinic.Body.Locks
	clinicians, emergency := j.lines[locks.Clinicians], j.lines[locks.Emergency]
	if len(clinicians) == 0 || len(emergency) == 0 {
		return errors.New("join: the clinic does not show its team and its emergency key")
	}
	self := j.keyring.ToSelf()
	team, glass := seal.ToLock(clinicians[len(clinicians)-1]), seal.ToLock(emergency[len(emergency)-1])
	for _, part := range []struct {
		compartment string
		to          []seal.Grantee
		purposes    []string
	}{
		{envelope.General, []seal.Grantee{self, team, glass}, []string{envelope.ForSelf, envelope.ForCare, envelope.ForEmergency}},
		{envelope.Restricted, []seal.Grantee{self, glass}, []string{envelope.ForSelf, envelope.ForEmergency}},
	} {
		hand, now := j.keyring.Hand(), j.client.now()
		key, epoch, err := hand.NewLock(envelope.LockChart, j.opened.Chart, part.compartment, now)
		if err != nil {
			return err
		}
		lock := ward.NewLock{Epoch: string(epoch.Text)}
		for i, to := range part.to {
			grant, err := hand.Grant(key, to, part.purposes[i], "", now)
			if err != nil {
				return err
			}
			lock.Grants = append(lock.Grants, grant)
		}
		a.Locks = append(a.Locks, lock)
	}
	return nil
}

// readWelcome opens what the inviter sealed to the link: the staff list's key, and the name that was given to who joins,
// which is theirs from now on.
func (j *joining) readWelcome() error {
	if len(j.opened.Welcome) == 0 {
		return nil
	}
	identity, err := j.invitation.Identity()
	if err != nil {
		return err
	}
	file, err := seal.Open(j.opened.Welcome, identity, ward.MaxHeldGrant)
	if err != nil {
		return fmt.Errorf("welcome: %w", err)
	}
	key, called, err := seal.ParseWelcome(file)
	if err != nil {
		return fmt.Errorf("welcome: %w", err)
	}
	j.key = &key
	salt, err := ward.B64.DecodeString(called.Salt)
	if err != nil || len(salt) != 32 || envelope.NameHash([32]byte(salt), called.Name) != j.invited {
		return nil // the name is not the one that was stated
	}
	given, family := "", called.Name
	if at := strings.LastIndex(called.Name, " "); at >= 0 {
		given, family = called.Name[:at], called.Name[at+1:]
	}
	j.about.Given, j.about.Family, j.about.opening = given, family, called.Salt
	return nil
}

// welcome grants the staff list's key to oneself. If the list has turned since, the key is old, and a member of staff
// grants the new one later.
func (j *joining) welcome(a *ward.Acceptance) error {
	line := j.lines[j.clinic.Body.Locks.Staff]
	if j.key == nil || len(line) == 0 {
		return nil
	}
	current := line[len(line)-1]
	if j.key.Epoch < current.Body.Epoch {
		return nil
	}
	if err := j.key.Check(current.Body); err != nil {
		return fmt.Errorf("welcome: %w", err)
	}
	grant, err := j.keyring.Hand().Grant(*j.key, j.keyring.ToSelf(), envelope.ForWork, "", j.client.now())
	if err != nil {
		return err
	}
	a.Grants = append(a.Grants, grant)
	return nil
}

// introduce writes who one is where those look who may know: staff into the staff list; patients and proxies into the
// directory; a patient's details and consent into their chart.
func (c *Client) introduce(ctx context.Context, about About, chart ward.ChartID) error {
	locks, err := c.clinicLocks()
	if err != nil {
		return err
	}
	roles := c.Roles()
	if slices.ContainsFunc(roles, ward.Role.IsStaff) {
		return c.writeOutside(ctx, locks.Staff, []Item{resource("person", practitioner(c.Person(), about))})
	}
	who := related(c.Person(), about)
	if chart != "" {
		who = patient(c.Person(), chart, about)
	}
	if err := c.writeOutside(ctx, locks.Directory, []Item{resource("person", who)}); err != nil {
		return err
	}
	if chart == "" {
		return nil
	}
	items := []Item{resource("person", who)}
	if about.Consent != "" {
		items = append(items, resource("consent", consent(chart, about.Consent, c.now())))
	}
	_, err = c.Write(ctx, chart, envelope.General, items...)
	return err
}

// signedIn takes up a session.
func (c *Client) signedIn(s ward.Session, k *seal.Keyring, clinic *envelope.Statement[envelope.Clinic]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k != nil {
		k.Version = s.Version // the server counts on when someone joins again after lost keys
	}
	c.session, c.keyring, c.clinic = s, k, clinic
}

// SignIn signs in with a passkey: one touch, which also opens the keyring.
func (c *Client) SignIn(ctx context.Context) error {
	ceremony, err := call[ward.Ceremony](ctx, c, http.MethodPost, "/api/sign-in/options", struct{}{})
	if err != nil {
		return err
	}
	credential, prf, err := c.keys.Get(ceremony.PublicKey, c.origin)
	if err != nil {
		return err
	}
	c.forgetSession()
	session, err := call[ward.Session](ctx, c, http.MethodPost, "/api/sign-in", ward.SignIn{Ceremony: ceremony.Ceremony, Credential: credential})
	if err != nil {
		return err
	}
	identity, err := seal.PasskeyIdentity(prf)
	if err != nil {
		return err
	}
	k, err := seal.OpenKeyring(session.Keyring, identity)
	if err != nil {
		return err
	}
	return c.begin(ctx, session, k)
}

// begin takes up a session with an open keyring: checks the keyring against the card and the clinic against the one
// pinned in it, and certifies this browser.
func (c *Client) begin(ctx context.Context, session ward.Session, k *seal.Keyring) error {
	card, err := envelope.Parse[envelope.MemberCard]([]byte(session.CardText))
	if err != nil {
		return err
	}
	if err := k.Check(card.Body); err != nil {
		return err
	}
	c.signedIn(session, k, nil)
	me, err := c.Me(ctx)
	if err != nil {
		return err
	}
	clinic, err := seal.CheckClinic([]byte(me.ClinicText), k.Clinic)
	if err != nil {
		return err
	}
	k.Card = card.Hash()
	c.signedIn(session, k, clinic)
	s, err := certify(k, c.browser.Public(), ward.FormatTime(c.now()))
	if err != nil {
		return err
	}
	return do(ctx, c, http.MethodPut, "/api/browser", ward.BrowserPut{BrowserText: string(s.Text)})
}

func (c *Client) forgetSession() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.keyring, c.history = ward.Session{}, nil, nil
	// What was read of who is who stays: whoever signs in here again is of the same clinic, or finds it another history.
}

// SignOut ends this session, or all of the person's.
func (c *Client) SignOut(ctx context.Context, everywhere bool) error {
	target := path("sessions")
	if !everywhere {
		target = path("sessions", string(c.state().session.Session))
	}
	err := do(ctx, c, http.MethodDelete, target, nil)
	c.forgetSession()
	return err
}

// Recover opens the keyring with the recovery code, on a device that has no passkey, and makes one.
func (c *Client) Recover(ctx context.Context, typed, passkeyName string) error {
	code, err := seal.ParseCode(typed)
	if err != nil {
		return &ward.Error{Kind: ward.Invalid, Message: err.Error(), Hint: "Check each group of four.", Err: err}
	}
	opened, err := call[ward.RecoveryOpened](ctx, c, http.MethodPost, "/api/recovery/open", code.Proof())
	if err != nil {
		return err
	}
	k, err := seal.OpenKeyringWithCode(opened.RecoveryKeyring, code)
	if err != nil {
		return err
	}
	card, err := envelope.Parse[envelope.MemberCard]([]byte(opened.CardText))
	if err != nil {
		return err
	}
	if err := k.Check(card.Body); err != nil {
		return err
	}
	credential, prf, err := c.keys.Create(opened.PublicKey, c.origin)
	if err != nil {
		return err
	}
	passkey := ward.NewID[ward.PasskeyID]()
	k.Card, k.Version = card.Hash(), opened.Version+1
	if err := addPasskey(k, passkey, passkeyName, prf); err != nil {
		return err
	}
	finish := ward.RecoveryFinish{RecoveryProof: code.Proof(), Ceremony: opened.Ceremony, Credential: credential, Passkey: passkey, Version: k.Version}
	browser, err := certify(k, c.browser.Public(), ward.FormatTime(c.now()))
	if err != nil {
		return err
	}
	finish.BrowserText = string(browser.Text)
	if finish.Keyring, err = k.Seal(); err != nil {
		return err
	}
	if finish.RecoveryKeyring, err = k.SealForRecovery(); err != nil {
		return err
	}
	c.forgetSession()
	session, err := call[ward.Session](ctx, c, http.MethodPost, "/api/recovery/finish", finish)
	if err != nil {
		return err
	}
	return c.begin(ctx, session, k)
}

func addPasskey(k *seal.Keyring, id ward.PasskeyID, name string, prf []byte) error {
	identity, err := seal.PasskeyIdentity(prf)
	if err != nil {
		return err
	}
	k.Passkeys = append(slices.Clone(k.Passkeys), seal.KeyringPasskey{ID: id, Name: name, Recipient: identity.Recipient()})
	return nil
}

// Passkeys lists one's own, with the names that are in the keyring.
func (c *Client) Passkeys(ctx context.Context) ([]ward.Passkey, map[ward.PasskeyID]string, error) {
	answer, err := get[struct {
		Passkeys []ward.Passkey `json:"passkeys"`
	}](ctx, c, "/api/passkeys")
	k := c.state().keyring
	if err != nil || k == nil {
		return nil, nil, errors.Join(err, signedOut(k))
	}
	names := map[ward.PasskeyID]string{}
	for _, p := range k.Passkeys {
		names[p.ID] = p.Name
	}
	return answer.Passkeys, names, nil
}

func signedOut(k *seal.Keyring) error {
	if k == nil {
		return ErrSignedOut
	}
	return nil
}

// AddPasskey makes another passkey, on this authenticator or another.
func (c *Client) AddPasskey(ctx context.Context, on *Authenticator, name string) error {
	ceremony, err := call[ward.Ceremony](ctx, c, http.MethodPost, "/api/passkeys/options", struct{}{})
	if err != nil {
		return err
	}
	credential, prf, err := on.Create(ceremony.PublicKey, c.origin)
	if err != nil {
		return err
	}
	id := ward.NewID[ward.PasskeyID]()
	return c.changeKeyring(ctx, func(k *seal.Keyring) error { return addPasskey(k, id, name, prf) }, func(put ward.KeyringPut) error {
		return do(ctx, c, http.MethodPost, "/api/passkeys", ward.PasskeyAdd{Ceremony: ceremony.Ceremony, Credential: credential, Passkey: id, KeyringPut: put})
	})
}

// RenamePasskey changes a passkey's name, which only the keyring knows.
func (c *Client) RenamePasskey(ctx context.Context, id ward.PasskeyID, name string) error {
	return c.changeKeyring(ctx, func(k *seal.Keyring) error {
		k.Passkeys = slices.Clone(k.Passkeys)
		for i := range k.Passkeys {
			if k.Passkeys[i].ID == id {
				k.Passkeys[i].Name = name
			}
		}
		return nil
	}, func(put ward.KeyringPut) error { return do(ctx, c, http.MethodPut, "/api/keyring", put) })
}

// RemovePasskey removes a passkey from the account and the keyring.
func (c *Client) RemovePasskey(ctx context.Context, id ward.PasskeyID) error {
	return c.changeKeyring(ctx, func(k *seal.Keyring) error {
		k.Passkeys = slices.DeleteFunc(slices.Clone(k.Passkeys), func(p seal.KeyringPasskey) bool { return p.ID == id })
		return nil
	}, func(put ward.KeyringPut) error {
		return do(ctx, c, http.MethodDelete, path("passkeys", string(id)), put)
	})
}

// NewCode makes another recovery code; the old one stops working.
func (c *Client) NewCode(ctx context.Context) (seal.Code, error) {
	code := seal.NewCode()
	err := c.changeKeyring(ctx, func(k *seal.Keyring) error { k.Code = code; return nil }, func(put ward.KeyringPut) error {
		key := code.Key()
		put.Recovery = &key
		return do(ctx, c, http.MethodPut, "/api/keyring", put)
	})
	return code, err
}

// changeKeyring makes the next version of both copies of the keyring, stores them, and takes it up once it is stored.
func (c *Client) changeKeyring(ctx context.Context, change func(*seal.Keyring) error, store func(ward.KeyringPut) error) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	stored, err := c.followKeyring(ctx)
	if err != nil {
		return err
	}
	old := c.state().keyring
	if old == nil {
		return ErrSignedOut
	}
	k := *old
	k.Version = stored + 1 // which may be older than this one, after a loss
	if err := change(&k); err != nil {
		return err
	}
	put := ward.KeyringPut{Version: k.Version}
	if put.Keyring, err = k.Seal(); err != nil {
		return err
	}
	if put.RecoveryKeyring, err = k.SealForRecovery(); err != nil {
		return err
	}
	if err := store(put); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keyring = &k
	return nil
}

// followKeyring takes up what another device of this person changed in the keyring. Its second copy opens with the code
// that is in the first. It gives the version that is stored.
func (c *Client) followKeyring(ctx context.Context) (int64, error) {
	k := c.state().keyring
	if k == nil {
		return 0, ErrSignedOut
	}
	stored, err := get[ward.Keyring](ctx, c, "/api/keyring")
	if err != nil || stored.Version <= k.Version {
		return stored.Version, err
	}
	read, err := seal.OpenKeyringWithCode(stored.RecoveryKeyring, k.Code)
	if err != nil {
		return 0, fmt.Errorf("another device changed the recovery code, so sign in again: %w", err)
	}
	if read.Org != k.Org || read.Person != k.Person || read.Clinic != k.Clinic || read.Version != stored.Version ||
		read.Identity.Recipient() != k.Identity.Recipient() || read.Signing.Public() != k.Signing.Public() {
		return 0, errors.New("the server keeps the keyring of other keys, or an older one")
	}
	read.Card = k.Card
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keyring != nil && c.keyring.Version < read.Version {
		c.keyring = read
	}
	return stored.Version, nil
}

// Sessions lists one's own.
func (c *Client) Sessions(ctx context.Context) ([]ward.SessionInfo, error) {
	answer, err := get[struct {
		Sessions []ward.SessionInfo `json:"sessions"`
	}](ctx, c, "/api/sessions")
	return answer.Sessions, err
}

// EndSession ends one of one's own sessions.
func (c *Client) EndSession(ctx context.Context, id ward.SessionID) error {
	return do(ctx, c, http.MethodDelete, path("sessions", string(id)), nil)
}

// EraseMe erases the person with all charts that are theirs, and signs out.
func (c *Client) EraseMe(ctx context.Context) error {
	if err := do(ctx, c, http.MethodDelete, "/api/me", nil); err != nil {
		return err
	}
	c.forgetSession()
	return nil
}

// marshalJSON is for values of ours that always marshal.
func marshalJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("write JSON: " + err.Error())
	}
	return data
}
