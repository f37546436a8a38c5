package chain_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ward"
	"ward/ledger/chain"
	"ward/ledger/receipt"
)

// apart runs a chain in processes of this test's binary, and gives the newest.
func apart(t *testing.T, config chain.Config) (p *chain.Process, newest func() *exec.Cmd) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var last *exec.Cmd
	config.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	p = chain.StartProcess(context.Background(), config, func() *exec.Cmd {
		mu.Lock()
		defer mu.Unlock()
		last = exec.Command(self)
		return last
	})
	t.Cleanup(func() { p.Stop() })
	return p, func() *exec.Cmd {
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}

// bomb is a file that has a test's process panic, in a routine that nobody watches.
const bomb = "bomb"

func fuse(dir string, _ *chain.Chain, _ *slog.Logger) (stop func()) {
	go func() {
		for os.Remove(filepath.Join(dir, bomb)) != nil {
			time.Sleep(20 * time.Millisecond)
		}
		panic("a routine of CometBFT's failed")
	}()
	return func() {}
}

// agrees has a chain agree on one more leaf of a log, and tries again as a clinic does.
func agrees(t *testing.T, b *book, c interface {
	ID() string
	Submit(context.Context, []byte) (receipt.Block, error)
},
) receipt.Block {
	t.Helper()
	old := b.size
	b.add([]byte("x"))
	for attempt := uint16(0); ; attempt++ {
		ctx, cancel := context.WithTimeout(wait(t), 3*time.Second)
		block, err := c.Submit(ctx, b.checkpoint(c.ID(), old, attempt))
		cancel()
		if err == nil {
			return block
		}
		if errors.Is(err, receipt.ErrRefused) || wait(t).Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestTheClinicOutlivesWhatEndsTheChainsProcess(t *testing.T) {
	t.Parallel()
	config := chain.Config{Dir: t.TempDir(), Name: "Hillside", Again: 3 * time.Second} // long enough to be seen
	p, newest := apart(t, config)
	b := newBook("apart")
	if err := p.Register(wait(t), b.origin(), receipt.Hash{}, "Hillside Clinic"); err != nil {
		t.Fatal(err)
	}
	before := agrees(t, b, p)
	if got, ok := p.Newest(b.origin()); !ok || got.Height != before.Height {
		t.Errorf("the newest block is %d, not %d", got.Height, before.Height)
	}
	if size, _, known := p.Head(b.origin()); size != 1 || !known {
		t.Errorf("the head is %d", size)
	}
	if _, set := p.Validators(); len(set) != 1 {
		t.Errorf("%d validators", len(set))
	}
	if _, err := p.ProveLink(b.origin(), receipt.Key{1}); err != nil {
		t.Error(err)
	}
	if _, err := p.ProveRelease(receipt.ReleaseApp, receipt.Hash{}); err != nil || p.Recorded(receipt.ReleaseApp, receipt.Hash{}) != 0 {
		t.Errorf("a release that nobody made: %v", err)
	}
	if names, err := p.ProveNames(b.origin(), receipt.Key{1}); err != nil || len(names.Members) != 1 || len(names.Logs) != 1 {
		t.Errorf("names are %+v, %v", names, err)
	}
	if !p.Writes(b.origin()) {
		t.Error("it may not write its own log")
	}
	if _, err := p.Changes(0); err != nil {
		t.Error(err)
	}
	if _, err := p.Submit(wait(t), []byte("x")); !errors.Is(err, receipt.ErrRefused) || strings.Count(err.Error(), receipt.ErrRefused.Error()) != 1 {
		t.Errorf("what can never be agreed: %v", err)
	}
	if err := p.Vote(wait(t), "x", true); ward.KindOf(err) != ward.Missing {
		t.Errorf("a vote on nothing: %v", err)
	}
	if _, err := p.Propose(wait(t), ward.ChainVote{Kind: "x"}); ward.KindOf(err) != ward.Invalid {
		t.Errorf("a proposal of nothing: %v", err)
	}

	ends := map[string]func(){
		"signal: killed":                        func() { newest().Process.Kill() },
		"panic: a routine of CometBFT's failed": func() { os.WriteFile(filepath.Join(config.Dir, bomb), nil, 0o600) },
	}
	for reason, end := range ends {
		id := p.ID()
		end()
		until(t, "it says "+reason, func() bool { return strings.Contains(p.Status().Reason, reason) })
		// What needs no block is answered while the chain rests.
		if size, _, _ := p.Head(b.origin()); size != b.size || p.ID() != id || p.Status().Height == 0 {
			t.Errorf("the log ends at %d, and the status is %+v", size, p.Status())
		}
		agrees(t, b, p)
		if s := p.Status(); s.Reason != "" {
			t.Errorf("it goes on, and says %q", s.Reason)
		}
	}
	process := newest()
	if err := p.Stop(); err != nil || process.ProcessState == nil || !process.ProcessState.Success() {
		t.Errorf("it ends: %v, %v", err, process.ProcessState)
	}
	if _, err := p.Submit(wait(t), nil); err == nil {
		t.Error("it goes on after its end")
	}
}

func TestAProcessThatCannotStartIsTold(t *testing.T) {
	config := chain.Config{Dir: t.TempDir(), Name: "Hillside", Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	p := chain.StartProcess(context.Background(), config, func() *exec.Cmd { return exec.Command(filepath.Join(config.Dir, "nothing")) })
	defer p.Stop()
	if s := p.Status(); !strings.Contains(s.Reason, "nothing") || s.Halted == "" {
		t.Errorf("it says %+v", s)
	}
}

func TestAProcessThatNoLongerAnswersIsEnded(t *testing.T) {
	t.Parallel()
	config := chain.Config{Dir: t.TempDir(), Name: "Hillside", Again: time.Second, Answers: 3 * time.Second}
	p, newest := apart(t, config)
	b := newBook("stuck")
	if err := p.Register(wait(t), b.origin(), receipt.Hash{}, "Hillside Clinic"); err != nil {
		t.Fatal(err)
	}
	agrees(t, b, p)
	stuck := newest()
	if err := stuck.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	asked := make(chan error, 1)
	go func() {
		_, err := p.ProveLink(b.origin(), receipt.Key{1})
		asked <- err
	}()
	select {
	case err := <-asked:
		if err == nil {
			t.Error("a stopped process answered")
		}
	case <-time.After(time.Minute):
		t.Fatal("who asks a process that does not answer waits for ever")
	}
	until(t, "another process answers", func() bool { return newest() != stuck && p.Status().Height > 0 })
	agrees(t, b, p)
}
