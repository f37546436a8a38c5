package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// After a real loss, as of a disk whose backup is older than what was agreed, a log can never again extend what the chain
// has of it, and nothing of the clinic's becomes final. Then, and only then, an operator may begin it again: what is kept goes
// on as a new log, with a key of its own, whose first new event says which log it continues, how far that one was
// agreed, and how much is lost. The chain keeps the old log's last head for good, so nobody can use this to hide: everyone
// who had seen the old log is told, and what was agreed of it.

// begunAgain is the action of the event that says so. It is about the log of before: "log:<origin>:<size>:<root>".
const begunAgain = "log-begun-again"

// Lost tells what an organisation's log would continue if it were begun again, and how much is lost at the most: what
// was agreed after the newest head that is kept and still fits. It fails if nothing is.
func (k *Keeper) Lost(ctx context.Context, org ward.OrgID) (ward.LogBefore, error) {
	var before ward.LogBefore
	if k.Chain == nil {
		return before, ward.Errorf(ward.Missing, "this clinic has no chain, so no log that anyone agreed on")
	}
	if s := k.Chain.Status(); s.Reason != "" {
		return before, &ward.Error{Kind: ward.Unavailable, Message: "the chain does not run here, so nobody can tell what was agreed", Hint: "`ward ledger status` says why."}
	}
	own, err := k.secretsOf(ctx, org)
	if err != nil {
		return before, err
	}
	size, root, known := k.Chain.Head(own.public())
	if !known || size == 0 {
		return before, ward.Errorf(ward.Conflict, "nothing was agreed of this log, so it can go on as it is")
	}
	_, _, problem, err := k.compare(ctx, org, size, root)
	if err != nil {
		return before, err
	}
	if problem == nil && k.Chain.Writes(own.public()) {
		return before, ward.Errorf(ward.Conflict, "this log extends what was agreed of it: nothing was lost, and it goes on").
			WithHint("`ward ledger status` says what else it may wait for.")
	}
	state, err := k.Check(ctx, org)
	if err != nil {
		return before, err
	}
	if slices.ContainsFunc(state.Problems, func(p ward.RecordProblem) bool { return p.Kind == "tree" }) {
		return before, ward.Errorf(ward.Conflict, "what is kept of the log does not fit together, so nothing can go on from it").
			WithHint("Restore the newest backup first.")
	}
	before = ward.LogBefore{Origin: own.public().String(), Size: size, Root: ward.B64.EncodeToString(root[:])}
	if problem != nil {
		fits, err := k.fits(ctx, org)
		if err != nil {
			return before, err
		}
		before.Lost = size - fits
	}
	return before, nil
}

// fits is the size of the newest agreed head that is kept and that the log still has.
func (k *Keeper) fits(ctx context.Context, org ward.OrgID) (fits int64, err error) {
	heads, _, err := k.agreedHeads(ctx, org)
	if err != nil {
		return 0, err
	}
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		size, err := sizeOf(ctx, tx, org)
		if err != nil {
			return err
		}
		log := newTree(tx, org, size)
		for _, h := range slices.Backward(heads) {
			if h.Size > size || h.Size <= fits {
				continue
			}
			root, err := log.rootAt(ctx, h.Size)
			if err != nil {
				return err
			}
			if ward.B64.EncodeToString(root[:]) == h.Root {
				fits = h.Size
			}
		}
		return nil
	})
	return fits, err
}

// BeginAgain begins an organisation's log again, if it lost just as much as who asks was told.
func (k *Keeper) BeginAgain(ctx context.Context, org ward.OrgID, lost int64) (ward.LogBefore, error) {
	before, err := k.Lost(ctx, org)
	if err != nil {
		return before, err
	}
	if before.Lost != lost {
		return before, ward.Errorf(ward.Conflict, "%d of what was agreed are missing, not %d", before.Lost, lost).WithHint("Look again what is lost before you confirm it.")
	}
	e := ward.Event{
		Event: ward.NewID[ward.EventID](), Action: begunAgain, Decision: "done", Count: lost,
		About: fmt.Sprintf("log:%s:%d:%s", before.Origin, before.Size, before.Root),
	}
	err = k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Queue(ctx, `DELETE FROM ledger_finals WHERE org = $1`, string(org)); err != nil { // of the log of before
			return err
		}
		if err := tx.Queue(ctx, `UPDATE ledger_links SET state = 'waiting' WHERE org = $1`, string(org)); err != nil {
			return err
		}
		return k.Ledger.Append(ctx, tx, org, e)
	})
	if err != nil {
		return before, err
	}
	k.guard.Lock()
	delete(k.secrets, org)
	k.guard.Unlock()
	k.setReadOnly(org, false)
	k.wakeAll()
	for _, kind := range []string{"forked", "shorter", "record", "line"} {
		err = errors.Join(err, k.over(ctx, org, kind))
	}
	if err == nil {
		_, err = k.Check(ctx, org) // what officers see is the newest check
	}
	return before, err
}

// logsBefore are the logs that an organisation's continues, oldest first, as its record says.
func logsBefore(ctx context.Context, tx *store.Tx, org ward.OrgID) ([]ward.LogBefore, error) {
	rows, err := tx.Rows(ctx, `SELECT body FROM record_events WHERE org = $1 AND action = '`+begunAgain+`' ORDER BY seq`, string(org))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []ward.LogBefore
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		var e ward.Event
		if err := json.Unmarshal(body, &e); err != nil {
			return nil, fmt.Errorf("read which log was before: %w", err)
		}
		b, err := parseBefore(e)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

func parseBefore(e ward.Event) (ward.LogBefore, error) {
	parts := strings.Split(e.About, ":")
	b := ward.LogBefore{Event: e.Event, Time: e.Time, Lost: e.Count}
	if len(parts) == 4 && parts[0] == "log" {
		var origin, root receipt.Hash
		size, err := strconv.ParseInt(parts[2], 10, 64)
		if err = errors.Join(err, origin.UnmarshalText([]byte(parts[1])), root.UnmarshalText([]byte(parts[3]))); err == nil && size > 0 {
			b.Origin, b.Size, b.Root = parts[1], size, parts[3]
			return b, nil
		}
	}
	return b, fmt.Errorf("event %d does not say which log was before: it was changed", e.Seq)
}

// originName is what a log's key is called among the server's secrets. A log that was begun again has another.
func originName(org ward.OrgID, before int) string {
	if before == 0 {
		return "ledger-origin/" + string(org)
	}
	return fmt.Sprintf("ledger-origin/%s/%d", org, before)
}
