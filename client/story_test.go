package client

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/seal/envelope"
)

func TestPeopleShareAChartThroughItsWholeLife(t *testing.T) {
	c, ctx := founded(t), t.Context()
	doctor, _, _ := c.join(c.founder, okafor, ward.Clinician)
	desk, _, _ := c.join(c.founder, About{Given: "Rosa", Family: "Diaz"}, ward.FrontDesk)
	patient, code, invited := c.join(desk, amina, ward.Patient)

	// Names: the front desk finds the patient, the patient sees the names of staff and nobody else's.
	found, err := desk.Find(ctx, "yusuf 1961")
	c.must(err)
	if len(found) != 1 || found[0].Person != patient.Person() || found[0].Chart != invited.Chart {
		t.Fatalf("the front desk finds %+v", found)
	}
	staff, err := patient.Staff(ctx)
	c.must(err)
	if staff[doctor.Person()].Name != "Chidi Okafor" || len(staff) != 3 {
		t.Fatalf("the patient sees staff %v", staff)
	}
	if _, err := patient.Directory(ctx); ward.KindOf(err) != ward.Refused {
		t.Fatalf("a patient opens the directory: %v", err)
	}
	if _, err := desk.OpenChart(ctx, invited.Chart); ward.KindOf(err) != ward.Refused {
		t.Fatalf("the front desk opens a chart: %v", err)
	}

	// Writing: by the doctor, who reads; by the front desk, who does not; and a real record of years.
	_, err = doctor.Write(ctx, invited.Chart, envelope.General, doctor.Note(invited.Chart, "Asthma", "Same inhaler."))
	c.must(err)
	_, err = desk.Write(ctx, invited.Chart, envelope.General, desk.Message(invited.Chart, "See you on Monday.", ""))
	c.must(err)
	_, err = patient.Write(ctx, invited.Chart, envelope.Restricted, patient.Note(invited.Chart, "Private", "For my eyes."))
	c.must(err)
	file, err := os.Open(anyPatient(t))
	c.must(err)
	defer file.Close()
	resources, err := doctor.Import(ctx, invited.Chart, envelope.General, file)
	c.must(err)
	chart, err := doctor.OpenChart(ctx, invited.Chart)
	c.must(err)
	if len(chart.Troubles) > 0 || len(chart.Locks) != 1 {
		t.Fatalf("the doctor has troubles %v and %d locks", chart.Troubles, len(chart.Locks))
	}
	if n := count(t, chart); n != resources+4 { // and patient, consent, note, message
		t.Fatalf("the doctor reads %d resources; %d were written", n, resources+4)
	}
	mine, err := patient.OpenChart(ctx, invited.Chart)
	c.must(err)
	if len(mine.Locks) != 2 || len(mine.Troubles) > 0 {
		t.Fatalf("the patient opens %d parts, troubles %v", len(mine.Locks), mine.Troubles)
	}

	// A snapshot: a doctor who opens the chart for the first time takes it, and reads the same.
	c.must(doctor.Snapshot(ctx, chart.Locks[0].Lock))
	again, err := New(Config{Now: c.now, Origin: c.origin, Authenticator: doctor.Authenticator()}).reopen(t, invited.Chart)
	c.must(err)
	if n := count(t, again); n != resources+4 || len(again.Troubles) > 0 {
		t.Fatalf("after the snapshot %d resources, troubles %v", n, again.Troubles)
	}

	// A file of more than one part.
	content := make([]byte, 20<<20)
	rand.Read(content)
	id, err := patient.AddFile(ctx, invited.Chart, envelope.General, File{Name: "scan.bin", Type: "application/octet-stream", Content: bytes.NewReader(content)})
	c.must(err)
	chart, err = doctor.OpenChart(ctx, invited.Chart)
	c.must(err)
	at := slices.IndexFunc(chart.Entries, func(e Entry) bool { return e.Header.Entry == id })
	if at < 0 || chart.Entries[at].HasBody {
		t.Fatalf("the file is at %d of %d, troubles %v", at, len(chart.Entries), chart.Troubles)
	}
	var got bytes.Buffer
	c.must(doctor.ReadFile(ctx, chart.Entries[at], &got))
	if !bytes.Equal(got.Bytes(), content) {
		t.Fatal("the file came back changed")
	}

	// Sharing: a carer reads the past; taken off, nothing new, and the lock has turned.
	carer, _, _ := c.join(desk, About{Given: "Omar", Family: "Yusuf"}, ward.Proxy)
	c.must(patient.Share(ctx, invited.Chart, carer.Person(), "", envelope.ForProxy, time.Time{}, envelope.General))
	shared, err := carer.OpenChart(ctx, invited.Chart)
	c.must(err)
	if n := count(t, shared); n != resources+4 || len(shared.Troubles) > 0 {
		t.Fatalf("the carer reads %d resources, troubles %v", n, shared.Troubles)
	}
	c.must(patient.Unshare(ctx, invited.Chart, carer.Person(), ""))
	if _, err := carer.OpenChart(ctx, invited.Chart); err == nil {
		t.Fatal("the carer still opens the chart")
	}
	_, err = doctor.Write(ctx, invited.Chart, envelope.General, doctor.Note(invited.Chart, "After", "Written in the new epoch."))
	c.must(err)
	chart, err = doctor.OpenChart(ctx, invited.Chart)
	c.must(err)
	if l := chart.Locks[0]; l.Current().Epoch != 2 || len(chart.Troubles) > 0 || l.Due {
		t.Fatalf("after unsharing: epoch %d, troubles %v", l.Current().Epoch, chart.Troubles)
	}

	// Appointments, looks, and the live stream.
	start := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Minute)
	booking := Appointment{
		Start: start, End: start.Add(20 * time.Minute), Patient: patient.Person(), PatientName: "Amina Yusuf", Chart: invited.Chart,
		With: doctor.Person(), WithName: "Chidi Okafor",
	}
	booking.Visit, err = desk.Book(ctx, booking)
	c.must(err)
	booking.Start, booking.End = start.Add(time.Hour), start.Add(80*time.Minute)
	booking.Reason = "The cough that will not go"
	c.must(doctor.Move(ctx, booking))
	for who, person := range map[string]*Client{"doctor": doctor, "patient": patient, "desk": desk} {
		planned, err := person.Visits(ctx, start, start.Add(2*time.Hour))
		c.must(err)
		if len(planned) != 1 || planned[0].Visit != booking.Visit || planned[0].Starts != ward.FormatTime(booking.Start) || planned[0].State != "booked" {
			t.Fatalf("the %s sees %+v", who, planned)
		}
	}
	c.must(desk.Cancel(ctx, booking))
	planned, err := doctor.Visits(ctx, start, start.Add(2*time.Hour))
	c.must(err)
	if len(planned) != 1 || planned[0].State != "cancelled" {
		t.Fatalf("planned after cancelling: %+v", planned)
	}
	said, err := patient.OpenChart(ctx, invited.Chart)
	c.must(err)
	about := ""
	for _, e := range said.Entries {
		if text, err := e.Text(); err == nil && e.Header.Kind == "appointment" {
			if visit, reason, err := ReadAppointment(text); err == nil && visit == booking.Visit && reason != "" {
				about = reason
			}
		}
	}
	if about != booking.Reason {
		t.Fatalf("the chart says that the visit is about %q", about)
	}
	looks, err := patient.Looks(ctx, invited.Chart, 0)
	c.must(err)
	if !slices.ContainsFunc(looks.Events, func(e ward.Event) bool {
		return e.Person == doctor.Person() && e.Action == "readEntries" && e.Decision == "allow"
	}) {
		t.Fatal("the patient does not see that the doctor looked")
	}

	// A new device with the recovery code alone; then another passkey, a new code, and signing in.
	phone := New(Config{Now: c.now, Origin: c.origin})
	c.must(phone.Recover(ctx, strings.ToLower(code.Text()), "New phone"))
	if chart, err := phone.OpenChart(ctx, invited.Chart); err != nil || len(chart.Troubles) > 0 || len(chart.Locks) != 2 {
		t.Fatalf("after recovery: %v, %+v", err, chart)
	}
	newer, err := phone.NewCode(ctx)
	c.must(err)
	if err := New(Config{Now: c.now, Origin: c.origin}).Recover(ctx, code.Text(), "Thief"); ward.KindOf(err) != ward.Missing {
		t.Fatalf("the old code still works: %v", err)
	}
	second := NewAuthenticator()
	c.must(phone.AddPasskey(ctx, second, "Security key"))
	key := New(Config{Now: c.now, Origin: c.origin, Authenticator: second})
	c.must(key.SignIn(ctx))
	if key.Person() != patient.Person() || key.Name() != "Amina Yusuf" {
		t.Fatalf("the security key signs in %s, %q", key.Person(), key.Name())
	}
	c.must(New(Config{Now: c.now, Origin: c.origin}).Recover(ctx, newer.Text(), "Tablet"))
	c.must(key.SignIn(ctx)) // the key, which is younger than the code, still unlocks

	// Erasing.
	c.must(key.EraseMe(ctx))
	if _, err := doctor.OpenChart(ctx, invited.Chart); ward.KindOf(err) != ward.Missing {
		t.Fatalf("the erased chart: %v", err)
	}
}

// reopen signs in and opens a chart.
func (c *Client) reopen(t *testing.T, chart ward.ChartID) (*Chart, error) {
	t.Helper()
	if err := c.SignIn(t.Context()); err != nil {
		return nil, err
	}
	return c.OpenChart(t.Context(), chart)
}

func anyPatient(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("../testdata/fhir-synthea/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample patients: %v", err)
	}
	return files[0]
}

func count(t *testing.T, chart *Chart) int {
	t.Helper()
	n := 0
	for _, e := range chart.Entries {
		resources, err := e.Resources()
		if err != nil && e.HasBody {
			t.Fatal(err)
		}
		n += len(resources)
	}
	return n
}
