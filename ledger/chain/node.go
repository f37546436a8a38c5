// Package chain is what organisations agree with: a CometBFT node inside Ward, and the state machine that it runs.
//
// Each member of a chain runs one validator, in its own Ward. What they agree on is small: how large each organisation's
// log is and its root (so that nobody can shorten or change a log after), the newest value of each person's line of
// cards (so that nobody is shown another's key), who is a member, and which versions are given out. Entries
// themselves stay in the logs. state.go is the rules, app.go how blocks go through them, members.go who may take part
// and how that changes, proof.go what can be shown to anyone of it.
//
// A Ward alone has a chain of one, which is begun at its first start and listens to nobody. Its receipts then show that
// history was not changed since they were given; that it was not changed before, they show once others run validators.
//
// A fault here halts the chain and never the clinic, which runs it in a process of its own (process.go). What CometBFT asks of
// the state machine is held when it fails (hold), and what panics in its consensus it catches itself: then the process
// stays, and says why in Status. What panics in CometBFT's other routines ends the process.
package chain

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	cometconfig "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	protomem "github.com/cometbft/cometbft/proto/tendermint/mempool"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/types"
	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
)

// Config is what an operator sets. Everything may be left out but Dir.
type Config struct {
	Dir     string // of the chain's files, in the data directory
	Name    string // what this member calls itself
	Listen  string // host:port for other members' nodes; empty for a chain of one, or to only connect to others
	Address string // host:port that others reach Listen at
	Keys    string // the kind of key to sign blocks with, when one is made: ed25519, or mldsa65
	Keep    int64  // blocks for those who are away; by default as many as take a gigabyte
	Log     *slog.Logger

	Now func() time.Time `json:"-"` // this member's clock; by default time.Now

	Again time.Duration // how long a process of its own stays halted before it begins anew, and rests at least; by default beginAgain, restFirst

	Answers time.Duration // how long a process of its own may take to say how it is; by default answersWithin

	signer func(types.PrivValidator) types.PrivValidator // a test's
}

// Chain is a running member of a chain.
type Chain struct {
	config Config
	id     string
	keys   keys
	app    *app
	db     dbm.DB
	dbs    map[string]dbm.DB // CometBFT's
	log    *slog.Logger

	stopPeers context.CancelFunc
	peers     sync.WaitGroup
	wake      chan struct{} // who may connect has changed

	reading sync.Mutex
	newest  *page

	mu       sync.Mutex
	node     *node.Node // nil until it runs, and if it never did
	running  bool       // a failure is held from now on, not reported to who starts it
	failed   error      // why the chain is halted here
	failedAt time.Time
	fell     chan struct{} // closed when it is
	last     time.Time     // when the newest block came
	oldest   time.Time     // since when something waits; zero if nothing does
	unfilled bool          // a change of the set waits for its block
	pace     *pace
	clocks   map[[20]byte]time.Duration // by validators' addresses: by how much theirs are ahead
	behind   time.Duration              // by how much this member's is
	number   uint64                     // of the newest transaction of the operator's
}

const (
	// Blocks are kept for those who were away. A block with a checkpoint and the empty one after it take about 5 KB with
	// four members. A chain of one keeps only what a first member that joins may need after its invitation.
	keepBlocks      = 400_000 // a gigabyte
	keepBlocksAlone = 5_000

	// What waits for a block this long shows that the chain stands still.
	haltedAfter = 10 * time.Second

	// Timing between members. A block takes about four messages one after another, and a proposer that is gone costs
	// timeoutPropose. Rounds that fail get longer, so these only must be near.
	timeoutPropose = 600 * time.Millisecond
	timeoutVote    = 300 * time.Millisecond
	flushSleep     = 2 * time.Millisecond
	peerRate       = 50 << 20 // bytes a second

	blockBytes   = 4 << 20
	waitingTxs   = 5_000
	stopPatience = 10 * time.Second
	// lockPatience is how long a process that was left behind may take to end: it holds the chain's files until then.
	lockPatience = 2 * stopPatience
	lockPoll     = 100 * time.Millisecond
)

// Start begins or goes on with a chain. If it cannot run, it is halted, and says why in Status.
func Start(ctx context.Context, config Config) *Chain {
	c := newChain(config)
	if err := c.begin(ctx); err != nil {
		c.fail(err)
	}
	return c
}

// rest opens a chain's files, to answer from them, and does not begin it.
func rest(config Config, why string) *Chain {
	c := newChain(config)
	_, err := c.open()
	if err == nil {
		err = errors.New(why)
	}
	c.fail(err)
	return c
}

func newChain(config Config) *Chain {
	if config.Now == nil {
		config.Now = time.Now
	}
	c := &Chain{
		config: config, log: config.Log, wake: make(chan struct{}, 1), stopPeers: func() {}, fell: make(chan struct{}), last: time.Now(), unfilled: true,
		clocks: map[[20]byte]time.Duration{},
	}
	c.app = newApp(nil, "")
	return c
}

func (c *Chain) begin(ctx context.Context) error {
	genesis, err := c.open()
	if err != nil {
		return err
	}
	unsaid, err := c.run(genesis)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stopPeers = stop
	c.peers.Go(func() { c.connect(running) })
	c.peers.Go(func() { c.tellAtOnce(running, c.node) })
	if unsaid != nil {
		c.peers.Go(func() { c.voteAgain(running, c.node, unsaid) })
	}
	return nil
}

// open reads what is on disk. Its lock comes first: what this validator signed last is not known before whoever had the files
// is gone.
func (c *Chain) open() (*types.GenesisDoc, error) {
	if err := os.MkdirAll(filepath.Join(c.config.Dir, "data"), 0o700); err != nil {
		return nil, fmt.Errorf("make the chain's folder: %w", err)
	}
	var err error
	for end := time.Now().Add(lockPatience); ; time.Sleep(lockPoll) {
		if c.db, err = openDB(appDB, c.config.Dir); !errors.Is(err, syscall.EAGAIN) || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Message: "the chain's files cannot be opened", Hint: "Does another Ward run in this folder?", Err: err}
	}
	genesis, err := c.openKeys()
	if err != nil {
		return nil, err
	}
	c.app = newApp(c.db, c.id)
	c.app.mayMeet, c.app.committed, c.app.busy = c.mayMeet, c.committed, c.hurry
	return genesis, c.app.load()
}

// run starts the node, and gives the vote that it signed last, if that may have been forgotten. What panics in its beginning
// is an error.
func (c *Chain) run(genesis *types.GenesisDoc) (unsaid *types.Vote, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the chain cannot go on from what is on disk: %v", r)
		}
	}()
	if err := c.openStores(); err != nil {
		return nil, err
	}
	settings := c.settings()
	logs := filepath.Dir(settings.Consensus.WalFile())
	trimLogs(logs)
	if err := mendLog(logs); err != nil {
		return nil, fmt.Errorf("mend the write-ahead log: %w", err)
	}
	provider := func() (*types.GenesisDoc, error) { return genesis, nil }
	var signer types.PrivValidator = c.keys.consensus
	if c.config.signer != nil {
		signer = c.config.signer(signer)
	}
	n, err := node.NewNode(settings, signer, c.keys.node, proxy.NewConnSyncLocalClientCreator(held{c.app, c}), provider,
		c.provide, node.DefaultMetricsProvider(settings.Instrumentation), cometLog{c.log, c.consensusFailed})
	if err != nil {
		return nil, err
	}
	if unsaid, err = c.lastVote(); err != nil {
		c.log.Warn("what this validator signed last cannot be said again", slog.String("error", err.Error()))
	}
	c.mu.Lock()
	c.node, c.running = n, true
	c.mu.Unlock()
	return unsaid, n.Start()
}

func (c *Chain) settings() *cometconfig.Config {
	s := cometconfig.DefaultConfig()
	s.SetRoot(c.config.Dir)
	s.FilterPeers = true
	s.RPC.ListenAddress = ""
	s.TxIndex.Indexer = "null"
	s.Storage.DiscardABCIResponses = true
	s.PrivValidatorKey, s.PrivValidatorState = consensusFile, signedFile
	s.P2P.AddrBook = filepath.Join("data", "peers.json")
	s.P2P.ListenAddress = "tcp://127.0.0.1:0" // CometBFT always listens; nobody that is not a member's node gets in
	if c.config.Listen != "" {
		s.P2P.ListenAddress = "tcp://" + c.config.Listen
	}
	s.P2P.PexReactor = false
	s.P2P.AddrBookStrict = false
	s.P2P.AllowDuplicateIP = true // members behind one address, and all of them in a test
	s.P2P.FlushThrottleTimeout = flushSleep
	s.P2P.SendRate, s.P2P.RecvRate = peerRate, peerRate
	s.P2P.MaxNumInboundPeers, s.P2P.MaxNumOutboundPeers = maxMembers, maxMembers
	s.Consensus.CreateEmptyBlocks = false
	s.Consensus.TimeoutCommit, s.Consensus.SkipTimeoutCommit = 0, true
	s.Consensus.TimeoutPropose, s.Consensus.TimeoutProposeDelta = timeoutPropose, timeoutPropose/2
	s.Consensus.TimeoutPrevote, s.Consensus.TimeoutPrevoteDelta = timeoutVote, timeoutVote/2
	s.Consensus.TimeoutPrecommit, s.Consensus.TimeoutPrecommitDelta = timeoutVote, timeoutVote/2
	c.pace = newPace(s.Consensus)
	c.pace.hurry()
	s.Mempool.Size = waitingTxs
	s.Mempool.MaxTxBytes = receipt.MaxTx
	// No cache of transactions: with it, one that was lost on its way would never be taken again. What has been in a block
	// is refused by the state, and a second time of what just came by anew.
	s.Mempool.CacheSize = 0
	return s
}

// fail halts the chain here, for good until the next start.
func (c *Chain) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return
	}
	c.failed, c.failedAt = err, time.Now()
	close(c.fell)
	c.log.Error("the chain is halted; the clinic goes on without it", slog.String("error", err.Error()))
}

func (c *Chain) consensusFailed(reason string) {
	c.fail(fmt.Errorf("consensus failed: %s", reason))
}

// held is the state machine as CometBFT sees it: what fails never returns, so that CometBFT waits instead of ending the
// process.
type held struct {
	*app
	chain *Chain
}

func hold[T any](c *Chain, do func() (T, error)) (answer T, err error) {
	answer, err = try(do)
	c.mu.Lock()
	running := c.running
	c.mu.Unlock()
	if err == nil || !running {
		return answer, err
	}
	c.fail(err)
	select {}
}

func try[T any](do func() (T, error)) (answer T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the chain's rules failed: %v", r)
		}
	}()
	return do()
}

func (h held) ProcessProposal(ctx context.Context, r *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	return hold(h.chain, func() (*abci.ResponseProcessProposal, error) { return h.app.ProcessProposal(ctx, r) })
}

func (h held) FinalizeBlock(ctx context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	return hold(h.chain, func() (*abci.ResponseFinalizeBlock, error) { return h.app.FinalizeBlock(ctx, r) })
}

func (h held) Commit(ctx context.Context, r *abci.RequestCommit) (*abci.ResponseCommit, error) {
	return hold(h.chain, func() (*abci.ResponseCommit, error) { return h.app.Commit(ctx, r) })
}

// Stop ends it and waits, unless the chain is halted: then there is nothing to wait for.
func (c *Chain) Stop() error {
	c.stopPeers()
	c.mu.Lock()
	n, failed := c.node, c.failed
	c.mu.Unlock()
	if n == nil || failed != nil {
		return c.close()
	}
	done := make(chan error, 1)
	go func() {
		c.peers.Wait()
		err := n.Stop()
		n.Wait()
		done <- err
	}()
	select {
	case err := <-done:
		return errors.Join(err, c.close())
	case <-time.After(stopPatience):
		return errors.New("the chain does not stop; it goes on from the disk at the next start")
	}
}

// close closes the files that CometBFT has not.
func (c *Chain) close() error {
	var err error
	if c.node == nil {
		for _, db := range c.dbs {
			err = errors.Join(err, db.Close())
		}
	}
	if c.db != nil {
		err = errors.Join(err, c.db.Close())
	}
	return err
}

// ID names the chain.
func (c *Chain) ID() string { return c.id }

// Submit offers a transaction until it is in a block, and gives the block.
func (c *Chain) Submit(ctx context.Context, tx []byte) (receipt.Block, error) {
	n, err := c.ready()
	if err != nil {
		return receipt.Block{}, err
	}
	if c.left(tx) {
		return receipt.Block{}, fmt.Errorf("%w: this Ward is no longer a member", receipt.ErrRefused)
	}
	settled, stop := c.app.wait(tx)
	defer stop()
	c.waits()
	refused := ""
	err = n.Mempool().CheckTx(tx, func(r *abci.ResponseCheckTx) {
		if r.Code != 0 {
			refused = r.Log
		}
	}, mempool.TxInfo{})
	if err != nil {
		return receipt.Block{}, &ward.Error{Kind: ward.Unavailable, Message: "the chain takes nothing more just now", Err: err}
	}
	if refused != "" {
		return receipt.Block{}, fmt.Errorf("%w: %s", receipt.ErrRefused, refused)
	}
	for again := time.Tick(passAgain); ; {
		select {
		case what := <-settled:
			if what.err != nil {
				return receipt.Block{}, fmt.Errorf("%w: %w", receipt.ErrRefused, what.err)
			}
			return c.block(what.height, what.place)
		case <-again:
			n.Switch().TryBroadcast(p2p.Envelope{ChannelID: mempool.MempoolChannel, Message: &protomem.Txs{Txs: [][]byte{tx}}})
		case <-ctx.Done():
			return receipt.Block{}, ctx.Err()
		}
	}
}

// passAgain is how long a transaction may wait before it is passed on once more. CometBFT passes it on once, and a member that
// has just begun and still asks for blocks lets it fall: then nobody else knows that there is something to agree on.
const passAgain = 3 * time.Second

// Writes tells whether this operator may write a log: it registered it and is a member, or nobody registered it.
func (c *Chain) Writes(origin receipt.Key) bool {
	c.app.mu.Lock()
	s := c.app.now
	c.app.mu.Unlock()
	if s == nil {
		return true
	}
	l, known := s.Logs[origin]
	return !known || l.Operator == c.operator()
}

// left tells whether a transaction is of someone who is no longer a member. Others would keep it for the case that they
// have not heard yet that it is one again.
func (c *Chain) left(raw []byte) bool {
	tx, err := receipt.ParseTx(raw)
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if err != nil || c.app.now == nil {
		return false
	}
	operator := tx.Signer
	if log, ok := c.app.now.Logs[tx.Signer]; ok {
		operator = log.Operator
	}
	m, ok := c.app.now.Members[operator]
	return ok && m.Power == 0
}

// ready is the node, if the chain is not halted.
func (c *Chain) ready() (*node.Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Message: "the chain is halted", Err: c.failed}
	}
	if c.node == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Message: "the chain has not started"}
	}
	return c.node, nil
}

// waits notes that something waits for a block.
func (c *Chain) waits() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.oldest.IsZero() {
		c.oldest = time.Now()
	}
}

// hurry is told when there is something to agree on.
func (c *Chain) hurry() {
	if c.pace != nil {
		c.pace.hurry()
	}
}

// committed is told after each block, under the state machine's lock.
func (c *Chain) committed(s *agreed) {
	c.mu.Lock()
	c.last, c.oldest = time.Now(), time.Time{}
	if len(c.app.waiters) > 0 {
		c.oldest = c.last
	}
	n := c.node
	c.mu.Unlock()
	switch {
	case c.config.Keep > 0:
		c.app.retain = c.config.Keep
	case len(s.Signing) == 1:
		c.app.retain = keepBlocksAlone
	default:
		c.app.retain = keepBlocks
	}
	if n == nil {
		return // a block that is played again at the start
	}
	c.readClocks(n.BlockStore().LoadSeenCommit(s.Height))
	c.keepFinals(s)
	c.fillChanges(s)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Head is the newest agreed checkpoint of a log.
func (c *Chain) Head(origin receipt.Key) (size int64, root tlog.Hash, known bool) {
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if c.app.now == nil {
		return 0, tlog.Hash{}, false
	}
	head, ok := c.app.now.Logs[origin]
	return head.Size, tlog.Hash(head.Root), ok
}

// Status is how the chain is.
func (c *Chain) Status() ward.ChainStatus {
	c.mu.Lock()
	failed, since, n, oldest, last := c.failed, c.failedAt, c.node, c.oldest, c.last
	c.mu.Unlock()
	status := ward.ChainStatus{Chain: c.id, Members: []ward.ChainMember{}}
	if failed != nil {
		status.Halted, status.Reason = ward.FormatTime(since), failed.Error()
	} else if from := later(oldest, last); !oldest.IsZero() && time.Since(from) > haltedAfter {
		status.Halted = ward.FormatTime(from)
	}
	c.app.mu.Lock()
	s := c.app.now
	c.app.mu.Unlock()
	if s == nil {
		return status
	}
	status.Height = s.Height
	if at, ok := c.signedAt(s.Height); ok {
		status.Time = ward.FormatTime(at)
	}
	self := c.operator()
	names := map[receipt.Key]string{}
	for operator, m := range s.Members {
		names[operator] = m.Name
		if m.Faults > 0 {
			status.Faults = append(status.Faults, ward.ChainFault{Kind: "equivocation", Name: m.Name, Height: m.FaultAt})
		}
		if m.Power == 0 {
			continue
		}
		told := toldMember(m.Member)
		told.Self = operator == self
		c.mu.Lock()
		told.ClockOff = c.clockOff(receipt.Validator{Key: m.Key, Kind: m.Kind}, told.Self)
		c.mu.Unlock()
		told.Connected = n != nil && failed == nil && (told.Self || n.Switch().Peers().Has(peerID(m.Node)))
		status.Members = append(status.Members, told)
	}
	slices.SortFunc(status.Members, func(a, b ward.ChainMember) int { return strings.Compare(a.Name+a.Operator, b.Name+b.Operator) })
	slices.SortFunc(status.Faults, func(a, b ward.ChainFault) int { return strings.Compare(a.Name, b.Name) })
	for id, open := range s.Open {
		status.Votes = append(status.Votes, s.told(id, open, names, self))
	}
	status.Releases, status.ReleaseKeys = s.toldReleases()
	slices.SortFunc(status.Votes, func(a, b ward.ChainVote) int { return strings.Compare(a.Subject, b.Subject) })
	return status
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// cometLog passes on what CometBFT logs. It tells much that is of no use to an operator: that is for debugging.
type cometLog struct {
	log    *slog.Logger
	failed func(reason string)
}

func (l cometLog) Debug(string, ...any)           {}
func (l cometLog) Info(text string, pairs ...any) { l.log.Debug(text, plain(pairs)...) }
func (l cometLog) Warn(text string, pairs ...any) { l.log.Debug(text, plain(pairs)...) }

func (l cometLog) Error(text string, pairs ...any) {
	if strings.HasPrefix(text, "CONSENSUS FAILURE") {
		l.failed(fmt.Sprint(pairs...))
		return
	}
	l.log.Debug(text, plain(pairs)...)
}

func (l cometLog) With(pairs ...any) log.Logger {
	return cometLog{l.log.With(plain(pairs)...), l.failed}
}

// plain writes values as text only when they are logged.
func plain(pairs []any) []any {
	out := make([]any, len(pairs))
	for i, p := range pairs {
		if i%2 == 1 {
			p = lazily{p}
		}
		out[i] = p
	}
	return out
}

type lazily struct{ value any }

func (l lazily) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%.300v", l.value)) }

func nodeHex(node [20]byte) string { return hex.EncodeToString(node[:]) }
