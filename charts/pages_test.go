package charts_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
	"ward/store"
)

// entry seals a text of so many bytes, by someone who has seen nothing of the lock.
func (w *town) entry(p *someone, m made, size int) ward.NewEntry {
	w.t.Helper()
	n, err := p.SealEntry(m.epoch.Body, seal.Draft{Kind: "note", Type: "text/plain"}, make([]byte, size), envelope.Start(m.id), w.now)
	w.must(err)
	return n
}

func (w *town) page(p *someone, m made, after string) (page ward.Entries) {
	w.t.Helper()
	w.must(w.db.View(w.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		r := httptest.NewRequest(http.MethodGet, "/x?after="+after, nil)
		r.SetPathValue("lock", string(m.id))
		answer, err := w.c.GetEntries(ctx, tx, p.caller(), r)
		if err == nil {
			page = answer.(ward.Entries)
		}
		return err
	}))
	return page
}

func bytesOf(all []ward.StoredEntry) (n int) {
	for _, e := range all {
		n += len(e.Text) + len(e.Sealed)
	}
	return n
}

func TestAPageEndsWhereItsBytesDo(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	_, m := w.chart(pat)
	const large = ward.MaxInline - 8<<10 // sealed and padded it still goes inline
	for range 2 {
		var batch []ward.NewEntry
		for range 50 {
			batch = append(batch, w.entry(pat, m, large))
		}
		w.must(w.post(pat, m, batch...))
	}
	first := w.page(pat, m, "0")
	next := first.Entries[0]
	if n := bytesOf(first.Entries); n > ward.MaxPage || n+len(next.Text)+len(next.Sealed) <= ward.MaxPage {
		t.Errorf("the first page has %d bytes in %d entries; want as many as fit in %d", n, len(first.Entries), ward.MaxPage)
	}
	if !first.More || first.Seq != 100 {
		t.Errorf("the first page says more: %v, head %d", first.More, first.Seq)
	}
	second := w.page(pat, m, "72")
	if second.More || len(second.Entries) != 28 || second.Entries[0].Seq != 73 || second.Entries[27].Seq != 100 {
		t.Errorf("the page after 72 has %d entries and more: %v; want 73 to 100, the last", len(second.Entries), second.More)
	}
	for _, after := range []string{"100", "1000"} {
		if end := w.page(pat, m, after); end.More || len(end.Entries) != 0 || end.Seq != 100 {
			t.Errorf("the page after %s has %d entries, more: %v, head %d", after, len(end.Entries), end.More, end.Seq)
		}
	}
}

func TestAPageEndsWhereItsCountDoes(t *testing.T) {
	w := newTown(t)
	pat := w.person(ward.Patient)
	_, m := w.chart(pat)
	for range 8 {
		var batch []ward.NewEntry
		for range ward.MaxBatch {
			batch = append(batch, w.entry(pat, m, 10))
		}
		w.must(w.post(pat, m, batch...))
	}
	first := w.page(pat, m, "")
	if len(first.Entries) != ward.MaxPageCount || !first.More {
		t.Errorf("a page of small entries has %d and more: %v, want %d and more", len(first.Entries), first.More, ward.MaxPageCount)
	}
	last := w.page(pat, m, "500")
	if len(last.Entries) != 8*ward.MaxBatch-ward.MaxPageCount || last.More {
		t.Errorf("the last page has %d entries and more: %v", len(last.Entries), last.More)
	}
	head := envelope.Start(m.id)
	for i, e := range append(first.Entries, last.Entries...) {
		if e.Seq != int64(i+1) {
			t.Fatalf("entry %d has place %d", i, e.Seq)
		}
		head = head.Next([]byte(e.Text))
	}
	if head.Chain != last.Chain {
		t.Error("what two pages hold does not make the chain that they end with")
	}
}
