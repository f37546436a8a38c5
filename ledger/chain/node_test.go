package chain_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/chain"
	"ward/ledger/receipt"
)

// patience is how long anything may take on a machine that does much else. Nothing here waits for it in vain.
const patience = 2 * time.Minute

func start(t *testing.T, config chain.Config) *chain.Chain {
	t.Helper()
	if config.Name == "" {
		config.Name = "Hillside"
	}
	config.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	c := chain.Start(context.Background(), config)
	if status := c.Status(); status.Halted != "" {
		t.Fatal(status.Reason)
	}
	t.Cleanup(func() { c.Stop() })
	return c
}

func wait(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// A book is an organisation's log in memory.
type book struct {
	key    ed25519.PrivateKey
	hashes []tlog.Hash
	size   int64
}

func newBook(name string) *book {
	seed := sha256.Sum256([]byte(name))
	return &book{key: ed25519.NewKeyFromSeed(seed[:])}
}

func (b *book) origin() receipt.Key { return receipt.Key(b.key.Public().(ed25519.PublicKey)) }

func (b *book) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		out[i] = b.hashes[n]
	}
	return out, nil
}

func (b *book) add(leaves ...[]byte) {
	for _, l := range leaves {
		hashes, err := tlog.StoredHashes(b.size, l, b)
		if err != nil {
			panic(err)
		}
		b.hashes = append(b.hashes, hashes...)
		b.size++
	}
}

// checkpoint is the transaction that has the log agreed from old leaves on.
func (b *book) checkpoint(chain string, old int64, attempt uint16) []byte {
	c := receipt.Checkpoint{Old: old, New: b.size, Attempt: attempt}
	root, err := tlog.TreeHash(b.size, b)
	if err != nil {
		panic(err)
	}
	c.Root = receipt.Hash(root)
	if old > 0 {
		proof, err := tlog.ProveTree(b.size, old, b)
		if err != nil {
			panic(err)
		}
		for _, h := range proof {
			c.Proof = append(c.Proof, receipt.Hash(h))
		}
	}
	return receipt.SignTx(chain, b.key, receipt.KindCheckpoint, c.Body())
}

func (b *book) receipt(block receipt.Block, index, size int64) receipt.Receipt {
	path, err := tlog.ProveRecord(size, index, b)
	if err != nil {
		panic(err)
	}
	r := receipt.Receipt{Block: block, Index: index, Size: size, Path: []receipt.Hash{}}
	for _, h := range path {
		r.Path = append(r.Path, receipt.Hash(h))
	}
	return r
}

func trust(c *chain.Chain, origin receipt.Key) receipt.Trust {
	height, set := c.Validators()
	return receipt.Trust{Chain: c.ID(), Validators: set, Height: height, Origin: origin}
}

func TestAWardAloneHasAChainOfOneAndItsReceiptsHold(t *testing.T) {
	for _, keys := range []string{receipt.Ed25519, receipt.MLDSA65} {
		t.Run(keys, func(t *testing.T) {
			ctx, dir := wait(t), t.TempDir()
			c := start(t, chain.Config{Dir: dir, Keys: keys})
			b := newBook(keys)
			trusted := trust(c, b.origin())

			if _, err := c.Submit(ctx, b.checkpoint(c.ID(), 0, 0)); !errors.Is(err, receipt.ErrRefused) {
				t.Fatalf("an empty checkpoint: %v", err)
			}
			if err := c.Register(ctx, b.origin(), receipt.Hash{1}, "Hillside Clinic"); err != nil {
				t.Fatal(err)
			}
			first := receipt.Commitment(receipt.LeafEvent, receipt.Salt{1}, []byte("first"))
			b.add(first[:])
			block, err := c.Submit(ctx, b.checkpoint(c.ID(), 0, 1))
			if err != nil {
				t.Fatal(err)
			}
			for i := range byte(20) {
				b.add([]byte{i})
			}
			later, err := c.Submit(ctx, b.checkpoint(c.ID(), 1, 2))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range []receipt.Receipt{b.receipt(block, 0, 1), b.receipt(later, 0, 21)} {
				agreed, err := trusted.Check(first, r)
				if err != nil {
					t.Fatal(err)
				}
				if len(agreed.Votes) != 1 || time.Since(agreed.Time) > patience {
					t.Errorf("agreed: %+v", agreed)
				}
			}
			if size, root, known := c.Head(b.origin()); !known || size != 21 || root == (tlog.Hash{}) {
				t.Errorf("the head is %d %v %v", size, root, known)
			}
			if newest, ok := c.Newest(b.origin()); !ok || newest.Height != later.Height {
				t.Errorf("the newest is %+v", newest.Height)
			}
			for _, file := range []string{"operator.key", "consensus.key", "node.key"} {
				if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v %v", file, info.Mode(), err)
				}
			}
		})
	}
}

func TestWhatWasAgreedIsThereAfterARestart(t *testing.T) {
	ctx, dir := wait(t), t.TempDir()
	c := start(t, chain.Config{Dir: dir})
	b := newBook("restart")
	if err := c.Register(ctx, b.origin(), receipt.Hash{}, "Hillside Clinic"); err != nil {
		t.Fatal(err)
	}
	b.add([]byte("a"))
	block, err := c.Submit(ctx, b.checkpoint(c.ID(), 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	label, value := receipt.Key{7}, receipt.Hash{}
	for n := range byte(20) {
		link := receipt.Link{Label: label, Previous: value, Value: receipt.Hash{n + 1}}
		if _, err := c.Submit(ctx, receipt.SignTx(c.ID(), b.key, receipt.KindLink, link.Body())); err != nil {
			t.Fatal(err)
		}
		value = link.Value
		if newest, err := c.Line(b.origin(), label); newest != value || err != nil { // also before the next block signs it
			t.Fatalf("the line is %x, %v after %x was agreed", newest[0], err, value[0])
		}
	}
	id := c.ID()
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}

	c = start(t, chain.Config{Dir: dir})
	if c.ID() != id || c.Status().Halted != "" {
		t.Fatalf("the chain is %s, then %s %+v", id, c.ID(), c.Status())
	}
	if newest, ok := c.Newest(b.origin()); !ok || newest.Height != block.Height {
		t.Errorf("the newest block is %d %v", newest.Height, ok)
	}
	if newest, err := c.Line(b.origin(), label); newest != value || err != nil {
		t.Errorf("the line is %x, %v after the restart", newest[0], err)
	}
	b.add([]byte("b"))
	if _, err := c.Submit(ctx, b.checkpoint(c.ID(), 1, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		proof, err := c.ProveLink(b.origin(), label)
		if err != nil {
			t.Fatal(err)
		}
		got, there, _, err := trust(c, b.origin()).CheckState(receipt.LinkKey(b.origin(), label), proof)
		if err != nil {
			t.Fatal(err)
		}
		if there && got == value {
			break
		}
	}
	absent, err := c.ProveLink(b.origin(), receipt.Key{9})
	if err != nil {
		t.Fatal(err)
	}
	if _, there, _, err := trust(c, b.origin()).CheckState(receipt.LinkKey(b.origin(), receipt.Key{9}), absent); there || err != nil {
		t.Errorf("a line of cards that is not there is there: %v", err)
	}
}

func TestWhoSignsTwoBlocksIsTold(t *testing.T) {
	ctx := wait(t)
	c := start(t, chain.Config{Dir: t.TempDir()})
	b := newBook("two")
	if err := c.Register(ctx, b.origin(), receipt.Hash{}, "Hillside Clinic"); err != nil {
		t.Fatal(err)
	}
	height, _ := c.Root()
	if err := c.Equivocate(height); err != nil {
		t.Fatal(err)
	}
	_, before := c.Root()
	for n := int64(0); ; n++ { // evidence goes into the next block that is made
		b.add([]byte("x"))
		if _, err := c.Submit(ctx, b.checkpoint(c.ID(), n, 0)); err != nil {
			t.Fatal(err)
		}
		if faults := c.Status().Faults; len(faults) > 0 {
			if faults[0].Name != "Hillside" || faults[0].Height != height || faults[0].Kind != "equivocation" {
				t.Errorf("the fault is %+v", faults)
			}
			break
		}
	}
	if _, after := c.Root(); after == before {
		t.Error("the state does not show it")
	}
}

// One clock that is wrong, or two, changes no time that is agreed, and whoever can mend it is told.
func TestClocksThatAreWrongChangeNothingAndAreTold(t *testing.T) {
	off := []time.Duration{0, 0, time.Hour, -5 * time.Minute}
	var configs []chain.Config
	for i := range off {
		address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
		configs = append(configs, chain.Config{Dir: t.TempDir(), Name: fmt.Sprint("Clinic ", i), Listen: address, Address: address}.WithClockOff(off[i]))
	}
	if err := chain.Together(configs...); err != nil {
		t.Fatal(err)
	}
	var all []*chain.Chain
	for _, config := range configs {
		all = append(all, start(t, config))
	}
	ctx, b, began := wait(t), newBook("clocks"), time.Now()
	if err := all[2].Register(ctx, b.origin(), receipt.Hash{}, "Clinic 2"); err != nil {
		t.Fatal(err)
	}
	told := func(at *chain.Chain) (clocks [4]int64) {
		for i, m := range at.Status().Members {
			clocks[i] = m.ClockOff
		}
		return clocks
	}
	for n := int64(0); told(all[0])[2] == 0 || told(all[3])[3] == 0; n++ {
		b.add([]byte("x"))
		if _, err := all[2].Submit(ctx, b.checkpoint(all[2].ID(), n, 0)); err != nil {
			t.Fatal(err)
		}
		said := all[0].Status().Time
		if said == "" {
			continue // it has no block yet
		}
		at, err := ward.ParseTime(said)
		if err != nil || at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Fatalf("a block was signed at %v, %v", at, err)
		}
	}
	near := func(a, b int64) bool { return max(a-b, b-a) <= 2 }
	if c := told(all[0]); c[0] != 0 || c[1] != 0 || !near(c[2], 3600) || c[3] != 0 {
		t.Errorf("the first, whose clock is right, says %v", c)
	}
	if c := told(all[3]); !near(c[3], -300) {
		t.Errorf("the last, whose clock is behind, says %v", c)
	}
}

func TestWhatCannotRunIsHaltedAndSaysWhy(t *testing.T) {
	ctx := wait(t)
	dir := t.TempDir()
	c := start(t, chain.Config{Dir: dir})
	b := newBook("halted")
	if err := c.Register(ctx, b.origin(), receipt.Hash{}, "Hillside Clinic"); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	spoil := func(name string) (mend func()) {
		file := filepath.Join(dir, name)
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("spoilt"), 0o600); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.WriteFile(file, good, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"genesis.json", "operator.key", "consensus.key", "node.key", "data/consensus.state", "data/ward.db/CURRENT", "data/blockstore.db/CURRENT"} {
		mend := spoil(name)
		halted := chain.Start(ctx, chain.Config{Dir: dir, Name: "Hillside", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if status := halted.Status(); status.Reason == "" || status.Halted == "" {
			t.Errorf("with %s spoilt: %+v", name, status)
		}
		// Whoever asks gets an answer, and nothing waits.
		if _, err := halted.Submit(ctx, b.checkpoint(c.ID(), 0, 0)[:100]); err == nil {
			t.Errorf("with %s spoilt something is agreed", name)
		}
		halted.Head(b.origin())
		halted.Newest(b.origin())
		halted.Validators()
		halted.Changes(0)
		halted.ProveLink(b.origin(), receipt.Key{})
		halted.Line(b.origin(), receipt.Key{})
		halted.Member()
		if _, err := halted.Invite(); err == nil {
			t.Errorf("with %s spoilt it invites", name)
		}
		halted.Stop()
		mend()
	}
	start(t, chain.Config{Dir: dir})
}

// Members that know that they voted, and not how, may not vote otherwise: the chain goes on all the same.
func TestVotesThatWereForgottenAreSaidAgain(t *testing.T) {
	for _, forgetful := range []int{1, 4} {
		t.Run(fmt.Sprintf("of %d", forgetful), func(t *testing.T) {
			t.Parallel()
			var configs []chain.Config
			for i := range forgetful {
				address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
				configs = append(configs, chain.Config{Dir: t.TempDir(), Name: fmt.Sprint("Clinic ", i), Listen: address, Address: address})
			}
			if err := chain.Together(configs...); err != nil {
				t.Fatal(err)
			}
			var all []*chain.Chain
			for _, config := range configs {
				all = append(all, start(t, config))
			}
			b := newBook("forgotten")
			if err := all[0].Register(wait(t), b.origin(), receipt.Hash{}, "Clinic 0"); err != nil {
				t.Fatal(err)
			}
			agrees(t, b, all[0])
			for _, c := range all {
				until(t, "all know of it", func() bool { size, _, _ := c.Head(b.origin()); return size == b.size })
			}
			height := int64(0)
			until(t, "the chain rests", func() bool {
				was := height
				height, _ = all[0].Root()
				time.Sleep(300 * time.Millisecond)
				return height == was
			})
			for i := range (len(all) + 1) / 2 {
				if err := all[i].Stop(); err != nil {
					t.Fatal(err)
				}
				if err := chain.Unsaid(configs[i], all[0].ID(), height+1); err != nil {
					t.Fatal(err)
				}
				all[i] = start(t, configs[i])
			}
			agrees(t, b, all[0])
		})
	}
}

// Who joins when the first blocks are gone begins from the state in the invitation, and so does who was away for too long.
func TestWhoJoinsLateBeginsFromTheInvitation(t *testing.T) {
	if testing.Short() {
		t.Skip("two processes")
	}
	t.Parallel() // it waits most of the time
	first, second := newMember(t, "Hillside"), newMember(t, "Lakeside")
	first.config.Keep, second.config.Keep = 20, 20
	first.start()
	id := first.state().Status.Chain
	first.must("Register", Log{first.book.origin(), "Hillside"}, &Nothing{})
	grow := func(m *peer) {
		t.Helper()
		if _, err := m.grow(id, 1); err != nil {
			t.Fatal(err)
		}
	}
	for range 40 {
		grow(first)
	}
	var raw []byte
	first.must("Invite", Nothing{}, &raw)
	var i chain.Invitation
	if err := json.Unmarshal(raw, &i); err != nil || i.State == nil {
		t.Fatalf("the invitation holds no state: %v", err)
	}
	i.State.Leaves[40] ^= 1
	if raw, err := json.Marshal(i); err != nil {
		t.Fatal(err)
	} else if _, err := chain.Join(chain.Config{Dir: t.TempDir(), Name: "x"}, raw); err == nil {
		t.Fatal("an invitation whose state was changed is taken")
	}
	join(t, second, id, first)
	grow(second)
	grow(first)
	level(t, first, second)
	first.lasts(second)

	// Killed at once after it began, it begins again.
	second.kill()
	second.start()
	level(t, first, second)
}

func FuzzInvitation(f *testing.F) {
	f.Add([]byte(`{"ward":"invitation to a ledger","by":"x","genesis":{},"peers":["0123456789012345678901234567890123456789@h:1"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		chain.Join(chain.Config{Dir: t.TempDir(), Name: "x"}, raw)
		chain.ParseApplication(raw, "x")
	})
}
