package identity

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ward"
	"ward/ledger"
	"ward/seal/envelope"
	"ward/store"
)

func TestFounderBeginsAClinic(t *testing.T) {
	c := newClinic(t)
	if none, err := c.Unfounded(t.Context()); err != nil || !none {
		t.Fatalf("unfounded: %v, %v", none, err)
	}
	founder := c.founder()
	if none, err := c.Unfounded(t.Context()); err != nil || none {
		t.Fatalf("still unfounded: %v, %v", none, err)
	}
	me, err := founder.me()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ward.Role{ward.Clinician, ward.Admin}, me.Roles); diff != "" {
		t.Error(diff)
	}
	if me.ClinicText == "" || me.Pending || me.Share != founder.session.Share || !me.Session.Current {
		t.Errorf("the founder's account is %+v", me)
	}
	if c.charts.created != 4 {
		t.Errorf("%d locks were made", c.charts.created)
	}
	info := must[ward.ClinicInfo](t)(c.send(httptest.NewRequest("GET", "/api/clinic", strings.NewReader("")), c.GetClinic, true))
	if info.Org != founder.org || info.Name != "Test clinic" {
		t.Errorf("the clinic is %+v", info)
	}
	if diff := cmp.Diff([]string{"found", "joined"}, c.actions(founder.org)); diff != "" {
		t.Error(diff)
	}
}

func TestClinicStatementMustBeTheFoundersAndNameTheLocksThatCome(t *testing.T) {
	for name, bend := range map[string]func(m *member, a *ward.Acceptance){
		"no statement":      func(_ *member, a *ward.Acceptance) { a.ClinicText = "" },
		"three locks":       func(_ *member, a *ward.Acceptance) { a.Locks = a.Locks[:3] },
		"another directory": func(m *member, a *ward.Acceptance) { a.Locks[0] = m.lockOf(envelope.LockDirectory, "", "") },
		"someone else's key": func(m *member, a *ward.Acceptance) {
			other := newMember(m.c)
			other.org, other.person = m.org, m.person
			a.Locks = nil
			other.found(a)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClinic(t)
			m, v := newMember(c), c.founding()
			opened, err := m.openOf(v)
			if err != nil {
				t.Fatal(err)
			}
			a := m.accepting(v, opened)
			bend(m, &a)
			refused(t, ward.Invalid, m.acceptOf(v, a))
			m.join(v) // nothing of the refused one remains
		})
	}
}

func TestPatientJoinsWithAChart(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	v := founder.invites(ward.Patient)
	amina := newMember(c)
	opened, err := amina.openOf(v)
	if err != nil {
		t.Fatal(err)
	}
	if opened.Founding || opened.ClinicText == "" || len(opened.Locks) != 4 || len(opened.Membership.Statements) != 1 || len(opened.Thread) != 1 {
		t.Errorf("the invitation shows %+v", opened)
	}
	amina.join(v)
	me, err := amina.me()
	if err != nil || me.Person != v.invite.Person || me.Idle != int64((24*time.Hour).Seconds()) {
		t.Fatalf("%+v, %v", me, err)
	}
	list := must[struct {
		Invitations []ward.Invitation `json:"invitations"`
	}](t)(founder.do(c.GetInvitations, "GET", "/api/invitations", nil)).Invitations
	if len(list) != 1 || list[0].State != "accepted" || list[0].Person != amina.person || list[0].Hash != envelope.Hash([]byte(v.new.InviteText)) {
		t.Errorf("the inviter sees %+v", list)
	}
	var kept int64
	c.count(&kept, `SELECT count(*) FROM invitations WHERE state = 'accepted' AND length(welcome) > 0`)
	if kept != 0 {
		t.Error("an accepted invitation keeps its welcome")
	}
}

func TestInvitationTellsNothingToAWrongToken(t *testing.T) {
	c := newClinic(t)
	v := c.founder().invites(ward.Clinician)
	stranger := newMember(c)
	_, wrong := stranger.openOf(invited{id: v.id, token: random(32)})
	used := newMember(c)
	w := c.founder().invites(ward.Clinician)
	used.join(w)
	_, spent := stranger.openOf(invited{id: w.id, token: random(32)})
	_, unknown := stranger.openOf(invited{id: ward.NewID[ward.InvitationID](), token: random(32)})
	_, malformed := stranger.openOf(invited{id: v.id, token: "short"})
	refused(t, ward.Missing, wrong)
	for _, err := range []error{unknown, malformed, spent} {
		refused(t, ward.Missing, err)
		if shown(wrong) != shown(err) {
			t.Errorf("a wrong token is told %q, another %q", shown(wrong), shown(err))
		}
	}
}

// shown is what of an error reaches who asked.
func shown(err error) string {
	var e *ward.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	return string(e.Kind) + e.Message + e.Hint
}

func TestInvitationClosesAfterTooManyWrongTokens(t *testing.T) {
	c := newClinic(t)
	v := c.founder().invites(ward.Clinician)
	stranger := newMember(c)
	for range maxAttempts {
		_, err := stranger.openOf(invited{id: v.id, token: random(32)})
		refused(t, ward.Missing, err)
	}
	_, err := stranger.openOf(v)
	refused(t, ward.Gone, err)
}

func TestInvitationEnds(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	t.Run("when it was used", func(t *testing.T) {
		v := founder.invites(ward.FrontDesk)
		newMember(c).join(v)
		_, err := newMember(c).openOf(v)
		refused(t, ward.Gone, err)
	})
	t.Run("when it is withdrawn", func(t *testing.T) {
		v := founder.invites(ward.FrontDesk)
		withdraw := written(founder, envelope.Withdraw{Place: c.place(founder.org, string(founder.org)), What: envelope.Hash([]byte(v.new.InviteText)), Author: founder.author()})
		if err := founder.put(c.WithdrawInvitation, "DELETE", ward.StatementPut{Text: string(withdraw)}, "invitation", string(v.id)); err != nil {
			t.Fatal(err)
		}
		_, err := newMember(c).openOf(v)
		refused(t, ward.Gone, err)
	})
	t.Run("when two accept at once", func(t *testing.T) {
		v := founder.invites(ward.FrontDesk)
		first, second := newMember(c), newMember(c)
		a, err1 := first.openOf(v)
		b, err2 := second.openOf(v)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if err := first.acceptOf(v, first.accepting(v, a)); err != nil {
			t.Fatal(err)
		}
		refused(t, ward.Gone, second.acceptOf(v, second.accepting(v, b)))
	})
	t.Run("when its time is over", func(t *testing.T) {
		v := founder.invites(ward.FrontDesk)
		late := newMember(c)
		opened, err := late.openOf(v)
		if err != nil {
			t.Fatal(err)
		}
		c.wait(maxInvitation + time.Second)
		refused(t, ward.Gone, late.acceptOf(v, late.accepting(v, opened)))
	})
}

func TestAcceptanceIsCheckedWhole(t *testing.T) {
	for name, bend := range map[string]func(m *member, a *ward.Acceptance){
		"a card for someone else": func(m *member, a *ward.Acceptance) {
			b := m.card.Body
			m.person = ward.NewID[ward.PersonID]()
			m.card = m.writeCard(envelope.MemberCard{Place: b.Place, Serial: 1, Invitation: b.Invitation}, signer(m.signing))
			a.CardText, a.BrowserText = string(m.card.Text), m.browserText()
		},
		"a card that is not signed with the link": func(m *member, a *ward.Acceptance) {
			b := m.card.Body
			m.card = m.writeCard(envelope.MemberCard{Place: b.Place, Serial: 1, Invitation: b.Invitation}, signer(m.signing))
			a.CardText, a.BrowserText = string(m.card.Text), m.browserText()
		},
		"another recipient than the card's": func(_ *member, a *ward.Acceptance) { a.Recipient = "age1pq1" },
		"a card signed by another key": func(m *member, a *ward.Acceptance) {
			lines := strings.Split(a.CardText, "\n")
			lines[2] = random(64)
			a.CardText = strings.Join(lines, "\n")
		},
		"another browser's certificate": func(m *member, a *ward.Acceptance) {
			own := m.browser
			m.browser = newMember(m.c).browser
			a.BrowserText = m.browserText()
			m.browser = own
		},
		"a keyring in the clear":          func(_ *member, a *ward.Acceptance) { a.Keyring = []byte("AGE-SECRET-KEY-PQ-1") },
		"a recovery keyring in the clear": func(_ *member, a *ward.Acceptance) { a.RecoveryKeyring = []byte("AGE-SECRET-KEY-PQ-1") },
		"no recovery":                     func(_ *member, a *ward.Acceptance) { a.Recovery = ward.RecoveryKey{} },
		"one part of a chart":             func(_ *member, a *ward.Acceptance) { a.Locks = a.Locks[:1] },
		"another chart": func(m *member, a *ward.Acceptance) {
			a.Locks[0] = m.lockOf(envelope.LockChart, ward.NewID[ward.ChartID](), envelope.General)
		},
		"a clinic of one's own":        func(m *member, a *ward.Acceptance) { a.Locks = nil; m.found(a) },
		"a passkey id that is not one": func(_ *member, a *ward.Acceptance) { a.Passkey = "mine" },
		"PRF results": func(_ *member, a *ward.Acceptance) {
			a.Credential = withPRF(a.Credential, `{"results":{"first":"c2VjcmV0"}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClinic(t)
			v := c.founder().invites(ward.Patient)
			m := newMember(c)
			opened, err := m.openOf(v)
			if err != nil {
				t.Fatal(err)
			}
			a := m.accepting(v, opened)
			bend(m, &a)
			refused(t, ward.Invalid, m.acceptOf(v, a))
			var joined int64
			c.count(&joined, `SELECT count(*) FROM persons WHERE person = $1`, string(v.invite.Person))
			if joined != 0 {
				t.Error("a refused acceptance left a person behind")
			}
		})
	}
}

func withPRF(credential json.RawMessage, prf string) json.RawMessage {
	var fields map[string]json.RawMessage
	json.Unmarshal(credential, &fields)
	fields["clientExtensionResults"] = json.RawMessage(`{"prf":` + prf + `}`)
	text, _ := json.Marshal(fields)
	return text
}

func TestPasskeyWithoutUserVerificationIsRefused(t *testing.T) {
	c := newClinic(t)
	v := c.founder().invites(ward.Patient)
	m := newMember(c)
	m.auth.Options.UserNotVerified = true
	opened, err := m.openOf(v)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, ward.Invalid, m.acceptOf(v, m.accepting(v, opened)))
	m.auth.Options.UserNotVerified = false
	m.join(v)
	m.auth.Options.UserNotVerified = true
	refused(t, ward.Unauthenticated, m.signIn())
}

func TestCeremonyIsForOnePersonAndOnce(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	v, w := founder.invites(ward.Clinician), founder.invites(ward.Clinician)
	m, other := newMember(c), newMember(c)
	opened, err1 := m.openOf(v)
	theirs, err2 := other.openOf(w)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	a := m.accepting(v, opened)
	a.Ceremony = theirs.Ceremony
	refused(t, ward.Gone, m.acceptOf(v, a))

	c.wait(ceremonyTime + time.Second)
	refused(t, ward.Gone, m.acceptOf(v, m.accepting(v, opened)))
	m.join(v)
}

func TestOptionsAskForWhatOpensTheKeyring(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	salt := PRFSalt()
	want := ward.B64.EncodeToString(salt[:])
	var made, signed struct {
		AuthenticatorSelection struct {
			ResidentKey      string `json:"residentKey"`
			UserVerification string `json:"userVerification"`
		} `json:"authenticatorSelection"`
		UserVerification string            `json:"userVerification"`
		AllowCredentials []json.RawMessage `json:"allowCredentials"`
		Extensions       struct {
			PRF struct {
				Eval struct {
					First string `json:"first"`
				} `json:"eval"`
			} `json:"prf"`
		} `json:"extensions"`
		User struct {
			Name string `json:"name"`
		} `json:"user"`
	}
	options := must[ward.Ceremony](t)(founder.do(c.PasskeyOptions, "POST", "/api/passkeys/options", struct{}{}))
	if err := json.Unmarshal(options.PublicKey, &made); err != nil {
		t.Fatal(err)
	}
	if made.AuthenticatorSelection.ResidentKey != "required" || made.AuthenticatorSelection.UserVerification != "required" || made.Extensions.PRF.Eval.First != want {
		t.Errorf("creation asks %s", options.PublicKey)
	}
	if made.User.Name != "Test clinic" {
		t.Errorf("the server gives the name %q; it knows none", made.User.Name)
	}
	options = must[ward.Ceremony](t)(founder.public(c.SignInOptions, "/api/sign-in/options", struct{}{}))
	if err := json.Unmarshal(options.PublicKey, &signed); err != nil {
		t.Fatal(err)
	}
	if signed.UserVerification != "required" || signed.Extensions.PRF.Eval.First != want || len(signed.AllowCredentials) != 0 {
		t.Errorf("signing in asks %s", options.PublicKey)
	}
}

func TestInvitationIsChecked(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	for name, test := range map[string]struct {
		kind ward.Kind
		bend func(v *invited)
	}{
		"a patient and no chart": {ward.Invalid, func(v *invited) { v.new.Chart = "" }},
		"staff and a chart":      {ward.Invalid, func(v *invited) { v.invite.Roles = "clinician" }},
		"no token":               {ward.Invalid, func(v *invited) { v.new.TokenHash = "" }},
		"too long":               {ward.Invalid, func(v *invited) { v.invite.Until = ward.FormatTime(c.clock().Add(maxInvitation + time.Hour)) }},
		"in the past":            {ward.Invalid, func(v *invited) { v.invite.Until = ward.FormatTime(c.clock().Add(-time.Hour)) }},
		"a welcome in the clear": {ward.Invalid, func(v *invited) { v.new.Welcome = []byte("hello") }},
		"a large welcome":        {ward.TooLarge, func(v *invited) { v.new.Welcome = make([]byte, maxWelcome+1) }},
		"someone who is here":    {ward.Invalid, func(v *invited) { v.invite.Person, v.invite.Roles, v.new.Chart = founder.person, "clinician", "" }},
		"lost keys of nobody":    {ward.Invalid, func(v *invited) { v.invite.Recover = true }},
		"other roles after lost keys": {ward.Invalid, func(v *invited) {
			v.invite.Recover, v.invite.Person, v.invite.Roles, v.new.Chart = true, founder.person, "admin", ""
		}},
		"two addresses": {ward.Invalid, func(v *invited) {
			v.new.Email, v.new.Link = "a@b.example, c@d.example", origin+"/join#"+string(v.id)+".x"
		}},
		"a header in the address": {ward.Invalid, func(v *invited) {
			v.new.Email, v.new.Link = "a@b.example\r\nBcc: c@d.example", origin+"/join#"+string(v.id)+".x"
		}},
		"a link elsewhere": {ward.Invalid, func(v *invited) {
			v.new.Email, v.new.Link = "a@b.example", "https://clinic.example.evil/join#"+string(v.id)+".x"
		}},
		"a link with more in it": {ward.Invalid, func(v *invited) {
			v.new.Email, v.new.Link = "a@b.example", origin+"/join#"+string(v.id)+".x\nhttps://evil.example"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			v := founder.invitation(ward.Patient)
			test.bend(&v)
			refused(t, test.kind, founder.sends(&v))
		})
	}
	if len(c.letters.sent) != 0 {
		t.Error("a refused invitation was sent")
	}
	v := founder.invites(ward.Patient)
	refused(t, ward.Conflict, founder.put(c.Invite, "POST", v.new)) // its place is taken
}

func TestInvitationsThatWaitAreLimited(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	for range maxOpenInvitations {
		founder.invites(ward.Proxy)
	}
	v := founder.invitation(ward.Proxy)
	refused(t, ward.TooMany, founder.sends(&v))
}

func TestInvitationBySMTPKeepsNeitherAddressNorLink(t *testing.T) {
	c := newClinic(t)
	founder := c.founder()
	v := founder.invitation(ward.Patient)
	v.new.Email, v.new.Link = "amina-canary@mail.example", origin+"/join#"+string(v.id)+".secretcanary"
	v.invite.Place, v.invite.Author = c.place(founder.org, string(v.invite.Person)), founder.author()
	v.new.InviteText = string(written(founder, v.invite))
	answer := must[ward.Invitation](t)(founder.do(c.Invite, "POST", "/api/invitations", v.new))
	c.Wait()
	if !answer.Sent || !slices.Equal(c.letters.sent, []string{v.new.Link}) {
		t.Errorf("sent %v; the answer says %v", c.letters.sent, answer.Sent)
	}
	err := c.DB.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		page, err := c.Ledger.List(ctx, tx, founder.org, ledger.Query{})
		if text, _ := json.Marshal(page); strings.Contains(string(text), "canary") || len(page.Events) == 0 {
			t.Errorf("the record keeps a letter's address or link: %s", text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.letters.fail = errors.New("no route")
	v = founder.invitation(ward.Patient)
	v.new.Email, v.new.Link = "amina@mail.example", origin+"/join#"+string(v.id)+".x"
	if err := founder.sends(&v); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	var sent int64
	c.count(&sent, `SELECT sent FROM invitations WHERE invitation = $1`, string(v.id))
	if sent != 0 || !slices.Contains(c.actions(founder.org), "letter-failed") {
		t.Error("the inviter does not learn that the letter was not sent")
	}
}

func TestAboutNamesWhatIsAsked(t *testing.T) {
	c := newClinic(t)
	founder, elsewhere := c.founder(), c.founder()
	v := founder.invites(ward.Patient)
	self, err := founder.about(c.AboutSelf, nil)
	if err != nil || self.Type != "Person" || self.ID != string(founder.person) || self.Org != founder.org {
		t.Errorf("%+v, %v", self, err)
	}
	about, err := founder.about(c.AboutInvitation, nil, "invitation", string(v.id))
	if err != nil || about.Type != "Invitation" || !slices.Equal(about.Roles, []ward.Role{ward.Patient}) {
		t.Errorf("%+v, %v", about, err)
	}
	about, err = founder.about(c.AboutNewInvitation, v.new)
	if err != nil || about.Org != founder.org || !slices.Equal(about.Roles, []ward.Role{ward.Patient}) {
		t.Errorf("%+v, %v", about, err)
	}
	_, err = founder.about(c.AboutPerson, nil, "person", string(elsewhere.person))
	refused(t, ward.Missing, err)
	if about, err := elsewhere.about(c.AboutInvitation, nil, "invitation", string(v.id)); err == nil && about.Org == elsewhere.org {
		t.Error("another clinic's invitation passes for its own")
	}
}
