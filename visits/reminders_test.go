package visits

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ward"
	"ward/client"
	"ward/identity"
	"ward/seal/envelope"
	"ward/store"
)

// post is a mail server and a push service, as far as reminders need them.
type post struct {
	t        *testing.T
	mu       sync.Mutex
	letters  []string // as the mail server heard them
	pushes   []*http.Request
	bodies   [][]byte
	answer   int // of the push service
	mail     net.Listener
	push     *httptest.Server
	key      client.PushKey // of a browser
	deafened bool           // the mail server does not answer
}

func newPost(t *testing.T) *post {
	p := &post{t: t, answer: http.StatusCreated}
	var err error
	if p.key, err = client.NewPushKey(); err != nil {
		t.Fatal(err)
	}
	if p.mail, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := p.mail.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.takeMail(conn) })
		}
	})
	p.push = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pushes, p.bodies = append(p.pushes, r), append(p.bodies, body)
		w.WriteHeader(p.answer)
	}))
	t.Cleanup(func() { p.mail.Close(); serving.Wait(); p.push.Close() })
	return p
}

func (p *post) takeMail(conn net.Conn) {
	defer conn.Close()
	p.mu.Lock()
	deaf := p.deafened
	p.mu.Unlock()
	if deaf {
		return
	}
	io.WriteString(conn, "220 mail\r\n")
	var heard strings.Builder
	inData := false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		line := lines.Text()
		heard.WriteString(line + "\n")
		switch {
		case line == ".":
			inData = false
			p.mu.Lock()
			p.letters = append(p.letters, heard.String())
			p.mu.Unlock()
			io.WriteString(conn, "250 ok\r\n")
		case inData:
		case line == "DATA":
			inData = true
			io.WriteString(conn, "354 go on\r\n")
		case line == "QUIT":
			io.WriteString(conn, "221 bye\r\n")
			return
		default:
			io.WriteString(conn, "250 ok\r\n")
		}
	}
}

// got is what came since it was last asked: letters, and what the browser reads of pushes.
func (p *post) got() (letters, pushes []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, body := range p.bodies {
		var message struct{ Text, Tag string }
		text, err := p.key.Open(body)
		if err := errors.Join(err, json.Unmarshal(text, &message)); err != nil {
			p.t.Error(err)
		}
		pushes = append(pushes, message.Text)
	}
	letters = p.letters
	p.letters, p.pushes, p.bodies = nil, nil, nil
	return letters, pushes
}

// newReminded is a door whose patient wants to be told, by e-mail and in a browser.
func newReminded(t *testing.T) (*door, *post) {
	d, p := newDoor(t), newPost(t)
	d.now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	d.v.Letters = identity.SMTP{Server: p.mail.Addr().String(), From: "no-reply@clinic.example"}
	d.v.Origin, d.v.push.origin, d.v.push.client = "https://clinic.example", "https://clinic.example", p.push.Client()
	d.patient.Browser = "phone"
	d.must(d.call(d.patient, d.v.PutReminders, ward.Reminders{Language: "en", TimeZone: "Europe/Madrid", Leads: []int64{1440, 60}, Email: "amina@mail.example"}))
	d.must(d.call(d.patient, d.v.PutPush, p.key.At(p.push.URL+"/send/1")))
	d.remind()
	letters, _ := p.got()
	if len(letters) != 1 || !strings.Contains(letters[0], "RCPT TO:<amina@mail.example>") || !strings.Contains(letters[0], "will come to this address") {
		t.Fatalf("the first letter shows that the address is right: %q", letters)
	}
	return d, p
}

func (d *door) remind() {
	d.t.Helper()
	if err := d.v.Remind(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

func TestPeopleAreRemindedADayAndAnHourBeforeAndOnce(t *testing.T) {
	d, p := newReminded(t)
	b := d.plan(time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC), 30)
	d.must(d.call(d.host, d.v.Book, b))
	for _, step := range []struct {
		at   string
		want string
	}{
		{"2026-11-22T08:29:00.000Z", ""},
		{"2026-11-22T08:31:00.000Z", "You have an appointment tomorrow at 09:30."},
		{"2026-11-22T09:00:00.000Z", ""},
		{"2026-11-23T07:29:00.000Z", ""},
		{"2026-11-23T07:30:00.000Z", "You have an appointment today at 09:30."},
		{"2026-11-23T07:31:00.000Z", ""},
		{"2026-11-23T08:31:00.000Z", ""},
	} {
		now, err := ward.ParseTime(step.at)
		d.must(nil, err)
		d.now = now
		d.remind()
		letters, pushes := p.got()
		if step.want == "" {
			if len(letters)+len(pushes) > 0 {
				t.Errorf("at %s: %q %q", step.at, letters, pushes)
			}
			continue
		}
		if len(letters) != 1 || !strings.Contains(letters[0], step.want) || !strings.Contains(letters[0], "Open Ward: https://clinic.example") {
			t.Errorf("at %s the letters are %q", step.at, letters)
		}
		if len(pushes) != 1 || pushes[0] != step.want {
			t.Errorf("at %s the browser shows %q", step.at, pushes)
		}
		for _, id := range []string{string(b.Visit), string(d.chart), string(d.host.Person), string(d.patient.Person)} {
			if strings.Contains(letters[0], id) {
				t.Errorf("the letter names %s", id)
			}
		}
	}
}

func TestReplicasRemindOnceBetweenThem(t *testing.T) {
	d, p := newReminded(t)
	d.must(d.call(d.host, d.v.Book, d.plan(d.now.Add(48*time.Hour), 30)))
	d.now = d.now.Add(24*time.Hour + time.Minute)
	other := d.replica()
	if other == nil {
		other = d.db
	}
	second := *d.v
	second.DB = other
	var all sync.WaitGroup
	for _, v := range []*Visits{d.v, &second, d.v, &second} {
		all.Go(func() {
			if err := v.Remind(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if letters, pushes := p.got(); len(letters) != 1 || len(pushes) != 1 {
		t.Errorf("%d letters and %d pushes of one reminder", len(letters), len(pushes))
	}
}

func TestWhatIsMovedOrCancelledIsToldToTheOthers(t *testing.T) {
	d, p := newReminded(t)
	b := d.plan(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), 30)
	d.must(d.call(d.host, d.v.Book, b))
	d.visit = b.Visit
	to := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	d.must(d.call(d.host, d.v.Change, ward.VisitChange{Starts: ward.FormatTime(to), Ends: ward.FormatTime(to.Add(time.Hour))}))
	d.now = d.now.Add(settles)
	d.remind()
	if letters, pushes := p.got(); len(letters) != 1 || len(pushes) != 1 || pushes[0] != "Your appointment was moved. It is now on 1 December at 11:00." {
		t.Errorf("moved: %q %q", letters, pushes)
	}
	d.now = time.Date(2026, 11, 25, 8, 30, 0, 0, time.UTC)
	d.remind()
	if letters, pushes := p.got(); len(letters)+len(pushes) != 0 {
		t.Errorf("the time from which it was moved: %q %q", letters, pushes)
	}
	d.must(d.call(d.host, d.v.Change, ward.VisitChange{State: cancelled}))
	d.remind()
	if _, pushes := p.got(); len(pushes) != 1 || pushes[0] != "Your appointment on 1 December at 11:00 was cancelled." {
		t.Errorf("cancelled: %q", pushes)
	}
	again := d.plan(to, 30)
	d.must(d.call(d.host, d.v.Book, again))
	d.visit = again.Visit
	d.must(d.call(d.patient, d.v.Change, ward.VisitChange{State: cancelled}))
	d.remind()
	if letters, pushes := p.got(); len(letters)+len(pushes) != 0 {
		t.Errorf("who cancels is not told of it: %q %q", letters, pushes)
	}
}

func TestAVisitThatIsMovedToAndFroIsToldOfOnce(t *testing.T) {
	d, p := newReminded(t)
	b := d.plan(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), 30)
	d.must(d.call(d.host, d.v.Book, b))
	d.visit = b.Visit
	move := func(to time.Time) {
		t.Helper()
		d.must(d.call(d.host, d.v.Change, ward.VisitChange{Starts: ward.FormatTime(to), Ends: ward.FormatTime(to.Add(time.Hour))}))
		d.remind()
	}
	none := func(when string) {
		t.Helper()
		if letters, pushes := p.got(); len(letters)+len(pushes) != 0 {
			t.Errorf("%s: %q %q", when, letters, pushes)
		}
	}
	one := func(want string) {
		t.Helper()
		if letters, pushes := p.got(); len(letters) != 1 || !strings.Contains(letters[0], want) || !slices.Equal(pushes, []string{want}) {
			t.Errorf("not once %q: %q %q", want, letters, pushes)
		}
	}
	for _, hour := range []int{10, 14, 10, 14, 11} {
		move(time.Date(2026, 12, 1, hour, 0, 0, 0, time.UTC))
		d.now = d.now.Add(settles / 2)
	}
	none("while it is moved")
	d.now = d.now.Add(settles / 2)
	d.remind()
	one("Your appointment was moved. It is now on 1 December at 12:00.")

	move(time.Date(2026, 12, 2, 10, 0, 0, 0, time.UTC))
	d.must(d.call(d.host, d.v.Change, ward.VisitChange{State: cancelled}))
	d.remind()
	one("Your appointment on 2 December at 11:00 was cancelled.")
	d.now = d.now.Add(settles)
	d.remind()
	none("the move of what was cancelled")

	again := d.plan(d.now.Add(72*time.Hour), 30)
	d.must(d.call(d.host, d.v.Book, again))
	d.visit = again.Visit
	p.mu.Lock()
	p.deafened, p.answer = true, http.StatusServiceUnavailable
	p.mu.Unlock()
	move(d.now.Add(50 * time.Hour))
	d.now = d.now.Add(settles)
	d.remind() // in vain
	p.got()
	p.mu.Lock()
	p.deafened, p.answer = false, http.StatusCreated
	p.mu.Unlock()
	move(d.now.Add(soon / 2))
	one("Your appointment was moved. It is now today at " + d.now.Add(soon/2).In(time.FixedZone("", 3600)).Format("15:04") + ".")
	d.now = d.now.Add(letterLease * 2)
	d.remind()
	none("what was tried in vain")
}

func TestWhoseChartIsErasedHasNoMoreVisits(t *testing.T) {
	d, p := newReminded(t)
	d.must(d.call(d.host, d.v.Book, d.plan(d.now.Add(26*time.Hour), 30)))
	series := d.plan(d.now.Add(72*time.Hour), 30)
	series.Repeat = &ward.Repeat{Every: "week", Times: 2, TimeZone: "Europe/Madrid"}
	d.must(d.call(d.host, d.v.Book, series))
	erase := func(chart ward.ChartID, by ward.PersonID) {
		d.t.Helper()
		d.must(nil, d.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error { return d.v.CancelOf(ctx, tx, d.host.Org, chart, by) }))
	}
	states := func() []string {
		_, all := d.starts(d.host, d.now, d.now.AddDate(0, 0, 14))
		return all
	}
	before := states()
	erase(ward.NewID[ward.ChartID](), d.host.Person)
	if after := states(); len(after) < 3 || !slices.Equal(after, before) {
		t.Errorf("another chart was erased: %v, were %v", after, before)
	}
	erase(d.chart, d.host.Person)
	if after := states(); slices.Contains(after, booked) {
		t.Errorf("the chart was erased: %v", after)
	}
	d.remind()
	_, pushes := p.got()
	for _, told := range []string{"tomorrow at 15:00", "on 23 November at 13:00", "on 30 November at 13:00"} {
		if !slices.Contains(pushes, "Your appointment "+told+" was cancelled.") {
			t.Errorf("not told of the one %s: %q", told, pushes)
		}
	}
}

func TestLettersAreTriedAgainAndDeadBrowsersForgotten(t *testing.T) {
	d, p := newReminded(t)
	d.must(d.call(d.host, d.v.Book, d.plan(d.now.Add(30*time.Hour), 30)))
	p.mu.Lock()
	p.deafened, p.answer = true, http.StatusServiceUnavailable
	p.mu.Unlock()
	d.now = d.now.Add(6*time.Hour + time.Minute)
	d.remind()
	d.remind() // not at once
	if letters, pushes := p.got(); len(letters) != 0 || len(pushes) != 1 {
		t.Errorf("while nobody answers: %q %q", letters, pushes)
	}
	p.mu.Lock()
	p.deafened, p.answer = false, http.StatusGone
	p.mu.Unlock()
	d.now = d.now.Add(letterLease + time.Second)
	d.remind()
	if letters, pushes := p.got(); len(letters) != 1 || len(pushes) != 1 {
		t.Errorf("when they do: %q %q", letters, pushes)
	}
	answer, err := d.call(d.patient, d.v.GetReminders, nil)
	d.must(answer, err)
	if got := answer.(ward.Reminders); got.Here || got.Browsers != 0 || got.Email != "amina@mail.example" {
		t.Errorf("a browser that has gone is forgotten: %+v", got)
	}
	d.now = d.now.Add(letterLease * letterTries)
	d.remind()
	if letters, pushes := p.got(); len(letters)+len(pushes) != 0 {
		t.Errorf("and no more: %q %q", letters, pushes)
	}
}

func TestAddressesAreSealedAndGoWithThePerson(t *testing.T) {
	d, p := newReminded(t)
	b := d.plan(d.now.Add(72*time.Hour), 30)
	d.must(d.call(d.host, d.v.Book, b))
	g := d.visitor()
	d.must(d.call(d.host, d.v.InviteGuest, g.linked(func(l *envelope.Guest) { l.Visit = b.Visit }), "visit", string(b.Visit)))
	kept := func() (found string, rows int64) {
		d.must(nil, d.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			var email, push []byte
			if err := tx.Row(ctx, `SELECT count(*) FROM reminders WHERE person = $1`, string(d.patient.Person)).Scan(&rows); err != nil || rows == 0 {
				return err
			}
			err := tx.Row(ctx, `SELECT r.email, p.sealed FROM reminders r JOIN push_subscriptions p ON p.org = r.org AND p.person = r.person WHERE r.person = $1`,
				string(d.patient.Person)).Scan(&email, &push)
			found = string(email) + string(push)
			return err
		}))
		return found, rows
	}
	if text, _ := kept(); text == "" || strings.Contains(text, "amina") || strings.Contains(text, p.push.URL) {
		t.Errorf("on the disk: %q", text)
	}
	d.must(nil, d.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return d.v.EraseOf(ctx, tx, d.patient.Org, d.patient.Person)
	}))
	if _, rows := kept(); rows != 0 {
		t.Error("an address stays behind")
	}
	d.refused(ward.Missing, nil, second(d.call(ward.Caller{}, d.v.OpenGuest, nil, "guest", string(g.id)))) // a guest's link to it is gone
	if _, states := d.starts(d.host, d.now, d.now.Add(96*time.Hour)); !slices.Equal(states, []string{cancelled}) {
		t.Errorf("what they had booked is %v", states)
	}
	d.now = d.now.Add(71*time.Hour + 30*time.Minute)
	d.remind()
	if letters, pushes := p.got(); len(letters)+len(pushes) != 0 {
		t.Errorf("after they left: %q %q", letters, pushes)
	}
}

func TestPushesAreSignedAndNeutral(t *testing.T) {
	d, p := newReminded(t)
	d.must(d.call(d.host, d.v.Book, d.plan(d.now.Add(30*time.Hour), 30)))
	d.now = d.now.Add(7 * time.Hour)
	d.remind()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pushes) != 1 {
		t.Fatalf("%d pushes", len(p.pushes))
	}
	r := p.pushes[0]
	if r.Header.Get("TTL") != "82800" || r.Header.Get("Content-Encoding") != "aes128gcm" || len(p.bodies[0]) != 86+pushSize+16 {
		t.Errorf("TTL %s, %s, %d bytes", r.Header.Get("TTL"), r.Header.Get("Content-Encoding"), len(p.bodies[0]))
	}
	signed, key, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "vapid t="), ", k=")
	parts := strings.Split(signed, ".")
	if !ok || len(parts) != 3 || key != d.v.push.public {
		t.Fatalf("authorization %q", r.Header.Get("Authorization"))
	}
	point, err := ward.B64.DecodeString(key)
	d.must(nil, err)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	d.must(nil, err)
	signature, err := ward.B64.DecodeString(parts[2])
	d.must(nil, err)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature is not by the key")
	}
	claims, err := ward.B64.DecodeString(parts[1])
	d.must(nil, err)
	var said struct {
		Aud, Sub string
		Exp      int64
	}
	d.must(nil, json.Unmarshal(claims, &said))
	if said.Aud != p.push.URL || said.Sub != "https://clinic.example" || said.Exp != d.now.Add(vapidLasts).Unix() {
		t.Errorf("it says %+v", said)
	}
}

func TestSentencesSayATimeAndNothingElse(t *testing.T) {
	now := time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC) // in Madrid it is tomorrow
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixMilli()
	for language := range sentences {
		for _, about := range []string{aboutReminder, aboutMoved, aboutCancelled, aboutSeries, aboutFirst} {
			_, body := settings{language: language, zone: "Europe/Madrid"}.say(letter{about: about, starts: at}, now, "https://clinic.example")
			if strings.Contains(body, "%!") || about != aboutFirst && !strings.Contains(body, "10:00") {
				t.Errorf("%s, %s: %s", language, about, body)
			}
			for _, word := range []string{"health", "salud", "doctor", "médic", "patient", "pacient", "video", "vídeo", "visit", "صحة", "طبيب", "مريض", "فيديو"} {
				if strings.Contains(strings.ToLower(body), word) {
					t.Errorf("%s, %s says %q", language, about, word)
				}
			}
		}
	}
	words := sentences["en"]
	for zone, want := range map[string]string{"Europe/Madrid": "today at 10:00", "America/New_York": "tomorrow at 04:00", "gone/away": "tomorrow at 09:00 UTC"} {
		if got := (settings{zone: zone}).when(words, time.UnixMilli(at), now); got != want {
			t.Errorf("in %s it is %s, want %s", zone, got, want)
		}
	}
}

func TestRemindersThatCannotBeAreRefused(t *testing.T) {
	d, _ := newReminded(t)
	good := ward.Reminders{Language: "es", TimeZone: "Europe/Madrid", Leads: []int64{60}, Email: "a@b.example"}
	for why, change := range map[string]func(*ward.Reminders){
		"another language": func(r *ward.Reminders) { r.Language = "tlh" },
		"another clock":    func(r *ward.Reminders) { r.TimeZone = "Mars/Base" },
		"a minute before":  func(r *ward.Reminders) { r.Leads = []int64{1} },
		"three times":      func(r *ward.Reminders) { r.Leads = []int64{60, 60, 60} },
		"a name with it":   func(r *ward.Reminders) { r.Email = "Amina <a@b.example>" },
		"two addresses":    func(r *ward.Reminders) { r.Email = "a@b.example, c@d.example" },
		"a header":         func(r *ward.Reminders) { r.Email = "a@b.example\r\nBcc: c@d.example" },
		"no address":       func(r *ward.Reminders) { r.Email = "amina" },
		"a long address":   func(r *ward.Reminders) { r.Email = strings.Repeat("a", 250) + "@b.example" },
	} {
		r := good
		change(&r)
		if _, err := d.call(d.patient, d.v.PutReminders, r); err == nil || ward.KindOf(err) != ward.Invalid {
			t.Errorf("%s: %v", why, err)
		}
	}
	d.must(d.call(d.patient, d.v.PutReminders, good))
	d.must(d.call(d.patient, d.v.EndReminders, nil))
	if _, err := d.call(d.patient, d.v.PutPush, ward.PushSubscription{Endpoint: "https://push.example/"}); err == nil || !errors.As(err, new(*ward.Error)) {
		t.Errorf("a browser of who wants none: %v", err)
	}
}

func TestNobodyMakesTheClinicWriteToManyAddresses(t *testing.T) {
	d, p := newReminded(t) // which gave one
	give := func(n int) error {
		_, err := d.call(d.patient, d.v.PutReminders, ward.Reminders{Language: "en", TimeZone: "Europe/Madrid", Email: fmt.Sprintf("n%d@mail.example", n)})
		return err
	}
	for n := range maxAddresses - 1 {
		d.must(nil, give(n))
		d.must(d.call(d.patient, d.v.EndReminders, nil))
		d.now = d.now.Add(time.Second)
	}
	d.refused(ward.TooMany, nil, give(maxAddresses))
	d.now = d.now.Add(addressDay)
	d.must(nil, d.v.Sweep(t.Context()))
	d.must(nil, give(maxAddresses))
	d.remind()
	if letters, _ := p.got(); len(letters) != 1 {
		t.Errorf("%d letters to the one address that is left", len(letters))
	}
}
