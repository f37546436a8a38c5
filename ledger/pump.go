package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

const (
	// resendAfter is how long a checkpoint may take before it is sent once more, in other bytes: what a node forgot, or
	// heard while it was behind, it never asks for again. Each time it waits twice as long, up to resendAtMost.
	resendAfter  = 3 * time.Second
	resendAtMost = 24 * time.Second
	// restBetween is how long a log rests between two checkpoints: while many write, fewer heads cost less and say as much.
	restBetween = 10 * time.Millisecond
	// restBusy is the rest after a checkpoint of busy leaves and more: then blocks would take the processor from those who write.
	// From flooded on, a block is little beside its leaves, and resting would only keep them waiting.
	restBusy = 200 * time.Millisecond
	busy     = 64
	flooded  = 4096
	// haltedAfter is how long nothing may be agreed before an officer is told.
	haltedAfter = time.Minute
	// leaseFor is how long one process alone may send a log to the chain. It is longer than it waits before it sends again.
	leaseFor = 40 * time.Second
	// finalsWhole is how long every agreed head is kept. Of older ones it is the last of each minute: any later head
	// proves a leaf as well.
	finalsWhole = time.Hour
)

// pump sends a log's heads to the chain, one at a time, as long as the log grows.
func (k *Keeper) pump(ctx context.Context, org ward.OrgID) {
	s := k.log(org)
	for {
		grown, err := k.advance(ctx, org)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if err := k.standsStill(ctx, org); err != nil {
				k.Log.ErrorContext(ctx, "an alarm was not raised", slog.String("error", err.Error()))
			}
			k.Log.WarnContext(ctx, "the log is not sent to the chain", slog.String("org", string(org)), slog.String("error", err.Error()))
			if !pause(ctx, resendAfter) {
				return
			}
		case grown == 0:
			select {
			case <-s.wake:
			case <-ctx.Done():
				return
			}
		case !pause(ctx, restAfter(grown)):
			return
		}
	}
}

func restAfter(grown int64) time.Duration {
	if grown >= busy && grown < flooded {
		return restBusy
	}
	return restBetween
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// advance has the chain agree on a log as it is now, and tells by how many leaves it had grown. A log that does not extend
// what was agreed is never sent: someone must look.
func (k *Keeper) advance(ctx context.Context, org ward.OrgID) (grown int64, err error) {
	own, err := k.secretsOf(ctx, org)
	if err != nil {
		return 0, err
	}
	size, root, known := k.Chain.Head(own.public())
	if !known {
		if err := k.register(ctx, org, own); err != nil {
			return 0, fmt.Errorf("register the log: %w", err)
		}
		wake(k.log(org).wakeCards) // which wait for it
		// Not to be told is not to know: what the chain has may be more than nothing.
		if size, root, known = k.Chain.Head(own.public()); !known {
			return 0, ward.Errorf(ward.Unavailable, "the chain does not say what it has of the log")
		}
	}
	next, kept, problem, err := k.compare(ctx, org, size, root)
	if err != nil {
		return 0, err
	}
	k.setReadOnly(org, problem != nil)
	if problem != nil {
		return 0, k.raise(ctx, org, problem.Kind, inWords(*problem))
	}
	if err := errors.Join(k.over(ctx, org, "forked"), k.over(ctx, org, "shorter")); err != nil {
		return 0, err
	}
	if known && kept < size {
		if block, ok := k.Chain.Newest(own.public()); ok { // agreed while nobody was there to keep it
			if err := k.keepFinal(ctx, org, block); err != nil {
				return 0, err
			}
		}
	}
	if next == nil {
		return 0, nil
	}
	if mine, err := k.hold(ctx, org); err != nil || !mine {
		return 0, err
	}
	block, err := k.submit(ctx, org, func(attempt uint16) []byte {
		next.Attempt = attempt
		return receipt.SignTx(k.Chain.ID(), own.origin, receipt.KindCheckpoint, next.Body())
	})
	if errors.Is(err, ErrRefused) {
		if now, _, _ := k.Chain.Head(own.public()); now > size {
			return 1, nil // an earlier attempt was agreed after all
		}
	}
	if err != nil {
		return 0, err
	}
	return next.New - next.Old, k.keepFinal(ctx, org, block)
}

// moved begins anew on another chain than the one that agreed on a log before, as when a clinic that was alone joins others:
// its log goes on, and so do the lines of its people. What the chain of before agreed on last must be in the log still.
func (k *Keeper) moved(ctx context.Context, org ward.OrgID) error {
	chain := k.Chain.ID()
	if chain == "" {
		return nil // it cannot begin, and may be the one of before
	}
	var problem *ward.RecordProblem
	err := k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		problem = nil
		newest, err := finalFor(ctx, tx, org, -1, 0)
		if errors.Is(err, store.ErrNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
		block, err := receipt.Parse[receipt.Block](newest.block)
		if err != nil || block.Chain == chain {
			return err
		}
		size, err := sizeOf(ctx, tx, org)
		if err != nil {
			return err
		}
		if size < newest.size {
			problem = &ward.RecordProblem{Kind: "shorter", Count: newest.size - size, First: size}
		} else if root, err := newTree(tx, org, size).rootAt(ctx, newest.size); err != nil || root != newest.root {
			problem = &ward.RecordProblem{Kind: "forked", Count: 1}
		}
		if problem != nil {
			return nil
		}
		if err := tx.Queue(ctx, `DELETE FROM ledger_finals WHERE org = $1`, string(org)); err != nil {
			return err
		}
		return tx.Queue(ctx, `UPDATE ledger_links SET state = 'waiting' WHERE org = $1`, string(org))
	})
	if err != nil || problem == nil {
		return err
	}
	return k.raise(ctx, org, problem.Kind, inWords(*problem))
}

func (k *Keeper) register(ctx context.Context, org ward.OrgID, own secrets) error {
	var clinic ward.ClinicInfo
	err := k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		clinic, err = k.Clinics.Of(ctx, tx, org)
		return err
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, resendAtMost)
	defer cancel()
	return k.Chain.Register(ctx, own.public(), receipt.SaltHash(own.salt), clinic.Name)
}

// compare compares a log with the head that the chain agreed, and makes the checkpoint that leads from there to its end,
// or nothing if that is agreed. Kept is the size of the newest head whose block is kept.
func (k *Keeper) compare(ctx context.Context, org ward.OrgID, agreed int64, root tlog.Hash) (next *receipt.Checkpoint, kept int64, problem *ward.RecordProblem, err error) {
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		next, problem = nil, nil
		size, err := sizeOf(ctx, tx, org)
		if err != nil {
			return err
		}
		newest, err := finalFor(ctx, tx, org, -1, 0)
		if err != nil && !errors.Is(err, store.ErrNoRow) {
			return err
		}
		kept = newest.size
		k.metrics.waiting.Set(float64(max(size-agreed, 0)))
		if size < agreed {
			problem = &ward.RecordProblem{Kind: "shorter", Count: agreed - size, First: size}
			return nil
		}
		log := newTree(tx, org, size)
		if agreed > 0 {
			have, err := log.rootAt(ctx, agreed)
			if err != nil || have != root {
				problem = &ward.RecordProblem{Kind: "forked", Count: 1}
				return nil
			}
		}
		if size == agreed {
			return nil
		}
		next = &receipt.Checkpoint{Old: agreed, New: size}
		end, err := log.rootAt(ctx, size)
		if err != nil {
			return err
		}
		next.Root = receipt.Hash(end)
		if agreed == 0 {
			return nil
		}
		proof, err := tlog.ProveTree(size, agreed, log.reader(ctx))
		for _, h := range proof {
			next.Proof = append(next.Proof, receipt.Hash(h))
		}
		return err
	})
	return next, kept, problem, err
}

// submit offers a transaction until it is agreed, again and again in other bytes, and waits for any of them. While it
// waits long an officer is told, and when that is over too.
func (k *Keeper) submit(ctx context.Context, org ward.OrgID, transaction func(attempt uint16) []byte) (receipt.Block, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of attempts that nobody waits for
	type outcome struct {
		block receipt.Block
		err   error
	}
	outcomes := make(chan outcome) // one that is left when this returns ends with ctx
	begun, wait := k.Now(), resendAfter
	k.standsStillSince(org, begun)
	for attempt := uint16(0); ; attempt++ {
		tx := transaction(attempt)
		go func() {
			trying, cancel := context.WithTimeout(ctx, 2*resendAtMost)
			defer cancel()
			block, err := k.Chain.Submit(trying, tx)
			select {
			case outcomes <- outcome{block, err}:
			case <-ctx.Done():
			}
		}()
		timer := time.NewTimer(wait)
	waiting:
		for {
			select {
			case o := <-outcomes:
				if errors.Is(o.err, context.DeadlineExceeded) {
					continue
				}
				timer.Stop()
				if o.err == nil {
					k.metrics.final.Observe(k.Now().Sub(begun).Seconds())
					k.goesOn(org)
					return o.block, k.over(ctx, org, "halted")
				}
				return o.block, o.err
			case <-timer.C:
				break waiting
			case <-ctx.Done():
				return receipt.Block{}, ctx.Err()
			}
		}
		wait = min(2*wait, resendAtMost)
		if err := k.standsStill(ctx, org); err != nil {
			return receipt.Block{}, err
		}
		if mine, err := k.hold(ctx, org); err != nil || !mine {
			return receipt.Block{}, err
		}
	}
}

// standsStillSince remembers since when something waits to be agreed.
func (k *Keeper) standsStillSince(org ward.OrgID, since time.Time) {
	s := k.log(org)
	k.guard.Lock()
	defer k.guard.Unlock()
	if s.stuck.IsZero() {
		s.stuck = since
	}
}

func (k *Keeper) goesOn(org ward.OrgID) {
	s := k.log(org)
	k.guard.Lock()
	defer k.guard.Unlock()
	s.stuck = time.Time{}
}

// standsStill tells an officer, once nothing could be agreed for long.
func (k *Keeper) standsStill(ctx context.Context, org ward.OrgID) error {
	k.standsStillSince(org, k.Now())
	s := k.log(org)
	k.guard.Lock()
	since := s.stuck
	k.guard.Unlock()
	if k.Now().Sub(since) <= haltedAfter {
		return nil
	}
	return k.raise(ctx, org, "halted", "nothing has been agreed for a minute or more: this clinic's part of the chain stands still, or too few of the organisations answer. "+
		"Work goes on here, and what happens meanwhile is agreed once it is over")
}

// hold makes this process the one that sends a log to the chain, and tells whether it is. On SQLite there is one.
func (k *Keeper) hold(ctx context.Context, org ward.OrgID) (bool, error) {
	if k.DB.Engine() == "sqlite" {
		return true, nil
	}
	s, now := k.log(org), k.Now()
	k.guard.Lock()
	until := s.lease
	k.guard.Unlock()
	if until.Sub(now) > leaseFor-resendAfter {
		return true, nil
	}
	var changed int64
	err := k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		changed, err = tx.Exec(ctx, `INSERT INTO ledger_pumps (org, pump, until) VALUES ($1, $2, $3)
			ON CONFLICT (org) DO UPDATE SET pump = excluded.pump, until = excluded.until WHERE ledger_pumps.pump = excluded.pump OR ledger_pumps.until < $4`,
			string(org), k.name, now.Add(leaseFor).UnixMilli(), now.UnixMilli())
		return err
	})
	if err == nil && changed == 1 {
		k.guard.Lock()
		s.lease = now.Add(leaseFor)
		k.guard.Unlock()
	}
	return changed == 1, err
}

// letGo lets another process send logs to the chain at once. One that is killed holds them for a while.
func (k *Keeper) letGo(ctx context.Context) error {
	if k.Chain == nil || k.DB.Engine() == "sqlite" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, resendAfter)
	defer cancel()
	return k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ledger_pumps WHERE pump = $1`, k.name)
		return err
	})
}

// keepFinal keeps an agreed head with the block that says so, so that the chain need not keep it.
func (k *Keeper) keepFinal(ctx context.Context, org ward.OrgID, block receipt.Block) error {
	tx, err := receipt.ParseTx(block.Tx)
	if err != nil {
		return err
	}
	c, err := receipt.ParseCheckpoint(tx.Body)
	if err != nil {
		return err
	}
	text, err := json.Marshal(block)
	if err != nil {
		return err
	}
	return k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Queue(ctx, `INSERT INTO ledger_finals (org, size, root, height, block, time) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			string(org), c.New, c.Root[:], block.Height, text, k.Now().UnixMilli())
	})
}

// thinOut removes agreed heads that later ones make unnecessary.
func (k *Keeper) thinOut(ctx context.Context) error {
	return k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ledger_finals WHERE time < $1 AND EXISTS (
			SELECT 1 FROM ledger_finals f WHERE f.org = ledger_finals.org AND f.size > ledger_finals.size AND f.time / 60000 = ledger_finals.time / 60000)`,
			k.Now().Add(-finalsWhole).UnixMilli())
		return err
	})
}

// link is a card on its way to its person's line.
type link struct {
	person          ward.PersonID
	serial          int64
	previous, value receipt.Hash
}

// sendLinks sends cards to the chain, in order, whenever there are any.
func (k *Keeper) sendLinks(ctx context.Context, org ward.OrgID) {
	for s := k.log(org); ; {
		for {
			more, err := k.sendLink(ctx, org)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				k.Log.WarnContext(ctx, "cards are not sent to the chain", slog.String("org", string(org)), slog.String("error", err.Error()))
			}
			if err != nil && !pause(ctx, resendAfter) {
				return
			}
			if err == nil && !more {
				break
			}
		}
		select {
		case <-s.wakeCards:
		case <-ctx.Done():
			return
		}
	}
}

// sendLink sends the oldest card that waits, and tells whether there was one.
func (k *Keeper) sendLink(ctx context.Context, org ward.OrgID) (bool, error) {
	l, err := k.waitingLink(ctx, org)
	if errors.Is(err, store.ErrNoRow) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if k.isReadOnly(org) {
		return false, nil
	}
	own, err := k.secretsOf(ctx, org)
	if err != nil {
		return false, err
	}
	if _, _, known := k.Chain.Head(own.public()); !known {
		return false, nil // the log comes first
	}
	if mine, err := k.hold(ctx, org); err != nil || !mine {
		return false, err
	}
	label := receipt.Label(own.salt, string(l.person))
	state, err := k.linkState(own, label, l)
	if err == nil && state == "waiting" {
		body := receipt.Link{Label: label, Previous: l.previous, Value: l.value}.Body()
		trying, cancel := context.WithTimeout(ctx, resendAtMost)
		defer cancel()
		_, err = k.Chain.Submit(trying, receipt.SignTx(k.Chain.ID(), own.origin, receipt.KindLink, body))
		state = "agreed"
		if errors.Is(err, ErrRefused) {
			refused := err
			if state, err = k.linkState(own, label, l); err == nil && state == "waiting" {
				err = refused
			}
		}
	}
	if err != nil {
		return false, err
	}
	if state == "refused" {
		err := k.raise(ctx, org, "line", "the keys of one of the clinic's people do not follow those that were agreed before: an older backup, or someone put other keys in their place. Compare that person's code in person (person "+string(l.person)+")")
		if err != nil {
			return false, err
		}
	}
	return true, k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Queue(ctx, `UPDATE ledger_links SET state = $1 WHERE org = $2 AND person = $3 AND serial = $4`, state, string(org), string(l.person), l.serial)
	})
}

// linkState compares a card's place on its line with what the chain has there.
func (k *Keeper) linkState(own secrets, label receipt.Key, l link) (string, error) {
	have, err := k.Chain.Line(own.public(), label)
	switch {
	case err != nil:
		return "", err
	case have == l.value:
		return "agreed", nil
	case have == l.previous:
		return "waiting", nil
	}
	return "refused", nil
}

func (k *Keeper) waitingLink(ctx context.Context, org ward.OrgID) (link, error) {
	var l link
	var previous, value []byte
	err := k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT person, serial, previous, value FROM ledger_links WHERE org = $1 AND state = 'waiting' ORDER BY serial, person LIMIT 1`, string(org)).
			Scan((*string)(&l.person), &l.serial, &previous, &value)
	})
	copy(l.previous[:], previous)
	copy(l.value[:], value)
	return l, err
}
