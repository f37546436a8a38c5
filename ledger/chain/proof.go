package chain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cometbft/cometbft/crypto/merkle"
	"github.com/cometbft/cometbft/types"
	gogotypes "github.com/cosmos/gogoproto/types"
	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
)

// What can be shown to anyone: blocks with their signatures, changes of the set, and what the state holds. Its form is
// receipt's. What members need for ever (the newest checkpoint of their own logs, each change of the set) is kept
// beside the state, so that blocks may go.

// page is a block as it is shown. The newest is kept: all who wait for a block's transactions ask at once.
type page struct {
	height int64
	block  *types.Block
	commit *types.Commit
	leaves [14]receipt.Hash
	proofs []*merkle.Proof // of its transactions
}

// block is what a receipt needs of a transaction's block.
func (c *Chain) block(height int64, place int) (receipt.Block, error) {
	p, err := c.page(height)
	if err != nil {
		return receipt.Block{}, err
	}
	if place >= len(p.proofs) {
		return receipt.Block{}, fmt.Errorf("block %d has no transaction %d", height, place)
	}
	out := receipt.Block{
		Signed: c.signed(p, receipt.BlockFields...), Tx: receipt.Bytes(p.block.Txs[place]), TxIndex: int64(place), TxTotal: int64(len(p.proofs)), TxPath: []receipt.Hash{},
	}
	for _, h := range p.proofs[place].Aunts {
		out.TxPath = append(out.TxPath, receipt.Hash(h))
	}
	return out, nil
}

func (c *Chain) page(height int64) (*page, error) {
	c.mu.Lock()
	n := c.node
	c.mu.Unlock()
	if n == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Message: "the chain has not started"}
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.newest != nil && c.newest.height == height {
		return c.newest, nil
	}
	p := &page{height: height, block: n.BlockStore().LoadBlock(height), commit: n.BlockStore().LoadSeenCommit(height)}
	if p.commit == nil {
		p.commit = n.BlockStore().LoadBlockCommit(height)
	}
	if p.block == nil || p.commit == nil {
		return nil, &ward.Error{Kind: ward.Gone, Message: fmt.Sprintf("block %d is no longer kept", height)}
	}
	var err error
	if p.leaves, err = headerLeaves(&p.block.Header); err != nil {
		return nil, err
	}
	hashes := make([][]byte, len(p.block.Txs))
	for i, tx := range p.block.Txs {
		hashes[i] = tx.Hash()
	}
	_, p.proofs = merkle.ProofsFromByteSlices(hashes)
	c.newest = p
	return p, nil
}

// signed is a block's header, as far as what is known of it does not say it, and its signatures.
func (c *Chain) signed(p *page, known ...int) receipt.Signed {
	out := receipt.Signed{
		Chain: c.id, Height: p.height, Round: p.commit.Round, Header: receipt.HeaderRest(p.leaves, known...), Votes: []receipt.Vote{},
		Parts: int64(p.commit.BlockID.PartSetHeader.Total), PartsHash: receipt.Hash(p.commit.BlockID.PartSetHeader.Hash),
	}
	for i, s := range p.commit.Signatures {
		if s.BlockIDFlag == types.BlockIDFlagCommit {
			out.Votes = append(out.Votes, receipt.Vote{Validator: int64(i), Seconds: s.Timestamp.Unix(), Nanos: int64(s.Timestamp.Nanosecond()), Signature: s.Signature})
		}
	}
	return out
}

// headerLeaves are the leaf hashes of a header's fields, as CometBFT's Header.Hash has them.
func headerLeaves(h *types.Header) (leaves [14]receipt.Hash, err error) {
	wrap := func(b []byte) ([]byte, error) {
		if len(b) == 0 {
			return nil, nil
		}
		return (&gogotypes.BytesValue{Value: b}).Marshal()
	}
	version, err1 := h.Version.Marshal()
	at, err2 := gogotypes.StdTimeMarshal(h.Time)
	last := h.LastBlockID.ToProto()
	lastID, err3 := last.Marshal()
	chain, err4 := (&gogotypes.StringValue{Value: h.ChainID}).Marshal()
	height, err5 := (&gogotypes.Int64Value{Value: h.Height}).Marshal()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return leaves, err
	}
	fields := [][]byte{version, chain, height, at, lastID}
	for _, b := range [][]byte{h.LastCommitHash, h.DataHash, h.ValidatorsHash, h.NextValidatorsHash, h.ConsensusHash, h.AppHash, h.LastResultsHash, h.EvidenceHash, h.ProposerAddress} {
		f, err := wrap(b)
		if err != nil {
			return leaves, err
		}
		fields = append(fields, f)
	}
	for i, f := range fields {
		leaves[i] = receipt.Hash(tlog.RecordHash(f))
	}
	return leaves, nil
}

// signedAt is when a block was signed: the median of its signatures' times. A block's own time is of the block before, which
// may be days older.
func (c *Chain) signedAt(height int64) (time.Time, bool) {
	c.mu.Lock()
	n := c.node
	c.mu.Unlock()
	if n == nil || height == 0 {
		return time.Time{}, false
	}
	_, at, ok := signedTimes(n.BlockStore().LoadSeenCommit(height))
	return at, ok
}

// keepFinals keeps the blocks with this member's own newest checkpoints. Under the state machine's lock.
func (c *Chain) keepFinals(s *agreed) {
	self := c.operator()
	for origin, log := range s.Logs {
		if log.Operator != self || log.Height != s.Height {
			continue
		}
		b, err := c.block(log.Height, int(log.Place))
		if err != nil {
			continue // Newest still finds it while the block is kept
		}
		if raw, err := json.Marshal(b); err == nil {
			c.db.Set(append([]byte{finalRow}, origin[:]...), raw)
		}
	}
}

// Newest is the block of a log's newest checkpoint, if it is still kept.
func (c *Chain) Newest(origin receipt.Key) (receipt.Block, bool) {
	c.app.mu.Lock()
	var log logHead
	if c.app.now != nil {
		log = c.app.now.Logs[origin]
	}
	c.app.mu.Unlock()
	if log.Size == 0 {
		return receipt.Block{}, false
	}
	if raw, err := c.db.Get(append([]byte{finalRow}, origin[:]...)); err == nil && raw != nil {
		if b, err := receipt.Parse[receipt.Block](raw); err == nil && b.Height == log.Height {
			return b, true
		}
	}
	b, err := c.block(log.Height, int(log.Place))
	return b, err == nil
}

// Validators are those that sign the next block.
func (c *Chain) Validators() (height int64, set []receipt.Validator) {
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if c.app.now == nil {
		return 0, nil
	}
	return c.app.now.Height + 1, slices.Clone(c.app.now.Signing)
}

// Line is the newest agreed value of a person's line of cards, or zero: also while no block signs that state yet.
func (c *Chain) Line(origin, label receipt.Key) (receipt.Hash, error) {
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if c.app.now == nil {
		return receipt.Hash{}, &ward.Error{Kind: ward.Unavailable, Message: "the chain has no block yet"}
	}
	if _, value, _ := c.app.now.trie.prove(receipt.LinkKey(origin, label)); value != nil {
		return *value, nil
	}
	return receipt.Hash{}, nil
}

// ProveLink shows what the state holds of a person's line of cards.
func (c *Chain) ProveLink(origin, label receipt.Key) (receipt.LinkProof, error) {
	return c.ProveState(receipt.LinkKey(origin, label))
}

// ProveNames shows what members are called, and how logs are registered; of those that are not, nothing.
func (c *Chain) ProveNames(origins ...receipt.Key) (receipt.Names, error) {
	s, p, err := c.signedState()
	if err != nil {
		return receipt.Names{}, err
	}
	n := receipt.Names{Signed: c.signed(p, receipt.StateFields...), Logs: []receipt.NamedLog{}, Members: []receipt.NamedMember{}}
	path := func(key receipt.Key) []receipt.Hash {
		path, _, _ := s.trie.prove(key)
		return append([]receipt.Hash{}, path...)
	}
	for _, origin := range origins {
		if l, ok := s.Logs[origin]; ok {
			n.Logs = append(n.Logs, receipt.NamedLog{Origin: origin, Operator: l.Operator, SaltHash: l.SaltHash, Size: l.Size, Root: l.Root, Name: l.Name, Path: path(logKey(origin))})
		}
	}
	for _, operator := range slices.SortedFunc(maps.Keys(s.Members), compare) {
		m := s.Members[operator]
		n.Members = append(n.Members, receipt.NamedMember{Member: m.Member.Bytes(), Counts: m.counts(), Path: path(memberKey(operator))})
	}
	return n, nil
}

// ProveState shows what the state before the newest block holds at a key. That block's header has its root.
func (c *Chain) ProveState(key receipt.Key) (receipt.StateProof, error) {
	s, p, err := c.signedState()
	if err != nil {
		return receipt.StateProof{}, err
	}
	path, value, other := s.trie.prove(key)
	return receipt.StateProof{Signed: c.signed(p, receipt.StateFields...), Path: append([]receipt.Hash{}, path...), Value: value, Other: other}, nil
}

// signedState is the newest state that a block signs, and that block.
func (c *Chain) signedState() (*agreed, *page, error) {
	c.app.mu.Lock()
	now, before := c.app.now, c.app.before
	c.app.mu.Unlock()
	if now == nil || now.Height == 0 {
		return nil, nil, &ward.Error{Kind: ward.Unavailable, Message: "the chain has no block yet"}
	}
	p, err := c.page(now.Height)
	if err != nil {
		return nil, nil, err
	}
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	for _, s := range []*agreed{now, before} {
		if s == nil {
			continue
		}
		if root := s.trie.hash(); bytes.Equal(root[:], p.block.AppHash) {
			return s, p, nil
		}
	}
	return nil, nil, &ward.Error{Kind: ward.Unavailable, Message: "the newest state is not signed yet", Hint: "Ask again in a moment."}
}

// encodeSet is how a set is kept until the block comes that names it.
func encodeSet(set []receipt.Validator) []byte {
	raw, _ := json.Marshal(set) // of texts and numbers
	return raw
}

// fillChanges makes changes of the set that waited for their block. Under the state machine's lock.
func (c *Chain) fillChanges(s *agreed) {
	c.mu.Lock()
	due := c.unfilled
	c.mu.Unlock()
	due = due || c.app.before != nil && !slices.EqualFunc(s.validators(), c.app.before.validators(), sameValidator)
	if !due {
		return
	}
	left := false
	err := c.rows(nextSetRow, 0, func(height int64, raw []byte) error {
		if height > s.Height {
			left = true
			return nil
		}
		var next []receipt.Validator
		if err := json.Unmarshal(raw, &next); err != nil {
			return err
		}
		p, err := c.page(height)
		if err != nil {
			return err
		}
		change, err := json.Marshal(receipt.Change{Signed: c.signed(p, receipt.ChangeFields...), Next: next})
		if err != nil {
			return err
		}
		batch := c.db.NewBatch()
		defer batch.Close()
		if err := errors.Join(batch.Set(heightRow(changeRow, height), change), batch.Delete(heightRow(nextSetRow, height))); err != nil {
			return err
		}
		return batch.WriteSync()
	})
	if err != nil {
		c.log.Error("a change of the chain's validators was not kept; it is tried again", "error", err.Error())
	}
	c.mu.Lock()
	c.unfilled = left || err != nil
	c.mu.Unlock()
}

// Changes are those of the set of validators after a height, oldest first.
func (c *Chain) Changes(since int64) ([]receipt.Change, error) {
	all := []receipt.Change{}
	err := c.rows(changeRow, since+1, func(_ int64, raw []byte) error {
		change, err := receipt.Parse[receipt.Change](raw)
		all = append(all, change)
		return err
	})
	return all, err
}

// rows reads the rows of a kind from a height on, in order.
func (c *Chain) rows(kind byte, from int64, each func(height int64, raw []byte) error) error {
	type row struct {
		height int64
		raw    []byte
	}
	var all []row
	if c.db == nil {
		return nil
	}
	if err := func() error {
		rows, err := c.db.Iterator(heightRow(kind, from), []byte{kind + 1})
		if err != nil {
			return err
		}
		defer rows.Close()
		for ; rows.Valid(); rows.Next() {
			all = append(all, row{rowHeight(rows.Key()), bytes.Clone(rows.Value())})
		}
		return rows.Error()
	}(); err != nil {
		return err
	}
	for _, r := range all {
		if err := each(r.height, r.raw); err != nil {
			return err
		}
	}
	return nil
}
