package visits

import (
	"slices"
	"testing"
	"time"

	"ward"
)

var weekdays = ward.Availability{
	TimeZone: "Europe/Madrid", Length: 30, Notice: 120, Horizon: 60,
	Weekly: []ward.Window{{Day: 1, From: "09:00", To: "10:45"}, {Day: 0, From: "01:30", To: "03:30"}},
}

func TestStartsFollowTheClockOnTheWall(t *testing.T) {
	r, err := checkAvailability(weekdays)
	if err != nil {
		t.Fatal(err)
	}
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	tests := map[string]struct {
		from string
		want []string // UTC
	}{
		"in winter, UTC+1":                              {"2026-11-23", []string{"08:00", "08:30", "09:00"}},
		"in summer, UTC+2":                              {"2026-07-06", []string{"07:00", "07:30", "08:00"}},
		"when 02:00 to 03:00 does not exist":            {"2026-03-29", []string{"00:30", "01:00"}},
		"when 02:00 to 03:00 is there twice, the first": {"2026-10-25", []string{"00:00", "00:30", "02:00"}},
	}
	for name, test := range tests {
		var got []string
		from := day(test.from).Add(-6 * time.Hour)
		for _, at := range r.starts(from, from.Add(30*time.Hour)) {
			if at.UTC().Format(time.DateOnly) == test.from {
				got = append(got, at.UTC().Format("15:04"))
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestPatientsBookWhatIsFree(t *testing.T) {
	d := newDoor(t)
	d.now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) // a Sunday
	monday := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	plan := func(start time.Time, minutes int) ward.NewVisit {
		return ward.NewVisit{
			Visit: ward.NewID[ward.VisitID](), Chart: d.chart, Host: d.host.Person,
			Starts: ward.FormatTime(start), Ends: ward.FormatTime(start.Add(time.Duration(minutes) * time.Minute)),
		}
	}
	slots := func() []string {
		a, err := d.call(d.patient, d.v.GetSlots, nil, "person", string(d.host.Person), "from", ward.FormatTime(monday.Add(-time.Hour)), "to", ward.FormatTime(monday.Add(6*time.Hour)))
		d.must(a, err)
		return a.(ward.Slots).Starts
	}
	if got := slots(); len(got) != 0 {
		t.Errorf("before the clinician says when: %v", got)
	}
	d.refused(ward.Conflict, nil, second(d.call(d.patient, d.v.Book, plan(monday, 30))))
	d.must(d.call(d.host, d.v.PutAvailability, weekdays, "person", string(d.host.Person)))
	if got := slots(); len(got) != 3 {
		t.Errorf("three half hours fit: %v", got)
	}
	first := plan(monday, 30)
	d.must(d.call(d.patient, d.v.Book, first))
	if got := slots(); len(got) != 2 {
		t.Errorf("one is taken: %v", got)
	}
	for why, n := range map[string]ward.NewVisit{
		"taken":          plan(monday, 30),
		"between":        plan(monday.Add(45*time.Minute), 30),
		"another length": plan(monday.Add(30*time.Minute), 60),
		"another day":    plan(monday.Add(24*time.Hour), 30),
		"after the end":  plan(monday.Add(90*time.Minute), 30),
		"too far ahead":  plan(monday.AddDate(0, 0, 7*10), 30),
	} {
		if _, err := d.call(d.patient, d.v.Book, n); ward.KindOf(err) != ward.Conflict {
			t.Errorf("a patient books a time that is %s: %v", why, err)
		}
	}
	d.must(d.call(d.host, d.v.Book, plan(monday.Add(24*time.Hour), 60))) // staff judge for themselves

	d.visit = first.Visit
	move := func(start time.Time) ward.VisitChange {
		return ward.VisitChange{Starts: ward.FormatTime(start), Ends: ward.FormatTime(start.Add(30 * time.Minute))}
	}
	d.must(d.call(d.patient, d.v.Change, move(monday.Add(time.Hour))))
	d.must(d.call(d.patient, d.v.Change, move(monday.Add(time.Hour)))) // its own place is no clash
	d.now = monday.Add(-30 * time.Minute)
	d.refused(ward.Conflict, nil, second(d.call(d.patient, d.v.Change, ward.VisitChange{State: "cancelled"})))
	d.now = monday.Add(-2 * time.Hour)
	d.must(d.call(d.patient, d.v.Change, ward.VisitChange{State: "cancelled"}))
	d.refused(ward.Gone, nil, second(d.call(d.patient, d.v.Change, move(monday))))
}

func TestAvailabilityThatCannotBeIsRefused(t *testing.T) {
	for why, change := range map[string]func(*ward.Availability){
		"no zone":        func(a *ward.Availability) { a.TimeZone = "" },
		"a local zone":   func(a *ward.Availability) { a.TimeZone = "Local" },
		"a path":         func(a *ward.Availability) { a.TimeZone = "../../etc/passwd" },
		"no length":      func(a *ward.Availability) { a.Length = 0 },
		"a long notice":  func(a *ward.Availability) { a.Notice = maxNotice + 1 },
		"a far horizon":  func(a *ward.Availability) { a.Horizon = maxHorizon + 1 },
		"an eighth day":  func(a *ward.Availability) { a.Weekly = []ward.Window{{Day: 7, From: "09:00", To: "10:00"}} },
		"a late morning": func(a *ward.Availability) { a.Weekly = []ward.Window{{Day: 1, From: "9:00", To: "10:00"}} },
		"a window back":  func(a *ward.Availability) { a.Weekly = []ward.Window{{Day: 1, From: "10:00", To: "09:00"}} },
		"many windows":   func(a *ward.Availability) { a.Weekly = make([]ward.Window, ward.MaxWindows+1) },
	} {
		a := weekdays
		change(&a)
		if _, err := checkAvailability(a); ward.KindOf(err) != ward.Invalid || err == nil {
			t.Errorf("%s: %v", why, err)
		}
	}
	a := weekdays
	a.Weekly = []ward.Window{{Day: 1, From: "22:00", To: "24:00"}}
	if _, err := checkAvailability(a); err != nil {
		t.Errorf("until midnight: %v", err)
	}
}
