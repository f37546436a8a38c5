package client

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"ward"
	"ward/bus"
	"ward/charts"
	"ward/identity"
	"ward/ledger"
	"ward/policy"
	"ward/seal"
	"ward/server"
	"ward/store"
	"ward/visits"
)

// The tests play people against the real server, in this process, on a real database.

type clinic struct {
	t       *testing.T
	origin  string
	dir     string
	db      *store.DB
	founder *Client
	link    string
	handler func(http.Handler) http.Handler // what stands between, when a test plays a bad server
	ahead   atomic.Int64                    // how far the clock was moved
}

func (c *clinic) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// pass moves everyone's clock.
func (c *clinic) pass(d time.Duration) { c.ahead.Add(int64(d)) }

type people struct{ *identity.Identity }

func (p *people) Card(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (charts.Card, error) {
	card, err := p.CardOf(ctx, tx, org, person)
	return charts.Card(card), err
}

func (p *people) RolesOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.Role, error) {
	card, err := p.CardOf(ctx, tx, org, person)
	return card.Roles, err
}

// newClinic starts a server and makes the link with which its founder joins.
func newClinic(t *testing.T) *clinic {
	t.Helper()
	ctx := t.Context()
	c := &clinic{t: t, dir: t.TempDir()}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.origin = "http://localhost:" + port
	if c.db, err = store.Open(ctx, store.Config{Dir: c.dir}); err != nil {
		t.Fatal(err)
	}
	events, err := bus.Open(bus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := store.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	decide, err := policy.New()
	if err != nil {
		t.Fatal(err)
	}
	record, known := ledger.New(c.now), &people{}
	records := charts.New(charts.Config{DB: c.db, Ledger: record, People: known, Notices: events, Now: c.now})
	if known.Identity, err = identity.New(ctx, identity.Config{
		DB: c.db, Ledger: record, Charts: records, Notices: events, Sealer: sealer, Origin: c.origin, Version: "test", Now: c.now,
	}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	meetings, err := visits.New(visits.Config{DB: c.db, Ledger: record, Charts: records, People: known, Sessions: known, Notices: events, Sealer: sealer, Log: log, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	records.Visits = meetings
	keeper, err := ledger.NewKeeper(ctx, ledger.Config{
		DB: c.db, Ledger: record, Sealer: sealer, Sources: []ledger.Source{records, known.Identity}, Locks: records, Clinics: known.Identity,
		Notices: events, Host: "clinic.example", Log: log, Now: c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Config{
		Keeper: keeper, DB: c.db, Identity: known.Identity, Charts: records, Visits: meetings, Policy: decide, Ledger: record, Bus: events,
		App: fs.FS(fstest.MapFS{"index.html": {Data: []byte("app")}}), Log: log, Origin: c.origin,
	})
	if err != nil {
		t.Fatal(err)
	}
	serving := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.handler != nil {
			c.handler(s).ServeHTTP(w, r)
			return
		}
		s.ServeHTTP(w, r)
	})}
	ended := make(chan error, 1)
	go func() { ended <- serving.Serve(listener) }()
	t.Cleanup(func() {
		serving.Close()
		<-ended
		meetings.Close()
		events.Close()
		c.db.Close()
	})
	invitation := seal.NewInvitation("")
	_, invitation.ID, err = known.Found(ctx, "Hillside Clinic", invitation.TokenHash())
	if err != nil {
		t.Fatal(err)
	}
	c.link = invitation.Link(c.origin)
	return c
}

// founded is a clinic whose founder, a clinician and administrator, has joined.
func founded(t *testing.T) *clinic {
	t.Helper()
	c := newClinic(t)
	c.founder = New(Config{Now: c.now, Origin: c.origin})
	c.must(firstError(c.founder.Accept(t.Context(), c.link, About{Given: "Ada", Family: "Founder", PasskeyName: "Laptop"})))
	return c
}

func (c *clinic) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// join invites someone and lets them join; everyone's clients then do their housekeeping.
func (c *clinic) join(by *Client, about About, roles ...ward.Role) (*Client, seal.Code, Invited) {
	c.t.Helper()
	ctx := c.t.Context()
	about.PasskeyName = "Phone"
	invited, err := by.Invite(ctx, about, false, roles...)
	c.must(err)
	joined := New(Config{Now: c.now, Origin: c.origin})
	code, err := joined.Accept(ctx, invited.Link, about)
	c.must(err)
	c.must(by.Housekeep(ctx))
	return joined, code, invited
}

func firstError[T any](_ T, err error) error { return err }

var (
	amina  = About{Given: "Amina", Family: "Yusuf", BirthDate: "1961-04-02", Phone: "+44 20 7946 0000", Language: "ar", Consent: "I agree that the clinic keeps my chart."}
	okafor = About{Given: "Chidi", Family: "Okafor"}
)
