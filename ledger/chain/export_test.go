package chain

import "ward/ledger/receipt"

// Root is the state's root after the newest block, which all members must have alike.
func (c *Chain) Root() (height int64, root receipt.Hash) {
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	if c.app.now == nil {
		return 0, receipt.Hash{}
	}
	return c.app.now.Height, c.app.now.trie.hash()
}
