package charts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/seal/envelope"
	"ward/store"
)

const (
	// aheadTolerance is how far a browser's clock may be ahead of ours.
	aheadTolerance = 10 * time.Minute
	// behindTolerance is how old an entry may be that was written without a network.
	behindTolerance = 60 * 24 * time.Hour

	// maxOwnDetails bounds an entry by a patient or proxy in a list that the clinic's staff read whole, and
	// maxOwnDetailsDay how many of them a person writes there within a day: a name, a birth date and contacts, moved house
	// and mistyped a few times. Each costs every member of staff who signs in.
	maxOwnDetails    = 16 << 10
	maxOwnDetailsDay = 20
)

// newEntry is an entry as it was sent, and what its statement says.
type newEntry struct {
	*envelope.Statement[envelope.Entry]
	sent  ward.NewEntry
	fault error // what is wrong with it, for its author to hear once it is decided that they may write
}

type batchKey struct{}

// readBatch is the outcome of ReadEntries.
type readBatch struct {
	entries []newEntry
	err     error
}

// ReadEntries reads the batch in a request and checks what needs no database: form, sizes, hashes, signatures. That is
// most of the work, and it need not be done while others wait for the transaction to end.
func (c *Charts) ReadEntries(r *http.Request) *http.Request {
	var b readBatch
	b.entries, b.err = readEntries(r)
	return r.WithContext(context.WithValue(r.Context(), batchKey{}, b))
}

// batchOf is the request's batch.
func batchOf(r *http.Request) ([]newEntry, error) {
	if b, ok := r.Context().Value(batchKey{}).(readBatch); ok {
		return b.entries, b.err
	}
	return readEntries(r)
}

// readEntries reads the largest and most frequent of all bodies, with what will be Go's next encoding/json: that of now
// went over each byte three times, which was a quarter of what the server does for an entry (docs/decisions/0006).
func readEntries(r *http.Request) ([]newEntry, error) {
	var body struct {
		Entries []ward.NewEntry `json:"entries"`
	}
	if err := json.UnmarshalRead(r.Body, &body, json.RejectUnknownMembers(true)); err != nil {
		return nil, ward.NotTheJSON(err)
	}
	if len(body.Entries) == 0 || len(body.Entries) > ward.MaxBatch {
		return nil, ward.Errorf(ward.Invalid, "send from 1 to %d entries at a time", ward.MaxBatch)
	}
	batch := make([]newEntry, len(body.Entries))
	for i, sent := range body.Entries {
		s, err := envelope.Parse[envelope.Entry]([]byte(sent.Text))
		if err != nil {
			return nil, invalid(err)
		}
		batch[i] = newEntry{s, sent, checkSent(s, sent)}
	}
	return batch, nil
}

// checkSent checks an entry by itself.
func checkSent(s *envelope.Statement[envelope.Entry], n ward.NewEntry) error {
	b := s.Body
	if b.Size < envelope.MinSealed || b.Size > ward.MaxFile {
		return ward.Errorf(ward.TooLarge, "entry %s has %d bytes; from %d to %d fit", b.Entry, b.Size, envelope.MinSealed, int64(ward.MaxFile))
	}
	if err := s.Verify(b.Browser); err != nil {
		return invalid(err)
	}
	if n.Upload != "" {
		if n.Sealed != nil {
			return ward.Errorf(ward.Invalid, "entry %s comes inline and as an upload; it must be one", b.Entry)
		}
		return nil
	}
	switch {
	case len(n.Sealed) > ward.MaxInline:
		return ward.Errorf(ward.TooLarge, "entry %s has %d bytes; more than %d go as an upload", b.Entry, len(n.Sealed), ward.MaxInline)
	case int64(len(n.Sealed)) != b.Size || envelope.Hash(n.Sealed) != b.SHA256:
		return ward.Errorf(ward.Invalid, "entry %s does not have the size and hash that its statement says", b.Entry)
	}
	if err := envelope.CheckSealed(n.Sealed); err != nil {
		return invalid(fmt.Errorf("entry %s: %w", b.Entry, err))
	}
	return nil
}

// post stores a batch of entries in order. Entries that are there already, exactly so, keep the places they have.
func (c *Charts) post(ctx context.Context, tx *store.Tx, who ward.Caller, id ward.LockID, batch []newEntry) (ward.EntriesPosted, error) {
	for _, n := range batch {
		if err := cmp.Or(n.fault, c.checkEntry(who, id, n.Body)); err != nil {
			return ward.EntriesPosted{}, err
		}
	}
	if err := c.People.Certified(ctx, tx, who.Org, who.Person, who.Browser); err != nil {
		return ward.EntriesPosted{}, err
	}
	l, err := holdLock(ctx, tx, who.Org, id)
	if err != nil {
		return ward.EntriesPosted{}, err
	}
	// Nearly always all are new, so that is tried first. If it fails they may have been sent before.
	var answer ward.EntriesPosted
	err = tx.Try(ctx, func(ctx context.Context) (err error) {
		answer, err = c.extend(ctx, tx, who, l, batch, map[ward.EntryID]entryRow{})
		return err
	})
	if err != nil {
		stored, err := storedEntries(ctx, tx, who.Org, batch)
		if err != nil {
			return ward.EntriesPosted{}, err
		}
		if answer, err = c.extend(ctx, tx, who, l, batch, stored); err != nil {
			return ward.EntriesPosted{}, err
		}
	}
	if answer.Seq != l.head.Seq {
		c.tell(tx, who.Org, ward.Notice{Kind: "entry", Lock: l.id, Chart: l.chart, Seq: answer.Seq})
	}
	return answer, nil
}

// extend puts those of a batch that are not stored at the end of the lock's chain.
func (c *Charts) extend(ctx context.Context, tx *store.Tx, who ward.Caller, l lock, batch []newEntry, stored map[ward.EntryID]entryRow) (ward.EntriesPosted, error) {
	answer := ward.EntriesPosted{}
	var rows []entryRow
	known := chains{}
	for _, n := range batch {
		place, err := c.place(ctx, tx, who, &l, stored, n, &rows, known)
		if err != nil {
			return ward.EntriesPosted{}, err
		}
		answer.Entries = append(answer.Entries, ward.EntrySeq{Entry: n.Body.Entry, Seq: place})
	}
	answer.Seq, answer.Chain = l.head.Seq, l.head.Chain
	if len(rows) == 0 {
		return answer, nil
	}
	if err := c.checkOwnDetails(ctx, tx, who, l, rows); err != nil {
		return ward.EntriesPosted{}, err
	}
	err := insertEntries(ctx, tx, who.Org, l.id, rows, c.Now())
	if store.IsDuplicate(err) {
		err = ward.Errorf(ward.Conflict, "an entry with one of these ids is elsewhere in the clinic").WithHint("Seal it again under a new id.")
	}
	if err != nil {
		return ward.EntriesPosted{}, err
	}
	leaves := make([]ledger.Leaf, len(rows))
	for i, row := range rows {
		leaves[i] = ledger.Leaf{Kind: receipt.LeafEntry, Ref: string(row.entry), Content: row.text}
	}
	if err := c.Ledger.Commit(ctx, tx, who.Org, leaves...); err != nil {
		return ward.EntriesPosted{}, err
	}
	return answer, setHead(ctx, tx, who.Org, l)
}

// checkOwnDetails bounds what patients and proxies write into the lists that all staff read.
func (c *Charts) checkOwnDetails(ctx context.Context, tx *store.Tx, who ward.Caller, l lock, rows []entryRow) error {
	if l.kind == envelope.LockChart || slices.ContainsFunc(who.Roles, ward.Role.IsStaff) {
		return nil
	}
	for _, row := range rows {
		if row.size > maxOwnDetails {
			return ward.Errorf(ward.TooLarge, "your details have %d bytes; %d fit", row.size, maxOwnDetails)
		}
	}
	var today int64
	err := tx.Row(ctx, `SELECT count(*) FROM entries WHERE org = $1 AND lock = $2 AND author = $3 AND kind = 'person' AND created > $4`,
		string(who.Org), string(l.id), string(who.Person), c.Now().Add(-24*time.Hour).UnixMilli()).Scan(&today)
	if err == nil && today+int64(len(rows)) > maxOwnDetailsDay {
		err = ward.Errorf(ward.TooMany, "your details were changed %d times today", today).WithHint("Change them again tomorrow, or ask the front desk.")
	}
	return err
}

// checkEntry checks an entry against who sends it, where to, and when.
func (c *Charts) checkEntry(who ward.Caller, id ward.LockID, b envelope.Entry) error {
	written, err := ward.ParseTime(b.Time)
	if err != nil {
		return invalid(err)
	}
	now := c.Now()
	switch {
	case b.Org != who.Org || b.Lock != id:
		return ward.Errorf(ward.Invalid, "entry %s is for another lock", b.Entry)
	case b.Author != who.Person || b.Browser != who.Browser:
		return ward.Errorf(ward.Invalid, "entry %s is not by the person and browser that send it", b.Entry).WithHint("Sign it in this browser.")
	case written.After(now.Add(aheadTolerance)):
		return ward.Errorf(ward.Invalid, "entry %s is dated in the future", b.Entry).WithHint("Set this device's clock.")
	case written.Before(now.Add(-behindTolerance)):
		return ward.Errorf(ward.Invalid, "entry %s was written more than 60 days ago", b.Entry).WithHint("Write it again.")
	}
	return nil
}

// place gives an entry its place in the lock's chain.
func (c *Charts) place(ctx context.Context, tx *store.Tx, who ward.Caller, l *lock, stored map[ward.EntryID]entryRow, n newEntry, rows *[]entryRow, known chains) (int64, error) {
	b := n.Body
	if have, ok := stored[b.Entry]; ok {
		if have.lock != l.id || string(have.text) != string(n.Text) {
			return 0, ward.Errorf(ward.Conflict, "entry %s exists and is another", b.Entry).WithHint("Seal it again under a new id.")
		}
		return have.seq, nil
	}
	if b.Epoch != l.epoch {
		return 0, ward.Errorf(ward.Conflict, "entry %s is sealed to epoch %d and the lock is in epoch %d", b.Entry, b.Epoch, l.epoch).
			WithHint(fmt.Sprintf("Read the lock again, seal to epoch %d and send it once more.", l.epoch))
	}
	if err := c.checkSeen(ctx, tx, who.Org, *l, b, known); err != nil {
		return 0, err
	}
	row := entryRow{lock: l.id, entry: b.Entry, kind: b.Kind, author: b.Author, text: n.Text, sealed: n.sent.Sealed, upload: n.sent.Upload, size: b.Size}
	if n.sent.Upload != "" {
		if err := c.finishUpload(ctx, tx, who, *l, n.sent.Upload, b); err != nil {
			return 0, err
		}
	}
	l.head = l.head.Next(n.Text)
	row.seq, row.chain = l.head.Seq, l.head.Chain
	known[row.seq] = row.chain
	*rows = append(*rows, row)
	stored[b.Entry] = row
	return row.seq, nil
}

// checkSeen makes sure that what the author says they had seen is part of this lock's history.
func (c *Charts) checkSeen(ctx context.Context, tx *store.Tx, org ward.OrgID, l lock, b envelope.Entry, known chains) error {
	want := ""
	switch {
	case b.Seen.Seq > l.head.Seq:
		return ward.Errorf(ward.Conflict, "entry %s has seen %d entries and there are %d", b.Entry, b.Seen.Seq, l.head.Seq).
			WithHint("The server may have lost entries. Tell the clinic.")
	case b.Seen.Seq == l.head.Seq:
		want = l.head.Chain
	case b.Seen.Seq == 0:
		want = envelope.Start(l.id).Chain
	default:
		var err error
		if want, err = known.at(ctx, tx, org, l.id, b.Seen.Seq); err != nil {
			return err
		}
	}
	if want != b.Seen.Chain {
		return ward.Errorf(ward.Conflict, "entry %s has seen another history than this server has", b.Entry).
			WithHint("The server's history may have been changed. Tell the clinic.")
	}
	return nil
}

type entryRow struct {
	lock         ward.LockID
	seq          int64
	entry        ward.EntryID
	kind         string
	author       ward.PersonID
	text, sealed []byte
	upload       ward.UploadID
	size         int64
	chain        string
}

// storedEntries finds which of a batch are there.
func storedEntries(ctx context.Context, tx *store.Tx, org ward.OrgID, batch []newEntry) (map[ward.EntryID]entryRow, error) {
	args, places := []any{string(org)}, make([]string, len(batch))
	for i, n := range batch {
		args = append(args, string(n.Body.Entry))
		places[i] = fmt.Sprintf("$%d", i+2)
	}
	found, err := tx.Rows(ctx, `SELECT lock, seq, entry, text FROM entries WHERE org = $1 AND entry IN (`+strings.Join(places, ", ")+`)`, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	stored := map[ward.EntryID]entryRow{}
	for found.Next() {
		var row entryRow
		if err := found.Scan((*string)(&row.lock), &row.seq, (*string)(&row.entry), &row.text); err != nil {
			return nil, err
		}
		stored[row.entry] = row
	}
	return stored, found.Err()
}

func insertEntries(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, rows []entryRow, now time.Time) error {
	const columns = 12
	var query strings.Builder
	query.WriteString(`INSERT INTO entries (org, lock, seq, entry, kind, author, text, sealed, upload, size, chain, created) VALUES `)
	args := make([]any, 0, columns*len(rows))
	for i, row := range rows {
		if i > 0 {
			query.WriteString(", ")
		}
		query.WriteString("(")
		for j := range columns {
			if j > 0 {
				query.WriteString(", ")
			}
			fmt.Fprintf(&query, "$%d", len(args)+j+1)
		}
		query.WriteString(")")
		args = append(args, string(org), string(id), row.seq, string(row.entry), row.kind, string(row.author), row.text, row.sealed,
			string(row.upload), row.size, row.chain, now.UnixMilli())
	}
	_, err := tx.Exec(ctx, query.String(), args...)
	return err
}

// chains are places of a lock's chain that one request has asked for or made: a batch has often seen the same.
type chains map[int64]string

func (c chains) at(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, seq int64) (string, error) {
	if chain, ok := c[seq]; ok {
		return chain, nil
	}
	chain, err := chainAt(ctx, tx, org, id, seq)
	c[seq] = chain
	return chain, err
}

func chainAt(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, seq int64) (string, error) {
	var chain string
	err := tx.Row(ctx, `SELECT chain FROM entries WHERE org = $1 AND lock = $2 AND seq = $3`, string(org), string(id), seq).Scan(&chain)
	if errors.Is(err, store.ErrNoRow) {
		return "", nil
	}
	return chain, err
}

// page reads entries after a place, up to the limits of one page and to the head that was read with the lock. The query
// itself keeps the limits, from sizes alone: what is not in the page is not read.
func (c *Charts) page(ctx context.Context, tx *store.Tx, org ward.OrgID, l lock, after int64) (ward.Entries, error) {
	answer := ward.Entries{Entries: []ward.StoredEntry{}, Seq: l.head.Seq, Chain: l.head.Chain}
	if after >= l.head.Seq {
		return answer, nil
	}
	// Places follow each other without a gap, and what is inline is far smaller than a page.
	found, err := tx.Rows(ctx, `SELECT seq, text, sealed FROM entries WHERE org = $1 AND lock = $2 AND seq > $3 AND seq <= (
			SELECT max(seq) FROM (SELECT seq, SUM(bytes) OVER (ORDER BY seq) AS total FROM (
				SELECT seq, length(text) + COALESCE(length(sealed), 0) AS bytes FROM entries WHERE org = $1 AND lock = $2 AND seq > $3 AND seq <= $4
			) AS sizes) AS totals WHERE total <= $5)
		ORDER BY seq`,
		string(org), string(l.id), after, min(l.head.Seq, after+ward.MaxPageCount), int64(ward.MaxPage))
	if err != nil {
		return answer, err
	}
	defer found.Close()
	for found.Next() {
		var e ward.StoredEntry
		var text []byte
		if err := found.Scan(&e.Seq, &text, &e.Sealed); err != nil {
			return answer, err
		}
		e.Text = string(text)
		answer.Entries = append(answer.Entries, e)
		answer.More = e.Seq < l.head.Seq
	}
	return answer, found.Err()
}

// latestSnapshot is the place of a lock's newest snapshot, or 0.
func latestSnapshot(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID) (int64, error) {
	var seq int64
	err := tx.Row(ctx, `SELECT COALESCE(max(seq), 0) FROM entries WHERE org = $1 AND lock = $2 AND kind = 'snapshot' AND (upload <> '' OR sealed IS NOT NULL)`, string(org), string(id)).Scan(&seq)
	return seq, err
}
