package visits

import (
	"context"
	"sync"
	"testing"
	"time"

	"ward"
	"ward/store"
)

func (d *door) plan(start time.Time, minutes int) ward.Booking {
	return ward.Booking{NewVisit: ward.NewVisit{
		Visit: ward.NewID[ward.VisitID](), Chart: d.chart, Host: d.host.Person,
		Starts: ward.FormatTime(start), Ends: ward.FormatTime(start.Add(time.Duration(minutes) * time.Minute)),
	}}
}

func (d *door) starts(who ward.Caller, from, to time.Time) (starts, states []string) {
	d.t.Helper()
	answer, err := d.call(who, d.v.List, nil, "from", ward.FormatTime(from), "to", ward.FormatTime(to))
	d.must(answer, err)
	for _, v := range answer.(struct {
		Visits []ward.Visit `json:"visits"`
	}).Visits {
		starts = append(starts, v.Starts)
		states = append(states, v.State)
	}
	return starts, states
}

func TestSeriesKeepsTheTimeOnTheWall(t *testing.T) {
	tests := map[string]struct {
		first  string
		repeat ward.Repeat
		want   []string
	}{
		"weekly, into summer time": {
			"2026-03-20T09:00:00.000Z",
			ward.Repeat{Every: "week", Times: 3, TimeZone: "Europe/Madrid"},
			[]string{"2026-03-20T09:00:00.000Z", "2026-03-27T09:00:00.000Z", "2026-04-03T08:00:00.000Z"},
		},
		"every other week, out of it, in New York": {
			"2026-10-19T13:15:00.000Z",
			ward.Repeat{Every: "fortnight", Times: 3, TimeZone: "America/New_York"},
			[]string{"2026-10-19T13:15:00.000Z", "2026-11-02T14:15:00.000Z", "2026-11-16T14:15:00.000Z"},
		},
		"monthly, the second Tuesday": {
			"2026-12-08T09:30:00.000Z",
			ward.Repeat{Every: "month", Times: 4, TimeZone: "Europe/Madrid"},
			[]string{"2026-12-08T09:30:00.000Z", "2027-01-12T09:30:00.000Z", "2027-02-09T09:30:00.000Z", "2027-03-09T09:30:00.000Z"},
		},
		"monthly, a fifth Monday is else the last": {
			"2026-08-31T08:00:00.000Z",
			ward.Repeat{Every: "month", Times: 3, TimeZone: "Europe/Madrid"},
			[]string{"2026-08-31T08:00:00.000Z", "2026-09-28T08:00:00.000Z", "2026-10-26T09:00:00.000Z"},
		},
		"a time that the clocks skip": {
			"2026-03-22T01:30:00.000Z",
			ward.Repeat{Every: "week", Times: 3, TimeZone: "Europe/Madrid"},
			[]string{"2026-03-22T01:30:00.000Z", "skipped", "2026-04-05T00:30:00.000Z"},
		},
	}
	d := newDoor(t)
	d.now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range tests {
		start, err := ward.ParseTime(test.first)
		d.must(nil, err)
		b := d.plan(start, 30)
		b.Repeat = &test.repeat
		answer, err := d.call(d.host, d.v.Plan, b)
		d.must(answer, err)
		for i, got := range answer.(ward.VisitPlan).Times {
			is := got.Starts
			if got.Clash != "" {
				is = got.Clash
			}
			if is != test.want[i] {
				t.Errorf("%s: visit %d is at %s, want %s", name, i+1, is, test.want[i])
			}
		}
	}
}

func TestSeriesIsBookedWholeAndCancelledWholeOrInPart(t *testing.T) {
	d := newDoor(t)
	d.now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	start := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	d.must(d.call(d.host, d.v.Book, d.plan(start.AddDate(0, 0, 7), 30))) // in the way of the second
	series := d.plan(start, 30)
	series.Repeat = &ward.Repeat{Every: "week", Times: 4, TimeZone: "Europe/Madrid"}
	answer, err := d.call(d.host, d.v.Plan, series)
	d.must(answer, err)
	if times := answer.(ward.VisitPlan).Times; len(times) != 4 || times[0].Clash != "" || times[1].Clash != clashHost || times[2].Clash != "" {
		t.Fatalf("the plan names what is in the way: %+v", times)
	}
	d.refused(ward.Conflict, nil, second(d.call(d.host, d.v.Book, series)))
	if got, _ := d.starts(d.host, start.Add(-time.Hour), start.AddDate(0, 1, 0)); len(got) != 1 {
		t.Fatalf("a series that does not fit leaves %v", got)
	}
	series.Skip = []int64{1}
	d.must(d.call(d.host, d.v.Book, series))
	got, _ := d.starts(d.host, start.Add(-time.Hour), start.AddDate(0, 1, 0))
	if len(got) != 4 || got[3] != "2026-03-31T08:00:00.000Z" {
		t.Fatalf("three of the series and the one that was there: %v", got)
	}
	d.visit = seriesID(series.Visit, 2)
	d.must(d.call(d.host, d.v.Change, ward.VisitChange{State: cancelled}))
	if _, states := d.starts(d.host, start.Add(-time.Hour), start.AddDate(0, 1, 0)); states[0] != booked || states[2] != cancelled || states[3] != booked {
		t.Fatalf("one was cancelled: %v", states)
	}
	d.visit = series.Visit
	d.must(d.call(d.host, d.v.Change, ward.VisitChange{State: cancelled, Series: true}))
	if _, states := d.starts(d.host, start.Add(-time.Hour), start.AddDate(0, 1, 0)); states[0] != cancelled || states[1] != booked || states[3] != cancelled {
		t.Fatalf("the series was cancelled, and not what is not of it: %v", states)
	}
	for why, repeat := range map[string]ward.Repeat{
		"once":        {Every: "week", Times: 1, TimeZone: "Europe/Madrid"},
		"too often":   {Every: "week", Times: ward.MaxSeries + 1, TimeZone: "Europe/Madrid"},
		"daily":       {Every: "day", Times: 3, TimeZone: "Europe/Madrid"},
		"on no clock": {Every: "week", Times: 3},
	} {
		b := d.plan(start.AddDate(1, 0, 0), 30)
		b.Repeat = &repeat
		if _, err := d.call(d.host, d.v.Book, b); ward.KindOf(err) != ward.Invalid || err == nil {
			t.Errorf("a series %s: %v", why, err)
		}
	}
}

func TestNobodyIsInTwoPlacesAtOnce(t *testing.T) {
	d := newDoor(t)
	start := d.now.AddDate(0, 0, 3)
	d.must(d.call(d.host, d.v.Book, d.plan(start, 30)))
	over := d.plan(start.Add(15*time.Minute), 30)
	d.refused(ward.Conflict, nil, second(d.call(d.host, d.v.Book, over)))
	d.must(d.call(d.host, d.v.Book, d.plan(start.Add(30*time.Minute), 30))) // one begins as the other ends
	other := d.host.Person
	d.host.Person = ward.NewID[ward.PersonID]() // another clinician, the same patient
	elsewhere := over
	elsewhere.Host = d.host.Person
	d.refused(ward.Conflict, nil, second(d.call(d.host, d.v.Book, elsewhere)))
	d.host.Person = other
	over.Overlap = true
	d.refused(ward.Conflict, nil, second(d.call(d.patient, d.v.Book, over))) // which is not for patients to say
	d.must(d.call(d.host, d.v.Book, over))
}

// Several book one time at once: in one process on SQLite, and by as many writers as there are on PostgreSQL.
func TestOneOfManyWhoBookTheSameTimeGetsIt(t *testing.T) {
	d := newDoor(t)
	d.now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d.must(d.call(d.host, d.v.PutAvailability, weekdays, "person", string(d.host.Person)))
	monday := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	replicas := []*store.DB{d.db}
	if other := d.replica(); other != nil {
		replicas = append(replicas, other)
	}
	const rounds, each = 3, 8
	for round := range rounds {
		var booked, refused int
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range each {
			b := d.plan(monday.Add(time.Duration(round)*30*time.Minute), 30)
			all.Go(func() {
				err := replicas[i%len(replicas)].Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					_, err := d.v.Book(ctx, tx, d.patient, request(t, b))
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					booked++
				case ward.KindOf(err) == ward.Conflict:
					refused++
				default:
					t.Errorf("%v", err)
				}
			})
		}
		all.Wait()
		if booked != 1 || refused != each-1 {
			t.Errorf("%d booked the same time, %d were told that it is taken", booked, refused)
		}
	}
}

func TestAPlanTellsOfCliniciansAndOfNobodyElse(t *testing.T) {
	d := newDoor(t)
	b := d.plan(d.now.Add(48*time.Hour), 30)
	d.must(d.call(d.host, d.v.Book, b))
	answer, err := d.call(d.patient, d.v.Plan, d.plan(d.now.Add(48*time.Hour), 30))
	d.must(answer, err)
	if got := answer.(ward.VisitPlan).Times; len(got) != 1 || got[0].Clash != clashHost {
		t.Errorf("a time that is taken is planned as %+v", got)
	}
	b.Host = d.patient.Person
	d.refused(ward.Invalid, nil, second(d.call(d.host, d.v.Plan, b)))
}

func TestNoVisitHasTheIDOfAnotherClinics(t *testing.T) {
	d := newDoor(t)
	elsewhere := d.host
	elsewhere.Org = ward.NewID[ward.OrgID]()
	b := d.plan(d.now.Add(48*time.Hour), 30)
	b.Visit = d.visit
	d.refused(ward.Conflict, nil, second(d.call(elsewhere, d.v.Book, b)))
}
