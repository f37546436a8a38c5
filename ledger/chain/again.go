package chain

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cometbft/cometbft/consensus"
	cometsteps "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/libs/protoio"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	cmtcons "github.com/cometbft/cometbft/proto/tendermint/consensus"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cometstates "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"
)

// What a validator signed last is kept by itself, so that it never signs something else of the same round. That it said so is
// in the write-ahead log, whose end can be lost. Then CometBFT decides anew, may not sign what it decides, and is silent for
// that round, for ever. One silent member is borne by the others; more than a third, or one that is alone, would never come
// to another round. So a member that starts again says its last vote again: the signature is there to be shown.

const voteAgainEvery = 500 * time.Millisecond

// lastVote is the vote that this validator signed last, if its block is not decided; nil if there is none.
func (c *Chain) lastVote() (*types.Vote, error) {
	last := c.keys.consensus.LastSignState
	c.app.mu.Lock()
	open := c.app.now != nil && last.Height == c.app.now.Height+1
	c.app.mu.Unlock()
	if !open || len(last.Signature) == 0 {
		return nil, nil
	}
	var said cmtproto.CanonicalVote
	_, err := protoio.NewDelimitedReader(bytes.NewReader(last.SignBytes), maxRecord).ReadMsg(&said)
	if err != nil || said.Type != cmtproto.PrevoteType && said.Type != cmtproto.PrecommitType {
		return nil, nil // a proposal, which others do without
	}
	set, err := cometstates.NewStore(c.dbs[stateDB], cometstates.StoreOptions{}).LoadValidators(last.Height)
	if err != nil {
		return nil, fmt.Errorf("read who signs block %d: %w", last.Height, err)
	}
	v := &types.Vote{
		Type: said.Type, Height: last.Height, Round: last.Round, Timestamp: said.Timestamp, Signature: last.Signature,
		ValidatorAddress: c.keys.consensus.GetAddress(),
	}
	if b := said.BlockID; b != nil {
		v.BlockID = types.BlockID{Hash: b.Hash, PartSetHeader: types.PartSetHeader{Total: b.PartSetHeader.Total, Hash: b.PartSetHeader.Hash}}
	}
	if v.ValidatorIndex, _ = set.GetByAddress(v.ValidatorAddress); v.ValidatorIndex < 0 {
		return nil, nil
	}
	return v, nil
}

// voteAgain says a vote again once this member's consensus is where the vote counts, unless it knows of it. Others hear it
// from there.
func (c *Chain) voteAgain(ctx context.Context, n *node.Node, v *types.Vote) {
	state, ok := c.inside(n)
	if !ok {
		return
	}
	self := itself{id: c.keys.node.ID()}
	self.state = consensus.NewPeerState(self)
	for tick := time.Tick(voteAgainEvery); ; {
		now := state.GetRoundState()
		if now.Height > v.Height {
			return
		}
		known := now.Votes.Prevotes(v.Round)
		if v.Type == cmtproto.PrecommitType {
			known = now.Votes.Precommits(v.Round)
		}
		if now.Height == v.Height && known != nil && known.GetByIndex(v.ValidatorIndex) != nil {
			return
		}
		// Before it comes to vote, CometBFT counts votes and does not act on them.
		if now.Height == v.Height && (now.Round != v.Round || now.Step >= cometsteps.RoundStepPrevote) && !n.ConsensusReactor().WaitSync() {
			n.ConsensusReactor().Receive(p2p.Envelope{Src: self, ChannelID: consensus.VoteChannel, Message: &cmtcons.Vote{Vote: v.ToProto()}})
		}
		select {
		case <-tick:
		case <-ctx.Done():
			return
		}
	}
}

// itself is this member, as far as CometBFT asks who it hears a vote from.
type itself struct {
	p2p.Peer
	id    p2p.ID
	state *consensus.PeerState
}

func (i itself) ID() p2p.ID     { return i.id }
func (i itself) Get(string) any { return i.state }
func (i itself) String() string { return string(i.id) }
