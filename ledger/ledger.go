// Package ledger is the record of what happened: who did or asked what, about what, and what was decided; and the log
// that commits to it and to all that is kept (docs/formats.md, The ledger; docs/decisions/0011).
//
// Each organisation has a record of events and a log: an append-only tree (RFC 6962) of salted commitments, to each event
// and to each entry, grant, epoch, card and browser. Append, Commit and Link are the ways in. They write in the caller's
// transaction, so what happens and its commitment are one.
//
// A Keeper does the rest, and nobody waits for it: it checks that what is kept is what the log commits to, has a chain,
// which several organisations run, agree on the log's heads, proves it to whom it concerns, and tells an officer what does
// not fit. Without a chain, or while it stands still, all else goes on.
//
// The record holds ids, actions and decisions: never a name, a note or a reading. The log holds hashes. What a single
// operator keeps they can also write anew; only heads held by others show that.
package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// Ledger writes and reads records.
type Ledger struct {
	now    func() time.Time
	longer chan struct{} // holds something while logs may have grown, for who sends them to the chain
}

// New makes a Ledger that takes the time from now.
func New(now func() time.Time) *Ledger { return &Ledger{now, make(chan struct{}, 1)} }

// Leaf is something kept that the log commits to. Ref is its id among those of its kind.
type Leaf struct {
	Kind    string // as in package receipt
	Ref     string
	Content []byte

	seq int64 // of an event
}

// Append adds events to the organisation's record, in order, in the running transaction. They take their places at its
// end, together with those of other operations that share its commit.
func (l *Ledger) Append(_ context.Context, tx *store.Tx, org ward.OrgID, events ...ward.Event) error {
	now := l.now()
	for _, e := range events {
		e.Time = ward.FormatTime(now)
		if e.Event == "" {
			e.Event = ward.NewIDAt[ward.EventID](now)
		}
		l.gather(tx, org, item{event: &e})
	}
	return nil
}

// Commit adds leaves that speak of statements which the running transaction keeps.
func (l *Ledger) Commit(_ context.Context, tx *store.Tx, org ward.OrgID, leaves ...Leaf) error {
	for _, leaf := range leaves {
		l.gather(tx, org, item{leaf: leaf})
	}
	return nil
}

// Forget makes the leaves of what the running transaction erases say nothing: their salts go, and that they speak of it.
// An event counts them, so that a check can tell an erasure from something that was made away with.
func (l *Ledger) Forget(_ context.Context, tx *store.Tx, org ward.OrgID, refs ...string) error {
	if len(refs) > 0 {
		l.gather(tx, org, item{forget: refs})
	}
	return nil
}

// Link puts a person's card, from now on the latest that counts, on the way to their line on the chain.
func (l *Ledger) Link(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, serial int64, card []byte) error {
	var previous []byte
	err := tx.Row(ctx, `SELECT value FROM ledger_links WHERE org = $1 AND person = $2 ORDER BY serial DESC LIMIT 1`, string(org), string(person)).Scan(&previous)
	if errors.Is(err, store.ErrNoRow) {
		previous = make([]byte, 32)
	} else if err != nil {
		return err
	}
	value := receipt.LinkValue(receipt.Hash(previous), card)
	l.grows(tx)
	return tx.Queue(ctx, `INSERT INTO ledger_links (org, person, serial, previous, value, state) VALUES ($1, $2, $3, $4, $5, 'waiting')`,
		string(org), string(person), serial, previous, value[:])
}

// Unlink forgets a person's line. On the chain a hash remains, under a label that nobody can make again without the
// person's id.
func (l *Ledger) Unlink(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	return tx.Queue(ctx, `DELETE FROM ledger_links WHERE org = $1 AND person = $2`, string(org), string(person))
}

// gather leaves an item for the end of the transaction.
func (l *Ledger) gather(tx *store.Tx, org ward.OrgID, i item) {
	store.Gather(tx, "ledger/"+string(org), i, func(ctx context.Context, tx *store.Tx, items []item) error {
		if err := l.extend(ctx, tx, org, items); err != nil {
			return fmt.Errorf("append to the record: %w", err)
		}
		return nil
	})
	l.grows(tx)
}

// grows tells who sends to the chain, once the running transaction is done.
func (l *Ledger) grows(tx *store.Tx) {
	tx.AfterCommit(func() { wake(l.longer) })
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
	found, err := tx.Rows(ctx, fmt.Sprintf(`SELECT body FROM record_events WHERE %s ORDER BY seq %s LIMIT $%d`, conditions, order, len(args)), args...)
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
		var body []byte
		if err := found.Scan(&body); err != nil {
			return ward.Events{}, err
		}
		var e ward.Event
		if err := json.Unmarshal(body, &e); err != nil {
			return ward.Events{}, fmt.Errorf("read the record: %w", err)
		}
		page.Events = append(page.Events, e)
	}
	return page, found.Err()
}
