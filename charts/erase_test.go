package charts_test

import (
	"bytes"
	"context"
	"errors"
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
	"ward/seal"
	"ward/seal/envelope"
	"ward/store"
)

// aSealedFile is larger than an entry inside the database may be.
const aSealedFile = 100 << 10

// file seals a file, sends it in one part, and gives the entry that is to name it.
func (w *town) file(p *someone, m made, kind string) (ward.NewEntry, ward.EntryID) {
	w.t.Helper()
	var sealed bytes.Buffer
	body := bytes.Repeat([]byte("x"), aSealedFile)
	_, sum, err := seal.Measure(bytes.NewReader(body))
	w.must(err)
	s, err := p.SealStream(&sealed, m.epoch.Body, seal.Draft{Kind: kind, Type: "text/plain", Size: int64(len(body)), SHA256: sum}, bytes.NewReader(body), envelope.Start(m.id), w.now)
	w.must(err)
	u := ward.NewID[ward.UploadID]()
	w.must(w.put(w.t.Context(), p, m, u, bytes.NewReader(sealed.Bytes()), sealed.Len()))
	return ward.NewEntry{Text: string(s.Text), Upload: u}, s.Body.Entry
}

func (w *town) post(p *someone, m made, batch ...ward.NewEntry) error {
	_, err := w.call(w.c.PostEntries, p, map[string]any{"entries": batch}, "lock", string(m.id))
	return err
}

// sealed asks for an entry's sealed bytes.
func (w *town) sealed(p *someone, m made, entry ward.EntryID) (*httptest.ResponseRecorder, error) {
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r.SetPathValue("lock", string(m.id))
	r.SetPathValue("entry", string(entry))
	answer := httptest.NewRecorder()
	return answer, w.c.GetSealed(w.t.Context(), p.caller(), answer, r)
}

// chart makes a patient's chart with its general part.
func (w *town) chart(pat *someone, grants ...func(made) ward.NewGrant) (ward.ChartID, made) {
	w.t.Helper()
	chart := ward.NewID[ward.ChartID]()
	m, n := w.lock(pat, envelope.LockChart, chart, append([]func(made) ward.NewGrant{w.to(pat, pat, envelope.ForSelf, "")}, grants...)...)
	w.must(w.create(pat, n))
	return chart, m
}

func (w *town) erase(who *someone, chart ward.ChartID) {
	w.t.Helper()
	_, err := w.call(w.c.DeleteChart, who, nil, "chart", string(chart))
	w.must(err)
}

func (w *town) deletions() (n int) {
	w.t.Helper()
	w.must(w.db.View(w.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT count(*) FROM object_deletions`).Scan(&n)
	}))
	return n
}

// restart opens the same store again.
func (w *town) restart() {
	w.t.Helper()
	w.must(w.db.Close())
	var err error
	w.db, err = store.Open(w.t.Context(), store.Config{Dir: w.dir, Database: w.database})
	w.must(err)
	w.t.Cleanup(func() { w.db.Close() })
	clock := func() time.Time { return w.now }
	w.c = charts.New(charts.Config{DB: w.db, Ledger: ledger.New(clock), People: w, Visits: w, Notices: w, Now: clock})
}

func TestErasureNeitherWaitsForObjectsNorForgetsThem(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	chart, m := w.chart(pat)
	other, kept := w.chart(pat)
	for _, l := range []made{m, kept} {
		n, _ := w.file(pat, l, "file")
		w.must(w.post(pat, l, n))
	}
	w.must(w.c.Sweep(t.Context()))
	if n := len(objectsIn(w.dir)); n != 2 {
		t.Fatalf("%d objects, want 2", n)
	}
	w.erase(pat, chart)
	if n := len(objectsIn(w.dir)); n != 2 {
		t.Error("the erasing transaction itself deleted objects, and kept all who write waiting")
	}
	select {
	case <-w.c.Forgotten():
	default:
		t.Error("nobody is told that there are objects to delete")
	}
	w.restart() // a power cut between the erasure and the sweep
	w.must(w.c.Sweep(t.Context()))
	left := objectsIn(w.dir)
	if len(left) != 1 || !strings.Contains(left[0], string(kept.id)) {
		t.Errorf("after the sweep of the next start there are %q; want one, of chart %s", left, other)
	}
}

func TestADeletionThatFailsIsTriedAgain(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	chart, m := w.chart(pat)
	n, _ := w.file(pat, m, "file")
	w.must(w.post(pat, m, n))
	w.erase(pat, chart)
	w.now = w.now.Add(2 * time.Hour)

	objects := filepath.Join(w.dir, "objects", string(w.org)) // a disk that is not there: a file in the place of the folder
	w.must(os.Rename(objects, objects+".away"))
	w.must(os.WriteFile(objects, nil, 0o600))
	if w.c.Sweep(t.Context()) == nil {
		t.Error("a sweep says nothing of a deletion that failed")
	}
	w.must(os.Remove(objects))
	w.must(os.Rename(objects+".away", objects))
	if n := w.deletions(); n != 1 {
		t.Fatalf("%d deletions are on the list after one failed, want 1", n)
	}

	w.must(w.c.Sweep(t.Context()))
	if left, n := objectsIn(w.dir), w.deletions(); len(left) > 0 || n > 0 {
		t.Errorf("after the next sweep %d objects and %d deletions are left", len(left), n)
	}
}

func TestAPartThatArrivesDuringErasureIsDeletedToo(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	chart, m := w.chart(pat)
	u := ward.NewID[ward.UploadID]()
	arrives := ending{strings.NewReader("12345"), func() { w.erase(pat, chart) }}
	if err := w.put(t.Context(), pat, m, u, arrives, 5); ward.KindOf(err) != ward.Conflict {
		t.Errorf("a part of a chart that is erased meanwhile: %v, want a conflict", err)
	}
	w.must(w.c.Sweep(t.Context()))
	// A bucket that took its time has it only now.
	w.must(w.db.Objects().Put(t.Context(), string(w.org)+"/"+string(m.id)+"/"+string(u)+"/1", strings.NewReader("12345"), 5))
	w.now = w.now.Add(4 * time.Hour) // and the attempt itself is long over
	w.must(w.c.Sweep(t.Context()))
	if left, n := objectsIn(w.dir), w.deletions(); len(left) > 0 || n > 0 {
		t.Errorf("%d objects and %d deletions are left", len(left), n)
	}
}

func TestAnUploadThatWasGivenUpIsNotBegunAgain(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	_, m := w.chart(pat)
	finished, _ := w.file(pat, m, "file")
	w.must(w.post(pat, m, finished))
	u := ward.NewID[ward.UploadID]()
	w.must(w.put(t.Context(), pat, m, u, strings.NewReader("12345"), 5))
	w.now = w.now.Add(49 * time.Hour)
	w.must(w.c.Sweep(t.Context()))
	if left := objectsIn(w.dir); len(left) != 1 || !strings.Contains(left[0], string(finished.Upload)) {
		t.Errorf("after two days there are %q, want only what an entry names", left)
	}
	if err := w.put(t.Context(), pat, m, u, strings.NewReader("12345"), 5); ward.KindOf(err) != ward.Gone {
		t.Errorf("a part of it, which the next sweep would delete: %v, want gone", err)
	}
}

func TestErasingAChartCancelsItsVisitsWhileItsReadersCanBeTold(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	chart, _ := w.chart(pat)
	var asked []string
	w.cancels = func(ctx context.Context, tx *store.Tx, of ward.ChartID, by ward.PersonID) error {
		owner, err := w.c.Patient(ctx, tx, w.org, of)
		asked = append(asked, string(of)+" of "+string(owner)+" by "+string(by))
		return err
	}
	w.erase(pat, chart)
	if want := string(chart) + " of " + string(pat.Person) + " by " + string(pat.Person); !slices.Equal(asked, []string{want}) {
		t.Errorf("asked to cancel %q, want %q", asked, want)
	}
	kept, _ := w.chart(pat)
	w.cancels = func(context.Context, *store.Tx, ward.ChartID, ward.PersonID) error { return errors.New("not now") }
	if _, err := w.call(w.c.DeleteChart, pat, nil, "chart", string(kept)); err == nil {
		t.Error("a chart was erased whose visits stay")
	}
}

func TestErasureEmptiesSnapshotsThatAreObjects(t *testing.T) {
	w := newTown(t)
	pat, desk := w.person(ward.Patient), w.person(ward.FrontDesk)
	dir, n := w.lock(desk, envelope.LockDirectory, "", w.to(desk, desk, envelope.ForWork, ""))
	w.must(w.create(desk, n))
	snapshot, id := w.file(desk, dir, "snapshot")
	w.must(w.post(desk, dir, snapshot))
	other, kept := w.file(desk, dir, "file")
	w.must(w.post(desk, dir, other))
	if answer, err := w.sealed(desk, dir, id); err != nil || answer.Body.Len() < aSealedFile {
		t.Fatalf("the snapshot has %d bytes, error %v", answer.Body.Len(), err)
	}
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error { return w.c.EraseOf(ctx, tx, w.org, pat.Person) }))
	w.must(w.c.Sweep(t.Context()))
	if _, err := w.sealed(desk, dir, id); ward.KindOf(err) != ward.Gone {
		t.Errorf("a snapshot of the directory after a person in it was erased: %v, want gone", err)
	}
	if answer, err := w.sealed(desk, dir, kept); err != nil || answer.Body.Len() < aSealedFile {
		t.Errorf("another file of the directory has %d bytes left, error %v", answer.Body.Len(), err)
	}
	if left := objectsIn(w.dir); len(left) != 1 {
		t.Errorf("%d objects are left, want 1", len(left))
	}
}
