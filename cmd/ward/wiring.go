package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"ward"
	"ward/bus"
	"ward/charts"
	"ward/identity"
	"ward/ledger"
	"ward/ledger/chain"
	"ward/policy"
	"ward/server"
	"ward/store"
	"ward/visits"
	"ward/web"
)

// running is a clinic, whole, but for a listener.
type running struct {
	origin   string
	db       *store.DB
	bus      *bus.Bus
	identity *identity.Identity
	charts   *charts.Charts
	visits   *visits.Visits
	chain    *chain.Process // nil if another Ward runs it
	keeper   *ledger.Keeper
	server   *server.Server

	stopSweeping  func() // and waits for it
	stopListening func()
}

// clinic joins the packages into a clinic. Close it when its server has stopped.
func clinic(ctx context.Context, config *Config, log *slog.Logger) (_ *running, err error) {
	if err := config.prepare(); err != nil {
		return nil, err
	}
	key, err := secretKey(ctx, config)
	if err != nil {
		return nil, err
	}
	sealer, err := store.NewSealer(key)
	if err != nil {
		return nil, err
	}
	proxies, err := config.trusted()
	if err != nil {
		return nil, err
	}
	decide, err := policy.New()
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	r := &running{origin: config.Origin}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if r.db, err = store.Open(ctx, config.store()); err != nil {
		return nil, err
	}
	if r.bus, err = bus.Open(bus.Config{Servers: config.NATS}); err != nil {
		return nil, err
	}
	if !config.LedgerOff {
		r.chain = chain.StartProcess(ctx, config.chain(log), chainProcess)
	}
	record := ledger.New(time.Now)
	known := &people{}
	r.charts = charts.New(charts.Config{DB: r.db, Ledger: record, People: known, Visits: &bookings{r}, Notices: r.bus, Now: time.Now})
	r.identity, err = identity.New(ctx, identity.Config{
		DB: r.db, Ledger: record, Charts: &leaving{r.charts, r}, Letters: letters(config), Notices: r.bus, Sealer: sealer,
		Origin: config.Origin, Version: version(), Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	known.identity = r.identity
	keeping := ledger.Config{
		DB: r.db, Ledger: record, Sealer: sealer, Sources: []ledger.Source{r.charts, r.identity}, Locks: r.charts, Clinics: r.identity,
		Notices: r.bus, Running: programs, Host: hostOf(config.Origin), Log: log, Now: time.Now,
	}
	if r.chain != nil { // a nil one would not be a nil interface
		keeping.Chain, keeping.Council = r.chain, r.chain
	}
	if r.keeper, err = ledger.NewKeeper(ctx, keeping); err != nil {
		return nil, err
	}
	if r.chain != nil {
		r.stopListening = listenForLogs(config.chain(log).Dir, r.keeper, log)
	}
	r.visits, err = visits.New(visits.Config{
		DB: r.db, Ledger: record, Charts: r.charts, People: known, Sessions: r.identity, Notices: r.bus, Sealer: sealer, Letters: reminders(config), Push: config.push, Origin: config.Origin,
		Media: config.media(), Log: log, Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	r.server, err = server.New(server.Config{
		DB: r.db, Identity: r.identity, Charts: r.charts, Visits: r.visits, Policy: decide, Ledger: record, Keeper: r.keeper, Bus: r.bus,
		App: web.Files(), Log: log, Origin: config.Origin, MediaURL: config.MediaURL, Proxies: proxies,
	})
	if err != nil {
		return nil, err
	}
	r.server.Registry().MustRegister(r.keeper.Collectors()...)
	if r.chain != nil {
		if err := r.chain.Await(ctx); err != nil {
			log.ErrorContext(ctx, "the clinic begins without its chain", slog.String("error", err.Error()))
		}
	}
	r.sweep(ctx, log)
	return r, nil
}

// hostOf names this server to readers of its logs.
func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return "ward"
	}
	return u.Host
}

// sweepEvery is how often what time has ended is removed: spent proofs, old sessions, uploads that were left. Nothing
// depends on it but space.
const sweepEvery = 10 * time.Minute

// remindEvery is how often it is looked whom to remind of a visit, and whom to tell that an emergency is over.
const remindEvery = time.Minute

// sweep begins to remove what time has ended, at once and then now and then, until close.
func (r *running) sweep(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithCancel(ctx)
	var sweeping sync.WaitGroup
	r.stopSweeping = func() { cancel(); sweeping.Wait() }
	sweeping.Go(func() { r.keeper.Run(ctx) })
	sweeping.Go(func() {
		for tick := time.Tick(remindEvery); ; {
			if err := errors.Join(r.visits.Remind(ctx), r.charts.EndHours(ctx)); err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "reminding failed", slog.String("error", err.Error()))
			}
			select {
			case <-tick:
			case <-r.visits.Written():
			case <-ctx.Done():
				return
			}
		}
	})
	sweeping.Go(func() {
		for tick := time.Tick(sweepEvery); ; {
			if err := errors.Join(r.identity.Sweep(ctx), r.charts.Sweep(ctx), r.visits.Sweep(ctx)); err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "sweep failed", slog.String("error", err.Error()))
			}
			select {
			case <-tick:
			case <-r.charts.Forgotten(): // objects to delete need not wait
			case <-ctx.Done():
				return
			}
		}
	})
}

// close ends what clinic began, last first.
func (r *running) close() error {
	if r.stopSweeping != nil {
		r.stopSweeping()
	}
	if r.identity != nil {
		r.identity.Wait()
	}
	var err error
	if r.visits != nil {
		err = r.visits.Close()
	}
	if r.stopListening != nil {
		r.stopListening()
	}
	if r.chain != nil {
		err = errors.Join(err, r.chain.Stop())
	}
	if r.bus != nil {
		r.bus.Close()
	}
	if r.db != nil {
		err = errors.Join(err, r.db.Close())
	}
	return err
}

// people is what charts and visits ask of identity. The features need each other and know of each other only here.
type people struct{ identity *identity.Identity }

func (p *people) Card(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (charts.Card, error) {
	card, err := p.identity.CardOf(ctx, tx, org, person)
	return charts.Card(card), err
}

func (p *people) Certified(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, key string) error {
	return p.identity.Certified(ctx, tx, org, person, key)
}

func (p *people) RolesOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.Role, error) {
	card, err := p.identity.CardOf(ctx, tx, org, person)
	if err != nil || !card.Active {
		return nil, err
	}
	return card.Roles, nil
}

func (p *people) CardsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (ward.PersonCards, error) {
	return p.identity.CardsOf(ctx, tx, org, person)
}

func (p *people) HostOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (ward.GuestHost, error) {
	return p.identity.HostOf(ctx, tx, org, person)
}

func (p *people) Of(ctx context.Context, tx *store.Tx, org ward.OrgID) (ward.ClinicInfo, error) {
	return p.identity.Of(ctx, tx, org)
}

// bookings is visits to charts.
type bookings struct{ clinic *running }

func (b *bookings) CancelOf(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID, by ward.PersonID) error {
	return b.clinic.visits.CancelOf(ctx, tx, org, chart, by)
}

// leaving is charts to identity, with what visits keep of a person who leaves.
type leaving struct {
	*charts.Charts
	clinic *running
}

func (l *leaving) EndPerson(ctx context.Context, tx *store.Tx, org ward.OrgID, person, by ward.PersonID) error {
	return errors.Join(l.Charts.EndPerson(ctx, tx, org, person, by), l.clinic.visits.Forget(ctx, tx, org, person))
}

func (l *leaving) EraseOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	return errors.Join(l.clinic.visits.EraseOf(ctx, tx, org, person), l.Charts.EraseOf(ctx, tx, org, person))
}

// relayPort is where TURN is usually found (RFC 8656).
const relayPort = 3478

// media is where visits' sound and pictures go in and out.
func (c *Config) media() visits.MediaConfig {
	m := visits.MediaConfig{
		Address: c.MediaAddress, UDPPort: c.MediaUDP, TCPPort: c.MediaTCP, RelayPort: max(c.MediaTURN, 0),
		URL: c.MediaURL, Key: c.MediaKey, Secret: c.MediaSecret,
	}
	if c.MediaAddress == "" || isLoopback(c.MediaAddress) || c.MediaTURN < 0 {
		return m
	}
	if m.RelayPort == 0 {
		m.RelayPort = relayPort
	}
	if origin, err := url.Parse(c.Origin); err == nil && c.tls() {
		m.RelayTLS = net.JoinHostPort(origin.Hostname(), cmp.Or(origin.Port(), "443"))
	}
	return m
}

// letters is how invitations are sent: by the mail server, or not at all.
func letters(c *Config) identity.Letters {
	if c.SMTPServer == "" {
		return nil
	}
	return identity.SMTP{Server: c.SMTPServer, User: c.SMTPUser, Password: c.SMTPPassword, From: c.SMTPFrom}
}

// reminders is how visits send theirs: the same way.
func reminders(c *Config) visits.Letters {
	if c.SMTPServer == "" {
		return nil
	}
	return identity.SMTP{Server: c.SMTPServer, User: c.SMTPUser, Password: c.SMTPPassword, From: c.SMTPFrom}
}
