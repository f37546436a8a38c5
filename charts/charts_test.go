package charts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/charts"
	"ward/ledger"
	"ward/policy"
	"ward/seal"
	"ward/seal/envelope"
	"ward/store"
	"ward/store/storetest"
)

type someone struct {
	seal.Pen
	card  seal.Grantee // to them
	roles []ward.Role
}

type town struct {
	t        *testing.T
	db       *store.DB
	dir      string
	database string
	org      ward.OrgID
	now      time.Time
	people   map[ward.PersonID]*someone
	c        *charts.Charts
	told     []ward.Notice
	cancels  func(ctx context.Context, tx *store.Tx, chart ward.ChartID, by ward.PersonID) error
}

func (w *town) Card(_ context.Context, _ *store.Tx, _ ward.OrgID, id ward.PersonID) (charts.Card, error) {
	p := w.people[id]
	return charts.Card{Hash: p.card.Card, Signing: p.Signing.Public(), Roles: p.roles, Active: true}, nil
}

func (w *town) Certified(context.Context, *store.Tx, ward.OrgID, ward.PersonID, string) error {
	return nil
}

func (w *town) CancelOf(ctx context.Context, tx *store.Tx, _ ward.OrgID, chart ward.ChartID, by ward.PersonID) error {
	if w.cancels == nil {
		return nil
	}
	return w.cancels(ctx, tx, chart, by)
}

func (w *town) Publish(_ ward.OrgID, n ward.Notice) error {
	w.told = append(w.told, n)
	return nil
}

func newTown(t *testing.T) *town {
	w := &town{t: t, dir: t.TempDir(), org: ward.NewID[ward.OrgID](), now: time.Now().Truncate(time.Millisecond), people: map[ward.PersonID]*someone{}}
	w.database = storetest.Database(t)
	var err error
	w.db, err = store.Open(t.Context(), store.Config{Dir: w.dir, Database: w.database})
	w.must(err)
	t.Cleanup(func() { w.db.Close() })
	clock := func() time.Time { return w.now }
	w.c = charts.New(charts.Config{DB: w.db, Ledger: ledger.New(clock), People: w, Visits: w, Notices: w, Now: clock})
	return w
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) person(roles ...ward.Role) *someone {
	identity, err := seal.NewIdentity()
	w.must(err)
	p := &someone{roles: roles}
	p.Org, p.Person, p.Signing, p.Browser, p.Name = w.org, ward.NewID[ward.PersonID](), seal.NewSigningKey(), seal.NewSigningKey(), "N"
	p.card = cardOf(p.Person, identity)
	p.Pen.Card = p.card.Card
	w.people[p.Person] = p
	return p
}

// cardOf is what a grant is to: the hash of a card that nobody here looks at, and the recipient.
func cardOf(person ward.PersonID, identity seal.Identity) seal.Grantee {
	return seal.Grantee{Person: person, Card: seal.Hash([]byte(identity.Recipient())), Recipient: identity.Recipient()}
}

func (p *someone) caller() ward.Caller {
	return ward.Caller{Org: p.Org, Person: p.Person, Roles: p.roles, Browser: p.Browser.Public()}
}

type made struct {
	key   seal.LockKey
	epoch *envelope.Statement[envelope.Epoch]
	id    ward.LockID
}

func (w *town) lock(by *someone, kind string, chart ward.ChartID, grants ...func(made) ward.NewGrant) (made, ward.NewLock) {
	part := ""
	if chart != "" {
		part = envelope.General
	}
	key, epoch, err := by.NewLock(kind, chart, part, w.now)
	w.must(err)
	m := made{key, epoch, key.Lock}
	n := ward.NewLock{Epoch: string(epoch.Text)}
	for _, g := range grants {
		n.Grants = append(n.Grants, g(m))
	}
	return m, n
}

func (w *town) to(by, p *someone, purpose, until string) func(made) ward.NewGrant {
	return func(m made) ward.NewGrant {
		g, err := by.Grant(m.key, p.card, purpose, until, w.now)
		w.must(err)
		return g
	}
}

func (w *town) toLock(by *someone, h made, purpose string) func(made) ward.NewGrant {
	return func(m made) ward.NewGrant {
		g, err := by.Grant(m.key, seal.ToLock(h.epoch), purpose, "", w.now)
		w.must(err)
		return g
	}
}

func (w *town) do(fn func(ctx context.Context, tx *store.Tx) error) error {
	return w.db.Do(w.t.Context(), fn)
}

func (w *town) create(by *someone, locks ...ward.NewLock) error {
	return w.do(func(ctx context.Context, tx *store.Tx) error { return w.c.Create(ctx, tx, w.org, by.Person, locks) })
}

type handler = func(context.Context, *store.Tx, ward.Caller, *http.Request) (any, error)

func (w *town) call(h handler, who *someone, body any, values ...string) (answer any, err error) {
	text, _ := json.Marshal(body)
	err = w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		r := httptest.NewRequest("POST", "/x", bytes.NewReader(text))
		for i := 0; i < len(values); i += 2 {
			r.SetPathValue(values[i], values[i+1])
		}
		answer, err = h(ctx, tx, who.caller(), r)
		return err
	})
	return answer, err
}

func (w *town) grants(by *someone, m made, g ward.NewGrant) error {
	_, err := w.call(w.c.PostGrants, by, map[string]any{"grants": []ward.NewGrant{g}}, "lock", string(m.id))
	return err
}

func (w *town) due(who *someone, m made) bool {
	a, err := w.call(w.c.GetLock, who, nil, "lock", string(m.id))
	w.must(err)
	return a.(ward.Lock).Due
}

func (w *town) turn(by *someone, m made, grants ...func(made) ward.NewGrant) (made, ward.NewEpoch, error) {
	key, epoch, history, err := by.Turn(m.key, m.epoch, w.now)
	w.must(err)
	next := made{key, epoch, m.id}
	n := ward.NewEpoch{Epoch: string(epoch.Text), History: history}
	for _, g := range grants {
		n.Grants = append(n.Grants, g(next))
	}
	_, err = w.call(w.c.PostEpoch, by, n, "lock", string(m.id))
	return next, n, err
}

// leave has somebody join a lock and leave the clinic, so that it is due.
func (w *town) leave(by *someone, m made) {
	p := w.person(ward.Proxy)
	w.must(w.grants(by, m, w.to(by, p, envelope.ForProxy, "")(m)))
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
		return w.c.EndPerson(ctx, tx, w.org, p.Person, by.Person)
	}))
}

func (w *town) reads(p *someone, m made) bool {
	var about policy.Resource
	w.must(w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		r := httptest.NewRequest("GET", "/x", nil)
		r.SetPathValue("lock", string(m.id))
		about, err = w.c.AboutLock(ctx, tx, p.caller(), r)
		return err
	}))
	return len(about.Readers) > 0
}

func TestANewLockBringsNoGrantOfAnotherLock(t *testing.T) {
	w := newTown(t)
	doc, friend := w.person(ward.Clinician), w.person(ward.FrontDesk)
	first, n := w.lock(doc, envelope.LockTeam, "", w.to(doc, doc, envelope.ForWork, ""))
	w.must(w.create(doc, n))
	_, n = w.lock(doc, envelope.LockTeam, "", w.to(doc, doc, envelope.ForWork, ""))
	n.Grants = append(n.Grants, w.to(doc, friend, envelope.ForWork, "")(first))
	_, err := w.call(w.c.CreateTeam, doc, n)
	if err == nil && w.reads(friend, first) {
		t.Error("POST /api/locks of a new team granted an EXISTING lock to somebody, past the policy on grant")
	}
}

func TestATeamIsMadeOfClinicians(t *testing.T) {
	w := newTown(t)
	doc, desk := w.person(ward.Clinician), w.person(ward.FrontDesk)
	_, n := w.lock(doc, envelope.LockTeam, "", w.to(doc, doc, envelope.ForWork, ""), w.to(doc, desk, envelope.ForWork, ""))
	if _, err := w.call(w.c.CreateTeam, doc, n); err == nil {
		t.Error("a new team may have members whom policy join-team refuses")
	}
}

func TestWhoHoldsTheEmergencyKeyHearsNothingUntilTheGlassIsBroken(t *testing.T) {
	w := newTown(t)
	pat, doc, dpo := w.person(ward.Patient), w.person(ward.Clinician), w.person(ward.Privacy)
	em, n := w.lock(doc, envelope.LockEmergency, "", w.to(doc, doc, envelope.ForWork, ""))
	w.must(w.create(doc, n))
	chart := ward.NewID[ward.ChartID]()
	m, n := w.lock(pat, envelope.LockChart, chart, w.to(pat, pat, envelope.ForSelf, ""), w.toLock(pat, em, envelope.ForEmergency))
	w.must(w.create(pat, n))
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
		about, err := w.c.Audience(ctx, tx, w.org, ward.Notice{Kind: "entry", Lock: m.id, Chart: chart})
		if slices.Contains(about.People, doc.Person) || !slices.Contains(about.People, pat.Person) {
			t.Error("a clinician who only holds the emergency key hears of every entry in every chart")
		}
		return err
	}))
	_, err := w.call(w.c.PostBreakGlass, doc, ward.BreakGlass{Code: "other"}, "chart", string(chart))
	w.must(err)
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
		about, err := w.c.Audience(ctx, tx, w.org, ward.Notice{Kind: "grant", Chart: chart, Person: pat.Person})
		if !slices.ContainsFunc(about.Roles, dpo.caller().Has) || !slices.Contains(about.People, doc.Person) {
			t.Error("the data protection officer does not hear that the glass was broken")
		}
		return err
	}))
}

func TestWhoIsConcernedHearsOnceThatTheHourOfAnEmergencyIsOver(t *testing.T) {
	w := newTown(t)
	pat, doc, nurse, officer := w.person(ward.Patient), w.person(ward.Clinician), w.person(ward.Clinician), w.person(ward.Security)
	em, n := w.lock(doc, envelope.LockEmergency, "", w.to(doc, doc, envelope.ForWork, ""))
	w.must(w.create(doc, n))
	chart := ward.NewID[ward.ChartID]()
	_, n = w.lock(pat, envelope.LockChart, chart, w.to(pat, pat, envelope.ForSelf, ""), w.toLock(pat, em, envelope.ForEmergency))
	w.must(w.create(pat, n))
	open := func(who *someone) {
		t.Helper()
		_, err := w.call(w.c.PostBreakGlass, who, ward.BreakGlass{Code: "other"}, "chart", string(chart))
		w.must(err)
	}
	over := func() (who []ward.PersonID) {
		t.Helper()
		w.told = nil
		w.must(errors.Join(w.c.EndHours(t.Context()), w.c.EndHours(t.Context())))
		w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
			found, err := ledger.New(time.Now).List(ctx, tx, w.org, ledger.Query{Newest: true, Limit: 10, Chart: chart})
			for _, e := range found.Events {
				if e.Action == "emergency-over" && e.Time == ward.FormatTime(w.now) && e.Decision == "done" {
					who = append(who, e.Person)
				}
			}
			return err
		}))
		for _, n := range w.told {
			for _, hearer := range []*someone{pat, officer} {
				w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
					about, err := w.c.Audience(ctx, tx, w.org, n)
					if !slices.Contains(about.People, hearer.Person) && !slices.ContainsFunc(about.Roles, hearer.caller().Has) {
						t.Errorf("%s does not hear of it", hearer.roles)
					}
					return err
				}))
			}
		}
		if len(w.told) != len(who) {
			t.Errorf("told %d times of %d", len(w.told), len(who))
		}
		return who
	}
	began := w.now
	at := func(minutes int) { w.now = began.Add(time.Duration(minutes) * time.Minute) }
	open(doc)
	at(30)
	open(doc) // again, for as long as it takes
	open(nurse)
	at(59)
	if got := over(); got != nil {
		t.Errorf("before the hour is over: %v", got)
	}
	at(61)
	if got := over(); got != nil {
		t.Errorf("while the second hour goes on: %v", got)
	}
	_, err := w.call(w.c.EndEmergency, nurse, nil, "chart", string(chart))
	w.must(err)
	at(91)
	if got := over(); !slices.Equal(got, []ward.PersonID{doc.Person}) {
		t.Errorf("when both are: %v, not of %v alone", got, doc.Person)
	}
	at(200)
	if got := over(); got != nil {
		t.Errorf("later: %v", got)
	}
}

func TestAShorterEndEndsGrantsOfEarlierEpochsToo(t *testing.T) {
	w := newTown(t)
	pat, proxy := w.person(ward.Patient), w.person(ward.Proxy)
	m, n := w.lock(pat, envelope.LockChart, ward.NewID[ward.ChartID](), w.to(pat, pat, envelope.ForSelf, ""), w.to(pat, proxy, envelope.ForProxy, ""))
	w.must(w.create(pat, n))
	w.leave(pat, m)
	m, _, err := w.turn(pat, m, w.to(pat, pat, envelope.ForSelf, ""), w.to(pat, proxy, envelope.ForProxy, ""))
	w.must(err)
	w.must(w.grants(pat, m, w.to(pat, proxy, envelope.ForProxy, ward.FormatTime(w.now.Add(time.Hour)))(m)))
	w.now = w.now.Add(2 * time.Hour)
	if w.reads(proxy, m) {
		t.Error("a grant that was replaced by one of an hour still reads two hours later, by its grant of epoch 1")
	}
}

func TestAChartStaysDueAfterItIsGrantedAgainToATeamThatTurned(t *testing.T) {
	w := newTown(t)
	doc, nurse, pat := w.person(ward.Clinician), w.person(ward.Clinician), w.person(ward.Patient)
	team, n := w.lock(doc, envelope.LockTeam, "", w.to(doc, doc, envelope.ForWork, ""), w.to(doc, nurse, envelope.ForWork, ""))
	w.must(w.create(doc, n))
	m, n := w.lock(pat, envelope.LockChart, ward.NewID[ward.ChartID](), w.to(pat, pat, envelope.ForSelf, ""), w.toLock(pat, team, envelope.ForCare))
	w.must(w.create(pat, n))
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error {
		return w.c.EndPerson(ctx, tx, w.org, nurse.Person, doc.Person)
	}))
	team, _, err := w.turn(doc, team, w.to(doc, doc, envelope.ForWork, ""))
	w.must(err)
	if !w.due(pat, m) {
		t.Fatal("not even due")
	}
	w.must(w.grants(pat, m, w.toLock(pat, team, envelope.ForCare)(m)))
	if !w.due(pat, m) {
		t.Error("the chart is not due any more, though the removed nurse has its current key")
	}
}

func TestAGrantAndAnEpochMayBeSentAgain(t *testing.T) {
	w := newTown(t)
	pat, proxy := w.person(ward.Patient), w.person(ward.Proxy)
	m, n := w.lock(pat, envelope.LockChart, ward.NewID[ward.ChartID](), w.to(pat, pat, envelope.ForSelf, ""))
	w.must(w.create(pat, n))
	g := w.to(pat, proxy, envelope.ForProxy, "")(m)
	w.must(w.grants(pat, m, g))
	if err := w.grants(pat, m, g); err != nil {
		t.Errorf("the same grant again: %v", err)
	}
	w.leave(pat, m)
	_, e, err := w.turn(pat, m, w.to(pat, pat, envelope.ForSelf, ""), w.to(pat, proxy, envelope.ForProxy, ""))
	w.must(err)
	if _, err := w.call(w.c.PostEpoch, pat, e, "lock", string(m.id)); err != nil {
		t.Errorf("the same epoch again: %v", err)
	}
}

func TestALockAndAGrantAreDatedNow(t *testing.T) {
	w := newTown(t)
	pat, proxy := w.person(ward.Patient), w.person(ward.Proxy)
	real := w.now
	w.now = real.Add(-20 * 365 * 24 * time.Hour)
	m, n := w.lock(pat, envelope.LockChart, ward.NewID[ward.ChartID](), w.to(pat, pat, envelope.ForSelf, ""))
	w.now = real
	if w.create(pat, n) == nil {
		t.Error("a lock dated 20 years ago")
	}
	w.now = real.Add(20 * 365 * 24 * time.Hour)
	g := w.to(pat, proxy, envelope.ForProxy, "")(m)
	w.now = real
	if w.grants(pat, m, g) == nil {
		t.Error("a grant dated in 20 years")
	}
}

func TestAnEmergencyGrantToAPersonIsNotReleased(t *testing.T) {
	w := newTown(t)
	pat, doc, proxy := w.person(ward.Patient), w.person(ward.Clinician), w.person(ward.Proxy)
	chart := ward.NewID[ward.ChartID]()
	_, n := w.lock(pat, envelope.LockChart, chart, w.to(pat, pat, envelope.ForSelf, ""), w.to(pat, proxy, envelope.ForEmergency, ""))
	if w.create(pat, n) != nil {
		return
	}
	if _, err := w.call(w.c.PostBreakGlass, doc, ward.BreakGlass{Code: "other"}, "chart", string(chart)); err == nil {
		t.Error("breaking the glass 'worked' with a grant that is sealed to a proxy and opens for no clinician")
	}
}

type ending struct {
	io.Reader
	end func()
}

func (e ending) Read(b []byte) (int, error) {
	n, err := e.Reader.Read(b)
	if err == io.EOF {
		e.end()
	}
	return n, err
}

func objectsIn(dir string) (files []string) {
	filepath.WalkDir(filepath.Join(dir, "objects"), func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		return nil
	})
	return files
}

func (w *town) put(ctx context.Context, p *someone, m made, u ward.UploadID, body io.Reader, size int) error {
	r := httptest.NewRequest("PUT", "/x", body)
	r.ContentLength = int64(size)
	for k, v := range map[string]string{"lock": string(m.id), "upload": string(u), "part": "1"} {
		r.SetPathValue(k, v)
	}
	return w.c.PutPart(ctx, p.caller(), httptest.NewRecorder(), r)
}

func TestACutUploadLeavesNoObject(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	m, n := w.lock(pat, envelope.LockChart, ward.NewID[ward.ChartID](), w.to(pat, pat, envelope.ForSelf, ""))
	w.must(w.create(pat, n))
	ctx, cancel := context.WithCancel(t.Context())
	err := w.put(ctx, pat, m, ward.NewID[ward.UploadID](), ending{strings.NewReader("12345"), cancel}, 5)
	w.now = w.now.Add(90 * 24 * time.Hour)
	w.must(w.c.Sweep(t.Context()))
	if left := objectsIn(w.dir); err != nil && len(left) > 0 {
		t.Errorf("after a part whose row was not written (%v), %d object(s) stay though nothing names them", err, len(left))
	}
}

func TestReadingAnObjectThatWasCutShortEnds(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	m, n := w.lock(pat, envelope.LockChart, ward.NewID[ward.ChartID](), w.to(pat, pat, envelope.ForSelf, ""))
	w.must(w.create(pat, n))
	var sealed bytes.Buffer
	body := bytes.Repeat([]byte("x"), 100<<10)
	_, sum, _ := seal.Measure(bytes.NewReader(body))
	s, err := pat.SealStream(&sealed, m.epoch.Body, seal.Draft{Kind: "file", Type: "text/plain", Size: int64(len(body)), SHA256: sum}, bytes.NewReader(body), envelope.Start(m.id), w.now)
	w.must(err)
	u := ward.NewID[ward.UploadID]()
	w.must(w.put(t.Context(), pat, m, u, bytes.NewReader(sealed.Bytes()), sealed.Len()))
	_, err = w.call(w.c.PostEntries, pat, map[string]any{"entries": []ward.NewEntry{{Text: string(s.Text), Upload: u}}}, "lock", string(m.id))
	w.must(err)
	files := objectsIn(w.dir)
	w.must(os.Truncate(files[0], 5000))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { recover() }()
		r := httptest.NewRequest("GET", "/x", nil)
		r.SetPathValue("lock", string(m.id))
		r.SetPathValue("entry", string(s.Body.Entry))
		w.c.GetSealed(t.Context(), pat.caller(), httptest.NewRecorder(), r)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("GET …/sealed of an object that was cut short never ends: it reopens the file in a loop")
	}
}

func TestErasureEmptiesGrantsAndWhatThePersonWroteOfThemselves(t *testing.T) {
	w := newTown(t)
	pat, proxy := w.person(ward.Patient), w.person(ward.Proxy)
	_, n := w.lock(pat, envelope.LockChart, ward.NewID[ward.ChartID](), w.to(pat, pat, envelope.ForSelf, ""), w.to(pat, proxy, envelope.ForProxy, ""))
	w.must(w.create(pat, n))
	dir, n := w.lock(pat, envelope.LockDirectory, "", w.to(pat, pat, envelope.ForWork, ""))
	w.must(w.create(pat, n))
	e, err := proxy.SealEntry(dir.epoch.Body, seal.Draft{Kind: "person", Type: "text/plain"}, []byte("name"), envelope.Start(dir.id), w.now)
	w.must(err)
	_, err = w.call(w.c.PostEntries, proxy, map[string]any{"entries": []ward.NewEntry{e}}, "lock", string(dir.id))
	w.must(err)
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error { return w.c.EraseOf(ctx, tx, w.org, proxy.Person) }))
	var grants, entries int64
	w.must(w.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Row(ctx, `SELECT count(*) FROM grants WHERE person = $1 AND length(sealed) > 0`, string(proxy.Person)).Scan(&grants); err != nil {
			return err
		}
		return tx.Row(ctx, `SELECT count(*) FROM entries WHERE author = $1 AND length(sealed) > 0`, string(proxy.Person)).Scan(&entries)
	}))
	if grants > 0 || entries > 0 {
		t.Errorf("after EraseOf: %d sealed grants to the person and %d of their sealed directory entries remain", grants, entries)
	}
}
