package ledger

import (
	"context"
	"crypto/rand"
	"errors"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// fillPage is how much of an older database gets its leaves in one transaction.
const fillPage = 500

// How much of what an older Ward kept has its leaves: nothing, before there was a log; all but the ends of grants; all.
const (
	filledNothing = iota
	filledGrants
	filledAll
)

// fill gives leaves to what an older Ward kept without, in order: events, then what sources have. It may be stopped at
// any moment and goes on at the next start. It happens once: what appears later without a leaf was put there past Ward.
func (k *Keeper) fill(ctx context.Context, org ward.OrgID) error {
	var filled int64
	err := k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT filled FROM ledger_logs WHERE org = $1`, string(org)).Scan(&filled)
	})
	if err != nil || filled == filledAll {
		return err
	}
	for _, source := range append([]Source{events{}}, k.Sources...) {
		for _, kind := range source.Kinds() {
			if filled == filledGrants && kind != receipt.LeafEnd {
				continue
			}
			for after, more := "", true; more; {
				if err := k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
					after, more, err = k.fillFrom(ctx, tx, org, source, kind, after)
					return err
				}); err != nil {
					return err
				}
			}
		}
	}
	return k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Queue(ctx, `UPDATE ledger_logs SET filled = $1 WHERE org = $2`, int64(filledAll), string(org))
	})
}

// fillFrom gives leaves to a page after a place, and tells whether there may be more.
func (k *Keeper) fillFrom(ctx context.Context, tx *store.Tx, org ward.OrgID, source Source, kind, after string) (string, bool, error) {
	// The row is held, so that another process does not do the same at the same time.
	waits, err := tx.Exec(ctx, `UPDATE ledger_logs SET size = size WHERE org = $1 AND filled < $2`, string(org), int64(filledAll))
	if err != nil || waits == 0 {
		return "", false, err
	}
	page, err := source.Statements(ctx, tx, org, kind, after, fillPage)
	if err != nil || len(page) == 0 {
		return "", false, err
	}
	have, err := leavesOf(ctx, tx, org, kind, page)
	if err != nil {
		return "", false, err
	}
	var leaves []Leaf
	for _, s := range page {
		if _, ok := have[s.Ref]; !ok {
			leaves = append(leaves, s.Leaf)
		}
		if s.Line != "" {
			if err := k.fillLine(ctx, tx, org, s); err != nil {
				return "", false, err
			}
		}
	}
	if len(leaves) > 0 {
		h, err := reserve(ctx, tx, org, int64(len(leaves)), 0, nil)
		if err == nil {
			all := make([]planted, len(leaves))
			for i, leaf := range leaves {
				var salt receipt.Salt
				rand.Read(salt[:])
				all[i] = plantedOf(leaf, salt)
			}
			err = plant(ctx, tx, org, h, all)
		}
		if err != nil {
			return "", false, err
		}
	}
	return page[len(page)-1].Place, true, nil
}

// fillLine puts a card that counts on its person's line, if it is not there yet.
func (k *Keeper) fillLine(ctx context.Context, tx *store.Tx, org ward.OrgID, s Statement) error {
	var one int64
	err := tx.Row(ctx, `SELECT 1 FROM ledger_links WHERE org = $1 AND person = $2 AND serial = $3`, string(org), string(s.Line), s.Serial).Scan(&one)
	if errors.Is(err, store.ErrNoRow) && s.Kind == receipt.LeafMembership {
		err = k.Ledger.Link(ctx, tx, org, s.Line, s.Serial, s.Content)
	}
	return err
}
