package chain

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	cometconfig "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	cometsteps "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	cmtcons "github.com/cometbft/cometbft/proto/tendermint/consensus"
	"github.com/cometbft/cometbft/types"
)

// CometBFT passes on what a member knows by looking, for each other member, whether there is something, and sleeping if there
// is not. How long it sleeps is most of a block's time, and short sleeps cost a member at rest some percent of a processor.
//
// So there are two. While there is something to agree on, looking is fast; at rest it is slow, and what comes first after a
// rest does not wait for it: what this member itself proposes and votes is sent to the others at once. That is enough for
// a lone block; what does not arrive so is still found by looking.

const (
	lookFast = 5 * time.Millisecond
	lookSlow = 100 * time.Millisecond // CometBFT's own
	// restAfter is how long nothing must happen before looking is slow.
	restAfter = time.Second
	// heard is how many events of its own consensus may wait here: those of some blocks with as many members as there may be.
	heard = 1000
)

// pace sets how long CometBFT sleeps.
type pace struct {
	sleep *time.Duration // CometBFT's setting, which it reads before each sleep
	rest  *time.Timer
}

func newPace(s *cometconfig.ConsensusConfig) *pace {
	p := &pace{sleep: &s.PeerGossipSleepDuration}
	p.rest = time.AfterFunc(restAfter, func() { p.set(lookSlow) })
	return p
}

// hurry has looking be fast for a while.
func (p *pace) hurry() {
	p.rest.Reset(restAfter)
	p.set(lookFast)
}

// set changes what CometBFT reads, which it does without a lock. Both values differ in 32 bits alone, which no machine reads in
// halves, so it reads one or the other.
func (p *pace) set(d time.Duration) { atomic.StoreInt64((*int64)(p.sleep), int64(d)) }

// tellAtOnce sends the others what this member proposes and votes, as soon as it does, until ctx ends.
func (c *Chain) tellAtOnce(ctx context.Context, n *node.Node) {
	state, ok := c.inside(n)
	if !ok {
		return
	}
	const name = "ward"
	votes, err1 := n.EventBus().Subscribe(ctx, name, types.EventQueryVote, heard)
	proposals, err2 := n.EventBus().Subscribe(ctx, name, types.EventQueryCompleteProposal, heard)
	if err1 != nil || err2 != nil {
		return
	}
	self := c.keys.consensus.GetAddress()
	for {
		select {
		case m := <-votes.Out():
			if e, ok := m.Data().(types.EventDataVote); ok && bytes.Equal(e.Vote.ValidatorAddress, self) {
				c.pace.hurry()
				tellVote(n.Switch(), e.Vote)
			}
		case <-proposals.Out():
			if now := state.GetRoundState(); now.Validators != nil && bytes.Equal(now.Validators.GetProposer().Address, self) {
				tellProposal(n.Switch(), now)
			}
		case <-votes.Canceled():
			return
		case <-proposals.Canceled():
			return
		case <-ctx.Done():
			return
		}
	}
}

// there gives the members that are in a round of a height: others could not use what is of it.
func there(s p2p.Switcher, height int64, round int32) map[p2p.Peer]*consensus.PeerState {
	all := map[p2p.Peer]*consensus.PeerState{}
	for _, peer := range s.Peers().Copy() {
		if state, ok := peer.Get(types.PeerStateKey).(*consensus.PeerState); ok {
			if at := state.GetRoundState(); at.Height == height && at.Round == round {
				all[peer] = state
			}
		}
	}
	return all
}

func tellVote(s p2p.Switcher, v *types.Vote) {
	message := p2p.Envelope{ChannelID: consensus.VoteChannel, Message: &cmtcons.Vote{Vote: v.ToProto()}}
	for peer, state := range there(s, v.Height, v.Round) {
		if peer.TrySend(message) {
			state.SetHasVote(v)
		}
	}
}

func tellProposal(s p2p.Switcher, now *cometsteps.RoundState) {
	proposal, parts := now.Proposal, now.ProposalBlockParts
	if proposal == nil || parts == nil || proposal.Height != now.Height || proposal.Round != now.Round {
		return
	}
	for peer, state := range there(s, now.Height, now.Round) {
		if !peer.TrySend(p2p.Envelope{ChannelID: consensus.DataChannel, Message: &cmtcons.Proposal{Proposal: *proposal.ToProto()}}) {
			continue
		}
		state.SetHasProposal(proposal)
		for i := range int(parts.Total()) {
			part, err := parts.GetPart(i).ToProto()
			if err != nil || !peer.TrySend(p2p.Envelope{ChannelID: consensus.DataChannel, Message: &cmtcons.BlockPart{Height: now.Height, Round: now.Round, Part: *part}}) {
				break
			}
			state.SetHasProposalBlockPart(now.Height, now.Round, i)
		}
	}
}

// inside is a node's consensus.
func (c *Chain) inside(n *node.Node) (*consensus.State, bool) {
	parts, err := n.ConfigureRPC()
	if err != nil {
		return nil, false
	}
	state, ok := parts.ConsensusState.(*consensus.State)
	return state, ok
}
