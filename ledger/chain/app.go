package chain

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	cryptoproto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"ward/ledger/receipt"
)

// app is the state machine to CometBFT. A block goes through it like this:
//
//	CheckTx          may this wait for a block? Lenient: only what can never hold is refused, for this member may be a
//	                 block behind whoever sent it, and a transaction that is refused here is never heard of again
//	PrepareProposal  what waits, as far as it holds, in order
//	ProcessProposal  strict: one transaction that does not hold, and the block gets no vote
//	FinalizeBlock    the block is decided: the state after it, in memory
//	Commit           and on disk
//
// Between FinalizeBlock and Commit the machine may die: then the block is played again from the state on disk.
type app struct {
	abci.BaseApplication
	chain     string
	db        dbm.DB
	retain    int64                  // blocks that are kept for those who catch up
	mayMeet   func(node string) bool // who may connect
	committed func(*agreed)          // told after each block that is on disk
	busy      func()                 // told when there is something to agree on

	mu      sync.Mutex
	now     *agreed // on disk; nil before the chain has begun
	before  *agreed // of the block before now, if it was seen: its root is in the header of now's block
	next    *agreed // finalized, not yet on disk
	nextTxs [][]byte
	checked map[receipt.Hash]struct{} // transactions whose signature is good
	waiting map[receipt.Hash]int64    // transactions that could not yet be in a block, and since which
	gone    recent                    // transactions that were in a block, or waited too long
	taken   recent                    // transactions that were taken to wait
	waiters map[receipt.Hash][]chan<- outcome
}

// outcome is what became of a transaction: the block it is in, or why it never will be.
type outcome struct {
	height int64
	place  int
	err    error
}

const (
	// maxChecked bounds what is remembered of checked signatures. Each is checked up to four times on its way otherwise.
	maxChecked = 20_000
	// goneFor is how long a transaction is not taken again, at the least, that was in a block or waited too long, and maxGone how
	// many are remembered. Members pass on what comes to them: one that came back from a member that is behind would else
	// go round among them for ever, and blocks be made without end.
	goneFor = 30 * time.Second
	// takenFor is for how long a transaction that was taken is not taken once more. CometBFT knows what waits, but not of two
	// that come in the same moment: it would keep both, and never let go of the second.
	takenFor = 2 * time.Second
	maxGone  = 50_000
	// maxStale is for how many blocks a transaction that does not fit the state may wait for one that it goes on from. With
	// one waiting, blocks are made without end.
	maxStale = 20
)

// appDB is Ward's own database beside CometBFT's.
const appDB = "ward"

// Keys of what is kept: the state, the trie's leaves, and notes that are each member's own.
var (
	stateRow   = []byte("s")
	leafRow    = byte('k')
	changeRow  = byte('c') // by height: receipt.Change
	nextSetRow = byte('n') // by height: the set after a change, until the change itself is there
	finalRow   = byte('f') // by origin: receipt.Block with its newest checkpoint
)

func newApp(db dbm.DB, chain string) *app {
	return &app{
		chain: chain, db: db, retain: keepBlocks, mayMeet: func(string) bool { return false }, committed: func(*agreed) {}, busy: func() {},
		gone: recent{while: goneFor}, taken: recent{while: takenFor},
		checked: map[receipt.Hash]struct{}{}, waiting: map[receipt.Hash]int64{}, waiters: map[receipt.Hash][]chan<- outcome{},
	}
}

// load reads the state on disk, if there is one.
func (a *app) load() error {
	raw, err := a.db.Get(stateRow)
	if err != nil || raw == nil {
		return err
	}
	a.now, err = restore(raw, a.leaves)
	return err
}

func (a *app) leaves(each func(key receipt.Key, value receipt.Hash)) error {
	rows, err := a.db.Iterator([]byte{leafRow}, []byte{leafRow + 1})
	if err != nil {
		return err
	}
	defer rows.Close()
	for ; rows.Valid(); rows.Next() {
		if len(rows.Key()) != 33 || len(rows.Value()) != 32 {
			return errors.New("the chain's state is cut off")
		}
		each(receipt.Key(rows.Key()[1:]), receipt.Hash(rows.Value()))
	}
	return rows.Error()
}

// Info says how far the state is.
func (a *app) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		return &abci.ResponseInfo{Data: "ward", AppVersion: 1}, nil
	}
	root := a.now.trie.hash()
	return &abci.ResponseInfo{Data: "ward", AppVersion: uint64(a.now.Version), LastBlockHeight: a.now.Height, LastBlockAppHash: root[:]}, nil
}

// InitChain begins the chain as its genesis says.
func (a *app) InitChain(_ context.Context, r *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, err := founded(r.AppStateBytes)
	if err != nil {
		return nil, err
	}
	if !sameSet(s.validators(), r.Validators) {
		return nil, errors.New("the genesis names other validators than members")
	}
	s.Signing = s.validators()
	a.now = s
	root := s.trie.hash()
	return &abci.ResponseInitChain{AppHash: root[:]}, nil
}

func sameSet(set []receipt.Validator, updates []abci.ValidatorUpdate) bool {
	if len(set) != len(updates) {
		return false
	}
	for _, u := range updates {
		if !slices.ContainsFunc(set, func(v receipt.Validator) bool {
			p, err := protoKey(v.Kind, v.Key)
			return err == nil && p.Equal(u.PubKey) && v.Power == u.Power
		}) {
			return false
		}
	}
	return true
}

// CheckTx tells whether a transaction may wait for a block.
func (a *app) CheckTx(_ context.Context, r *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	again := r.Type == abci.CheckTxType_Recheck
	err := a.mayWait(r.Tx, again)
	if err == nil && !again {
		err = a.anew(sha256.Sum256(r.Tx), time.Now())
	}
	if err == nil {
		a.busy()
		return &abci.ResponseCheckTx{}, nil
	}
	if again {
		a.settle(r.Tx, outcome{err: err})
	}
	return &abci.ResponseCheckTx{Code: 1, Log: err.Error()}, nil
}

// anew refuses what came a moment ago, and notes what comes.
func (a *app) anew(id receipt.Hash, now time.Time) error {
	if a.gone.has(id, now) {
		return errors.New("this was in a block just now, or waited for one too long")
	}
	if a.taken.has(id, now) {
		return errors.New("this waits for a block already")
	}
	a.taken.add(id, now)
	return nil
}

// mayWait refuses what can never hold, and what has waited too long for something to go on from.
func (a *app) mayWait(raw []byte, again bool) error {
	if a.now == nil {
		return errors.New("the chain has not begun")
	}
	tx, err := a.parse(raw)
	if err != nil {
		return err
	}
	if err := a.now.never(tx); err != nil {
		return err
	}
	if !again {
		return nil
	}
	id := sha256.Sum256(raw)
	err = a.now.clone().apply(tx, a.chain)
	if err == nil {
		delete(a.waiting, id)
		return nil
	}
	since, ok := a.waiting[id]
	if !ok {
		a.waiting[id] = a.now.Height
		return nil
	}
	if a.now.Height-since >= maxStale {
		delete(a.waiting, id)
		return err
	}
	return nil
}

// never tells why a transaction can no longer hold, also for a member that is some blocks behind. What only grows is
// behind for ever when it is behind now.
func (s *agreed) never(tx receipt.Tx) error {
	switch tx.Kind {
	case receipt.KindCheckpoint:
		c, err := receipt.ParseCheckpoint(tx.Body)
		if err != nil {
			return err
		}
		if c.Old < s.Logs[tx.Signer].Size {
			return errors.New("more of the log is agreed already")
		}
		return nil
	case receipt.KindLink:
		l, err := receipt.ParseLink(tx.Body)
		if err != nil {
			return err
		}
		if now, ok := s.trie.get(receipt.LinkKey(tx.Signer, l.Label)); ok && now == l.Value {
			return errors.New("this is agreed already")
		}
		return nil
	case receipt.KindVote:
		b, err := receipt.ParseBallot(tx.Body)
		if err == nil && b.Number <= s.Members[tx.Signer].Number {
			err = errors.New("this has had its turn")
		}
		return err
	case receipt.KindLog:
		l, err := receipt.ParseLog(tx.Body)
		if err == nil && l.Number <= s.Members[tx.Signer].Number {
			err = errors.New("this has had its turn")
		}
		return err
	case receipt.KindRelease:
		r, err := receipt.ParseRelease(tx.Body)
		if err == nil && r.Number <= s.Releases[r.Kind].Number {
			err = errors.New("a newer release is known")
		}
		return err
	}
	return fmt.Errorf("there is no transaction of kind %d", tx.Kind)
}

// parse reads a transaction and checks its signature, once.
func (a *app) parse(raw []byte) (receipt.Tx, error) {
	tx, err := receipt.ParseTx(raw)
	if err != nil {
		return tx, err
	}
	id := sha256.Sum256(raw)
	if _, ok := a.checked[id]; ok {
		return tx, nil
	}
	if !tx.Signed(a.chain) {
		return tx, errors.New("the signature is not good")
	}
	if len(a.checked) >= maxChecked {
		clear(a.checked)
	}
	a.checked[id] = struct{}{}
	return tx, nil
}

// PrepareProposal gives what waits, as far as it holds one after another.
func (a *app) PrepareProposal(_ context.Context, r *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, err := a.begin(r.Height, r.Time, r.Misbehavior)
	if err != nil {
		return nil, err
	}
	var chosen [][]byte
	var size int64
	for _, raw := range r.Txs {
		weight := int64(len(raw) + 8) // and its tag and length
		if size+weight > r.MaxTxBytes {
			break
		}
		tx, err := a.parse(raw)
		if err != nil || s.apply(tx, a.chain) != nil {
			continue
		}
		chosen, size = append(chosen, raw), size+weight
	}
	return &abci.ResponsePrepareProposal{Txs: chosen}, nil
}

// ProcessProposal refuses a block that holds anything that does not hold. So to be in a block is to be right.
func (a *app) ProcessProposal(_ context.Context, r *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	a.busy()
	a.mu.Lock()
	defer a.mu.Unlock()
	s, err := a.begin(r.Height, r.Time, r.Misbehavior)
	if err != nil {
		return nil, err
	}
	for _, raw := range r.Txs {
		tx, err := a.parse(raw)
		if err != nil || s.apply(tx, a.chain) != nil {
			return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
		}
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

// begin is the state at the beginning of a block.
func (a *app) begin(height int64, at time.Time, misbehaved []abci.Misbehavior) (*agreed, error) {
	if a.now == nil {
		return nil, errors.New("the chain has not begun")
	}
	s := a.now.clone()
	s.Signing = a.now.validators() // of the block after: a set takes effect two blocks after the one that changes it
	var faults []fault
	for _, m := range misbehaved {
		if len(m.Validator.Address) == 20 {
			faults = append(faults, fault{[20]byte(m.Validator.Address), m.Height})
		}
	}
	return s, s.begin(height, at, faults)
}

// FinalizeBlock makes the state after a decided block. If more than two thirds signed something that does not hold, it is
// skipped here as it is everywhere.
func (a *app) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, err := a.begin(r.Height, r.Time, r.Misbehavior)
	if err != nil {
		return nil, err
	}
	results := make([]*abci.ExecTxResult, len(r.Txs))
	for i, raw := range r.Txs {
		results[i] = &abci.ExecTxResult{}
		tx, err := a.parse(raw)
		if err == nil {
			err = s.apply(tx, a.chain)
		}
		if err != nil {
			results[i].Code = 1
			continue
		}
		if tx.Kind == receipt.KindCheckpoint {
			head := s.Logs[tx.Signer]
			head.Height, head.Place = r.Height, int64(i)
			s.Logs[tx.Signer] = head
		}
	}
	updates, err := changes(a.now.validators(), s.validators())
	if err != nil {
		return nil, err
	}
	a.next, a.nextTxs = s, r.Txs
	root := s.trie.hash()
	answer := &abci.ResponseFinalizeBlock{TxResults: results, ValidatorUpdates: updates, AppHash: root[:]}
	if s.Version != a.now.Version {
		answer.ConsensusParamUpdates = &cmtproto.ConsensusParams{Version: &cmtproto.VersionParams{App: uint64(s.Version)}}
	}
	return answer, nil
}

// validators are the members that sign, in the chain's order: power descending, address ascending.
func (s *agreed) validators() []receipt.Validator {
	var set []receipt.Validator
	for _, m := range s.Members {
		if m.Power > 0 {
			set = append(set, receipt.Validator{Name: m.Name, Key: m.Key, Power: m.Power, Kind: m.Kind})
		}
	}
	slices.SortFunc(set, func(a, b receipt.Validator) int {
		x, y := a.Address(), b.Address()
		return cmp.Or(cmp.Compare(b.Power, a.Power), bytes.Compare(x[:], y[:]))
	})
	return set
}

// changes are what CometBFT must know of two sets: one update of each key, however often it changed in the block.
func changes(from, to []receipt.Validator) ([]abci.ValidatorUpdate, error) {
	var all []abci.ValidatorUpdate
	add := func(v receipt.Validator, power int64) error {
		key, err := protoKey(v.Kind, v.Key)
		all = append(all, abci.ValidatorUpdate{PubKey: key, Power: power})
		return err
	}
	of := func(set []receipt.Validator, key []byte) int64 {
		for _, v := range set {
			if bytes.Equal(v.Key, key) {
				return v.Power
			}
		}
		return 0
	}
	for _, v := range to {
		if of(from, v.Key) != v.Power {
			if err := add(v, v.Power); err != nil {
				return nil, err
			}
		}
	}
	for _, v := range from {
		if of(to, v.Key) == 0 {
			if err := add(v, 0); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func protoKey(kind string, key []byte) (cryptoproto.PublicKey, error) {
	switch kind {
	case receipt.Ed25519:
		return cryptoproto.PublicKey{Sum: &cryptoproto.PublicKey_Ed25519{Ed25519: key}}, nil
	case receipt.MLDSA65:
		return cryptoproto.PublicKey{Sum: &cryptoproto.PublicKey_Mldsa65{Mldsa65: key}}, nil
	}
	return cryptoproto.PublicKey{}, fmt.Errorf("a validator has no key of kind %.20q", kind)
}

// Commit keeps the state, and tells those who wait.
func (a *app) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == nil {
		return nil, errors.New("no block is finalized")
	}
	s := a.next
	batch := a.db.NewBatch()
	defer batch.Close()
	if a.now.Height == 0 {
		if err := a.now.save(batch); err != nil { // what the chain began with
			return nil, err
		}
	}
	if err := s.save(batch); err != nil {
		return nil, err
	}
	if !slices.EqualFunc(s.validators(), a.now.validators(), sameValidator) {
		if err := batch.Set(heightRow(nextSetRow, s.Height+1), encodeSet(s.validators())); err != nil {
			return nil, err
		}
	}
	if err := batch.WriteSync(); err != nil {
		return nil, fmt.Errorf("keep the chain's state: %w", err)
	}
	a.before, a.now, a.next = a.now, s, nil
	for i, raw := range a.nextTxs {
		a.settle(raw, outcome{height: s.Height, place: i})
	}
	a.nextTxs = nil
	a.committed(s)
	return &abci.ResponseCommit{RetainHeight: max(0, s.Height-a.retain)}, nil
}

func (s *agreed) save(batch dbm.Batch) error {
	for key, value := range s.writes {
		row := append([]byte{leafRow}, key[:]...)
		var err error
		if value == nil {
			err = batch.Delete(row)
		} else {
			err = batch.Set(row, slices.Clone(value[:]))
		}
		if err != nil {
			return err
		}
	}
	raw, err := s.encode()
	if err != nil {
		return err
	}
	return batch.Set(stateRow, raw)
}

func sameValidator(a, b receipt.Validator) bool {
	return a.Power == b.Power && a.Kind == b.Kind && bytes.Equal(a.Key, b.Key)
}

func heightRow(row byte, height int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{row}, uint64(height))
}

// settle tells those who wait for a transaction what became of it, and forgets it.
func (a *app) settle(raw []byte, what outcome) {
	id := receipt.Hash(sha256.Sum256(raw))
	delete(a.checked, id)
	delete(a.waiting, id)
	a.gone.add(id, time.Now())
	for _, w := range a.waiters[id] {
		w <- what // has room for it
	}
	delete(a.waiters, id)
}

// recent remembers transactions for a while or longer, twice as long at most, and of many the newest.
type recent struct {
	while        time.Duration
	newer, older map[receipt.Hash]struct{}
	since        time.Time // when newer was begun
}

func (r *recent) age(now time.Time) {
	if r.newer != nil && now.Sub(r.since) < r.while && len(r.newer) < maxGone {
		return
	}
	r.older = r.newer
	if now.Sub(r.since) >= 2*r.while {
		r.older = nil
	}
	r.newer, r.since = map[receipt.Hash]struct{}{}, now
}

func (r *recent) add(id receipt.Hash, now time.Time) {
	r.age(now)
	r.newer[id] = struct{}{}
}

func (r *recent) has(id receipt.Hash, now time.Time) bool {
	r.age(now)
	_, newer := r.newer[id]
	_, older := r.older[id]
	return newer || older
}

// wait gives a channel on which a transaction's outcome comes, and how to stop waiting.
func (a *app) wait(raw []byte) (<-chan outcome, func()) {
	id := receipt.Hash(sha256.Sum256(raw))
	c := make(chan outcome, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiters[id] = append(a.waiters[id], c)
	return c, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		rest := slices.DeleteFunc(a.waiters[id], func(w chan<- outcome) bool { return w == c })
		if a.waiters[id] = rest; len(rest) == 0 {
			delete(a.waiters, id)
		}
	}
}

// Query is how CometBFT asks who may connect. Addresses are open; nodes are not.
func (a *app) Query(_ context.Context, r *abci.RequestQuery) (*abci.ResponseQuery, error) {
	if node, ok := strings.CutPrefix(r.Path, "/p2p/filter/id/"); ok && !a.mayMeet(node) {
		return &abci.ResponseQuery{Code: 1, Log: "this node is not of a member"}, nil
	}
	return &abci.ResponseQuery{}, nil
}
