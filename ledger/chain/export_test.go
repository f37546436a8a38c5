package chain

import (
	"bytes"
	"path/filepath"
	"time"

	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cometstates "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"

	"ward/ledger/receipt"
)

// Root is the state's root after the newest block, which all members must have alike.
func (c *Chain) Root() (height int64, root receipt.Hash) {
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if c.app.now == nil {
		return 0, receipt.Hash{}
	}
	return c.app.now.Height, c.app.now.trie.hash()
}

// Equivocate has this validator sign two blocks of one height, as no honest one does, and gives the proof to the node as
// another member would.
func (c *Chain) Equivocate(height int64) error {
	n, err := c.ready()
	if err != nil {
		return err
	}
	meta := n.BlockStore().LoadBlockMeta(height)
	set, err := cometstates.NewStore(c.dbs[stateDB], cometstates.StoreOptions{}).LoadValidators(height)
	if err != nil {
		return err
	}
	var votes []*types.Vote
	for i := range byte(2) {
		id := types.BlockID{Hash: bytes.Repeat([]byte{i + 1}, 32), PartSetHeader: types.PartSetHeader{Total: 1, Hash: bytes.Repeat([]byte{i + 1}, 32)}}
		v := &types.Vote{Type: cmtproto.PrecommitType, Height: height, BlockID: id, Timestamp: meta.Header.Time, ValidatorAddress: c.keys.consensus.GetAddress()}
		if v.Signature, err = c.keys.consensus.Key.PrivKey.Sign(types.VoteSignBytes(c.id, v.ToProto())); err != nil {
			return err
		}
		votes = append(votes, v)
	}
	evidence, err := types.NewDuplicateVoteEvidence(votes[0], votes[1], meta.Header.Time, set)
	if err != nil {
		return err
	}
	return n.EvidencePool().AddEvidence(evidence)
}

// Unsaid has a member that is stopped have signed a vote that nobody heard, and that it has forgotten: for a block that is
// nowhere.
func Unsaid(config Config, chain string, height int64) error {
	v := privval.LoadFilePV(filepath.Join(config.Dir, consensusFile), filepath.Join(config.Dir, signedFile))
	nowhere := bytes.Repeat([]byte{7}, 32)
	return v.SignVote(chain, &cmtproto.Vote{
		Type: cmtproto.PrevoteType, Height: height, Timestamp: time.Now(),
		BlockID: cmtproto.BlockID{Hash: nowhere, PartSetHeader: cmtproto.PartSetHeader{Total: 1, Hash: nowhere}},
	})
}

// WithClockOff is a member whose clock is wrong: also in what it signs, and more so than CometBFT, which signs no vote that is
// older than its block.
func (config Config) WithClockOff(off time.Duration) Config {
	config.Now = func() time.Time { return time.Now().Add(off) }
	config.signer = func(v types.PrivValidator) types.PrivValidator { return offSigner{v, off} }
	return config
}

type offSigner struct {
	types.PrivValidator
	off time.Duration
}

func (s offSigner) SignVote(chain string, v *cmtproto.Vote) error {
	v.Timestamp = v.Timestamp.Add(s.off)
	return s.PrivValidator.SignVote(chain, v)
}
