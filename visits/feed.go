package visits

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

// A feed shows a person's visits in the calendar of their phone, by a secret address. A calendar is shown on kitchen
// tables and synchronised by others, so it holds times and one neutral word: not with whom, not where, not the clinic.

// appointmentWords are that word, by language.
var appointmentWords = map[string]string{"en": "Appointment", "es": "Cita", "ar": "موعد"}

const (
	// feedPast and feedAhead are how much a feed shows: what calendars of phones show too.
	feedPast  = 31 * 24 * time.Hour
	feedAhead = 366 * 24 * time.Hour
	// feedRefresh asks calendars how often to look (RFC 7986): a moved visit should be seen the same hour.
	feedRefresh = "PT1H"
)

// MakeFeed answers POST /api/calendar-feed: a new secret address; the old one stops working.
func (v *Visits) MakeFeed(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[struct {
		Language string `json:"language"`
	}](r.Body)
	if err != nil {
		return nil, err
	}
	if appointmentWords[body.Language] == "" {
		return nil, ward.Errorf(ward.Invalid, "a feed speaks en, es or ar")
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	token := ward.B64.EncodeToString(secret)
	_, err = tx.Exec(ctx, `INSERT INTO visit_feeds (org, person, token_hash, language) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org, person) DO UPDATE SET token_hash = excluded.token_hash, language = excluded.language`,
		string(who.Org), string(who.Person), envelope.Hash([]byte(token)), body.Language)
	return struct {
		Path string `json:"path"`
	}{"/api/calendar-feed/" + token + ".ics"}, err
}

// EndFeed answers DELETE /api/calendar-feed.
func (v *Visits) EndFeed(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	_, err := tx.Exec(ctx, `DELETE FROM visit_feeds WHERE org = $1 AND person = $2`, string(who.Org), string(who.Person))
	return nil, err
}

// Feed answers GET /api/calendar-feed/{file}: an iCalendar (RFC 5545) for whoever has the address.
func (v *Visits) Feed(ctx context.Context, _ ward.Caller, w http.ResponseWriter, r *http.Request) error {
	token, ok := strings.CutSuffix(r.PathValue("file"), ".ics")
	missing := ward.Errorf(ward.Missing, "there is no such calendar").WithHint("Ask for its address again in Ward.")
	if !ok {
		return missing
	}
	var whose ward.Caller
	var language string
	var list []visit
	err := v.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.Row(ctx, `SELECT f.org, f.person, f.language FROM visit_feeds f WHERE f.token_hash = $1`, envelope.Hash([]byte(token))).
			Scan((*string)(&whose.Org), (*string)(&whose.Person), &language)
		if errors.Is(err, store.ErrNoRow) {
			return missing
		}
		if err != nil {
			return err
		}
		if whose.Roles, err = v.People.RolesOf(ctx, tx, whose.Org, whose.Person); err != nil {
			return err
		}
		var charts []ward.ChartID
		if whose.Has(ward.Proxy) {
			if charts, err = v.Charts.Held(ctx, tx, whose.Org, whose.Person); err != nil {
				return err
			}
		}
		list, err = listVisits(ctx, tx, whose, false, charts, v.Now().Add(-feedPast), v.Now().Add(feedAhead))
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	_, err = w.Write([]byte(calendar(list, appointmentWords[language], v.Now())))
	return err
}

func calendar(list []visit, word string, now time.Time) string {
	c := ics.NewCalendarFor("Ward")
	c.SetMethod(ics.MethodPublish)
	c.SetRefreshInterval(feedRefresh)
	for _, v := range list {
		e := c.AddEvent(string(v.id))
		e.SetDtStampTime(now)
		e.SetStartAt(time.UnixMilli(v.starts).UTC())
		e.SetEndAt(time.UnixMilli(v.ends).UTC())
		e.SetSummary(word)
		e.SetClass(ics.ClassificationPrivate)
		if v.state == cancelled {
			e.SetStatus(ics.ObjectStatusCancelled)
		} else {
			e.SetStatus(ics.ObjectStatusConfirmed)
		}
	}
	return c.Serialize(ics.WithNewLineWindows) // as RFC 5545 wants lines to end
}
