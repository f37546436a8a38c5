package ledger

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
)

// A Chain is what organisations agree on heads of logs by. Nothing waits for it but what is said to be agreed: without
// one, or while it stands still, all else goes on.
type Chain interface {
	// ID names the chain. Transactions are signed for it.
	ID() string
	// Register has this operator tell the chain that it writes a log, once; if the chain knows that, it does nothing.
	// Name is the organisation's, for the other members.
	Register(ctx context.Context, origin, saltHash receipt.Key, name string) error
	// Submit offers a transaction until it is in a block that is agreed, and gives that block. When ctx ends it stops
	// waiting, and the transaction may still be agreed. One that can never be fails with ErrRefused.
	Submit(ctx context.Context, tx []byte) (receipt.Block, error)
	// Head is the newest agreed checkpoint of a log.
	Head(origin receipt.Key) (size int64, root tlog.Hash, known bool)
	// Writes tells whether this operator may write a log: it registered it and is a member, or nobody registered it.
	Writes(origin receipt.Key) bool
	// Newest is the block of that checkpoint, if it is still kept: for who was stopped before they could keep it themselves.
	Newest(origin receipt.Key) (receipt.Block, bool)
	// Status is how the chain is now.
	Status() ward.ChainStatus
	// Validators are those that sign the next block, in the chain's order.
	Validators() (height int64, set []receipt.Validator)
	// Line is the newest agreed value of a person's line of cards, or zero.
	Line(origin, label receipt.Key) (receipt.Hash, error)
	// ProveLink shows what the newest state that a block signs holds of a person's line of cards. That state may be a block
	// behind what is agreed.
	ProveLink(origin, label receipt.Key) (receipt.LinkProof, error)
	// ProveNames shows what members are called, and how those of these logs that are registered are.
	ProveNames(origins ...receipt.Key) (receipt.Names, error)
	// Recorded is the number with which a release is recorded, or 0.
	Recorded(kind byte, sum receipt.Hash) int64
	// ProveRelease shows that number, or that there is none.
	ProveRelease(kind byte, sum receipt.Hash) (receipt.StateProof, error)
	// Changes are those of the set of validators after a height, oldest first.
	Changes(since int64) ([]receipt.Change, error)
}

// ErrRefused is what Submit's error is (errors.Is) when the chain refused a transaction; its text says why.
var ErrRefused = receipt.ErrRefused

// A Council is how members decide together: who is one, and which version runs.
type Council interface {
	// Propose begins a vote, with this member's own, and gives its subject.
	Propose(ctx context.Context, what ward.ChainVote) (subject string, err error)
	// Vote casts this member's vote for an open subject, or takes it back.
	Vote(ctx context.Context, subject string, yes bool) error
}
