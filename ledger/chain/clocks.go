package chain

import (
	"slices"
	"time"

	"github.com/cometbft/cometbft/types"

	"ward/ledger/receipt"
)

// A block's time is the median of what its signers' clocks said: one that is wrong changes nothing. But people read those
// times, and the clinic's own beside them, and with a second wrong clock the median may be wrong too. So each member
// compares clocks with every block, and says which is off.
//
// A clock that is ahead shows in what it signs. One that is behind does not (a vote is never older than its block, and one
// that is sent again after a crash is honestly old), but its own member sees it: blocks come to it from the future.

// clockTolerance is how far clocks may be apart. With a time service it is milliseconds; messages take a second or two.
const clockTolerance = 10 * time.Second

// readClocks compares the clocks that signed a block, and this member's with them.
func (c *Chain) readClocks(commit *types.Commit) {
	said, middle, ok := signedTimes(commit)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for signer, at := range said {
		c.clocks[signer] = beyond(at.Sub(middle))
	}
	c.behind = beyond(middle.Sub(c.config.Now()))
}

// beyond is by how much a clock is ahead, if that is more than it may be.
func beyond(ahead time.Duration) time.Duration {
	if ahead <= clockTolerance {
		return 0
	}
	return ahead.Round(time.Second)
}

// clockOff is by how many seconds a member's clock is ahead of the others' or, of this member alone, behind. Under c.mu.
func (c *Chain) clockOff(v receipt.Validator, self bool) int64 {
	off := c.clocks[v.Address()]
	if self && off == 0 {
		off = -c.behind
	}
	return int64(off / time.Second)
}

// signedTimes are the times in a block's signatures, by signer's address, and their median.
func signedTimes(commit *types.Commit) (said map[[20]byte]time.Time, middle time.Time, ok bool) {
	said = map[[20]byte]time.Time{}
	var times []time.Time
	if commit != nil {
		for _, s := range commit.Signatures {
			if s.BlockIDFlag == types.BlockIDFlagCommit && len(s.ValidatorAddress) == 20 {
				said[[20]byte(s.ValidatorAddress)] = s.Timestamp
				times = append(times, s.Timestamp)
			}
		}
	}
	if len(times) == 0 {
		return nil, time.Time{}, false
	}
	slices.SortFunc(times, time.Time.Compare)
	return said, times[(len(times)-1)/2], true
}
