package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// Alarms are for the security officer. Each is open until what it tells is over, is on the record when it begins and
// ends, and is told at once to officers who are there. None stops the clinic.

// raise opens an alarm of a kind, unless one is open; what it says may have changed since.
func (k *Keeper) raise(ctx context.Context, org ward.OrgID, kind, text string) error {
	return k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		var before string
		err := tx.Row(ctx, `SELECT text FROM ledger_alarms WHERE org = $1 AND kind = $2 AND ended = 0`, string(org), kind).Scan(&before)
		if err == nil {
			if before == text {
				return nil
			}
			tx.AfterCommit(func() { k.Notices.Publish(org, ward.Notice{Kind: "ledger"}) }) // officers who look at it see what it says now
			return tx.Queue(ctx, `UPDATE ledger_alarms SET text = $1 WHERE org = $2 AND kind = $3 AND ended = 0`, text, string(org), kind)
		}
		if !errors.Is(err, store.ErrNoRow) {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO ledger_alarms (org, kind, since, text, ended) VALUES ($1, $2, $3, $4, 0)`, string(org), kind, k.Now().UnixMilli(), text); err != nil {
			return err
		}
		k.Log.ErrorContext(ctx, "ledger alarm", slog.String("org", string(org)), slog.String("kind", kind))
		return k.tell(ctx, tx, org, "ledger-alarm", kind)
	})
}

// over ends an alarm that is open.
func (k *Keeper) over(ctx context.Context, org ward.OrgID, kind string) error {
	open := false
	err := k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		alarms, err := openAlarms(ctx, tx, org)
		for _, a := range alarms {
			open = open || a.Kind == kind
		}
		return err
	})
	if err != nil || !open {
		return err
	}
	return k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		ended, err := tx.Exec(ctx, `UPDATE ledger_alarms SET ended = $1 WHERE org = $2 AND kind = $3 AND ended = 0`, k.Now().UnixMilli(), string(org), kind)
		if err != nil || ended == 0 {
			return err
		}
		return k.tell(ctx, tx, org, "ledger-alarm-over", kind)
	})
}

func (k *Keeper) tell(ctx context.Context, tx *store.Tx, org ward.OrgID, action, kind string) error {
	tx.AfterCommit(func() { k.Notices.Publish(org, ward.Notice{Kind: "ledger"}) })
	return k.Ledger.Append(ctx, tx, org, ward.Event{Action: action, About: "ledger:" + kind, Decision: "done"})
}

func openAlarms(ctx context.Context, tx *store.Tx, org ward.OrgID) ([]ward.LedgerAlarm, error) {
	rows, err := tx.Rows(ctx, `SELECT kind, since, text FROM ledger_alarms WHERE org = $1 AND ended = 0 ORDER BY since DESC, kind`, string(org))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	alarms := []ward.LedgerAlarm{}
	for rows.Next() {
		var a ward.LedgerAlarm
		var since int64
		if err := rows.Scan(&a.Kind, &since, &a.Text); err != nil {
			return nil, err
		}
		a.Since = ward.FormatTime(time.UnixMilli(since))
		alarms = append(alarms, a)
	}
	return alarms, rows.Err()
}

// lookAtChain measures the chain, and tells officers of validators that were caught.
func (k *Keeper) lookAtChain(ctx context.Context, orgs []ward.OrgID) {
	status := k.Chain.Status()
	k.metrics.look(status)
	faults, clocks := sayFaults(status.Faults), sayClocks(status.Members)
	for _, org := range orgs {
		var err error
		if faults != "" {
			err = k.raise(ctx, org, "fault", faults)
		}
		if clocks != "" {
			err = errors.Join(err, k.raise(ctx, org, "clock", clocks))
		} else if status.Reason == "" {
			err = errors.Join(err, k.over(ctx, org, "clock"))
		}
		if err != nil && ctx.Err() == nil {
			k.Log.ErrorContext(ctx, "an alarm was not raised", slog.String("error", err.Error()))
		}
	}
}

func sayFaults(faults []ward.ChainFault) string {
	if len(faults) == 0 {
		return ""
	}
	caught := make([]string, len(faults))
	for i, f := range faults {
		caught[i] = fmt.Sprintf("%s signed two different blocks at height %d", f.Name, f.Height)
	}
	return strings.Join(caught, "; ") + ". An organisation that does so lies to someone. Talk to the others, and vote on whether it stays"
}

func sayClocks(members []ward.ChainMember) string {
	var off []string
	for _, m := range members {
		who := "The clock of " + m.Name
		if m.Self {
			who = "The clock of this clinic's own machine"
		}
		switch by := time.Duration(m.ClockOff) * time.Second; {
		case by > 0:
			off = append(off, fmt.Sprintf("%s is about %s ahead of the other organisations'", who, roughly(by)))
		case by < 0:
			off = append(off, fmt.Sprintf("%s is about %s behind the other organisations'", who, roughly(-by)))
		}
	}
	if off == nil {
		return ""
	}
	return strings.Join(off, "; ") + ". Agreed times stay right as long as most clocks are; ask whoever runs that machine to switch its time service on"
}

// roughly says how long something is, so that it reads the same while it changes by little: who hears alarms read aloud hears
// each change.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f seconds", d.Round(10*time.Second).Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	}
	return fmt.Sprintf("%.0f hours", d.Hours())
}

// checkDaily checks an organisation's record at once and then every day.
func (k *Keeper) checkDaily(ctx context.Context, org ward.OrgID) {
	for {
		if _, err := k.Check(ctx, org); err != nil && ctx.Err() == nil {
			k.Log.ErrorContext(ctx, "the record could not be checked", slog.String("org", string(org)), slog.String("error", err.Error()))
		}
		if err := k.thinOut(ctx); err != nil && ctx.Err() == nil {
			k.Log.ErrorContext(ctx, "old heads were not removed", slog.String("error", err.Error()))
		}
		if !pause(ctx, checkEvery) {
			return
		}
	}
}

// Check reads an organisation's whole record and log and tells what does not fit, to who asks and, by an alarm, to the
// security officer. One runs at a time.
func (k *Keeper) Check(ctx context.Context, org ward.OrgID) (ward.RecordState, error) {
	s := k.log(org)
	s.checking.Lock()
	defer s.checking.Unlock()
	agreed, newest, err := k.agreedHeads(ctx, org)
	if err != nil {
		return ward.RecordState{}, err
	}
	state, err := Check(ctx, k.DB, org, ward.FormatTime(k.Now()), agreed, k.Sources...)
	if err != nil {
		return ward.RecordState{}, err
	}
	state.Agreed = newest
	if k.Chain != nil {
		lost, err := k.checkLines(ctx, org)
		if err != nil {
			return ward.RecordState{}, err
		}
		if lost > 0 {
			p := ward.RecordProblem{Kind: "line", Count: lost, First: -1}
			p.Text = inWords(p)
			state.Problems, state.Whole = append(state.Problems, p), false
		}
	}
	k.guard.Lock()
	s.checked = &state
	k.guard.Unlock()
	if state.Whole {
		return state, k.over(ctx, org, "record")
	}
	said := make([]string, len(state.Problems))
	for i, p := range state.Problems {
		said[i] = p.Text
	}
	return state, k.raise(ctx, org, "record", strings.Join(said, "; "))
}

// agreedHeads lists the heads of a log that were agreed: what the chain says now, and what is kept of before.
func (k *Keeper) agreedHeads(ctx context.Context, org ward.OrgID) (all []ward.LogHead, newest *ward.LogHead, err error) {
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.Rows(ctx, `SELECT size, root FROM ledger_finals WHERE org = $1 ORDER BY size`, string(org))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h ward.LogHead
			var root []byte
			if err := rows.Scan(&h.Size, &root); err != nil {
				return err
			}
			h.Root = ward.B64.EncodeToString(root)
			all = append(all, h)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, nil, err
	}
	if k.Chain != nil {
		own, err := k.secretsOf(ctx, org)
		if err != nil {
			return nil, nil, err
		}
		if size, root, known := k.Chain.Head(own.public()); known && size > 0 {
			h := ward.LogHead{Size: size, Root: ward.B64.EncodeToString(root[:])}
			return append(all, h), &h, nil
		}
	}
	if len(all) > 0 {
		newest = &all[len(all)-1]
	}
	return all, newest, nil
}

// checkLines counts the people whose newest agreed card here is not what the chain has of them.
func (k *Keeper) checkLines(ctx context.Context, org ward.OrgID) (lost int64, err error) {
	own, err := k.secretsOf(ctx, org)
	if err != nil {
		return 0, err
	}
	lines := map[ward.PersonID]receipt.Hash{}
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.Rows(ctx, `SELECT person, value FROM ledger_links WHERE org = $1 AND state = 'agreed' ORDER BY serial`, string(org))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var person string
			var value []byte
			if err := rows.Scan(&person, &value); err != nil {
				return err
			}
			if len(value) == 32 {
				lines[ward.PersonID(person)] = receipt.Hash(value)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return 0, err
	}
	for person, value := range lines {
		have, err := k.Chain.Line(own.public(), receipt.Label(own.salt, string(person)))
		if err != nil {
			return 0, err
		}
		if have == value {
			continue
		}
		moved, err := k.lineMoved(ctx, org, person, have)
		if err != nil {
			return 0, err
		}
		if !moved {
			lost++
		}
	}
	return lost, nil
}

// lineMoved tells whether a line's value is one that this clinic made since it was read.
func (k *Keeper) lineMoved(ctx context.Context, org ward.OrgID, person ward.PersonID, value receipt.Hash) (moved bool, err error) {
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		var waiting, all int64
		err := tx.Row(ctx, `SELECT count(*), count(CASE WHEN value = $1 THEN 1 END) FROM ledger_links WHERE org = $2 AND person = $3`,
			value[:], string(org), string(person)).Scan(&all, &waiting)
		moved = all == 0 || waiting > 0 // erased, or sent in this moment
		return err
	})
	return moved, err
}
