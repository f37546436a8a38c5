package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/membership"
	"ward/seal"
	"ward/seal/envelope"
)

// A server that lies. Between the real server and the client stands someone who changes answers, as whoever runs the
// server could: the client must say what is wrong and show nothing false.

// change lets a test change the JSON of the answers of one route, until the returned function is called.
func change[T any](c *clinic, method, part string, with func(*T)) (stop func()) {
	c.handler = func(real http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			recorded := httptest.NewRecorder()
			real.ServeHTTP(recorded, r)
			body := recorded.Body.Bytes()
			var answer T
			if r.Method == method && strings.Contains(r.URL.Path, part) && recorded.Code == http.StatusOK && json.Unmarshal(body, &answer) == nil {
				with(&answer)
				body, _ = json.Marshal(answer)
			}
			for name, values := range recorded.Header() {
				if name != "Content-Length" {
					w.Header()[name] = values
				}
			}
			w.WriteHeader(recorded.Code)
			w.Write(body)
		})
	}
	return func() { c.handler = nil }
}

// rechain makes a page's head fit its entries, as a careful liar would.
func rechain(lock ward.LockID, page *ward.Entries) {
	head := envelope.Start(lock)
	for i := range page.Entries {
		head = head.Next([]byte(page.Entries[i].Text))
		page.Entries[i].Seq = head.Seq
	}
	page.Seq, page.Chain = head.Seq, head.Chain
}

// written is a clinic with a chart in which the doctor has written n notes, each having read the one before.
func written(t *testing.T, n int) (*clinic, *Client, ward.ChartID, ward.LockID) {
	t.Helper()
	c, ctx := founded(t), t.Context()
	_, _, invited := c.join(c.founder, amina, ward.Patient)
	var lock ward.LockID
	for range n {
		chart, err := c.founder.OpenChart(ctx, invited.Chart)
		c.must(err)
		lock = chart.Locks[0].Lock
		_, err = c.founder.Write(ctx, invited.Chart, envelope.General, c.founder.Note(invited.Chart, "Note", "Text."))
		c.must(err)
	}
	return c, c.founder, invited.Chart, lock
}

// again is the doctor in another browser, who remembers nothing.
func (c *clinic) again(doctor *Client) *Client {
	c.t.Helper()
	other := New(Config{Now: c.now, Origin: c.origin, Authenticator: doctor.Authenticator()})
	c.must(other.SignIn(c.t.Context()))
	return other
}

func TestOneSpoiledEntryIsToldAndTheOthersAreShown(t *testing.T) {
	c, doctor, chart, lock := written(t, 3)
	fresh := c.again(doctor)
	for name, spoil := range map[string]func(*ward.Entries){
		"sealed bytes altered":    func(p *ward.Entries) { p.Entries[2].Sealed[2000] ^= 1 },
		"sealed bytes of another": func(p *ward.Entries) { p.Entries[2].Sealed = p.Entries[3].Sealed },
		"sealed bytes cut":        func(p *ward.Entries) { p.Entries[2].Sealed = p.Entries[2].Sealed[:1700] },
		"the last statement altered": func(p *ward.Entries) {
			at := &p.Entries[4].Text
			*at = strings.Replace(*at, `"note"`, `"file"`, 1)
			rechain(lock, p)
		},
	} {
		stop := change(c, http.MethodGet, "/entries", spoil)
		opened, err := fresh.OpenChart(t.Context(), chart)
		stop()
		if err != nil || len(opened.Troubles) != 1 || len(opened.Entries) != 4 {
			t.Errorf("%s: %v, %d entries, troubles %v", name, err, len(opened.Entries), opened.Troubles)
		}
		fresh = c.again(doctor)
	}
}

func TestAChangedHistoryIsFoundOut(t *testing.T) {
	c, doctor, chart, lock := written(t, 3)
	for name, with := range map[string]func(*ward.Entries){
		"an entry dropped":             func(p *ward.Entries) { p.Entries = slices.Delete(p.Entries, 2, 3) },
		"an entry dropped, carefully":  func(p *ward.Entries) { p.Entries = slices.Delete(p.Entries, 2, 3); rechain(lock, p) },
		"two reordered":                func(p *ward.Entries) { p.Entries[2], p.Entries[3] = p.Entries[3], p.Entries[2] },
		"two reordered, carefully":     func(p *ward.Entries) { p.Entries[2], p.Entries[3] = p.Entries[3], p.Entries[2]; rechain(lock, p) },
		"one repeated, carefully":      func(p *ward.Entries) { p.Entries = append(p.Entries[:3:3], p.Entries[2:]...); rechain(lock, p) },
		"cut, with the head left":      func(p *ward.Entries) { p.Entries = p.Entries[:3] },
		"the head of another chain":    func(p *ward.Entries) { p.Chain = envelope.Start(lock).Chain },
		"a statement altered in place": func(p *ward.Entries) { at := &p.Entries[2].Text; *at = strings.Replace(*at, `"note"`, `"file"`, 1) },
	} {
		fresh := c.again(doctor)
		stop := change(c, http.MethodGet, "/entries", with)
		opened, err := fresh.OpenChart(t.Context(), chart)
		stop()
		if err == nil && len(opened.Troubles) == 0 {
			t.Errorf("%s: nobody noticed", name)
		}
	}
}

func TestAServerThatForgetsOrForksIsFoundOutByWhoRemembers(t *testing.T) {
	c, doctor, chart, lock := written(t, 3)
	ctx := t.Context()
	if opened, err := doctor.OpenChart(ctx, chart); err != nil || len(opened.Troubles) > 0 {
		t.Fatal(err, opened)
	}
	for name, want := range map[string]struct {
		with func(*ward.Entries)
		err  error
	}{
		"forgets": {func(p *ward.Entries) { p.Seq, p.Entries = p.Seq-1, nil }, ErrRollback},
		"forks":   {func(p *ward.Entries) { p.Chain, p.Entries = envelope.Start(lock).Chain, nil }, ErrFork},
	} {
		stop := change(c, http.MethodGet, "/entries", want.with)
		_, err := doctor.OpenChart(ctx, chart)
		stop()
		if !errors.Is(err, want.err) {
			t.Errorf("a server that %s: %v", name, err)
		}
	}
	if opened, err := doctor.OpenChart(ctx, chart); err != nil || len(opened.Troubles) > 0 || len(opened.Entries) != 5 {
		t.Fatalf("the honest server is not believed again: %v, %+v", err, opened)
	}
}

func TestOtherKeysThanTheLocksOwnAreRefused(t *testing.T) {
	c, doctor, chart, _ := written(t, 1)
	ctx := t.Context()
	evil := seal.Hand{Org: doctor.Org(), Person: doctor.Person(), Signing: seal.NewSigningKey()}
	key, epoch, err := evil.NewLock(envelope.LockChart, chart, envelope.General, time.Now())
	c.must(err)
	// A reader.
	for name, with := range map[string]func(*ward.Lock){
		"another line":        func(l *ward.Lock) { l.Epochs = []string{string(epoch.Text)} },
		"another lock":        func(l *ward.Lock) { l.Lock, l.Epochs = key.Lock, []string{string(epoch.Text)} },
		"a grant altered":     func(l *ward.Lock) { l.Grants[0].Sealed[1700] ^= 1 },
		"no grant":            func(l *ward.Lock) { l.Grants = nil },
		"an epoch left out":   func(l *ward.Lock) { l.Epochs = nil },
		"a statement altered": func(l *ward.Lock) { l.Epochs[0] = strings.Replace(l.Epochs[0], `"general"`, `"restricted"`, 1) },
	} {
		stop := change(c, http.MethodGet, "/api/locks/", with)
		opened, err := doctor.OpenChart(ctx, chart)
		stop()
		if err == nil {
			t.Errorf("%s: the reader took it: %+v", name, opened)
		}
	}
	// A writer: sealing to a false key would tell the server everything.
	stop := change(c, http.MethodGet, "/api/charts/", func(f *ward.Chart) {
		f.Locks[0].Lock, f.Locks[0].Epochs = key.Lock, []string{string(epoch.Text)}
	})
	_, err = doctor.Write(ctx, chart, envelope.General, doctor.Note(chart, "Secret", "For the patient's key only."))
	stop()
	if err == nil {
		t.Error("the writer sealed to a false key")
	}
}

func TestACardThatTheServerMadeIsNotWelcomed(t *testing.T) {
	c, ctx := founded(t), t.Context()
	invited, err := c.founder.Invite(ctx, okafor, false, ward.Clinician)
	c.must(err)
	joined := New(Config{Now: c.now, Origin: c.origin})
	c.must(firstError(joined.Accept(ctx, invited.Link, okafor)))
	// The server shows a card with its own keys in place of the real one, everywhere.
	identity, err := seal.NewIdentity()
	c.must(err)
	signing := seal.NewSigningKey()
	var forged *envelope.Statement[envelope.MemberCard]
	stop := change(c, http.MethodGet, "/api/membership", func(page *ward.MembershipPage) {
		for i, text := range page.Statements {
			card, err := envelope.Parse[envelope.MemberCard]([]byte(text))
			if err != nil || card.Body.Person != joined.Person() {
				continue
			}
			card.Body.Signing, card.Body.RecipientHash = signing.Public(), seal.Hash([]byte(identity.Recipient()))
			forged = must(envelope.Write(card.Body, signing.Sign, signing.Sign))
			page.Statements[i] = string(forged.Text)
		}
	})
	if err := c.founder.Housekeep(ctx); !errors.As(err, new(*membership.BadStatement)) {
		t.Errorf("nobody is told: %v", err)
	}
	stop()
	if forged == nil {
		t.Fatal("the server's card was not shown")
	}
	locks, err := c.founder.Locks(ctx)
	c.must(err)
	for _, s := range locks {
		l, err := c.founder.OpenLock(ctx, s.Lock)
		c.must(err)
		members, err := c.founder.Members(ctx, l)
		c.must(err)
		for _, m := range members {
			if m.Grant.Person == joined.Person() && m.Grant.Card == forged.Hash() {
				t.Errorf("a %s lock was granted to the server's own key", s.Kind)
			}
		}
	}
	c.must(c.founder.Housekeep(ctx))
	if _, err := joined.Directory(ctx); err != nil {
		t.Errorf("the real card is not welcomed: %v", err)
	}
}

func TestAnotherClinicsStatementIsRefused(t *testing.T) {
	c, ctx := founded(t), t.Context()
	invited, err := c.founder.Invite(ctx, amina, false, ward.Patient)
	c.must(err)
	s := c.founder.state().clinic
	signing := seal.NewSigningKey()
	body := s.Body
	body.Signing = signing.Public()
	other, err := envelope.Write(body, signing.Sign)
	c.must(err)
	stop := change(c, http.MethodPost, "/open", func(o *ward.InvitationOpened) { o.ClinicText = string(other.Text) })
	if _, err := New(Config{Now: c.now, Origin: c.origin}).Accept(ctx, invited.Link, amina); err == nil {
		t.Error("the invited joined a clinic that the link does not name")
	}
	stop()
	stop = change(c, http.MethodGet, "/api/me", func(me *ward.Me) { me.ClinicText = string(other.Text) })
	if err := New(Config{Now: c.now, Origin: c.origin, Authenticator: c.founder.Authenticator()}).SignIn(ctx); err == nil {
		t.Error("the founder signed in to another clinic")
	}
	stop()
}

func TestACopiedSessionIsUselessElsewhere(t *testing.T) {
	c, ctx := founded(t), t.Context()
	thief := New(Config{Now: c.now, Origin: c.origin})
	thief.signedIn(c.founder.state().session, nil, nil)
	if _, err := thief.Me(ctx); ward.KindOf(err) != ward.Unauthenticated {
		t.Errorf("a copied token without the browser's key: %v", err)
	}
	// A request sent twice: the proof is spent.
	var seen *http.Request
	c.handler = func(real http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r.Clone(ctx)
			real.ServeHTTP(w, r)
		})
	}
	if _, err := c.founder.Me(ctx); err != nil {
		t.Fatal(err)
	}
	replay, err := http.NewRequestWithContext(ctx, http.MethodGet, c.origin+"/api/me", bytes.NewReader(nil))
	c.must(err)
	replay.Header = seen.Header
	answer, err := http.DefaultClient.Do(replay)
	c.must(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a replayed request: %s", answer.Status)
	}
}
