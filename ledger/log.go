package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// item is one of what operations leave for the end of their commit: an event, a leaf, or what to forget.
type item struct {
	event  *ward.Event
	leaf   Leaf
	forget []string
}

// forgotten is the action of the event that counts leaves whose salts an erasure forgot.
const forgotten = "forget"

// extend writes what operations gathered. What is to be forgotten may have been gathered in the same commit, so it
// comes after all leaves, and the events that count it after that.
func (l *Ledger) extend(ctx context.Context, tx *store.Tx, org ward.OrgID, items []item) error {
	var refs []string
	grown := slices.DeleteFunc(slices.Clone(items), func(i item) bool {
		refs = append(refs, i.forget...)
		return i.forget != nil
	})
	if err := grow(ctx, tx, org, grown); err != nil || len(refs) == 0 {
		return err
	}
	count := int64(0)
	for page := range slices.Chunk(refs, forgetPage) {
		n, err := forget(ctx, tx, org, page)
		if err != nil {
			return err
		}
		count += n
	}
	if count == 0 {
		return nil
	}
	now := l.now()
	e := ward.Event{Event: ward.NewIDAt[ward.EventID](now), Time: ward.FormatTime(now), Action: forgotten, Decision: "done", Count: count}
	return grow(ctx, tx, org, []item{{event: &e}})
}

// head is the end of a log.
type head struct {
	size, events int64
	frontier     frontier
}

// grow appends to a log. The head's row is updated first: that serialises writers to one log, and gives these their
// places.
func grow(ctx context.Context, tx *store.Tx, org ward.OrgID, items []item) error {
	if len(items) == 0 {
		return nil
	}
	events := int64(0)
	for _, i := range items {
		if i.event != nil {
			events++
		}
	}
	h, err := reserve(ctx, tx, org, int64(len(items)), events)
	if err != nil {
		return err
	}
	leaves := make([]Leaf, len(items))
	var rows []any // of events
	for n, i := range items {
		leaves[n] = i.leaf
		if i.event == nil {
			continue
		}
		h.events++
		e := *i.event
		e.Seq = h.events
		at, err := ward.ParseTime(e.Time)
		if err != nil {
			return err
		}
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		rows = append(rows, string(org), e.Seq, string(e.Event), at.UnixMilli(), e.Action, string(e.Person), string(e.Chart), body)
		leaves[n] = Leaf{Kind: receipt.LeafEvent, Ref: string(e.Event), Content: body, seq: e.Seq}
	}
	if err := insert(ctx, tx, `INSERT INTO record_events (org, seq, event, time, action, person, chart, body) VALUES `, 8, rows); err != nil {
		return err
	}
	return plant(ctx, tx, org, h, leaves)
}

// plant adds leaves to a log, at places that were reserved.
func plant(ctx context.Context, tx *store.Tx, org ward.OrgID, h head, leaves []Leaf) error {
	salts := make([]byte, 16*len(leaves))
	rand.Read(salts)
	hashes := make([]tlog.Hash, len(leaves))
	rows := make([]any, 0, 7*len(leaves))
	for n, leaf := range leaves {
		salt := salts[16*n:][:16]
		c := receipt.Commitment(leaf.Kind, receipt.Salt(salt), leaf.Content)
		hashes[n] = tlog.RecordHash(c[:])
		rows = append(rows, string(org), h.size+int64(n), leaf.Kind, leaf.Ref, leaf.seq, salt, c[:])
	}
	if err := tile(ctx, tx, org, h.size, hashes); err != nil {
		return err
	}
	if err := insert(ctx, tx, `INSERT INTO ledger_leaves (org, idx, kind, ref, seq, salt, commitment) VALUES `, 7, rows); err != nil {
		return err
	}
	for n, hash := range hashes {
		h.frontier = h.frontier.add(h.size+int64(n), hash)
	}
	return tx.Queue(ctx, `UPDATE ledger_logs SET frontier = $1 WHERE org = $2`, h.frontier.bytes(), string(org))
}

// reserve takes places at the end of a log and of its record, and gives the head before them.
func reserve(ctx context.Context, tx *store.Tx, org ward.OrgID, leaves, events int64) (head, error) {
	var h head
	var kept []byte
	err := tx.Row(ctx, `UPDATE ledger_logs SET size = size + $1, events = events + $2 WHERE org = $3 RETURNING size, events, frontier`,
		leaves, events, string(org)).Scan(&h.size, &h.events, &kept)
	if errors.Is(err, store.ErrNoRow) {
		err = tx.Row(ctx, `INSERT INTO ledger_logs (org, size, events, filled) VALUES ($1, $2, $3, $4)
			ON CONFLICT (org) DO UPDATE SET size = ledger_logs.size + excluded.size, events = ledger_logs.events + excluded.events RETURNING size, events, frontier`,
			string(org), leaves, events, int64(filledAll)).Scan(&h.size, &h.events, &kept)
	}
	if err != nil {
		return h, err
	}
	h.size, h.events = h.size-leaves, h.events-events
	h.frontier, err = parseFrontier(h.size, kept)
	return h, err
}

// forgetPage is how many leaves one statement forgets.
const forgetPage = 64

func forget(ctx context.Context, tx *store.Tx, org ward.OrgID, refs []string) (int64, error) {
	args := make([]any, 0, 1+forgetPage)
	args = append(args, string(org))
	for _, ref := range refs {
		args = append(args, ref)
	}
	for len(args) < 1+forgetPage { // the same statement for any number
		args = append(args, refs[0])
	}
	return tx.Exec(ctx, `UPDATE ledger_leaves SET salt = NULL, ref = '' WHERE org = $1 AND kind <> 'event' AND ref IN (`+places(2, forgetPage)+`)`, args...)
}

// insertPages are how many rows one statement inserts. Few sizes, so that few statements are prepared.
var insertPages = []int{64, 16, 4, 1}

// insert adds rows, given as one list of values.
func insert(ctx context.Context, tx *store.Tx, into string, columns int, values []any) error {
	for _, page := range insertPages {
		for n := page * columns; len(values) >= n; values = values[n:] {
			rows := make([]string, page)
			for i := range rows {
				rows[i] = "(" + places(1+i*columns, columns) + ")"
			}
			if err := tx.Queue(ctx, into+strings.Join(rows, ", "), values[:n]...); err != nil {
				return err
			}
		}
	}
	return nil
}

// places are the places of count parameters: $3, $4, …
func places(from, count int) string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(all, ", ")
}
