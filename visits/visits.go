// Package visits is consultations by video: when they are, who comes to the door, who is let in, and the media server.
//
// What makes a visit private is not here. Its members form an MLS group (RFC 9420); their browsers encrypt every frame
// with keys that only the group has, and each checks that all others were admitted by the clinician whose visit it is.
// This package puts the group's messages in order, one commit for each epoch, for those who were admitted, and forwards
// media that it cannot decode. A server that let someone in by itself would show: everyone's browser would refuse them.
//
// LiveKit lives here (media.go). What a visit is about is an entry in the chart.
package visits

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"ward"
	"ward/ledger"
	"ward/policy"
	"ward/store"
)

// Charts is what visits need to know of charts.
type Charts interface {
	// Patient is whose chart it is.
	Patient(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID) (ward.PersonID, error)
	// Held lists the charts of others that a person was granted directly.
	Held(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.ChartID, error)
	// HoldersOf lists who was granted a part of a chart directly.
	HoldersOf(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID) ([]ward.PersonID, error)
	// Holders lists who shares a chart with a person.
	Holders(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.PersonID, error)
}

// People is what visits need to know of people.
type People interface {
	// RolesOf is what an active person is to the clinic.
	RolesOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.Role, error)
	// HostOf shows a person's current card, for a guest whose link pins it.
	HostOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (ward.GuestHost, error)
	// CardsOf shows what belongs to a person's cards, for others to check.
	CardsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (ward.PersonCards, error)
	// Of shows what anyone may know of a clinic.
	Of(ctx context.Context, tx *store.Tx, org ward.OrgID) (ward.ClinicInfo, error)
}

// Notices is where changes are told.
type Notices interface {
	Publish(org ward.OrgID, n ward.Notice) error
}

// Config is what visits are made of.
type Config struct {
	DB       *store.DB
	Ledger   *ledger.Ledger
	Charts   Charts
	People   People
	Sessions Sessions
	Notices  Notices
	Sealer   *store.Sealer
	Letters  Letters      // nil: no e-mail
	Push     *http.Client // to push services; nil: one that goes to public addresses only
	Origin   string
	Media    MediaConfig
	Log      *slog.Logger
	Now      func() time.Time
}

// Visits answers the routes about visits.
type Visits struct {
	Config
	media   *Media
	push    *pusher
	written chan struct{}
}

// New makes a Visits and starts its media server.
func New(config Config) (*Visits, error) {
	v := &Visits{Config: config, written: make(chan struct{}, 1)}
	secret, err := config.DB.Secret(context.Background(), config.Sealer, "web-push")
	if err != nil {
		return nil, err
	}
	if v.push, err = newPusher(secret, config.Origin, config.Push, config.Now); err != nil {
		return nil, err
	}
	config.Media.Log = config.Log
	v.media, err = startMedia(config.Media, &roomEvents{
		joined: v.heard("joined-visit", ""), left: v.heard("left-visit", ""), clear: v.heard("sent-in-the-clear", "deny"),
		isIn: v.isIn, back: v.heard("joined-visit", "deny"),
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Close ends all calls.
func (v *Visits) Close() error { return v.media.Close() }

// RelayOver relays what comes over these connections, whose TLS is taken off already.
func (v *Visits) RelayOver(connections net.Listener) error { return v.media.relay.over(connections) }

// heard puts on record what the media server tells of a member. It does not know the organisation, but ids are unique.
func (v *Visits) heard(action, decision string) func(ward.VisitID, string) {
	return func(id ward.VisitID, who string) {
		ctx := context.Background()
		err := v.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			var org, chart string
			if err := tx.Row(ctx, `SELECT org, chart FROM visits WHERE visit = $1`, string(id)).Scan(&org, &chart); err != nil {
				return err
			}
			roles := []ward.Role{ward.Guest}
			if _, err := getGuest(ctx, tx, ward.PersonID(who)); ward.KindOf(err) == ward.Missing && err != nil {
				roles, err = v.People.RolesOf(ctx, tx, ward.OrgID(org), ward.PersonID(who))
				if err != nil && ward.KindOf(err) != ward.Missing { // a stranger in the room belongs on record all the more
					return err
				}
			} else if err != nil {
				return err
			}
			return v.Ledger.Append(ctx, tx, ward.OrgID(org), ward.Event{
				Person: ward.PersonID(who), Roles: roles, Action: action, About: "visit:" + string(id), Chart: ward.ChartID(chart), Decision: decision,
			})
		})
		if err != nil {
			v.Log.ErrorContext(ctx, "could not record what happened in a visit", slog.String("error", err.Error()))
		}
	}
}

// isIn tells whether a visit is open and someone with a token of its room was not taken out since. Who never came to its
// door was given none: a token of theirs is made with the room's secret, by who could as well change this answer.
func (v *Visits) isIn(visit ward.VisitID, member string) bool {
	n := 0
	err := v.DB.View(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT count(*) FROM visits v WHERE v.visit = $1 AND v.state = 'open'
			AND NOT EXISTS (SELECT 1 FROM visit_members m WHERE m.org = v.org AND m.visit = v.visit AND m.member = $2 AND m.state <> 'admitted')`, string(visit), member).Scan(&n)
	})
	if err != nil {
		v.Log.Error("could not look who is in a visit", slog.String("error", err.Error()))
	}
	return n > 0
}

const (
	// maxListed is how many visits or messages are in one answer.
	maxListed = 500
	// staysOpen is how long after its planned end a visit may still go on.
	staysOpen = 4 * time.Hour
	// opensEarly is how long before its start its people may come to the door.
	opensEarly = 2 * time.Hour
)

func itoa(n int) string { return strconv.Itoa(n) }

// wire shows a visit to those concerned.
func (v visit) wire() ward.Visit {
	return ward.Visit{
		NewVisit: ward.NewVisit{Visit: v.id, Chart: v.chart, Host: v.host, Starts: formatMilli(v.starts), Ends: formatMilli(v.ends)},
		Patient:  v.patient, State: v.state, Late: v.late, Series: v.series, Me: v.me, Epoch: v.epoch, Seq: v.seq,
	}
}

func formatMilli(millis int64) string { return ward.FormatTime(time.UnixMilli(millis)) }

// about is the policy's view of a visit. Of those who hold the chart and those admitted it names the caller only.
func (v *Visits) about(ctx context.Context, tx *store.Tx, who ward.Caller, of visit) (policy.Resource, error) {
	about := policy.Resource{Type: "Visit", ID: string(of.id), Org: who.Org, Chart: of.chart, Owner: of.patient, Host: of.host}
	held, err := v.Charts.Held(ctx, tx, who.Org, who.Person)
	if err != nil {
		return about, err
	}
	for _, chart := range held {
		if chart == of.chart {
			about.Readers = []ward.PersonID{who.Person}
		}
	}
	if of.me == admitted {
		about.Members = []ward.PersonID{who.Person} // a guest too
	}
	return about, nil
}

// over tells whether nobody may come any more.
func (v visit) over(now time.Time) bool {
	return v.state == ended || v.state == cancelled || now.After(time.UnixMilli(v.ends).Add(staysOpen))
}

// tell publishes a notice about a visit once the operation is durable.
func (v *Visits) tell(tx *store.Tx, org ward.OrgID, of visit, seq int64) {
	tx.AfterCommit(func() {
		v.Notices.Publish(org, ward.Notice{Kind: "visit", Visit: of.id, Seq: seq}) // a lost notice costs a reload
	})
}

// Audience finds whom a notice about a visit concerns: who is of it, who holds the patient's chart as a proxy, and the front
// desk, of everything but what its members say to each other.
func (v *Visits) Audience(ctx context.Context, tx *store.Tx, org ward.OrgID, n ward.Notice) (about ward.Audience, err error) {
	of, err := getVisit(ctx, tx, ward.Caller{Org: org}, n.Visit)
	if ward.KindOf(err) == ward.Missing && err != nil {
		return about, nil
	}
	if err != nil {
		return about, err
	}
	holders, err := v.Charts.HoldersOf(ctx, tx, org, of.chart)
	if err != nil {
		return about, err
	}
	for _, person := range holders {
		roles, err := v.People.RolesOf(ctx, tx, org, person)
		if err != nil {
			return about, err
		}
		if slices.Contains(roles, ward.Proxy) {
			about.People = append(about.People, person)
		}
	}
	members, err := membersOf(ctx, tx, org, of.id)
	if err != nil {
		return about, err
	}
	for _, m := range members {
		about.People = append(about.People, m.id)
	}
	about.People = append(about.People, of.host, of.patient)
	if n.Seq == 0 {
		about.Roles = []ward.Role{ward.FrontDesk}
	}
	return about, nil
}

// Sweep ends visits that nobody ended.
func (v *Visits) Sweep(ctx context.Context) error {
	type late struct {
		org ward.OrgID
		id  ward.VisitID
	}
	return v.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		found, err := tx.Rows(ctx, `SELECT org, visit FROM visits WHERE state IN ('booked', 'open') AND ends < $1`, v.Now().Add(-staysOpen).UnixMilli())
		if err != nil {
			return err
		}
		var over []late
		for found.Next() {
			var l late
			if err := found.Scan((*string)(&l.org), (*string)(&l.id)); err != nil {
				found.Close()
				return err
			}
			over = append(over, l)
		}
		if err := found.Close(); err != nil {
			return err
		}
		for _, l := range over {
			if err := v.forget(ctx, tx, l.org, l.id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE visits SET state = 'ended' WHERE org = $1 AND visit = $2`, string(l.org), string(l.id)); err != nil {
				return err
			}
			tx.AfterCommit(func() { v.media.End(context.WithoutCancel(ctx), l.id) })
		}
		if _, err := tx.Exec(ctx, `DELETE FROM reminder_addresses WHERE given < $1`, v.Now().Add(-addressDay).UnixMilli()); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM visit_reminders WHERE starts < $1`, v.Now().UnixMilli())
		return err
	})
}
