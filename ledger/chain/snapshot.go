package chain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cometconfig "github.com/cometbft/cometbft/config"
	cometstate "github.com/cometbft/cometbft/proto/tendermint/state"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cometstates "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"

	"ward"
	"ward/ledger/receipt"
)

// Old blocks go, so whoever joins, or was away for too long, begins from a snapshot: the state after a block, in the
// invitation. It is believed as the invitation is, which comes from a member by hand, and must fit itself: the state's
// root is signed by the validators that the snapshot names.

// Snapshot is the state after a block, and who signed that.
type Snapshot struct {
	State  receipt.Bytes   `json:"state"`  // CometBFT's, with the validators
	Commit receipt.Bytes   `json:"commit"` // of the block
	App    json.RawMessage `json:"app"`    // Ward's
	Leaves receipt.Bytes   `json:"leaves"` // of the trie: keys and values
}

const (
	stateDB  = "state"
	blocksDB = "blockstore"
)

// snapshot is the newest state. CometBFT keeps its own after Ward's, a moment later.
func (c *Chain) snapshot() (*Snapshot, error) {
	for range 100 {
		s, err := c.trySnapshot()
		if s != nil || err != nil {
			return s, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, &ward.Error{Kind: ward.Unavailable, Message: "blocks come too fast to take the state between two", Hint: "Try again."}
}

func (c *Chain) trySnapshot() (*Snapshot, error) {
	n, err := c.ready()
	if err != nil {
		return nil, err
	}
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	comet, err := cometstates.NewStore(c.dbs[stateDB], cometstates.StoreOptions{DiscardABCIResponses: true}).Load()
	if err != nil {
		return nil, err
	}
	now := c.app.now
	if now == nil || comet.LastBlockHeight != now.Height {
		return nil, nil
	}
	commit := n.BlockStore().LoadSeenCommit(now.Height)
	if commit == nil {
		return nil, nil
	}
	s := &Snapshot{State: comet.Bytes()}
	if s.Commit, err = commit.ToProto().Marshal(); err != nil {
		return nil, err
	}
	if s.App, err = now.encode(); err != nil {
		return nil, err
	}
	return s, c.app.leaves(func(key receipt.Key, value receipt.Hash) { s.Leaves = append(append(s.Leaves, key[:]...), value[:]...) })
}

// check reads a snapshot and refuses one that does not fit itself.
func (s *Snapshot) check(chain string) (*cometstates.State, *types.Commit, *agreed, error) {
	var raw cometstate.State
	if err := raw.Unmarshal(s.State); err != nil {
		return nil, nil, nil, err
	}
	comet, err := cometstates.FromProto(&raw)
	if err != nil {
		return nil, nil, nil, err
	}
	var rawCommit cmtproto.Commit
	if err := rawCommit.Unmarshal(s.Commit); err != nil {
		return nil, nil, nil, err
	}
	commit, err := types.CommitFromProto(&rawCommit)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(s.Leaves)%64 != 0 {
		return nil, nil, nil, errors.New("its leaves are cut off")
	}
	app, err := restore(s.App, func(each func(receipt.Key, receipt.Hash)) error {
		for l := s.Leaves; len(l) > 0; l = l[64:] {
			each(receipt.Key(l), receipt.Hash(l[32:]))
		}
		return nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	root := app.trie.hash()
	if comet.ChainID != chain || app.Height != comet.LastBlockHeight || comet.LastValidators == nil || !bytes.Equal(comet.AppHash, root[:]) {
		return nil, nil, nil, errors.New("its parts are of different chains or blocks")
	}
	if err := comet.LastValidators.VerifyCommit(chain, comet.LastBlockID, comet.LastBlockHeight, commit); err != nil {
		return nil, nil, nil, fmt.Errorf("its block is not signed: %w", err)
	}
	return comet, commit, app, nil
}

// unpack puts a snapshot where a node begins.
func (s *Snapshot) unpack(dir, chain string) (err error) {
	comet, commit, app, err := s.check(chain)
	if err != nil {
		return fmt.Errorf("the invitation's state: %w", err)
	}
	// What CometBFT would look up below the snapshot is there from here on, as when it fetches a state itself.
	comet.LastHeightValidatorsChanged, comet.LastHeightConsensusParamsChanged = comet.LastBlockHeight+2, comet.LastBlockHeight+1
	dbs := map[string]dbm.DB{}
	defer func() {
		for _, db := range dbs {
			err = errors.Join(err, db.Close())
		}
	}()
	for _, name := range []string{stateDB, blocksDB, appDB} {
		db, err := openDB(name, dir)
		if err != nil {
			return err
		}
		dbs[name] = db
	}
	batch := dbs[appDB].NewBatch()
	defer batch.Close()
	for l := s.Leaves; len(l) > 0; l = l[64:] {
		if err := batch.Set(append([]byte{leafRow}, l[:32]...), l[32:64]); err != nil {
			return err
		}
	}
	if err := errors.Join(app.save(batch), batch.WriteSync()); err != nil {
		return err
	}
	states := cometstates.NewStore(dbs[stateDB], cometstates.StoreOptions{DiscardABCIResponses: true})
	return errors.Join(
		states.Bootstrap(*comet),
		store.NewBlockStore(dbs[blocksDB]).SaveSeenCommit(comet.LastBlockHeight, commit),
	)
}

// openStores opens CometBFT's stores. One that began from a snapshot and has no block yet is told so at each start.
func (c *Chain) openStores() error {
	c.dbs = map[string]dbm.DB{}
	for _, name := range []string{stateDB, blocksDB} {
		db, err := openDB(name, c.config.Dir)
		if err != nil {
			return err
		}
		c.dbs[name] = db
	}
	states := cometstates.NewStore(c.dbs[stateDB], cometstates.StoreOptions{DiscardABCIResponses: true})
	now, err := states.Load()
	if err != nil || now.IsEmpty() || store.NewBlockStore(c.dbs[blocksDB]).Height() > 0 {
		return err
	}
	return states.SetOfflineStateSyncHeight(now.LastBlockHeight)
}

func openDB(name, dir string) (dbm.DB, error) {
	db, err := dbm.NewGoLevelDB(name, filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	return db, nil
}

// provide gives CometBFT the stores that are open.
func (c *Chain) provide(ctx *cometconfig.DBContext) (dbm.DB, error) {
	if db, ok := c.dbs[ctx.ID]; ok {
		return db, nil
	}
	return cometconfig.DefaultDBProvider(ctx)
}
