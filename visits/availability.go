package visits

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
	_ "time/tzdata" // so that time zones are known on every machine

	"ward"
	"ward/policy"
	"ward/store"
)

const (
	// minLength and maxLength bound a visit that patients book by themselves, in minutes.
	minLength = 5
	maxLength = 240
	// maxNotice is two weeks, in minutes; maxHorizon a year, in days.
	maxNotice  = 14 * 24 * 60
	maxHorizon = 366
	// maxSlots is how many free times are in one answer: some weeks of a busy practice.
	maxSlots = 500
)

// rules is an availability whose words were checked.
type rules struct {
	ward.Availability
	zone    *time.Location
	windows []window
}

// window is a ward.Window in minutes from midnight by the clock on the wall.
type window struct {
	day      time.Weekday
	from, to int
}

func checkAvailability(a ward.Availability) (rules, error) {
	zone, err := zoneOf(a.TimeZone)
	switch {
	case err != nil:
		return rules{}, err
	case a.Length < minLength || a.Length > maxLength:
		return rules{}, ward.Errorf(ward.Invalid, "a visit lasts from %d to %d minutes", minLength, maxLength)
	case a.Notice < 0 || a.Notice > maxNotice:
		return rules{}, ward.Errorf(ward.Invalid, "notice is from 0 to %d minutes", maxNotice)
	case a.Horizon < 0 || a.Horizon > maxHorizon:
		return rules{}, ward.Errorf(ward.Invalid, "patients may book from 0 to %d days ahead", maxHorizon)
	case len(a.Weekly) > ward.MaxWindows:
		return rules{}, ward.Errorf(ward.Invalid, "a week has at most %d windows", ward.MaxWindows)
	}
	r := rules{Availability: a, zone: zone}
	for _, w := range a.Weekly {
		from, err1 := wallClock(w.From)
		to, err2 := wallClock(w.To)
		if err1 != nil || err2 != nil || w.Day < 0 || w.Day > 6 || from >= to {
			return rules{}, ward.Errorf(ward.Invalid, "a window is on a day from 0 to 6, from a time like 09:00 to a later one")
		}
		r.windows = append(r.windows, window{time.Weekday(w.Day), from, to})
	}
	return r, nil
}

func zoneOf(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, ward.Errorf(ward.Invalid, "%.60q is not a time zone", name).WithHint("Write it like Europe/Madrid.")
	}
	return zone, nil
}

// wallClock reads minutes from midnight; 24:00 is the end of a day.
func wallClock(text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || t.Format("15:04") != text {
		return 0, errors.New("not a time of day")
	}
	return t.Hour()*60 + t.Minute(), nil
}

// starts lists when a visit could start between two moments, whoever is booked. A time that the clock on the wall skips
// in spring does not exist; one that it shows twice in autumn is the first.
func (r rules) starts(from, to time.Time) []time.Time {
	var all []time.Time
	first := from.In(r.zone)
	for day := time.Date(first.Year(), first.Month(), first.Day(), 12, 0, 0, 0, r.zone); day.Before(to.Add(36 * time.Hour)); day = day.AddDate(0, 0, 1) {
		for _, w := range r.windows {
			if w.day != day.Weekday() {
				continue
			}
			for at := w.from; at+int(r.Length) <= w.to; at += int(r.Length) {
				if start, ok := r.at(day, at); ok && !start.Before(from) && start.Before(to) {
					all = append(all, start)
				}
			}
		}
	}
	return all
}

// at is when the clock on the wall shows a time of a day, in minutes from midnight: the first time, if ever.
func (r rules) at(day time.Time, minutes int) (time.Time, bool) {
	start := time.Date(day.Year(), day.Month(), day.Day(), minutes/60, minutes%60, 0, 0, r.zone)
	if start.Hour()*60+start.Minute() != minutes {
		return start, false
	}
	const longestShift = 3 * time.Hour // of clocks, with room
	_, now := start.Zone()
	_, before := start.Add(-longestShift).Zone()
	if earlier := start.Add(time.Duration(now-before) * time.Second); earlier.Before(start) && earlier.Hour() == start.Hour() && earlier.Minute() == start.Minute() {
		return earlier, true
	}
	return start, true
}

// free tells whether a patient may book a visit from one moment to another: within the rules, and nothing else is there.
func (r rules) free(now, start, end time.Time, taken []visit, but ward.VisitID) bool {
	if start.Before(now.Add(time.Duration(r.Notice)*time.Minute)) || start.After(now.AddDate(0, 0, int(r.Horizon))) {
		return false
	}
	for _, v := range taken {
		if v.id != but && (v.state == booked || v.state == open) && v.starts < end.UnixMilli() && start.UnixMilli() < v.ends {
			return false
		}
	}
	return true
}

func getRules(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (rules, bool, error) {
	var text []byte
	err := tx.Row(ctx, `SELECT rules FROM availability WHERE org = $1 AND person = $2`, string(org), string(person)).Scan(&text)
	if errors.Is(err, store.ErrNoRow) {
		return rules{}, false, nil
	}
	var a ward.Availability
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		return rules{}, false, err
	}
	r, err := checkAvailability(a)
	return r, err == nil, err
}

// takenOf lists a clinician's visits between two moments.
func takenOf(ctx context.Context, tx *store.Tx, org ward.OrgID, host ward.PersonID, from, to time.Time) ([]visit, error) {
	return listVisits(ctx, tx, ward.Caller{Org: org, Person: host}, false, nil, from, to)
}

// checkSlot holds patients and proxies to the clinic's rules; staff book as they judge.
func (v *Visits) checkSlot(ctx context.Context, tx *store.Tx, who ward.Caller, of visit) error {
	if who.Has(ward.Clinician) || who.Has(ward.FrontDesk) {
		return nil
	}
	r, any, err := getRules(ctx, tx, who.Org, of.host)
	if err != nil {
		return err
	}
	start, end := time.UnixMilli(of.starts), time.UnixMilli(of.ends)
	taken, err := takenOf(ctx, tx, who.Org, of.host, start, end)
	if err != nil {
		return err
	}
	if any && end.Sub(start) == time.Duration(r.Length)*time.Minute && r.free(v.Now(), start, end, taken, of.id) {
		for _, at := range r.starts(start, start.Add(time.Minute)) {
			if at.Equal(start) {
				return nil
			}
		}
	}
	return notFree()
}

// checkNotice keeps patients from moving or cancelling at the last minute by themselves.
func (v *Visits) checkNotice(ctx context.Context, tx *store.Tx, who ward.Caller, of visit) error {
	if who.Has(ward.Clinician) || who.Has(ward.FrontDesk) {
		return nil
	}
	r, _, err := getRules(ctx, tx, who.Org, of.host)
	if err == nil && v.Now().Add(time.Duration(r.Notice)*time.Minute).After(time.UnixMilli(of.starts)) {
		err = ward.Errorf(ward.Conflict, "it is too late to change this visit here").WithHint("Tell the clinic.")
	}
	return err
}

// AboutAvailability is the person in the path.
func (v *Visits) AboutAvailability(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	person := ward.PersonID(r.PathValue("person"))
	roles, err := v.People.RolesOf(ctx, tx, who.Org, person)
	return policy.Resource{Type: "Person", ID: string(person), Org: who.Org, Roles: roles}, err
}

// GetAvailability answers GET /api/people/{person}/availability.
func (v *Visits) GetAvailability(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	found, any, err := getRules(ctx, tx, who.Org, ward.PersonID(r.PathValue("person")))
	if err == nil && !any {
		return ward.Availability{Weekly: []ward.Window{}}, nil
	}
	return found.Availability, err
}

// PutAvailability answers PUT /api/people/{person}/availability.
func (v *Visits) PutAvailability(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.Availability](r.Body)
	if err != nil {
		return nil, err
	}
	checked, err := checkAvailability(body)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(checked.Availability)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO availability (org, person, rules) VALUES ($1, $2, $3) ON CONFLICT (org, person) DO UPDATE SET rules = excluded.rules`,
		string(who.Org), r.PathValue("person"), text)
	return nil, err
}

// GetSlots answers GET /api/people/{person}/slots?from=TIME&to=TIME: when a patient may book this clinician.
func (v *Visits) GetSlots(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	from, to, err := span(r)
	if err != nil {
		return nil, err
	}
	person := ward.PersonID(r.PathValue("person"))
	found, any, err := getRules(ctx, tx, who.Org, person)
	answer := ward.Slots{Length: found.Length, Starts: []string{}}
	if err != nil || !any {
		return answer, err
	}
	if until := v.Now().AddDate(0, 0, int(found.Horizon)+1); to.After(until) {
		to = until // what is further cannot be booked
	}
	taken, err := takenOf(ctx, tx, who.Org, person, from, to)
	if err != nil {
		return nil, err
	}
	length := time.Duration(found.Length) * time.Minute
	for _, start := range found.starts(from, to) {
		if len(answer.Starts) < maxSlots && found.free(v.Now(), start, start.Add(length), taken, "") {
			answer.Starts = append(answer.Starts, ward.FormatTime(start))
		}
	}
	return answer, nil
}

// span reads from and to.
func span(r *http.Request) (from, to time.Time, err error) {
	from, err1 := ward.ParseTime(r.FormValue("from"))
	to, err2 := ward.ParseTime(r.FormValue("to"))
	if err1 != nil || err2 != nil || to.Before(from) {
		return from, to, ward.Errorf(ward.Invalid, "from and to must be times, written as %s, and in order", ward.TimeFormat)
	}
	return from, to, nil
}
