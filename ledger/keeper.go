package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// Notices is where changes are told.
type Notices interface {
	Publish(org ward.OrgID, n ward.Notice) error
}

// Clinics says what the other members of a chain are told of an organisation.
type Clinics interface {
	Of(ctx context.Context, tx *store.Tx, org ward.OrgID) (ward.ClinicInfo, error)
}

// Locks gives back the texts of what the ledger speaks of in a lock, by their refs.
type Locks interface {
	TextsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, lock ward.LockID, refs []string) (map[string][]byte, error)
}

// Config is what a Keeper is made of.
type Config struct {
	DB      *store.DB
	Ledger  *Ledger
	Sealer  *store.Sealer
	Sources []Source // all that keep what the log commits to
	Locks   Locks
	Clinics Clinics
	Chain   Chain   // nil: nothing is ever final
	Council Council // nil: there is nothing to vote on
	Notices Notices
	Running func() []ward.ChainRelease // which server and app these are; nil if that is not known
	Host    string                     // of this server: it names the logs to others
	Log     *slog.Logger
	Now     func() time.Time
}

// Keeper keeps logs checked and agreed, and proves what is in them.
type Keeper struct {
	Config
	metrics *metrics
	name    string               // of this process, among those that share a database
	votes   chan ward.LedgerVote // that officers cast

	guard   sync.Mutex
	logs    map[ward.OrgID]*logState
	secrets map[ward.OrgID]secrets
}

// logState is what a keeper knows of one log.
type logState struct {
	wake      chan struct{} // holds something while the log may have grown …
	wakeCards chan struct{} // … and while a card may wait
	lease     time.Time     // until when this process alone sends it to the chain
	readOnly  bool          // it is not what the chain agreed
	stuck     time.Time     // since when nothing could be agreed; zero while it can
	checking  sync.Mutex    // held by the check that runs
	checked   *ward.RecordState
}

// secrets are what makes an organisation's log its own.
type secrets struct {
	origin ed25519.PrivateKey
	salt   receipt.Key // of labels: told to its people
	before []ward.LogBefore
}

func (s secrets) public() receipt.Key { return receipt.Key(s.origin.Public().(ed25519.PublicKey)) }

// NewKeeper makes a Keeper. It first gives leaves to what an older Ward kept before there was a log.
func NewKeeper(ctx context.Context, config Config) (*Keeper, error) {
	k := &Keeper{
		Config: config, metrics: newMetrics(), name: ward.NewID[string](), votes: make(chan ward.LedgerVote, maxVotes), logs: map[ward.OrgID]*logState{}, secrets: map[ward.OrgID]secrets{},
	}
	orgs, err := k.Logs(ctx)
	for _, org := range orgs {
		if err == nil {
			err = k.fill(ctx, org)
		}
		if err == nil && k.Chain != nil {
			err = k.moved(ctx, org)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin the ledger: %w", err)
	}
	return k, nil
}

const (
	// lookEvery is how often it is looked for what other processes appended to a log. What this one appends it knows at once.
	lookEvery = 2 * time.Second
	// lookAlone is how often it is looked where there is no other process: a clinic at rest should cost nothing.
	lookAlone = 20 * time.Second
	// checkEvery is how often the whole record is checked by itself.
	checkEvery = 24 * time.Hour
	// maxVotes is how many votes wait to be cast: more than are ever open.
	maxVotes = 16
)

// Run sends logs to the chain, checks them, and tells what is wrong, until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer func() {
		running.Wait()
		if err := k.letGo(context.WithoutCancel(ctx)); err != nil {
			k.Log.WarnContext(ctx, "logs are still held by this process", slog.String("error", err.Error()))
		}
	}()
	if k.Council != nil {
		running.Go(func() { k.castVotes(ctx) })
	}
	begun := map[ward.OrgID]bool{}
	every := lookEvery
	if k.DB.Engine() == "sqlite" {
		every = lookAlone
	}
	for tick := time.Tick(every); ; {
		orgs, err := k.Logs(ctx)
		if err != nil && ctx.Err() == nil {
			k.Log.ErrorContext(ctx, "looking for logs failed", slog.String("error", err.Error()))
		}
		for _, org := range orgs {
			if !begun[org] {
				begun[org] = true
				running.Go(func() { k.checkDaily(ctx, org) })
				if k.Chain != nil {
					running.Go(func() { k.pump(ctx, org) })
					running.Go(func() { k.sendLinks(ctx, org) })
				}
			}
		}
		if k.Chain != nil {
			k.lookAtChain(ctx, orgs)
		}
		if !k.await(ctx, tick) {
			return
		}
	}
}

// castVotes casts what officers voted.
func (k *Keeper) castVotes(ctx context.Context) {
	for {
		select {
		case v := <-k.votes:
			casting, cancel := context.WithTimeout(ctx, haltedAfter)
			if err := k.Council.Vote(casting, v.Subject, v.Yes); err != nil && ctx.Err() == nil {
				k.Log.ErrorContext(ctx, "a vote was not cast", slog.String("error", err.Error()))
			}
			cancel()
		case <-ctx.Done():
			return
		}
	}
}

// await waits until a log may have grown, wakes those who send, and tells whether to go on. Growing logs wake them at
// once; new logs, and the rest, can wait a little.
func (k *Keeper) await(ctx context.Context, tick <-chan time.Time) bool {
	looked := time.Now()
	var soon <-chan time.Time // a log that is new must not wait for the tick
	for {
		select {
		case <-ctx.Done():
			return false
		case <-k.Ledger.longer:
			k.wakeAll()
			if soon == nil {
				soon = time.After(lookEvery - time.Since(looked))
			}
		case <-soon:
			return true
		case <-tick:
			k.wakeAll()
			return true
		}
	}
}

func (k *Keeper) wakeAll() {
	k.guard.Lock()
	defer k.guard.Unlock()
	for _, s := range k.logs {
		wake(s.wake)
		wake(s.wakeCards)
	}
}

func wake(sleeper chan struct{}) {
	select {
	case sleeper <- struct{}{}:
	default: // woken already
	}
}

// log is what is known of an organisation's log.
func (k *Keeper) log(org ward.OrgID) *logState {
	k.guard.Lock()
	defer k.guard.Unlock()
	s := k.logs[org]
	if s == nil {
		s = &logState{wake: make(chan struct{}, 1), wakeCards: make(chan struct{}, 1)}
		k.logs[org] = s
	}
	return s
}

func (k *Keeper) isReadOnly(org ward.OrgID) bool {
	s := k.log(org)
	k.guard.Lock()
	defer k.guard.Unlock()
	return s.readOnly
}

func (k *Keeper) setReadOnly(org ward.OrgID, readOnly bool) {
	s := k.log(org)
	k.guard.Lock()
	defer k.guard.Unlock()
	s.readOnly = readOnly
}

// Logs lists the organisations that have logs.
func (k *Keeper) Logs(ctx context.Context) ([]ward.OrgID, error) {
	var all []ward.OrgID
	err := k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.Rows(ctx, `SELECT org FROM ledger_logs ORDER BY org`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var org string
			if err := rows.Scan(&org); err != nil {
				return err
			}
			all = append(all, ward.OrgID(org))
		}
		return rows.Err()
	})
	return all, err
}

// secretsOf gives what makes a log its organisation's, and makes it the first time.
func (k *Keeper) secretsOf(ctx context.Context, org ward.OrgID) (secrets, error) {
	k.guard.Lock()
	s, ok := k.secrets[org]
	k.guard.Unlock()
	if ok {
		return s, nil
	}
	err := k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		s.before, err = logsBefore(ctx, tx, org)
		return err
	})
	if err != nil {
		return s, err
	}
	seed, err := k.DB.Secret(ctx, k.Sealer, originName(org, len(s.before)))
	if err != nil {
		return s, err
	}
	var salt []byte
	err = k.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		fresh := make([]byte, 32)
		rand.Read(fresh)
		return tx.Row(ctx, `UPDATE ledger_logs SET salt = COALESCE(salt, $1) WHERE org = $2 RETURNING salt`, fresh, string(org)).Scan(&salt)
	})
	if errors.Is(err, store.ErrNoRow) {
		return s, ward.Errorf(ward.Missing, "there is no such clinic here")
	}
	if err != nil {
		return s, err
	}
	s.origin, s.salt = ed25519.NewKeyFromSeed(seed), receipt.Key(salt)
	k.guard.Lock()
	k.secrets[org] = s
	k.guard.Unlock()
	return s, nil
}

// final is an agreed head as it is kept.
type final struct {
	size  int64
	root  tlog.Hash
	block []byte
	at    time.Time
}

// finalFor is the first agreed head that has a leaf, of those agreed from a height of the chain on; or with -1 the newest.
func finalFor(ctx context.Context, tx *store.Tx, org ward.OrgID, leaf, from int64) (final, error) {
	query := `SELECT size, root, block, time FROM ledger_finals WHERE org = $1 AND size > $2 AND height >= $3 ORDER BY size LIMIT 1`
	if leaf < 0 {
		query = `SELECT size, root, block, time FROM ledger_finals WHERE org = $1 AND size > $2 AND height >= $3 ORDER BY size DESC LIMIT 1`
	}
	var f final
	var root []byte
	var at int64
	err := tx.Row(ctx, query, string(org), leaf, from).Scan(&f.size, &root, &f.block, &at)
	copy(f.root[:], root)
	f.at = time.UnixMilli(at)
	return f, err
}

func (f final) head() ward.LogHead {
	return ward.LogHead{Size: f.size, Root: ward.B64.EncodeToString(f.root[:])}
}

// sizeOf is how many leaves a log has.
func sizeOf(ctx context.Context, tx *store.Tx, org ward.OrgID) (int64, error) {
	var size int64
	err := tx.Row(ctx, `SELECT size FROM ledger_logs WHERE org = $1`, string(org)).Scan(&size)
	if errors.Is(err, store.ErrNoRow) {
		return 0, ward.Errorf(ward.Missing, "there is no such clinic here")
	}
	return size, err
}
