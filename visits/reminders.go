package visits

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ward"
	"ward/store"
)

// Reminders: who asks for them is told of a visit before it, and when it is moved or cancelled, by e-mail and by the
// browsers they chose. The words are neutral: a time, and no name, no clinic, nothing of health (sentences.go). For this the
// server keeps an address and push subscriptions, sealed under its own secret key, until the person takes them away or
// leaves; it could read them, unlike anything in a chart (THREATS.md).
//
// What is to be said is written down in the transaction that makes it so, one letter for each person and way, and sent
// afterwards: a letter is leased to who tries, and removed when it is delivered. With several replicas each letter is
// sent once, unless one of them dies between sending and saying so: then a person hears the same twice. A later word of a
// visit takes the place of one that is not sent yet.

// Letters sends a short letter by e-mail.
type Letters interface {
	Send(ctx context.Context, address, language, subject, body string) error
}

const (
	// maxAddress is how long an e-mail address may be (RFC 5321).
	maxAddress = 254
	// maxAddresses is how many addresses a person may give in addressDay: who mistypes theirs gives two or three, and who
	// gives more makes the clinic write to strangers.
	maxAddresses, addressDay = 5, 24 * time.Hour
	// maxBrowsers is how many browsers of a person may show reminders: phones and computers of a household.
	maxBrowsers = 12
	// lettersAtOnce is how many letters one round sends, and how many of them at the same time.
	lettersAtOnce, lettersTogether = 64, 4
	// letterTries is how often a letter is tried; letterLease, times the try, is how long after one the next may be.
	letterTries, letterLease = 6, 2 * time.Minute
	// letterTime bounds one try.
	letterTime = 30 * time.Second
	// settles is how long the word of a move waits for the next one: who moves a visit often moves it again. What is soon
	// cannot wait.
	settles, soon = 2 * time.Minute, time.Hour
)

// leads are how long before a visit people may be reminded, in minutes, and until when that is worth saying: one who was
// to be told the day before is not told an hour before instead, when another reminder comes.
var leads = []struct{ before, until int64 }{{24 * 60, 2 * 60}, {60, 0}}

// What a letter is about.
const (
	aboutReminder  = "reminder"
	aboutMoved     = "moved"
	aboutCancelled = "cancelled"
	aboutSeries    = "series"
	aboutFirst     = "first"
)

// settings is a row of reminders.
type settings struct {
	language, zone string
	leads          []int64
	email          string
}

// GetReminders answers GET /api/reminders: what the server keeps, to whose it is.
func (v *Visits) GetReminders(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	answer := ward.Reminders{Leads: []int64{}, Mail: v.Letters != nil, PushKey: v.push.public}
	if err := tx.Row(ctx, `SELECT count(*) FROM visit_feeds WHERE org = $1 AND person = $2`, string(who.Org), string(who.Person)).Scan((*flag)(&answer.Feed)); err != nil {
		return nil, err
	}
	s, any, err := v.settingsOf(ctx, tx, who.Org, who.Person)
	if err != nil || !any {
		return answer, err
	}
	answer.Language, answer.TimeZone, answer.Leads, answer.Email = s.language, s.zone, s.leads, s.email
	err = tx.Row(ctx, `SELECT count(*), COALESCE(SUM(CASE WHEN browser = $1 THEN 1 ELSE 0 END), 0) FROM push_subscriptions WHERE org = $2 AND person = $3`,
		who.Browser, string(who.Org), string(who.Person)).Scan(&answer.Browsers, (*flag)(&answer.Here))
	return answer, err
}

// flag reads a number as whether it is more than none.
type flag bool

func (f *flag) Scan(value any) error {
	n, ok := value.(int64)
	*f = flag(n > 0)
	if !ok {
		return fmt.Errorf("a flag of type %T", value)
	}
	return nil
}

// PutReminders answers PUT /api/reminders. To a new address a first letter goes, by which its owner sees that it is right.
func (v *Visits) PutReminders(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.Reminders](r.Body)
	if err != nil {
		return nil, err
	}
	if err := v.checkReminders(body); err != nil {
		return nil, err
	}
	before, _, err := v.settingsOf(ctx, tx, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	if err := v.putSettings(ctx, tx, who.Org, who.Person, settings{body.Language, body.TimeZone, body.Leads, body.Email}); err != nil {
		return nil, err
	}
	if body.Email == "" || body.Email == before.email {
		return nil, nil
	}
	if err := v.countAddress(ctx, tx, who); err != nil {
		return nil, err
	}
	return nil, v.write(ctx, tx, who.Org, letter{person: who.Person, about: aboutFirst})
}

// countAddress refuses a person more addresses than they need, also if they take their reminders away in between.
func (v *Visits) countAddress(ctx context.Context, tx *store.Tx, who ward.Caller) error {
	given := 0
	err := tx.Row(ctx, `SELECT count(*) FROM reminder_addresses WHERE org = $1 AND person = $2 AND given > $3`,
		string(who.Org), string(who.Person), v.Now().Add(-addressDay).UnixMilli()).Scan(&given)
	if err == nil && given >= maxAddresses {
		err = ward.Errorf(ward.TooMany, "you gave %d addresses today", given).WithHint("Try again tomorrow.")
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO reminder_addresses (org, person, given) VALUES ($1, $2, $3)`, string(who.Org), string(who.Person), v.Now().UnixMilli())
	return err
}

func (v *Visits) checkReminders(body ward.Reminders) error {
	if sentences[body.Language].reminder == "" {
		return ward.Errorf(ward.Invalid, "reminders speak en, es or ar")
	}
	if _, err := zoneOf(body.TimeZone); err != nil {
		return err
	}
	if len(body.Leads) > len(leads) {
		return ward.Errorf(ward.Invalid, "there are at most %d reminders of a visit", len(leads))
	}
	for _, minutes := range body.Leads {
		if !slices.ContainsFunc(leads, func(l struct{ before, until int64 }) bool { return l.before == minutes }) {
			return ward.Errorf(ward.Invalid, "a reminder is a day (1440 minutes) or an hour (60) before")
		}
	}
	if body.Email == "" {
		return nil
	}
	if v.Letters == nil {
		return ward.Errorf(ward.Conflict, "this clinic sends no e-mail")
	}
	if read, err := mail.ParseAddress(body.Email); err != nil || read.Address != body.Email || len(body.Email) > maxAddress || strings.ContainsFunc(body.Email, isControl) {
		return ward.Errorf(ward.Invalid, "this is not an e-mail address").WithHint("Write it like name@example.org.")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// EndReminders answers DELETE /api/reminders: everything about them goes.
func (v *Visits) EndReminders(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	return nil, forgetReminders(ctx, tx, who.Org, who.Person)
}

// PutPush answers PUT /api/reminders/push: this browser shows them.
func (v *Visits) PutPush(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.PushSubscription](r.Body)
	if err != nil {
		return nil, err
	}
	if _, err := parseSubscription(body); err != nil {
		return nil, err
	}
	if _, any, err := v.settingsOf(ctx, tx, who.Org, who.Person); err != nil || !any {
		return nil, orElse(err, ward.Errorf(ward.Conflict, "say first how you want to be reminded"))
	}
	browsers, err := browsersOf(ctx, tx, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	if len(browsers) >= maxBrowsers && !slices.Contains(browsers, who.Browser) {
		return nil, ward.Errorf(ward.Conflict, "%d browsers show your reminders already", maxBrowsers).WithHint("Turn them off on one that you no longer use.")
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO push_subscriptions (org, person, browser, sealed) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org, person, browser) DO UPDATE SET sealed = excluded.sealed`,
		string(who.Org), string(who.Person), who.Browser, v.Sealer.Seal(sealedName("push", who.Org, who.Person), text))
	return nil, err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// EndPush answers DELETE /api/reminders/push.
func (v *Visits) EndPush(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	return nil, forgetBrowser(ctx, tx, who.Org, who.Person, who.Browser)
}

// notify writes that a visit was moved or cancelled to whom it concerns, but for who did it.
func (v *Visits) notify(ctx context.Context, tx *store.Tx, who ward.Caller, of visit, about string) error {
	if of.starts < v.Now().UnixMilli() {
		return nil
	}
	return v.writeAll(ctx, tx, who.Org, of, letter{visit: of.id, about: about, starts: of.starts}, func(person ward.PersonID, _ settings) bool { return person != who.Person })
}

// writeAll writes a letter to each of those whom a visit concerns and who are to have it.
func (v *Visits) writeAll(ctx context.Context, tx *store.Tx, org ward.OrgID, of visit, l letter, to func(ward.PersonID, settings) bool) error {
	concerned := []ward.PersonID{of.patient, of.host}
	holders, err := v.Charts.Holders(ctx, tx, org, of.patient)
	if err != nil {
		return err
	}
	for _, person := range holders { // a proxy who was granted the chart
		held, err := v.Charts.Held(ctx, tx, org, person)
		if err != nil {
			return err
		}
		roles, err := v.People.RolesOf(ctx, tx, org, person)
		if err != nil {
			return err
		}
		if slices.Contains(held, of.chart) && slices.Contains(roles, ward.Proxy) && !slices.Contains(concerned, person) {
			concerned = append(concerned, person)
		}
	}
	for _, person := range concerned {
		s, any, err := v.settingsOf(ctx, tx, org, person)
		if err != nil {
			return err
		}
		if !any || !to(person, s) {
			continue
		}
		l.person = person
		if s.email != "" {
			if err := v.write(ctx, tx, org, l); err != nil {
				return err
			}
		}
		browsers, err := browsersOf(ctx, tx, org, person)
		if err != nil {
			return err
		}
		for _, browser := range browsers {
			toBrowser := l
			toBrowser.browser = browser
			if err := v.write(ctx, tx, org, toBrowser); err != nil {
				return err
			}
		}
	}
	return nil
}

// Written tells that letters were written, which Remind sends.
func (v *Visits) Written() <-chan struct{} { return v.written }

func (v *Visits) write(ctx context.Context, tx *store.Tx, org ward.OrgID, l letter) error {
	after := v.Now()
	if l.about == aboutMoved && time.UnixMilli(l.starts).After(after.Add(soon)) {
		after = after.Add(settles)
	}
	tx.AfterCommit(func() {
		select {
		case v.written <- struct{}{}:
		default: // it is known already
		}
	})
	return putLetter(ctx, tx, org, l, after.UnixMilli())
}

// Remind writes the reminders that are due and sends what is written.
func (v *Visits) Remind(ctx context.Context) error {
	if err := v.DB.Do(ctx, v.writeDue); err != nil {
		return err
	}
	for {
		var batch []letter
		err := v.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			batch, err = leaseLetters(ctx, tx, v.Now().UnixMilli())
			return err
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		together := make(chan struct{}, lettersTogether)
		var sending sync.WaitGroup
		for _, l := range batch {
			together <- struct{}{}
			sending.Go(func() {
				defer func() { <-together }()
				if err := v.deliverLetter(ctx, l); err != nil && ctx.Err() == nil {
					v.Log.WarnContext(ctx, "a reminder was not sent", slog.String("letter", l.id), slog.Bool("push", l.browser != ""), slog.Int64("try", l.tries), slog.String("error", err.Error()))
				}
			})
		}
		sending.Wait()
		if len(batch) < lettersAtOnce || ctx.Err() != nil {
			return nil
		}
	}
}

// writeDue writes the reminders whose time has come. What is booked or moved when it has passed needs none.
func (v *Visits) writeDue(ctx context.Context, tx *store.Tx) error {
	now := v.Now().UnixMilli()
	for _, lead := range leads {
		due, err := dueVisits(ctx, tx, now, lead.before, lead.until)
		if err != nil {
			return err
		}
		for _, d := range due {
			first, err := markReminded(ctx, tx, d.org, d.visit, lead.before)
			if err != nil {
				return err
			}
			if !first {
				continue // by another replica
			}
			err = v.writeAll(ctx, tx, d.org, d.visit, letter{visit: d.visit.id, about: aboutReminder, starts: d.visit.starts}, func(_ ward.PersonID, s settings) bool {
				return slices.Contains(s.leads, lead.before)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// deliverLetter sends a letter and removes it, unless it may be tried again.
func (v *Visits) deliverLetter(ctx context.Context, l letter) error {
	ctx, cancel := context.WithTimeout(ctx, letterTime)
	defer cancel()
	var s settings
	var to subscriber
	stale := false
	err := v.DB.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if stale, err = v.isStale(ctx, tx, l); err != nil || stale {
			return err
		}
		var any bool
		if s, any, err = v.settingsOf(ctx, tx, l.org, l.person); err != nil {
			return err
		}
		if l.browser == "" {
			stale = !any || s.email == "" || v.Letters == nil
			return nil
		}
		to, stale, err = v.subscriberOf(ctx, tx, l)
		return err
	})
	var failed error
	switch {
	case err != nil:
		return err
	case stale:
	case l.browser == "":
		subject, body := s.say(l, v.Now(), v.Origin)
		failed = v.Letters.Send(ctx, s.email, s.language, subject, body)
	default:
		failed = v.show(ctx, to, s, l)
	}
	if failed != nil && !errors.Is(failed, errGone) && l.tries < letterTries {
		return failed // its lease ends
	}
	return errors.Join(failed, v.DB.Do(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error {
		if errors.Is(failed, errGone) {
			if err := forgetBrowser(ctx, tx, l.org, l.person, l.browser); err != nil {
				return err
			}
		}
		return deleteLetter(ctx, tx, l)
	}))
}

// isStale tells whether a letter says what is no longer so.
func (v *Visits) isStale(ctx context.Context, tx *store.Tx, l letter) (bool, error) {
	if l.about == aboutFirst {
		return false, nil
	}
	of, err := getVisit(ctx, tx, ward.Caller{Org: l.org, Person: l.person}, l.visit)
	if err != nil && ward.KindOf(err) != ward.Missing {
		return false, err
	}
	over := err != nil || l.starts < v.Now().UnixMilli()
	if l.about == aboutCancelled || l.about == aboutSeries {
		return over, nil
	}
	return over || of.starts != l.starts || of.state == cancelled || of.state == ended, nil
}

// show sends a letter to a browser, whose service worker shows it.
func (v *Visits) show(ctx context.Context, to subscriber, s settings, l letter) error {
	_, body := s.say(l, v.Now(), "")
	message, err := json.Marshal(struct {
		Text string `json:"text"`
		Tag  string `json:"tag"` // a later word of the same visit takes the place of an earlier one
	}{body, string(l.visit)})
	if err != nil {
		return err
	}
	return v.push.send(ctx, to, message, time.UnixMilli(l.starts).Sub(v.Now()))
}

// Forget removes what is kept to reach a person who has left: addresses, browsers, the calendar's address, and when they
// may be booked. They are out of the visits that are going on, too.
func (v *Visits) Forget(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	for _, statement := range []string{
		`DELETE FROM visit_feeds WHERE org = $1 AND person = $2`,
		`DELETE FROM availability WHERE org = $1 AND person = $2`,
		`DELETE FROM visit_diaries WHERE org = $1 AND person = $2`,
		`DELETE FROM reminder_addresses WHERE org = $1 AND person = $2`,
	} {
		if _, err := tx.Exec(ctx, statement, string(org), string(person)); err != nil {
			return err
		}
	}
	if err := v.takeOut(ctx, tx, org, person); err != nil {
		return err
	}
	return forgetReminders(ctx, tx, org, person)
}

// takeOut takes a person out of every visit that they are in.
func (v *Visits) takeOut(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	found, err := tx.Rows(ctx, `UPDATE visit_members SET state = 'removed' WHERE org = $1 AND member = $2 AND state IN ('waiting', 'admitted') RETURNING visit`,
		string(org), string(person))
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var id ward.VisitID
		if err := found.Scan((*string)(&id)); err != nil {
			return err
		}
		v.tell(tx, org, visit{id: id}, 0)
		tx.AfterCommit(func() { v.media.Remove(context.WithoutCancel(ctx), id, string(person)) })
	}
	return found.Err()
}

// EraseOf removes what is kept to reach a person and cancels what they had booked. That there were visits, when and with
// whom, stays.
func (v *Visits) EraseOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	who := ward.Caller{Org: org, Person: person}
	coming, err := listVisits(ctx, tx, who, false, nil, v.Now(), v.Now().Add(farthest))
	if err != nil {
		return err
	}
	if err := v.cancelAll(ctx, tx, who, coming); err != nil {
		return err
	}
	return v.Forget(ctx, tx, org, person)
}

// farthest is beyond what anyone books.
const farthest = 20 * 366 * 24 * time.Hour

func sealedName(what string, org ward.OrgID, person ward.PersonID) string {
	return "visits/" + what + "/" + string(org) + "/" + string(person)
}

func (v *Visits) settingsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (settings, bool, error) {
	s := settings{leads: []int64{}}
	var minutes string
	var sealed []byte
	err := tx.Row(ctx, `SELECT language, time_zone, leads, email FROM reminders WHERE org = $1 AND person = $2`, string(org), string(person)).
		Scan(&s.language, &s.zone, &minutes, &sealed)
	if errors.Is(err, store.ErrNoRow) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	for text := range strings.SplitSeq(minutes, ",") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			s.leads = append(s.leads, n)
		}
	}
	if len(sealed) > 0 {
		email, err := v.Sealer.Open(sealedName("email", org, person), sealed)
		if err != nil {
			return s, false, err
		}
		s.email = string(email)
	}
	return s, true, nil
}

func (v *Visits) putSettings(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, s settings) error {
	minutes := make([]string, len(s.leads))
	for i, n := range s.leads {
		minutes[i] = strconv.FormatInt(n, 10)
	}
	sealed := []byte{}
	if s.email != "" {
		sealed = v.Sealer.Seal(sealedName("email", org, person), []byte(s.email))
	}
	_, err := tx.Exec(ctx, `INSERT INTO reminders (org, person, language, time_zone, leads, email) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (org, person) DO UPDATE SET language = excluded.language, time_zone = excluded.time_zone, leads = excluded.leads, email = excluded.email`,
		string(org), string(person), s.language, s.zone, strings.Join(minutes, ","), sealed)
	return err
}

// subscriberOf is the browser that a letter goes to, unless it has gone.
func (v *Visits) subscriberOf(ctx context.Context, tx *store.Tx, l letter) (subscriber, bool, error) {
	var sealed []byte
	err := tx.Row(ctx, `SELECT sealed FROM push_subscriptions WHERE org = $1 AND person = $2 AND browser = $3`, string(l.org), string(l.person), l.browser).Scan(&sealed)
	if errors.Is(err, store.ErrNoRow) {
		return subscriber{}, true, nil
	}
	if err != nil {
		return subscriber{}, false, err
	}
	text, err := v.Sealer.Open(sealedName("push", l.org, l.person), sealed)
	if err != nil {
		return subscriber{}, false, err
	}
	var s ward.PushSubscription
	if err := json.Unmarshal(text, &s); err != nil {
		return subscriber{}, false, err
	}
	to, err := parseSubscription(s)
	return to, false, err
}

func browsersOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]string, error) {
	found, err := tx.Rows(ctx, `SELECT browser FROM push_subscriptions WHERE org = $1 AND person = $2 ORDER BY browser`, string(org), string(person))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []string
	for found.Next() {
		var browser string
		if err := found.Scan(&browser); err != nil {
			return nil, err
		}
		all = append(all, browser)
	}
	return all, found.Err()
}

func forgetBrowser(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, browser string) error {
	_, err := tx.Exec(ctx, `DELETE FROM push_subscriptions WHERE org = $1 AND person = $2 AND browser = $3`, string(org), string(person), browser)
	return err
}

func forgetReminders(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	for _, statement := range []string{
		`DELETE FROM reminders WHERE org = $1 AND person = $2`,
		`DELETE FROM push_subscriptions WHERE org = $1 AND person = $2`,
		`DELETE FROM visit_letters WHERE org = $1 AND person = $2`,
	} {
		if _, err := tx.Exec(ctx, statement, string(org), string(person)); err != nil {
			return err
		}
	}
	return nil
}

// letter is a row of visit_letters.
type letter struct {
	org     ward.OrgID
	id      string
	visit   ward.VisitID
	person  ward.PersonID
	about   string
	starts  int64
	browser string // that shows it; empty: by e-mail
	tries   int64
}

// putLetter writes a letter in the place of an earlier one about the same visit by the same way.
func putLetter(ctx context.Context, tx *store.Tx, org ward.OrgID, l letter, after int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM visit_letters WHERE org = $1 AND visit = $2 AND person = $3 AND browser = $4`, string(org), string(l.visit), string(l.person), l.browser)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO visit_letters (org, letter, visit, person, about, starts, browser, tries, after) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)`,
		string(org), ward.NewID[string](), string(l.visit), string(l.person), l.about, l.starts, l.browser, after)
	return err
}

// leaseLetters takes letters that nobody else tries now.
func leaseLetters(ctx context.Context, tx *store.Tx, now int64) ([]letter, error) {
	found, err := tx.Rows(ctx, `SELECT org, letter, visit, person, about, starts, browser, tries, after FROM visit_letters WHERE after <= $1 ORDER BY after LIMIT $2`, now, int64(lettersAtOnce))
	if err != nil {
		return nil, err
	}
	var waiting []letter
	var after []int64
	for found.Next() {
		var l letter
		var at int64
		if err := found.Scan((*string)(&l.org), &l.id, (*string)(&l.visit), (*string)(&l.person), &l.about, &l.starts, &l.browser, &l.tries, &at); err != nil {
			found.Close()
			return nil, err
		}
		waiting, after = append(waiting, l), append(after, at)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return nil, err
	}
	var mine []letter
	for i, l := range waiting {
		l.tries++
		n, err := tx.Exec(ctx, `UPDATE visit_letters SET tries = $1, after = $2 WHERE org = $3 AND letter = $4 AND after = $5`,
			l.tries, now+l.tries*letterLease.Milliseconds(), string(l.org), l.id, after[i])
		if err != nil {
			return nil, err
		}
		if n == 1 {
			mine = append(mine, l)
		}
	}
	return mine, nil
}

func deleteLetter(ctx context.Context, tx *store.Tx, l letter) error {
	_, err := tx.Exec(ctx, `DELETE FROM visit_letters WHERE org = $1 AND letter = $2`, string(l.org), l.id)
	return err
}

type dueVisit struct {
	org   ward.OrgID
	visit visit
}

// dueVisits lists booked visits whose people are to be reminded now and were not yet.
func dueVisits(ctx context.Context, tx *store.Tx, now, before, until int64) ([]dueVisit, error) {
	const minute = 60_000
	found, err := tx.Rows(ctx, `SELECT v.org, v.visit, v.chart, v.patient, v.host, v.starts FROM visits v WHERE v.state = 'booked' AND v.starts > $1 AND v.starts <= $2
		AND v.planned <= v.starts - $3 AND NOT EXISTS (SELECT 1 FROM visit_reminders r WHERE r.org = v.org AND r.visit = v.visit AND r.starts = v.starts AND r.lead = $4)`,
		now+until*minute, now+before*minute, before*minute, before)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []dueVisit
	for found.Next() {
		var d dueVisit
		if err := found.Scan((*string)(&d.org), (*string)(&d.visit.id), (*string)(&d.visit.chart), (*string)(&d.visit.patient), (*string)(&d.visit.host), &d.visit.starts); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, found.Err()
}

// markReminded notes that a reminder is being written; only the first to do so writes it.
func markReminded(ctx context.Context, tx *store.Tx, org ward.OrgID, of visit, lead int64) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO visit_reminders (org, visit, starts, lead) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, string(org), string(of.id), of.starts, lead)
	return n == 1, err
}
