package visits

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"ward"
	"ward/ledger"
	"ward/seal/envelope"
	"ward/store"
	"ward/store/storetest"
)

// door is a visit of Amina's with Dr Okafor, on a real database and with a real media server.
type door struct {
	t             *testing.T
	v             *Visits
	database      string
	db            *store.DB
	now           time.Time
	host, patient ward.Caller
	key           ed25519.PrivateKey // of the host's browser
	chart         ward.ChartID
	visit         ward.VisitID
	guests        map[ward.PersonID]bool // whose session lives
}

func (d *door) Patient(_ context.Context, _ *store.Tx, _ ward.OrgID, chart ward.ChartID) (ward.PersonID, error) {
	if chart != d.chart {
		return "", ward.Errorf(ward.Missing, "there is no such chart here")
	}
	return d.patient.Person, nil
}

func (d *door) HoldersOf(context.Context, *store.Tx, ward.OrgID, ward.ChartID) ([]ward.PersonID, error) {
	return nil, nil
}

func (d *door) Held(context.Context, *store.Tx, ward.OrgID, ward.PersonID) ([]ward.ChartID, error) {
	return nil, nil
}

func (d *door) Holders(context.Context, *store.Tx, ward.OrgID, ward.PersonID) ([]ward.PersonID, error) {
	return nil, nil
}

func (d *door) RolesOf(_ context.Context, _ *store.Tx, _ ward.OrgID, person ward.PersonID) ([]ward.Role, error) {
	switch person {
	case d.host.Person:
		return d.host.Roles, nil
	case d.patient.Person:
		return d.patient.Roles, nil
	}
	return nil, ward.Errorf(ward.Missing, "there is no such person here")
}

func (d *door) HostOf(_ context.Context, _ *store.Tx, _ ward.OrgID, person ward.PersonID) (ward.GuestHost, error) {
	return ward.GuestHost{Person: person}, nil
}

func (d *door) CardsOf(_ context.Context, _ *store.Tx, _ ward.OrgID, person ward.PersonID) (ward.PersonCards, error) {
	return ward.PersonCards{Person: person}, nil
}

func (d *door) Of(_ context.Context, _ *store.Tx, org ward.OrgID) (ward.ClinicInfo, error) {
	return ward.ClinicInfo{Org: org, Name: "Hillside"}, nil
}

// BeginGuest is identity's to do; server's tests have both.
func (d *door) BeginGuest(_ context.Context, _ *store.Tx, _ *http.Request, guest ward.Caller, until time.Time) (ward.GuestSession, error) {
	d.guests[guest.Person] = true
	return ward.GuestSession{Org: guest.Org, Visit: guest.Visit, Guest: guest.Person, Until: ward.FormatTime(until)}, nil
}

func (d *door) EndGuests(_ context.Context, _ *store.Tx, _ ward.OrgID, _ ward.VisitID, only ward.PersonID) error {
	maps.DeleteFunc(d.guests, func(guest ward.PersonID, _ bool) bool { return only == "" || only == guest })
	return nil
}

func (d *door) Publish(ward.OrgID, ward.Notice) error { return nil }

func newDoor(t *testing.T) *door {
	org := ward.NewID[ward.OrgID]()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{
		t: t, key: key, now: time.Now().Truncate(time.Millisecond), chart: ward.NewID[ward.ChartID](), visit: ward.NewID[ward.VisitID](),
		guests:  map[ward.PersonID]bool{},
		host:    ward.Caller{Org: org, Person: ward.NewID[ward.PersonID](), Roles: []ward.Role{ward.Clinician}, Browser: ward.B64.EncodeToString(public)},
		patient: ward.Caller{Org: org, Person: ward.NewID[ward.PersonID](), Roles: []ward.Role{ward.Patient}},
	}
	d.database = storetest.Database(t)
	d.db = storetest.Open(t, d.database)
	sealer, err := store.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return d.now }
	d.v, err = New(Config{DB: d.db, Ledger: ledger.New(clock), Charts: d, People: d, Sessions: d, Notices: d, Sealer: sealer, Log: slog.New(slog.DiscardHandler), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.v.Close() })
	d.must(d.call(d.host, d.v.Book, ward.NewVisit{
		Visit: d.visit, Chart: d.chart, Host: d.host.Person, Starts: ward.FormatTime(d.now), Ends: ward.FormatTime(d.now.Add(30 * time.Minute)),
	}))
	return d
}

// replica is another process' way to the same database; SQLite has one writer.
func (d *door) replica() *store.DB {
	if d.db.Engine() == "sqlite" {
		return nil
	}
	return storetest.Open(d.t, d.database)
}

// request is one with a body, as a handler gets it.
func request(t *testing.T, body any) *http.Request {
	text, err := json.Marshal(body)
	if err != nil {
		t.Error(err)
	}
	return httptest.NewRequest("POST", "/x", bytes.NewReader(text))
}

type handler func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error)

// call calls a handler as the server does once policy has allowed it.
func (d *door) call(who ward.Caller, h handler, body any, values ...string) (answer any, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	query := "after=0&group=1"
	for i := 0; i < len(values); i += 2 {
		query += "&" + values[i] + "=" + values[i+1]
	}
	err = d.db.Do(d.t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		r := httptest.NewRequest("POST", "/x?"+query, bytes.NewReader(text))
		r.SetPathValue("visit", string(d.visit))
		for i := 0; i < len(values); i += 2 {
			r.SetPathValue(values[i], values[i+1])
		}
		answer, err = h(ctx, tx, who, r)
		return err
	})
	return answer, err
}

func (d *door) must(_ any, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *door) refused(kind ward.Kind, _ any, err error) {
	d.t.Helper()
	if err == nil || ward.KindOf(err) != kind {
		d.t.Errorf("got %v, want %s", err, kind)
	}
}

func (d *door) groupInfo(epoch uint64) []byte {
	return build(uint16(1), uint16(4), uint16(1), uint16(suite), string(d.visit), epoch, "tree")
}

func (d *door) sealed(content byte, epoch uint64, text string) []byte {
	return build(uint16(1), uint16(2), string(d.visit), epoch, content, "", text)
}

func (d *door) commit(epoch uint64, text string) ward.NewVisitMessage {
	return ward.NewVisitMessage{Body: d.sealed(3, epoch, text), GroupInfo: d.groupInfo(epoch + 1)}
}

// join is a commit by which someone comes in by themselves.
func (d *door) join(epoch uint64, text string) ward.NewVisitMessage {
	return ward.NewVisitMessage{Body: build(uint16(1), uint16(1), string(d.visit), epoch, byte(4), "", byte(3), text), GroupInfo: d.groupInfo(epoch + 1)}
}

func (d *door) admission(change func(*envelope.Admission)) ward.VisitAdmission {
	a := envelope.Admission{
		Org: d.host.Org, Visit: d.visit, Member: d.patient.Person, Card: envelope.Hash(nil), Role: envelope.AsPatient, Admitter: d.host.Person,
		Time: ward.FormatTime(d.now), Until: ward.FormatTime(d.now.Add(time.Hour)),
	}
	if change != nil {
		change(&a)
	}
	s, err := envelope.Write(a, func(text []byte) ([]byte, error) { return ed25519.Sign(d.key, text), nil })
	if err != nil {
		d.t.Fatal(err)
	}
	return ward.VisitAdmission{AdmissionText: string(s.Text)}
}

func (d *door) post(who ward.Caller, n ward.NewVisitMessage) (any, error) {
	return d.call(who, d.v.Post, n)
}

// open lets the host in, who begins the group, and then the patient.
func (d *door) open() {
	d.must(d.call(d.host, d.v.Arrive, nil))
	d.must(d.post(d.host, ward.NewVisitMessage{Body: d.groupInfo(0)}))
	d.must(d.call(d.patient, d.v.Arrive, nil))
	d.must(d.call(d.host, d.v.Admit, d.admission(nil)))
}

func TestNobodyEntersUnadmitted(t *testing.T) {
	d := newDoor(t)
	d.must(d.call(d.patient, d.v.Arrive, nil))
	d.refused(ward.Conflict, nil, second(d.call(d.patient, d.v.Room, nil)))
	d.refused(ward.Conflict, nil, second(d.post(d.patient, d.join(0, "let me in"))))
	seen := func(who ward.Caller) ward.Visit {
		a, err := d.call(who, d.v.Get, nil)
		d.must(a, err)
		return a.(ward.Visit)
	}
	if got := seen(d.patient); got.Me != "waiting" || len(got.Members) != 0 || got.State != "booked" {
		t.Errorf("the patient sees %+v", got)
	}
	if got := seen(d.host); len(got.Members) != 1 || got.Members[0].State != "waiting" {
		t.Errorf("the host sees %+v", got)
	}
	stranger := ward.NewID[ward.PersonID]()
	d.must(d.call(d.host, d.v.Arrive, nil))
	for why, change := range map[string]func(*envelope.Admission){
		"another visit":  func(a *envelope.Admission) { a.Visit = ward.NewID[ward.VisitID]() },
		"another clinic": func(a *envelope.Admission) { a.Org = ward.NewID[ward.OrgID]() },
		"someone else":   func(a *envelope.Admission) { a.Admitter = stranger },
	} {
		if _, err := d.call(d.host, d.v.Admit, d.admission(change)); ward.KindOf(err) != ward.Invalid {
			t.Errorf("an admission of %s: %v", why, err)
		}
	}
	d.refused(ward.Missing, nil, second(d.call(d.host, d.v.Admit, d.admission(func(a *envelope.Admission) { a.Member = stranger }))))
	other := *d
	_, other.key, _ = ed25519.GenerateKey(rand.Reader)
	d.refused(ward.Invalid, nil, second(d.call(d.host, d.v.Admit, other.admission(nil))))
	d.must(d.call(d.host, d.v.Admit, d.admission(nil)))
	if got := seen(d.patient); got.Me != "admitted" || len(got.Members) != 2 {
		t.Errorf("once admitted, the patient sees %+v", got)
	}
	d.must(d.call(d.patient, d.v.Room, nil))
}

func second[T any](_ T, err error) error { return err }

func TestTheGroupsMessagesAreInOrderAndACommitIsAlone(t *testing.T) {
	d := newDoor(t)
	d.open()
	add := d.commit(0, "Amina joins")
	d.must(d.post(d.host, add))
	d.refused(ward.Conflict, nil, second(d.post(d.host, add))) // sent twice
	d.must(d.post(d.patient, ward.NewVisitMessage{Body: d.sealed(1, 1, "hello")}))
	d.must(d.post(d.patient, ward.NewVisitMessage{Body: d.sealed(1, 0, "hello from before")}))
	for why, n := range map[string]ward.NewVisitMessage{
		"of an old epoch":  d.commit(0, "late"),
		"of a later epoch": d.commit(5, "early"),
		"a second group":   {Body: d.groupInfo(0)},
	} {
		if _, err := d.post(d.host, n); ward.KindOf(err) != ward.Conflict {
			t.Errorf("a message %s: %v", why, err)
		}
	}
	elsewhere := build(uint16(1), uint16(2), string(ward.NewID[ward.VisitID]()), uint64(1), byte(3), "", "x")
	for why, n := range map[string]ward.NewVisitMessage{
		"no MLS":                      {Body: []byte("hello")},
		"for another group":           {Body: elsewhere, GroupInfo: d.groupInfo(2)},
		"a commit without its state":  {Body: d.sealed(3, 1, "x")},
		"a commit with an old state":  {Body: d.sealed(3, 1, "x"), GroupInfo: d.groupInfo(1)},
		"a chat message with a state": {Body: d.sealed(1, 1, "x"), GroupInfo: d.groupInfo(2)},
		"a key package":               {Body: build(uint16(1), uint16(5), uint16(1), uint16(suite), "init")},
	} {
		if _, err := d.post(d.patient, n); err == nil {
			t.Errorf("taken: %s", why)
		}
	}
	d.refused(ward.TooLarge, nil, second(d.post(d.patient, ward.NewVisitMessage{Body: make([]byte, ward.MaxMLS+1)})))
	d.refused(ward.Refused, nil, second(d.post(d.patient, ward.NewVisitMessage{Body: d.groupInfo(0)})))

	a, err := d.call(d.patient, d.v.Messages, nil)
	d.must(a, err)
	page := a.(ward.VisitMessages)
	var kinds []string
	for i, m := range page.Messages {
		if m.Seq != int64(i)+1 {
			t.Errorf("message %d has place %d", i, m.Seq)
		}
		kinds = append(kinds, m.Kind)
	}
	if got, _ := json.Marshal(kinds); string(got) != `["commit","application","application"]` || page.Epoch != 1 {
		t.Errorf("%s, %+v", got, page)
	}
}

func TestTheWayInIsOneAnswerForWhoWasLetIn(t *testing.T) {
	d := newDoor(t)
	d.must(d.call(d.host, d.v.Arrive, nil))
	d.must(d.call(d.patient, d.v.Arrive, nil))
	d.must(d.post(d.host, ward.NewVisitMessage{Body: d.groupInfo(0)}))
	seen, err := d.call(d.patient, d.v.Get, nil)
	d.must(seen, err)
	if v := seen.(ward.Visit); v.Me != waiting || v.GroupInfo != nil || v.Members != nil {
		t.Errorf("who waits sees %+v", v)
	}
	d.must(d.call(d.host, d.v.Admit, d.admission(nil)))
	answer, err := d.call(d.patient, d.v.Enter, nil)
	d.must(answer, err)
	entry := answer.(ward.VisitEntry)
	if v := entry.Visit; v.Me != admitted || v.Epoch != 0 || !bytes.Equal(v.GroupInfo, d.groupInfo(0)) || len(v.Members) != 2 || entry.Room.Token == "" {
		t.Errorf("who was let in is given %+v", entry)
	}
	d.must(d.call(d.host, d.v.End, nil))
	d.refused(ward.Conflict, nil, second(d.call(d.patient, d.v.Enter, nil)))
}

// A guest filled the one budget of a visit: what the host took out kept its keys, and nobody could write or come back.
func TestWhoFloodsAVisitSilencesNobodyElse(t *testing.T) {
	d := newDoor(t)
	d.open()
	epoch := uint64(0)
	flood := func(each func() error) (sent int) {
		for ; sent < 20_000; sent++ {
			if err := each(); err != nil {
				d.refused(ward.TooMany, nil, err)
				return sent
			}
		}
		t.Fatal("nothing stops it")
		return 0
	}
	large := strings.Repeat("x", ward.MaxMLS-100)
	if n := flood(func() error { return second(d.post(d.patient, ward.NewVisitMessage{Body: d.sealed(1, epoch, "x")})) }); n != saidBurst {
		t.Errorf("%d messages were taken at once, want %d", n, saidBurst)
	}
	slowly := func(text string) func() error {
		return func() error {
			d.now = d.now.Add(saidEvery)
			return second(d.post(d.patient, ward.NewVisitMessage{Body: d.sealed(1, epoch, text)}))
		}
	}
	if n := flood(slowly(large)); n > maxSaidBytes/(ward.MaxMLS-100) {
		t.Errorf("%d messages of %d bytes were taken", n, len(large))
	}
	for _, text := range []string{large, "x"} {
		flood(func() error {
			err := second(d.post(d.patient, d.join(epoch, text)))
			if err == nil {
				epoch++
			}
			return err
		})
	}
	d.must(d.post(d.host, ward.NewVisitMessage{Body: d.sealed(1, epoch, "Can you hear me?")}))
	d.must(d.post(d.host, d.commit(epoch, "takes them out")))
	d.must(d.post(d.host, ward.NewVisitMessage{Body: d.groupInfo(0), Again: true}))
}

func TestOfWhatAMemberSaysSlowlyEnoughIsKept(t *testing.T) {
	d := newDoor(t)
	d.open()
	n := 0
	for ; n <= maxSaid; n++ {
		d.now = d.now.Add(saidEvery)
		if _, err := d.post(d.patient, ward.NewVisitMessage{Body: d.sealed(1, 0, "x")}); err != nil {
			d.refused(ward.TooMany, nil, err)
			break
		}
	}
	if n != maxSaid {
		t.Errorf("%d messages were taken, want %d", n, maxSaid)
	}
}

func TestOnlyTheHostChangesTheGroup(t *testing.T) {
	d := newDoor(t)
	d.open()
	d.refused(ward.Refused, nil, second(d.post(d.patient, d.commit(0, "removes the doctor"))))
	d.must(d.post(d.patient, d.join(0, "comes in")))
	d.must(d.post(d.host, d.commit(1, "new keys")))
}

func TestTheHostBeginsASpoiledGroupAgain(t *testing.T) {
	d := newDoor(t)
	d.open()
	d.must(d.post(d.patient, d.join(0, "nobody follows this")))
	again := ward.NewVisitMessage{Body: d.groupInfo(0), Again: true}
	d.refused(ward.Refused, nil, second(d.post(d.patient, again)))
	a, err := d.post(d.host, again)
	d.must(a, err)
	if got := a.(ward.VisitMessages); got.Epoch != 0 || len(got.Messages) != 1 || got.Messages[0].Kind != "group" || got.Messages[0].Seq != 2 {
		t.Errorf("%+v", got)
	}
	d.must(d.post(d.patient, d.join(0, "joins again")))
	d.refused(ward.Conflict, nil, second(d.post(d.host, d.commit(0, "of the group before"))))
}

func TestOfCommitsAtTheSameTimeOneIsTaken(t *testing.T) {
	d := newDoor(t)
	d.open()
	var taken atomic.Int64
	var racing sync.WaitGroup
	for i := range 12 {
		who := d.host
		if i%2 == 1 {
			who = d.patient
		}
		racing.Go(func() {
			if _, err := d.post(who, d.join(0, "mine")); err == nil {
				taken.Add(1)
			} else if ward.KindOf(err) != ward.Conflict {
				t.Error(err)
			}
		})
	}
	racing.Wait()
	if taken.Load() != 1 {
		t.Errorf("%d commits of one epoch were taken", taken.Load())
	}
}

func TestWhoIsRemovedStaysOutAndAnEndedVisitIsForgotten(t *testing.T) {
	d := newDoor(t)
	d.open()
	d.must(d.post(d.host, d.commit(0, "add")))
	d.must(d.call(d.patient, d.v.Arrive, nil)) // a reload: still admitted
	d.must(d.call(d.patient, d.v.Room, nil))
	d.refused(ward.Invalid, nil, second(d.call(d.host, d.v.Remove, nil, "member", string(d.host.Person))))
	d.must(d.call(d.host, d.v.Remove, nil, "member", string(d.patient.Person)))
	d.refused(ward.Conflict, nil, second(d.post(d.patient, d.join(1, "still here"))))
	d.refused(ward.Refused, nil, second(d.call(d.patient, d.v.Arrive, nil)))
	d.refused(ward.Conflict, nil, second(d.call(d.host, d.v.Admit, d.admission(nil))))

	d.must(d.call(d.host, d.v.End, nil))
	var left int
	d.must(nil, d.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT (SELECT count(*) FROM visit_messages WHERE visit = $1) + (SELECT count(*) FROM visit_members WHERE visit = $1)
			+ (SELECT count(*) FROM visits WHERE visit = $1 AND length(group_info) > 0)`, string(d.visit)).Scan(&left)
	}))
	if left != 0 {
		t.Errorf("%d rows of what the group said are left", left)
	}
	d.refused(ward.Gone, nil, second(d.call(d.patient, d.v.Arrive, nil)))
	d.refused(ward.Conflict, nil, second(d.call(d.host, d.v.Room, nil)))
}

func TestVisitsHaveTheirTimes(t *testing.T) {
	d := newDoor(t)
	late := int64(10)
	d.must(d.call(d.host, d.v.Change, ward.VisitChange{Late: &late}))
	d.refused(ward.Refused, nil, second(d.call(d.patient, d.v.Change, ward.VisitChange{Late: &late})))
	d.must(d.call(d.host, d.v.Change, ward.VisitChange{Starts: ward.FormatTime(d.now.Add(48 * time.Hour)), Ends: ward.FormatTime(d.now.Add(49 * time.Hour))}))
	d.refused(ward.Conflict, nil, second(d.call(d.patient, d.v.Arrive, nil))) // two days early
	for _, bad := range []ward.VisitChange{
		{Starts: ward.FormatTime(d.now), Ends: ward.FormatTime(d.now.Add(-time.Minute))},
		{Starts: ward.FormatTime(d.now.Add(-3 * time.Hour)), Ends: ward.FormatTime(d.now.Add(-2 * time.Hour))},
		{Starts: ward.FormatTime(d.now), Ends: ward.FormatTime(d.now.Add(24 * time.Hour))},
		{Starts: "tomorrow", Ends: "later"},
		{State: "ended"},
	} {
		d.refused(ward.Invalid, nil, second(d.call(d.host, d.v.Change, bad)))
	}
	d.now = d.now.Add(49*time.Hour + staysOpen + time.Minute)
	d.must(nil, d.v.Sweep(t.Context()))
	a, err := d.call(d.patient, d.v.Get, nil)
	d.must(a, err)
	if got := a.(ward.Visit); got.State != "ended" {
		t.Errorf("a visit that nobody came to is %s", got.State)
	}
}

func TestACalendarHoldsTimesAndOneWord(t *testing.T) {
	d := newDoor(t)
	a, err := d.call(d.patient, d.v.MakeFeed, map[string]string{"language": "es"})
	d.must(a, err)
	text, _ := json.Marshal(a)
	var made struct{ Path string }
	d.must(nil, json.Unmarshal(text, &made))
	get := func(path string) (string, error) {
		r := httptest.NewRequest("GET", path, nil)
		r.SetPathValue("file", path[strings.LastIndex(path, "/")+1:])
		w := httptest.NewRecorder()
		err := d.v.Feed(t.Context(), ward.Caller{}, w, r)
		return w.Body.String(), err
	}
	got, err := get(made.Path)
	d.must(nil, err)
	read, err := ics.ParseCalendar(strings.NewReader(got))
	d.must(nil, err)
	if len(read.Events()) != 1 {
		t.Fatalf("%d events in\n%s", len(read.Events()), got)
	}
	e := read.Events()[0]
	if at, err := e.GetStartAt(); err != nil || !at.Equal(d.now.Truncate(time.Second)) {
		t.Errorf("it starts at %v, %v; want %v", at, err, d.now)
	}
	for _, secret := range []string{string(d.host.Person), string(d.patient.Person), string(d.chart), string(d.host.Org)} {
		if strings.Contains(got, secret) {
			t.Errorf("the calendar holds %s", secret)
		}
	}
	for line := range strings.Lines(got) {
		name, _, _ := strings.Cut(line, ":")
		name, _, _ = strings.Cut(name, ";")
		if !slices.Contains([]string{
			"BEGIN", "END", "VERSION", "PRODID", "METHOD", "REFRESH-INTERVAL", "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "CLASS", "STATUS",
		}, strings.TrimSpace(name)) {
			t.Errorf("the calendar says %q, which nobody decided that it may", line)
		}
	}
	if !strings.Contains(got, "SUMMARY:Cita\r\n") {
		t.Errorf("it is not in Spanish:\n%s", got)
	}
	d.must(d.call(d.patient, d.v.MakeFeed, map[string]string{"language": "en"}))
	d.refused(ward.Missing, nil, second(get(made.Path)))
	d.must(d.call(d.patient, d.v.EndFeed, nil))
	d.refused(ward.Invalid, nil, second(d.call(d.patient, d.v.MakeFeed, map[string]string{"language": "tlh"})))
}

func TestWhoseAccountEndsIsOutOfTheVisitTheyAreIn(t *testing.T) {
	d := newDoor(t)
	d.must(d.call(d.host, d.v.Arrive, nil))
	d.must(d.call(d.patient, d.v.Arrive, nil))
	d.must(d.call(d.host, d.v.Admit, d.admission(nil)))
	if !d.v.isIn(d.visit, string(d.patient.Person)) {
		t.Fatal("who was let in is not in")
	}
	d.must(nil, d.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return d.v.Forget(ctx, tx, d.patient.Org, d.patient.Person)
	}))
	if d.v.isIn(d.visit, string(d.patient.Person)) || !d.v.isIn(d.visit, string(d.host.Person)) {
		t.Error("who has left is in still, or somebody else is not")
	}
	d.refused(ward.Refused, nil, second(d.call(d.patient, d.v.Arrive, nil)))
}
