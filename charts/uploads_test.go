package charts_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
	"ward/store"
)

// An author had a second, slow attempt at a part replace its bytes after the entry was committed: every reader was then
// told that the server altered the file.
func TestAPartThatArrivesTwiceKeepsTheBytesOfTheOneThatCounts(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	_, m := w.chart(pat)
	var sealed bytes.Buffer
	body := bytes.Repeat([]byte("evidence "), 20_000)
	_, sum, err := seal.Measure(bytes.NewReader(body))
	w.must(err)
	s, err := pat.SealStream(&sealed, m.epoch.Body, seal.Draft{Kind: "file", Type: "text/plain", Size: int64(len(body)), SHA256: sum}, bytes.NewReader(body), envelope.Start(m.id), w.now)
	w.must(err)
	u := ward.NewID[ward.UploadID]()
	meanwhile := func() { // the true one arrives, and is committed
		w.must(w.put(t.Context(), pat, m, u, bytes.NewReader(sealed.Bytes()), sealed.Len()))
		w.must(w.post(pat, m, ward.NewEntry{Text: string(s.Text), Upload: u}))
	}
	other := ending{strings.NewReader(strings.Repeat("x", sealed.Len())), meanwhile}
	if err := w.put(t.Context(), pat, m, u, other, sealed.Len()); ward.KindOf(err) != ward.Conflict {
		t.Errorf("the part that comes second: %v, want a conflict", err)
	}
	for range 2 {
		answer, err := w.sealed(pat, m, s.Body.Entry)
		w.must(err)
		if !bytes.Equal(answer.Body.Bytes(), sealed.Bytes()) {
			t.Fatal("what is read is not what was committed")
		}
		if left := objectsIn(w.dir); len(left) != 1 {
			t.Errorf("%d objects are kept, want the one that counts", len(left))
		}
		w.now = w.now.Add(90 * 24 * time.Hour)
		w.must(w.c.Sweep(t.Context()))
	}
}

func TestAPartThatTookLongerThanASweepWaitsDoesNotCount(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	_, m := w.chart(pat)
	late := ending{strings.NewReader("12345"), func() {
		w.now = w.now.Add(3 * time.Hour)
		w.must(w.c.Sweep(t.Context()))
	}}
	if err := w.put(t.Context(), pat, m, ward.NewID[ward.UploadID](), late, 5); ward.KindOf(err) != ward.Conflict {
		t.Errorf("a part whose object a sweep may have deleted: %v, want a conflict", err)
	}
	if left := objectsIn(w.dir); len(left) > 0 {
		t.Errorf("%d objects are left", len(left))
	}
}

func TestAPersonsUploadsOfADayAreBounded(t *testing.T) {
	w := newTown(t)
	pat, other := w.person(ward.Patient), w.person(ward.Patient)
	_, m := w.chart(pat)
	_, theirs := w.chart(other)
	w.must(w.do(func(ctx context.Context, tx *store.Tx) error { // eight of the largest, an hour ago
		for range 8 {
			if _, err := tx.Exec(ctx, `INSERT INTO uploads (org, upload, lock, person, parts, size, state, head, entry, touched) VALUES ($1, $2, $3, $4, 1, $5, $6, $6, $2, $7)`,
				string(w.org), string(ward.NewID[ward.UploadID]()), string(m.id), string(pat.Person), int64(ward.MaxFile), []byte{}, w.now.Add(-time.Hour).UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	}))
	if err := w.put(t.Context(), pat, m, ward.NewID[ward.UploadID](), strings.NewReader("12345"), 5); ward.KindOf(err) != ward.TooMany {
		t.Errorf("one more: %v, want too many", err)
	}
	w.must(w.put(t.Context(), other, theirs, ward.NewID[ward.UploadID](), strings.NewReader("12345"), 5)) // nobody else waits
	w.now = w.now.Add(24 * time.Hour)
	w.must(w.put(t.Context(), pat, m, ward.NewID[ward.UploadID](), strings.NewReader("12345"), 5))
}

func TestWhatAPatientWritesIntoTheDirectoryIsBounded(t *testing.T) {
	w := newTown(t)
	pat, desk := w.person(ward.Patient), w.person(ward.FrontDesk)
	dir, n := w.lock(desk, envelope.LockDirectory, "", w.to(desk, desk, envelope.ForWork, ""))
	w.must(w.create(desk, n))
	details := func(p *someone, text string) ward.NewEntry {
		e, err := p.SealEntry(dir.epoch.Body, seal.Draft{Kind: "person", Type: "text/plain"}, []byte(text), envelope.Start(dir.id), w.now)
		w.must(err)
		return e
	}
	if err := w.post(pat, dir, details(pat, strings.Repeat("x", 20<<10))); ward.KindOf(err) != ward.TooLarge {
		t.Errorf("20 KiB of details: %v, want too large", err)
	}
	var first ward.NewEntry
	for i := range 20 {
		e := details(pat, fmt.Sprint("I moved ", i))
		if i == 0 {
			first = e
		}
		w.must(w.post(pat, dir, e))
	}
	if err := w.post(pat, dir, details(pat, "again")); ward.KindOf(err) != ward.TooMany {
		t.Errorf("the 21st of a day: %v, want too many", err)
	}
	w.must(w.post(pat, dir, first)) // sent twice, it is there already
	w.must(w.post(desk, dir, details(desk, strings.Repeat("x", 20<<10))))
	w.now = w.now.Add(25 * time.Hour)
	w.must(w.post(pat, dir, details(pat, "tomorrow")))
}
