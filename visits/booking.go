package visits

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ward"
	"ward/policy"
	"ward/store"
)

// Booking: one visit or a series, by the patient within the clinic's rules (availability.go) or by staff as they judge.
// Nobody is in two places at once: whoever books holds the diaries of both people until it is done, so of two who book
// the same time at once exactly one does. Staff may book over another visit if they say so.

// What is in the way of a time.
const (
	clashHost    = "host"
	clashPatient = "patient"
	clashSkipped = "skipped"
)

// AboutNewVisit is the visit in the body.
func (v *Visits) AboutNewVisit(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	of, _, err := v.planned(ctx, tx, who, r)
	if err != nil {
		return policy.Resource{}, err
	}
	return v.about(ctx, tx, who, of)
}

// planned reads a new visit from the body and fills in whose it is.
func (v *Visits) planned(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (visit, ward.Booking, error) {
	n, err := ward.Decode[ward.Booking](r.Body)
	if err != nil {
		return visit{}, n, err
	}
	if !ward.IsID(n.Visit) || !ward.IsID(n.Chart) || !ward.IsID(n.Host) {
		return visit{}, n, ward.Errorf(ward.Invalid, "visit, chart and host must be ids")
	}
	of := visit{id: n.Visit, chart: n.Chart, host: n.Host, state: booked}
	if of.starts, of.ends, err = v.times(n.Starts, n.Ends); err != nil {
		return visit{}, n, err
	}
	of.patient, err = v.Charts.Patient(ctx, tx, who.Org, n.Chart)
	return of, n, err
}

// times reads when a visit is to be, in milliseconds.
func (v *Visits) times(from, to string) (starts, ends int64, err error) {
	start, err1 := ward.ParseTime(from)
	end, err2 := ward.ParseTime(to)
	switch {
	case err1 != nil || err2 != nil:
		return 0, 0, ward.Errorf(ward.Invalid, "a visit needs a start and an end, written as %s", ward.TimeFormat)
	case !end.After(start) || end.Sub(start) > ward.MaxVisit*time.Second:
		return 0, 0, ward.Errorf(ward.Invalid, "a visit ends after it starts and lasts at most %d hours", ward.MaxVisit/3600)
	case end.Before(v.Now()):
		return 0, 0, ward.Errorf(ward.Invalid, "this visit would be over already").WithHint("Choose a time in the future.")
	}
	return start.UnixMilli(), end.UnixMilli(), nil
}

// occurrence is a visit of a series, or that its time does not exist.
type occurrence struct {
	visit
	skipped bool
}

// series lists the visits of a booking: one, or as many as it repeats.
func (v *Visits) series(ctx context.Context, tx *store.Tx, org ward.OrgID, first visit, repeat *ward.Repeat) ([]occurrence, error) {
	if repeat == nil {
		return []occurrence{{visit: first}}, nil
	}
	found, any, err := getRules(ctx, tx, org, first.host)
	if err != nil {
		return nil, err
	}
	if !any {
		if found.zone, err = zoneOf(repeat.TimeZone); err != nil {
			return nil, err
		}
	}
	if repeat.Times < 2 || repeat.Times > ward.MaxSeries {
		return nil, ward.Errorf(ward.Invalid, "a series has from 2 to %d visits", ward.MaxSeries)
	}
	first.series = first.id
	start := time.UnixMilli(first.starts).In(found.zone)
	all := make([]occurrence, 0, repeat.Times)
	for n := range int(repeat.Times) {
		day, err := nth(start, repeat.Every, n)
		if err != nil {
			return nil, err
		}
		next := first
		if n > 0 {
			next.id = seriesID(first.id, n)
		}
		at, ok := found.at(day, start.Hour()*60+start.Minute())
		at = at.Add(time.Duration(start.Second())*time.Second + time.Duration(start.Nanosecond()))
		if n == 0 {
			at, ok = start, true
		}
		next.starts, next.ends = at.UnixMilli(), at.UnixMilli()+first.ends-first.starts
		all = append(all, occurrence{next, !ok})
	}
	return all, nil
}

// seriesID makes the ids of a series from its first, so that booking it twice books it once.
func seriesID(first ward.VisitID, n int) ward.VisitID {
	sum := sha256.Sum256(fmt.Appendf(nil, "ward/series/1\n%s\n%d", first, n))
	return ward.IDOf[ward.VisitID]([16]byte(sum[:16]))
}

// nth is the day of a series' visit, counted from 0.
func nth(start time.Time, every string, n int) (time.Time, error) {
	noon := time.Date(start.Year(), start.Month(), start.Day(), 12, 0, 0, 0, start.Location())
	const week = 7
	switch every {
	case "week":
		return noon.AddDate(0, 0, week*n), nil
	case "fortnight":
		return noon.AddDate(0, 0, 2*week*n), nil
	case "month":
		month := time.Date(noon.Year(), noon.Month()+time.Month(n), 1, 12, 0, 0, 0, noon.Location())
		day := month.AddDate(0, 0, (int(noon.Weekday()-month.Weekday())+week)%week+(noon.Day()-1)/week*week)
		if day.Month() != month.Month() {
			day = day.AddDate(0, 0, -week) // there is no fifth
		}
		return day, nil
	}
	return noon, ward.Errorf(ward.Invalid, "a series is every week, fortnight or month")
}

// clash tells what is in the way of a visit, if anything.
func clash(ctx context.Context, tx *store.Tx, org ward.OrgID, of occurrence) (string, error) {
	if of.skipped {
		return clashSkipped, nil
	}
	var hosts, patients int64
	err := tx.Row(ctx, `SELECT COALESCE(SUM(CASE WHEN host = $1 OR patient = $1 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN host = $2 OR patient = $2 THEN 1 ELSE 0 END), 0)
		FROM visits WHERE org = $3 AND visit <> $4 AND state IN ('booked', 'open') AND starts < $5 AND ends > $6 AND starts > $7
		AND (host = $1 OR host = $2 OR patient = $1 OR patient = $2)`,
		string(of.host), string(of.patient), string(org), string(of.id), of.ends, of.starts, of.starts-int64(ward.MaxVisit)*1000).Scan(&hosts, &patients)
	switch {
	case err != nil:
		return "", err
	case hosts > 0:
		return clashHost, nil
	case patients > 0:
		return clashPatient, nil
	}
	return "", nil
}

// holdDiaries lets one at a time book for a person, in one order for all, so that nobody waits in a circle.
func holdDiaries(ctx context.Context, tx *store.Tx, org ward.OrgID, people ...ward.PersonID) error {
	slices.Sort(people)
	for _, person := range slices.Compact(people) {
		if _, err := tx.Exec(ctx, `INSERT INTO visit_diaries (org, person, turn) VALUES ($1, $2, 1)
			ON CONFLICT (org, person) DO UPDATE SET turn = visit_diaries.turn + 1`, string(org), string(person)); err != nil {
			return err
		}
	}
	return nil
}

// fits refuses a time that the caller may not book.
func (v *Visits) fits(ctx context.Context, tx *store.Tx, who ward.Caller, of occurrence, overlap bool) error {
	if err := v.checkSlot(ctx, tx, who, of.visit); err != nil {
		return err
	}
	inWay, err := clash(ctx, tx, who.Org, of)
	staff := who.Has(ward.Clinician) || who.Has(ward.FrontDesk)
	switch {
	case err != nil:
		return err
	case inWay == "" || overlap && staff && inWay != clashSkipped:
		return nil
	case inWay == clashSkipped:
		return ward.Errorf(ward.Conflict, "the clocks change that night, and one of these times does not exist").WithHint("Leave it out, or choose another time.")
	case inWay == clashHost && staff:
		return ward.Errorf(ward.Conflict, "the clinician has another visit then").WithHint("Choose another time, or book it all the same.")
	case inWay == clashPatient:
		return ward.Errorf(ward.Conflict, "the patient has another visit then").WithHint("Choose another time.")
	}
	return notFree()
}

func notFree() error {
	return ward.Errorf(ward.Conflict, "this time is not free").WithHint("Choose another, or ask the clinic.")
}

// Book answers POST /api/visits.
func (v *Visits) Book(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, n, err := v.planned(ctx, tx, who, r)
	if err != nil {
		return nil, err
	}
	if err := v.isRun(ctx, tx, who, of); err != nil {
		return nil, err
	}
	all, err := v.series(ctx, tx, who.Org, of, n.Repeat)
	if err != nil {
		return nil, err
	}
	if err := holdDiaries(ctx, tx, who.Org, of.host, of.patient); err != nil {
		return nil, err
	}
	var first *visit
	for i, next := range all {
		if n.Repeat != nil && slices.Contains(n.Skip, int64(i)) {
			continue
		}
		if err := v.fits(ctx, tx, who, next, n.Overlap); err != nil {
			return nil, err
		}
		if err := insertVisit(ctx, tx, who.Org, next.visit, v.Now()); err != nil {
			return nil, err
		}
		if first == nil {
			first = &next.visit
		}
		v.tell(tx, who.Org, next.visit, 0)
	}
	if first == nil {
		return nil, ward.Errorf(ward.Invalid, "every visit of this series was left out")
	}
	return first.wire(), nil
}

func (v *Visits) isRun(ctx context.Context, tx *store.Tx, who ward.Caller, of visit) error {
	roles, err := v.People.RolesOf(ctx, tx, who.Org, of.host)
	if err != nil {
		return err
	}
	if !slices.Contains(roles, ward.Clinician) {
		return ward.Errorf(ward.Invalid, "a visit is run by a clinician of the clinic")
	}
	return nil
}

// Plan answers POST /api/visits/plan: when the visits of a booking would be, and what is in their way.
func (v *Visits) Plan(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, n, err := v.planned(ctx, tx, who, r)
	if err != nil {
		return nil, err
	}
	if err := v.isRun(ctx, tx, who, of); err != nil { // who names a patient instead would learn when they are busy
		return nil, err
	}
	all, err := v.series(ctx, tx, who.Org, of, n.Repeat)
	if err != nil {
		return nil, err
	}
	plan := ward.VisitPlan{Times: make([]ward.PlannedVisit, len(all))}
	for i, next := range all {
		plan.Times[i] = ward.PlannedVisit{Starts: formatMilli(next.starts), Ends: formatMilli(next.ends)}
		if plan.Times[i].Clash, err = clash(ctx, tx, who.Org, next); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

// List answers GET /api/visits?from=TIME&to=TIME: those that concern the caller; all for staff who book.
func (v *Visits) List(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	from, to, err := span(r)
	if err != nil {
		return nil, err
	}
	var held []ward.ChartID
	if who.Has(ward.Proxy) {
		if held, err = v.Charts.Held(ctx, tx, who.Org, who.Person); err != nil {
			return nil, err
		}
	}
	found, err := listVisits(ctx, tx, who, who.Has(ward.FrontDesk), held, from, to)
	if err != nil {
		return nil, err
	}
	list := make([]ward.Visit, len(found))
	for i, of := range found {
		list[i] = of.wire()
		if of.host == who.Person && of.waits > 0 {
			list[i].Waits = formatMilli(of.waits)
		}
	}
	return struct {
		Visits []ward.Visit `json:"visits"`
	}{list}, nil
}

// Change answers PUT /api/visits/{visit}: another time, cancelled, or how late the host is.
func (v *Visits) Change(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.VisitChange](r.Body)
	if err != nil {
		return nil, err
	}
	of, err := holdVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	if of.state == ended || of.state == cancelled {
		return nil, ward.Errorf(ward.Gone, "this visit is over").WithHint("Book another.")
	}
	switch {
	case body.Late != nil:
		if of.host != who.Person {
			return nil, ward.Errorf(ward.Refused, "only the clinician whose visit it is says that they are late")
		}
		const maxLate = 24 * 60 // minutes: a day later is another appointment
		if *body.Late < 0 || *body.Late > maxLate {
			return nil, ward.Errorf(ward.Invalid, "late is from 0 to %d minutes", maxLate)
		}
		of.late = *body.Late
	case body.State == cancelled:
		if of.state == open {
			return nil, ward.Errorf(ward.Conflict, "this visit has begun").WithHint("Its clinician can end it.")
		}
		if err := v.checkNotice(ctx, tx, who, of); err != nil {
			return nil, err
		}
		of.state = cancelled
		if err := v.forget(ctx, tx, who.Org, of.id); err != nil {
			return nil, err
		}
		about := aboutCancelled
		if body.Series {
			about = aboutSeries
			if err := v.cancelRest(ctx, tx, who, of); err != nil {
				return nil, err
			}
		}
		if err := v.notify(ctx, tx, who, of, about); err != nil {
			return nil, err
		}
	case body.State != "":
		return nil, ward.Errorf(ward.Invalid, "a visit may be cancelled; other states come by themselves")
	default:
		if of.state == open {
			return nil, ward.Errorf(ward.Conflict, "this visit has begun")
		}
		if err := v.checkNotice(ctx, tx, who, of); err != nil {
			return nil, err
		}
		if of.starts, of.ends, err = v.times(body.Starts, body.Ends); err != nil {
			return nil, err
		}
		if err := holdDiaries(ctx, tx, who.Org, of.host, of.patient); err != nil {
			return nil, err
		}
		if err := v.fits(ctx, tx, who, occurrence{visit: of}, body.Overlap); err != nil {
			return nil, err
		}
		of.late, of.planned = 0, v.Now().UnixMilli()
		if err := v.notify(ctx, tx, who, of, aboutMoved); err != nil {
			return nil, err
		}
	}
	if err := setVisit(ctx, tx, who.Org, of); err != nil {
		return nil, err
	}
	v.tell(tx, who.Org, of, 0)
	return of.wire(), nil
}

// cancelRest cancels the visits of a series that come after one and are still to be.
func (v *Visits) cancelRest(ctx context.Context, tx *store.Tx, who ward.Caller, of visit) error {
	rest, err := laterInSeries(ctx, tx, who, of)
	if err != nil {
		return err
	}
	for _, next := range rest {
		if err := v.checkNotice(ctx, tx, who, next); err != nil {
			return err
		}
		next.state = cancelled
		if err := v.forget(ctx, tx, who.Org, next.id); err != nil {
			return err
		}
		if err := setVisit(ctx, tx, who.Org, next); err != nil {
			return err
		}
		v.tell(tx, who.Org, next, 0)
	}
	return nil
}

// CancelOf cancels what is booked for a chart that someone erases, and tells the others.
func (v *Visits) CancelOf(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID, by ward.PersonID) error {
	who := ward.Caller{Org: org, Person: by}
	coming, err := bookedFor(ctx, tx, who, chart, v.Now())
	if err != nil {
		return err
	}
	return v.cancelAll(ctx, tx, who, coming)
}

// cancelAll cancels those of some visits that are booked, and tells all whom they concern but who did it.
func (v *Visits) cancelAll(ctx context.Context, tx *store.Tx, who ward.Caller, all []visit) error {
	for _, of := range all {
		if of.state != booked {
			continue
		}
		of.state = cancelled
		if err := v.forget(ctx, tx, who.Org, of.id); err != nil {
			return err
		}
		if err := setVisit(ctx, tx, who.Org, of); err != nil {
			return err
		}
		if err := v.notify(ctx, tx, who, of, aboutCancelled); err != nil {
			return err
		}
		v.tell(tx, who.Org, of, 0)
	}
	return nil
}
