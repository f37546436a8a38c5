package client

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"ward"
	"ward/seal/envelope"
)

func TestWhoLostTheirKeysIsInvitedAgainConfirmedAndGivenTheirChartBack(t *testing.T) {
	c, ctx := founded(t), t.Context()
	desk, _, _ := c.join(c.founder, About{Given: "Rosa", Family: "Diaz"}, ward.FrontDesk)
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	c.pass(80 * time.Hour) // the desk is no longer new
	c.must(errors.Join(c.founder.SignIn(ctx), desk.SignIn(ctx), patient.SignIn(ctx)))
	_, err := c.founder.Write(ctx, invited.Chart, envelope.General, c.founder.Note(invited.Chart, "Before", "Written before the phone was lost."))
	c.must(err)

	again, err := c.founder.InviteAgain(ctx, patient.Person(), false)
	c.must(err)
	returned := New(Config{Now: c.now, Origin: c.origin})
	if _, err := returned.Accept(ctx, again.Link, amina); err != nil {
		t.Fatal(err)
	}
	waits := func(when string) {
		t.Helper()
		c.must(errors.Join(desk.Housekeep(ctx), c.founder.Housekeep(ctx)))
		if me, err := returned.Me(ctx); err != nil || !me.Pending {
			t.Fatalf("%s: %+v, %v", when, me, err)
		}
		if _, err := returned.OpenChart(ctx, invited.Chart); err == nil {
			t.Fatalf("%s: a pending person opens the chart", when)
		}
		if _, err := patient.OpenChart(ctx, invited.Chart); err != nil {
			t.Fatalf("%s: the phone that was not lost after all reads nothing: %v", when, err)
		}
	}
	waits("before anyone confirmed")
	what := must(desk.Pending(ctx, patient.Person()))[0].What
	if err := c.founder.Confirm(ctx, patient.Person(), what, envelope.Met); ward.KindOf(err) != ward.Invalid {
		t.Fatalf("who invited confirms: %v", err)
	}
	c.must(desk.Confirm(ctx, patient.Person(), what, envelope.Met))
	waits("while it can be refused")
	if err := desk.Complete(ctx, patient.Person(), what); ward.KindOf(err) != ward.Invalid {
		t.Fatalf("completed before its time: %v", err)
	}
	c.pass(25 * time.Hour)
	c.must(errors.Join(c.founder.SignIn(ctx), desk.SignIn(ctx)))
	c.must(desk.Housekeep(ctx))
	c.must(returned.SignIn(ctx))
	if me, err := returned.Me(ctx); err != nil || me.Pending {
		t.Fatalf("after the time: %+v, %v", me, err)
	}
	c.must(c.founder.Housekeep(ctx))
	chart, err := returned.OpenChart(ctx, invited.Chart)
	c.must(err)
	if chart.Lock(envelope.General) == nil || !slices.ContainsFunc(chart.Entries, func(e Entry) bool { return e.Header.Title == "Before" }) {
		t.Fatalf("the chart is not back: %d entries, troubles %v", len(chart.Entries), chart.Troubles)
	}
	if _, err := returned.Write(ctx, invited.Chart, envelope.General, returned.Message(invited.Chart, "I am back.", "")); err != nil {
		t.Fatalf("write with new keys: %v", err)
	}
	read, err := c.founder.OpenChart(ctx, invited.Chart)
	c.must(err)
	if len(read.Troubles) > 0 {
		t.Fatalf("after new keys, the doctor has troubles: %v", read.Troubles)
	}
	if err := patient.SignIn(ctx); err == nil {
		t.Fatal("the lost phone still signs in")
	}
}

func TestWhoHasTheirPhoneRefusesNewKeysInTheirName(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	again, err := c.founder.InviteAgain(ctx, patient.Person(), false)
	c.must(err)
	thief := New(Config{Now: c.now, Origin: c.origin})
	c.must(firstError(thief.Accept(ctx, again.Link, amina)))
	waits := must(patient.Pending(ctx, patient.Person()))
	if len(waits) != 1 || waits[0].Person != patient.Person() {
		t.Fatalf("the phone sees %+v", waits)
	}
	c.must(patient.Veto(ctx, patient.Person(), waits[0].What))
	if _, err := thief.Me(ctx); ward.KindOf(err) != ward.Unauthenticated {
		t.Errorf("the thief is still signed in: %v", err)
	}
	if err := thief.SignIn(ctx); err == nil {
		t.Error("the thief signs in")
	}
	if _, err := patient.OpenChart(ctx, invited.Chart); err != nil {
		t.Errorf("the patient's own phone: %v", err)
	}
}

func TestWhoChangesTheirKeysKeepsWhatTheyHoldAndNobodyElseDoes(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, code, invited := c.join(c.founder, amina, ward.Patient)
	c.must(firstError(patient.Write(ctx, invited.Chart, envelope.Restricted, patient.Note(invited.Chart, "Diary", "My own words."))))
	thief := New(Config{Now: c.now, Origin: c.origin})
	c.must(thief.Recover(ctx, code.Text(), "Stolen"))
	renewed, err := patient.ChangeKeys(ctx)
	c.must(err)
	if _, err := thief.Me(ctx); ward.KindOf(err) != ward.Unauthenticated {
		t.Errorf("who had the old keys is still signed in: %v", err)
	}
	if err := New(Config{Now: c.now, Origin: c.origin}).Recover(ctx, code.Text(), "Stolen again"); err == nil {
		t.Error("the old code still opens")
	}
	c.must(patient.Housekeep(ctx))
	for _, who := range []*Client{patient, c.again(patient)} {
		chart, err := who.OpenChart(ctx, invited.Chart)
		c.must(err)
		if len(chart.Troubles) > 0 || len(chart.Locks) != 2 {
			t.Fatalf("after: %d locks, troubles %v", len(chart.Locks), chart.Troubles)
		}
		for _, l := range chart.Locks {
			if l.Current().Epoch != 2 || l.Due {
				t.Errorf("the %s part is in epoch %d, due %v", l.Compartment, l.Current().Epoch, l.Due)
			}
		}
	}
	c.must(New(Config{Now: c.now, Origin: c.origin}).Recover(ctx, renewed.Text(), "New phone"))
}

func TestATeamReadsWhatItWasGrantedUntilSomeoneLeaves(t *testing.T) {
	c, ctx := founded(t), t.Context()
	nurse, _, _ := c.join(c.founder, About{Given: "Nia", Family: "Cole"}, ward.Clinician)
	locum, _, _ := c.join(c.founder, About{Given: "Lou", Family: "Cum"}, ward.Clinician)
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	team, err := c.founder.CreateTeam(ctx, "Night rota", nurse.Person(), locum.Person())
	c.must(err)
	c.must(patient.Share(ctx, invited.Chart, "", team, envelope.ForCare, time.Time{}, envelope.Restricted))
	for name, member := range map[string]*Client{"nurse": nurse, "locum": locum} {
		chart, err := member.OpenChart(ctx, invited.Chart)
		if err != nil || chart.Lock(envelope.Restricted) == nil {
			t.Fatalf("the %s: %v", name, err)
		}
	}
	// The administrator ends the locum: team and charts turn without them.
	c.must(c.founder.EndPerson(ctx, locum.Person()))
	c.must(nurse.Housekeep(ctx))
	c.must(patient.Housekeep(ctx))
	if _, err := locum.OpenChart(ctx, invited.Chart); err == nil {
		t.Fatal("who was ended still reads")
	}
	chart, err := nurse.OpenChart(ctx, invited.Chart)
	c.must(err)
	for _, l := range chart.Locks {
		if l.Current().Epoch < 2 || l.Due {
			t.Errorf("the %s part is in epoch %d, due %v", l.Compartment, l.Current().Epoch, l.Due)
		}
		members, err := nurse.Members(ctx, l)
		c.must(err)
		for _, m := range members {
			if m.Grant.Holder != "" && m.State == "live" && m.Grant.HolderEpoch < 2 && m.Grant.Purpose == envelope.ForCare {
				t.Errorf("the %s part is granted to an old epoch of the team", l.Compartment)
			}
		}
	}
	_, err = patient.Write(ctx, invited.Chart, envelope.Restricted, patient.Note(invited.Chart, "New", "After the locum left."))
	c.must(err)
	chart, err = nurse.OpenChart(ctx, invited.Chart)
	if err != nil || len(chart.Troubles) > 0 || !slices.ContainsFunc(chart.Entries, func(e Entry) bool { return e.Header.Title == "New" }) {
		t.Fatalf("the nurse, after: %v, %+v", err, chart)
	}
}

func TestBreakingTheGlassOpensAChartAndThePatientSeesIt(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	locks, err := c.founder.clinicLocks()
	c.must(err)
	c.must(patient.Unshare(ctx, invited.Chart, "", locks.Clinicians))
	if _, err := c.founder.OpenChart(ctx, invited.Chart); err == nil {
		t.Fatal("the doctor reads a chart that was taken from the team")
	}
	chart, err := c.founder.BreakGlass(ctx, invited.Chart, "unconscious", "Found on the ward without a pulse.")
	c.must(err)
	if len(chart.Entries) < 3 || len(chart.Troubles) > 0 {
		t.Fatalf("through the glass: %d entries, troubles %v", len(chart.Entries), chart.Troubles)
	}
	mine, err := patient.OpenChart(ctx, invited.Chart)
	c.must(err)
	if !slices.ContainsFunc(mine.Entries, func(e Entry) bool { return e.Header.Title == "Emergency access" }) {
		t.Fatal("the patient does not see the reason")
	}
	looks, err := patient.Looks(ctx, invited.Chart, 0)
	c.must(err)
	if !slices.ContainsFunc(looks.Events, func(e ward.Event) bool { return e.Action == "breakGlass" && e.Person == c.founder.Person() }) {
		t.Fatal("the patient does not see who broke the glass")
	}
	c.must(c.founder.EndEmergency(ctx, invited.Chart))
	if _, err := c.founder.OpenChart(ctx, invited.Chart); err == nil {
		t.Fatal("the doctor reads on after ending the emergency")
	}
	if mine, err = patient.OpenChart(ctx, invited.Chart); err != nil || !mine.Due {
		t.Fatalf("after the emergency: due %v, %v", mine.Due, err)
	}
	c.must(patient.Housekeep(ctx))
	mine, err = patient.OpenChart(ctx, invited.Chart)
	c.must(err)
	for _, l := range mine.Locks {
		if before := chart.Lock(l.Compartment).Current().Epoch; l.Current().Epoch != before+1 || l.Due {
			t.Errorf("after the emergency the %s part is in epoch %d, before in %d, due %v", l.Compartment, l.Current().Epoch, before, l.Due)
		}
	}
	officer, _, _ := c.join(c.founder, About{Given: "Priya", Family: "Raman"}, ward.Privacy)
	told, err := officer.Emergencies(ctx)
	c.must(err)
	if len(told) != 1 || told[0].Chart != invited.Chart || told[0].Owner != patient.Person() || told[0].Person != c.founder.Person() || told[0].Code != "unconscious" {
		t.Fatalf("the data protection officer is told %+v", told)
	}
}

func TestAnAmendmentReplacesOnlyByRight(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	ids, err := c.founder.Write(ctx, invited.Chart, envelope.General, c.founder.Note(invited.Chart, "First", "Five milligrams."))
	c.must(err)
	wrong := patient.Note(invited.Chart, "Not mine to change", "Fifty milligrams.")
	wrong.Amends = ids[0]
	right := c.founder.Note(invited.Chart, "Corrected", "Half a milligram.")
	right.Amends = ids[0]
	titles := func() (titles []string) {
		chart, err := patient.OpenChart(ctx, invited.Chart)
		c.must(err)
		for _, e := range chart.Standing() {
			if e.Header.Kind == "note" {
				titles = append(titles, e.Header.Title)
			}
		}
		return titles
	}
	_, err = patient.Write(ctx, invited.Chart, envelope.General, wrong)
	c.must(err)
	if got := titles(); !slices.Equal(got, []string{"First", "Not mine to change"}) {
		t.Fatalf("after the patient's: %q", got)
	}
	_, err = c.founder.Write(ctx, invited.Chart, envelope.General, right)
	c.must(err)
	if got := titles(); !slices.Equal(got, []string{"Not mine to change", "Corrected"}) {
		t.Fatalf("after the author's: %q", got)
	}
	chart, err := c.founder.OpenChart(ctx, invited.Chart)
	c.must(err)
	at := slices.IndexFunc(chart.Entries, func(e Entry) bool { return e.Header.Title == "Corrected" })
	_, err = c.founder.Write(ctx, invited.Chart, envelope.General, c.founder.Retraction(invited.Chart, chart.Entries[at], "Wrong patient."))
	c.must(err)
	if got := titles(); !slices.Equal(got, []string{"Not mine to change"}) {
		t.Fatalf("after the retraction: %q", got)
	}
}

func TestAnEntryForAnOldEpochIsSealedAnew(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	target, err := c.founder.chartTarget(ctx, invited.Chart, envelope.General)
	c.must(err)
	visitor, _, _ := c.join(c.founder, About{Given: "Bashir", Family: "Yusuf"}, ward.Proxy)
	c.must(patient.Share(ctx, invited.Chart, visitor.Person(), "", envelope.ForProxy, time.Time{}, envelope.General))
	c.must(patient.Unshare(ctx, invited.Chart, visitor.Person(), ""))
	ids, err := c.founder.write(ctx, target, []Item{c.founder.Note(invited.Chart, "Old epoch", "Sealed again by itself.")})
	c.must(err)
	chart, err := c.founder.OpenChart(ctx, invited.Chart)
	c.must(err)
	at := slices.IndexFunc(chart.Entries, func(e Entry) bool { return e.Header.Entry == ids[0] })
	if at < 0 || chart.Entries[at].Statement.Body.Epoch != 2 {
		t.Fatalf("the entry is at %d of %d", at, len(chart.Entries))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestNoticesArrive(t *testing.T) {
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	listening, stop := context.WithCancel(ctx)
	defer stop()
	notices, ended := make(chan ward.Notice, 16), make(chan error, 1)
	go func() { ended <- patient.Listen(listening, func(n ward.Notice) { notices <- n }) }()
	// The stream may begin after the first note; the next is heard.
	deadline, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case n := <-notices:
			if n.Kind == "entry" && n.Chart == invited.Chart {
				stop()
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Fatalf("listening ended with %v", err)
				}
				return
			}
		case <-ticks.C:
			_, err := c.founder.Write(ctx, invited.Chart, envelope.General, c.founder.Message(invited.Chart, "Hello.", ""))
			c.must(err)
		case <-deadline.Done():
			t.Fatal("no notice arrived")
		}
	}
}

func TestALargeFileIsNeverWholeInMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a file of 200 MB")
	}
	c, ctx := founded(t), t.Context()
	patient, _, invited := c.join(c.founder, amina, ward.Patient)
	const size = 200 << 20
	name := filepath.Join(t.TempDir(), "scan")
	f, err := os.Create(name)
	c.must(err)
	defer f.Close()
	c.must(f.Truncate(size))
	var before, after runtime.MemStats
	peak := uint64(0)
	watch := func() {
		runtime.ReadMemStats(&after)
		peak = max(peak, after.HeapInuse)
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	id, err := patient.AddFile(ctx, invited.Chart, envelope.General, File{Name: "scan", Type: "application/octet-stream", Content: &watched{f, watch}})
	c.must(err)
	chart, err := patient.OpenChart(ctx, invited.Chart)
	c.must(err)
	at := slices.IndexFunc(chart.Entries, func(e Entry) bool { return e.Header.Entry == id })
	counted := &counting{on: watch}
	c.must(patient.ReadFile(ctx, chart.Entries[at], counted))
	if counted.n != size {
		t.Fatalf("%d bytes came back of %d", counted.n, size)
	}
	if grown := int64(peak) - int64(before.HeapInuse); grown > 100<<20 {
		t.Fatalf("memory grew by %d MB for a file of %d", grown>>20, size>>20)
	}
}

// watched and counting look at memory as bytes pass, now and then.
type watched struct {
	io.ReadSeeker
	on func()
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.ReadSeeker.Read(b)
	if err != nil {
		w.on()
	}
	return n, err
}

type counting struct {
	n  int64
	on func()
}

func (c *counting) Write(b []byte) (int, error) {
	const step = 8 << 20
	if c.n/step != (c.n+int64(len(b)))/step {
		c.on()
	}
	c.n += int64(len(b))
	return len(b), nil
}

func FuzzReadFHIR(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient"}},{}]}`))
	f.Add(marshalJSON(patient("p", "c", amina)))
	f.Add(marshalJSON(Appointment{Start: time.Now(), End: time.Now(), Reason: "a cough"}.resource("booked")))
	f.Fuzz(func(t *testing.T, text []byte) {
		readListing(text)
		ReadAppointment(text)
		resources, err := ReadFHIR(text)
		if err != nil {
			return
		}
		n := 0
		for _, item := range bundles(resources) {
			bundle, err := expand(item.Encoding, item.Body)
			if err != nil {
				t.Fatal(err)
			}
			again, err := ReadFHIR(bundle)
			if err != nil {
				t.Fatal(err)
			}
			n += len(again)
		}
		if n != len(resources) {
			t.Fatalf("%d resources became %d", len(resources), n)
		}
	})
}
