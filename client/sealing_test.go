package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ward"
	"ward/membership"
	"ward/seal"
	"ward/seal/envelope"
)

// Who holds a lock, and may be dishonest, can neither lock others out of it nor hold up the clinic.

// garbage is a grant that opens for nobody, signed as it should be: the server cannot tell it from a true one.
func (c *clinic) garbage(by *Client, key seal.LockKey, to seal.Grantee, purpose, until string) ward.NewGrant {
	c.t.Helper()
	identity, err := seal.NewIdentity()
	c.must(err)
	to.Recipient = identity.Recipient()
	pen, err := by.pen()
	c.must(err)
	return must(pen.Grant(key, to, purpose, until, by.now()))
}

func (c *Client) postGrant(t *testing.T, l *Lock, g ward.NewGrant) error {
	t.Helper()
	return do(t.Context(), c, http.MethodPost, path("locks", string(l.Lock), "grants"), object{"grants": []ward.NewGrant{g}})
}

func TestNoPatientTurnsTheStaffList(t *testing.T) {
	c, ctx := founded(t), t.Context()
	doctor, _, _ := c.join(c.founder, okafor, ward.Clinician)
	evil, _, _ := c.join(c.founder, amina, ward.Patient)

	l := must(evil.OpenLock(ctx, must(evil.clinicLocks()).Staff))
	members := must(evil.Members(ctx, l))
	turn := func() error {
		key, epoch, history, err := must(evil.pen()).Turn(must(l.key()), l.Line[len(l.Line)-1], evil.now())
		c.must(err)
		turned := ward.NewEpoch{Epoch: string(epoch.Text), History: history}
		for _, m := range members {
			if m.State == "live" {
				turned.Grants = append(turned.Grants, c.garbage(evil, key, must(evil.grantee(ctx, m.Grant.Person, "", "")), m.Grant.Purpose, m.Grant.Until))
			}
		}
		return do(ctx, evil, http.MethodPost, path("locks", string(l.Lock), "epochs"), turned)
	}
	if err := turn(); ward.KindOf(err) != ward.Refused {
		t.Errorf("a patient turns the list of staff: %v", err)
	}
	c.must(c.founder.EndPerson(ctx, doctor.Person())) // now it is due
	members = must(evil.Members(ctx, l))
	if err := turn(); ward.KindOf(err) != ward.Refused {
		t.Errorf("a patient turns the list of staff when it is due: %v", err)
	}
	c.must(c.founder.Housekeep(ctx))
	fresh := c.again(c.founder)
	c.must(firstError(fresh.Invite(ctx, About{Given: "New", Family: "Clinician"}, false, ward.Clinician)))
	c.must(firstError(evil.Staff(ctx)))
}

func TestNobodyReplacesAnothersGrantOfTheStaffList(t *testing.T) {
	c, ctx := founded(t), t.Context()
	doctor, _, _ := c.join(c.founder, okafor, ward.Clinician)
	evil, _, _ := c.join(c.founder, amina, ward.Patient)
	l := must(evil.OpenLock(ctx, must(evil.clinicLocks()).Staff))
	for _, until := range []string{"", ward.FormatTime(time.Now().Add(time.Hour))} {
		g := c.garbage(evil, must(l.key()), must(evil.grantee(ctx, doctor.Person(), "", "")), envelope.ForWork, until)
		if err := evil.postGrant(t, l, g); ward.KindOf(err) != ward.Conflict {
			t.Errorf("until %q: %v", until, err)
		}
	}
	c.must(firstError(c.again(doctor).Staff(ctx)))
}

func TestNobodyWithWhomAChartIsSharedLocksOthersOutOfIt(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	proxy, _, _ := c.join(c.founder, About{Given: "Bashir", Family: "Yusuf"}, ward.Proxy)
	c.must(patient.Share(ctx, invited.Chart, proxy.Person(), "", envelope.ForProxy, time.Now().Add(time.Hour), envelope.General, envelope.Restricted))
	c.must(firstError(patient.Write(ctx, invited.Chart, envelope.Restricted, patient.Note(invited.Chart, "Diary", "My own words."))))
	for _, l := range must(proxy.OpenChart(ctx, invited.Chart)).Locks {
		for _, m := range must(proxy.Members(ctx, l)) {
			if m.State != "live" || m.Grant.Person == proxy.Person() {
				continue
			}
			to := must(proxy.grantee(ctx, m.Grant.Person, m.Grant.Holder, m.Grant.Card))
			for _, until := range []string{m.Grant.Until, ward.FormatTime(time.Now().Add(2 * time.Hour))} {
				if err := proxy.postGrant(t, l, c.garbage(proxy, must(l.key()), to, m.Grant.Purpose, until)); err == nil {
					t.Errorf("%s: the grant of %s%s for %s is replaced", l.Compartment, m.Grant.Person, m.Grant.Holder, m.Grant.Purpose)
				}
			}
		}
	}
	for name, who := range map[string]*Client{"the patient": patient, "the patient in another browser": c.again(patient), "the doctor": c.again(c.founder)} {
		chart, err := who.OpenChart(ctx, invited.Chart)
		if err != nil || len(chart.Troubles) > 0 {
			t.Errorf("%s: %v, %+v", name, err, chart)
		}
	}
	c.must(firstError(c.founder.BreakGlass(ctx, invited.Chart, "unconscious", "Found without a pulse.")))
}

// Whoever is first to seal to new keys may seal garbage. Who it is for says so, and somebody else does it again.
func TestGarbageForNewKeysIsSealedAgainByAnother(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	proxy, _, _ := c.join(c.founder, About{Given: "Bashir", Family: "Yusuf"}, ward.Proxy)
	c.must(patient.Share(ctx, invited.Chart, proxy.Person(), "", envelope.ForProxy, time.Time{}, envelope.General))
	l := must(proxy.OpenChart(ctx, invited.Chart)).Locks[0]
	link := must(c.founder.InviteAgain(ctx, patient.Person(), false)).Link
	renewed := New(Config{Now: c.now, Origin: c.origin})
	c.must(firstError(renewed.Accept(ctx, link, amina)))
	c.confirmed(patient.Person(), c.founder, envelope.Met)
	c.must(proxy.SignIn(ctx))
	c.founder.forgetPerson(patient.Person())
	to := seal.ToPerson(must(c.founder.person(ctx, patient.Person())))
	c.must(proxy.postGrant(t, l, c.garbage(proxy, must(l.key()), to, envelope.ForSelf, "")))
	c.must(renewed.SignIn(ctx))
	if _, err := renewed.OpenChart(ctx, invited.Chart); err == nil {
		t.Fatal("garbage opens")
	}
	c.must(renewed.Housekeep(ctx))
	if err := proxy.postGrant(t, l, c.garbage(proxy, must(l.key()), to, envelope.ForSelf, "")); err == nil {
		t.Error("the proxy seals garbage again")
	}
	c.must(c.founder.Housekeep(ctx))
	if _, err := renewed.OpenChart(ctx, invited.Chart); err != nil {
		t.Errorf("sealed again by the doctor: %v", err)
	}
	c.must(renewed.Housekeep(ctx))
}

// operate lets a test play whoever runs the server: change any answer, and see what is sent.
func (c *clinic) operate(change func(r *http.Request, body []byte, code int, answer []byte) (int, []byte)) {
	c.handler = func(real http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/events") {
				real.ServeHTTP(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				c.t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			recorded := httptest.NewRecorder()
			real.ServeHTTP(recorded, r)
			code, answer := change(r, body, recorded.Code, recorded.Body.Bytes())
			for name, values := range recorded.Header() {
				if name != "Content-Length" {
					w.Header()[name] = values
				}
			}
			w.WriteHeader(code)
			w.Write(answer)
		})
	}
}

// alter is the JSON of an answer, changed.
func alter[T any](c *clinic, answer []byte, with func(*T)) []byte {
	var v T
	if err := json.Unmarshal(answer, &v); err != nil {
		c.t.Error(err)
	}
	with(&v)
	text, err := json.Marshal(v)
	if err != nil {
		c.t.Error(err)
	}
	return text
}

type lockList struct {
	Locks []ward.LockSummary `json:"locks"`
}

// sent collects what was sealed: grants, posted by themselves or with an epoch.
type sent struct {
	sync.Mutex
	grants []ward.NewGrant
}

func (s *sent) take(c *clinic, r *http.Request, body []byte) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/epochs") && !strings.HasSuffix(r.URL.Path, "/grants") {
		return
	}
	var given struct {
		Grants []ward.NewGrant `json:"grants"`
	}
	if err := json.Unmarshal(body, &given); err != nil {
		c.t.Error(err)
	}
	s.Lock()
	defer s.Unlock()
	s.grants = append(s.grants, given.Grants...)
}

func (s *sent) to(c *clinic, is func(envelope.Grant) bool) (n int) {
	s.Lock()
	defer s.Unlock()
	for _, g := range s.grants {
		if is(must(envelope.Parse[envelope.Grant]([]byte(g.Text))).Body) {
			n++
		}
	}
	return n
}

func TestNothingIsSealedToACardThatTheOperatorAppended(t *testing.T) {
	for name, forge := range map[string]func(c *clinic, at envelope.Place, b envelope.MemberCard, evil seal.SigningKey) []byte{
		"signed by itself": func(c *clinic, at envelope.Place, b envelope.MemberCard, evil seal.SigningKey) []byte {
			return must(envelope.Write(b, evil.Sign, evil.Sign)).Text
		},
		"with an invitation that nobody stated": func(c *clinic, at envelope.Place, b envelope.MemberCard, evil seal.SigningKey) []byte {
			b.Invitation = ward.NewID[ward.InvitationID]()
			return must(envelope.Write(b, evil.Sign, evil.Sign)).Text
		},
		"invited by nobody": func(c *clinic, at envelope.Place, b envelope.MemberCard, evil seal.SigningKey) []byte {
			return must(envelope.Write(envelope.Invite{
				Place: at, Invitation: ward.NewID[ward.InvitationID](), Person: b.Person, Verifier: evil.Public(), Roles: "clinician", Name: envelope.NameHash([32]byte{}, "x"),
				Recover: true, Until: ward.FormatTime(c.now().Add(time.Hour)), Author: envelope.Author{By: ward.NewID[ward.PersonID](), Card: b.Before, Time: b.Time},
			}, evil.Sign)).Text
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, ctx := founded(t), t.Context()
			_, _, doctor := c.join(c.founder, okafor, ward.Clinician)
			c.join(c.founder, amina, ward.Patient)
			locks := must(c.founder.clinicLocks())
			evil, identity := seal.NewSigningKey(), must(seal.NewIdentity())
			var caught sent
			shown := 0
			c.operate(func(r *http.Request, body []byte, code int, answer []byte) (int, []byte) {
				caught.take(c, r, body)
				switch {
				case r.Method == http.MethodGet && r.URL.Path == "/api/membership" && code == http.StatusOK:
					return code, alter(c, answer, func(p *ward.MembershipPage) {
						roster := must(newRoster(must(seal.CheckClinic([]byte(c.founder.state().clinic.Text), ""))))
						known := texts(c.founder.roster)
						c.must(roster.read(append(known[:max(0, len(known)-1)], p.Statements...), c.now())) // the newest is shown again
						before := must1(roster.Member(doctor.Person))
						at := roster.place(c.founder.Org(), roster)
						b := envelope.MemberCard{
							Place: at, Person: doctor.Person, Serial: 2, Before: before.Card.Hash, Signing: evil.Public(),
							RecipientHash: seal.Hash([]byte(identity.Recipient())), Time: ward.FormatTime(c.now()),
						}
						p.Statements = append(p.Statements, string(forge(c, at, b, evil)))
						shown++
					})
				case r.Method == http.MethodGet && r.URL.Path == "/api/people/"+string(doctor.Person)+"/cards" && code == http.StatusOK:
					return code, alter(c, answer, func(p *ward.PersonCards) { p.Recipients = append(p.Recipients, identity.Recipient()) })
				case r.Method == http.MethodGet && r.URL.Path == "/api/people" && code == http.StatusOK:
					return code, alter(c, answer, func(p *struct {
						People []ward.PersonSummary `json:"people"`
					},
					) {
						for i := range p.People {
							p.People[i].Card = "another"
						}
					})
				case r.Method == http.MethodGet && r.URL.Path == "/api/locks" && code == http.StatusOK:
					return code, alter(c, answer, func(l *lockList) {
						for i := range l.Locks {
							l.Locks[i].Due = l.Locks[i].Lock == locks.Clinicians
						}
					})
				}
				return code, answer
			})
			for range 2 {
				if err := c.founder.Housekeep(ctx); !errors.As(err, new(*membership.BadStatement)) {
					t.Errorf("nobody is told: %v", err)
				}
			}
			if shown == 0 {
				t.Fatal("the operator's statement was not shown")
			}
			if n := caught.to(c, func(g envelope.Grant) bool { return g.Person == doctor.Person }); n > 0 {
				t.Errorf("%d keys were sealed while the history did not hold", n)
			}
		})
	}
}

func texts(h *chain) (all []string) {
	for _, t := range h.texts {
		all = append(all, string(t))
	}
	return all
}

func must1[T any](value T, ok bool) T {
	if !ok {
		panic("it is not there")
	}
	return value
}

// confirmed has staff confirm what waits for a person, and lets the time pass in which it could be refused.
func (c *clinic) confirmed(person ward.PersonID, by *Client, how string) {
	c.t.Helper()
	ctx := c.t.Context()
	waits := must(by.Pending(ctx, person))
	if len(waits) != 1 {
		c.t.Fatalf("%d things wait for %s", len(waits), person)
	}
	c.must(by.Confirm(ctx, person, waits[0].What, how))
	c.pass(49 * time.Hour)
	c.must(by.SignIn(ctx))
	c.must(by.Complete(ctx, person, waits[0].What))
}

func TestWhoWasTakenOffIsGivenNoLaterKey(t *testing.T) {
	c, ctx := founded(t), t.Context()
	doctor, _, _ := c.join(c.founder, okafor, ward.Clinician)
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	c.must(patient.Share(ctx, invited.Chart, doctor.Person(), "", envelope.ForCare, time.Now().Add(24*time.Hour), envelope.Restricted))
	lock := must(patient.OpenChart(ctx, invited.Chart)).Lock(envelope.Restricted)
	var caught sent
	lie := func() {
		c.operate(func(r *http.Request, body []byte, code int, answer []byte) (int, []byte) {
			caught.take(c, r, body)
			switch {
			case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, string(lock.Lock)+"/members"):
				return code, bytes.ReplaceAll(answer, []byte(`"state":"removed"`), []byte(`"state":"live"`))
			case r.Method == http.MethodGet && r.URL.Path == "/api/locks" && code == http.StatusOK:
				return code, alter(c, answer, func(l *lockList) {
					for i := range l.Locks {
						l.Locks[i].Due = l.Locks[i].Lock == lock.Lock
					}
				})
			}
			return code, answer
		})
	}
	given := func() int {
		return caught.to(c, func(g envelope.Grant) bool { return g.Lock == lock.Lock && g.Person == doctor.Person() })
	}
	lie()
	if err := patient.Unshare(ctx, invited.Chart, doctor.Person(), ""); !errors.Is(err, ErrCameBack) { // as it turns
		t.Errorf("the patient is not told: %v", err)
	}
	if err := patient.Housekeep(ctx); !errors.Is(err, ErrCameBack) {
		t.Errorf("the patient is not told later: %v", err)
	}
	c.handler = nil
	c.must(patient.Housekeep(ctx)) // the honest server lets it turn
	lie()
	c.must(c.again(patient).Housekeep(ctx)) // another device, which saw nothing of it
	if n := given(); n > 0 {
		t.Errorf("the doctor was given %d later keys", n)
	}
}
