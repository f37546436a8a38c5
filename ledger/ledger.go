// Package ledger is the record of what happened: who did or asked what, about what, and what was decided. Each
// organisation has one, and each event is hashed onto the one before, so that nothing in the middle can be changed
// or taken out without it showing.
//
// Append is the one way in. It writes in the caller's transaction, so what happens and its record are one. A
// distributed ledger that several organisations run will take the same events from here.
//
// The record holds ids, actions and decisions: never a name, a note or a reading. What a single operator keeps they
// can also cut short at its end; only heads held by others show that.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ward"
	"ward/store"
)

// Ledger writes and reads records.
type Ledger struct {
	now func() time.Time
}

// New makes a Ledger that takes the time from now.
func New(now func() time.Time) *Ledger { return &Ledger{now} }

// Append adds events to the organisation's record, in order, in the running transaction. They take their places, and
// are hashed onto those before, at its end, together with those of other operations that share its commit.
func (l *Ledger) Append(_ context.Context, tx *store.Tx, org ward.OrgID, events ...ward.Event) error {
	now := ward.FormatTime(l.now())
	for _, e := range events {
		e.Time = now
		if e.Event == "" {
			e.Event = ward.NewID[ward.EventID]()
		}
		store.Gather(tx, "record/"+string(org), e, func(ctx context.Context, tx *store.Tx, events []ward.Event) error {
			for page := range slices.Chunk(events, MaxEvents) {
				if err := extend(ctx, tx, org, page); err != nil {
					return fmt.Errorf("append to the record: %w", err)
				}
			}
			return nil
		})
	}
	return nil
}

// extend writes events at the record's end. The head's row is updated first: that serialises writers to one record, and
// gives these their places.
func extend(ctx context.Context, tx *store.Tx, org ward.OrgID, events []ward.Event) error {
	head, err := reserve(ctx, tx, org, len(events))
	if err != nil {
		return err
	}
	var query strings.Builder
	query.WriteString(`INSERT INTO record_events (org, seq, event, time, action, person, chart, body, hash) VALUES `)
	args := make([]any, 0, 9*len(events))
	for i, e := range events {
		e.Seq, e.Hash = head.seq+int64(i)+1, ""
		at, err := ward.ParseTime(e.Time)
		if err != nil {
			return err
		}
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		head.hash = next(head.hash, body)
		if i > 0 {
			query.WriteString(", ")
		}
		n := len(args)
		fmt.Fprintf(&query, "($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8, n+9)
		args = append(args, string(org), e.Seq, string(e.Event), at.UnixMilli(), e.Action, string(e.Person), string(e.Chart), body, head.hash)
	}
	if err := tx.Queue(ctx, query.String(), args...); err != nil {
		return err
	}
	return tx.Queue(ctx, `UPDATE record_heads SET hash = $1 WHERE org = $2`, head.hash, string(org))
}

type head struct {
	seq  int64
	hash []byte
}

// reserve takes count places at the end and gives the head before them.
func reserve(ctx context.Context, tx *store.Tx, org ward.OrgID, count int) (head, error) {
	var h head
	err := tx.Row(ctx, `UPDATE record_heads SET seq = seq + $1 WHERE org = $2 RETURNING seq, hash`, int64(count), string(org)).Scan(&h.seq, &h.hash)
	if errors.Is(err, store.ErrNoRow) {
		err = tx.Row(ctx, `INSERT INTO record_heads (org, seq, hash) VALUES ($1, $2, $3)
			ON CONFLICT (org) DO UPDATE SET seq = record_heads.seq + excluded.seq RETURNING seq, hash`,
			string(org), int64(count), start(org)).Scan(&h.seq, &h.hash)
	}
	h.seq -= int64(count)
	return h, err
}

func start(org ward.OrgID) []byte {
	sum := sha256.Sum256([]byte("ward/record/1\n" + string(org)))
	return sum[:]
}

// next is the hash after an event: SHA-256 of the hash before and the SHA-256 of the event's bytes.
func next(before, body []byte) []byte {
	sum := sha256.Sum256(body)
	after := sha256.Sum256(append(append([]byte{}, before...), sum[:]...))
	return after[:]
}

// Query chooses events of one organisation.
type Query struct {
	After  int64        // events after this place, oldest first …
	Before int64        // … or, if more than 0, before this place, newest first
	Newest bool         // from the end, newest first
	Chart  ward.ChartID // only of this chart
	Limit  int          // at most, from 1 to MaxEvents
}

// MaxEvents is the longest page: half a megabyte of JSON.
const MaxEvents = 1000

// List reads a page of the record.
func (l *Ledger) List(ctx context.Context, tx *store.Tx, org ward.OrgID, q Query) (ward.Events, error) {
	limit := q.Limit
	if limit < 1 || limit > MaxEvents {
		limit = MaxEvents
	}
	conditions, args := `org = $1`, []any{string(org)}
	where := func(condition string, value any) {
		args = append(args, value)
		conditions += fmt.Sprintf(" AND "+condition, len(args))
	}
	order := "ASC"
	switch {
	case q.Before > 0:
		where("seq < $%d", q.Before)
		order = "DESC"
	case q.Newest:
		order = "DESC"
	default:
		where("seq > $%d", q.After)
	}
	if q.Chart != "" {
		where("chart = $%d", string(q.Chart))
	}
	args = append(args, int64(limit+1))
	found, err := tx.Rows(ctx, fmt.Sprintf(`SELECT body, hash FROM record_events WHERE %s ORDER BY seq %s LIMIT $%d`, conditions, order, len(args)), args...)
	if err != nil {
		return ward.Events{}, err
	}
	defer found.Close()
	page := ward.Events{Events: []ward.Event{}}
	for found.Next() {
		if len(page.Events) == limit {
			page.More = true
			break
		}
		var body, hash []byte
		if err := found.Scan(&body, &hash); err != nil {
			return ward.Events{}, err
		}
		var e ward.Event
		if err := json.Unmarshal(body, &e); err != nil {
			return ward.Events{}, fmt.Errorf("read the record: %w", err)
		}
		e.Hash = ward.B64.EncodeToString(hash)
		page.Events = append(page.Events, e)
	}
	return page, found.Err()
}

// Verify reads the whole record and tells where, if anywhere, it does not fit together.
func (l *Ledger) Verify(ctx context.Context, tx *store.Tx, org ward.OrgID) (ward.RecordState, error) {
	var h head
	err := tx.Row(ctx, `SELECT seq, hash FROM record_heads WHERE org = $1`, string(org)).Scan(&h.seq, &h.hash)
	if errors.Is(err, store.ErrNoRow) {
		h = head{0, start(org)}
	} else if err != nil {
		return ward.RecordState{}, err
	}
	state := ward.RecordState{Events: h.seq, Hash: ward.B64.EncodeToString(h.hash)}
	found, err := tx.Rows(ctx, `SELECT seq, event, time, action, person, chart, body, hash FROM record_events WHERE org = $1 ORDER BY seq`, string(org))
	if err != nil {
		return ward.RecordState{}, err
	}
	defer found.Close()
	running, seq := start(org), int64(0)
	for found.Next() {
		var at, moment int64
		var event, action, person, chart string
		var body, hash []byte
		if err := found.Scan(&at, &event, &moment, &action, &person, &chart, &body, &hash); err != nil {
			return ward.RecordState{}, err
		}
		running = next(running, body)
		seq++
		if at != seq || string(hash) != string(running) || !describes(body, at, event, moment, action, person, chart) {
			state.Broken = seq
			return state, nil
		}
	}
	if err := found.Err(); err != nil {
		return ward.RecordState{}, err
	}
	if seq != h.seq || string(running) != string(h.hash) {
		state.Broken = seq + 1
		return state, nil
	}
	state.Whole = true
	return state, nil
}

// describes tells whether an event's columns, which queries use, say what its hashed bytes say.
func describes(body []byte, seq int64, event string, moment int64, action, person, chart string) bool {
	var e ward.Event
	if json.Unmarshal(body, &e) != nil {
		return false
	}
	at, err := ward.ParseTime(e.Time)
	return err == nil && at.UnixMilli() == moment && e.Seq == seq && string(e.Event) == event &&
		e.Action == action && string(e.Person) == person && string(e.Chart) == chart
}
