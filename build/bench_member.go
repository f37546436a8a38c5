package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ward"
	"ward/ledger"
	"ward/ledger/chain"
	"ward/ledger/receipt"
	"ward/store"
)

// A member of a ledger that is measured is a process of its own: an organisation's log in SQLite as the server keeps it, and the
// chain in another, as there. It is told what to do in lines on its standard input, and answers each with one.

const memberEnvironment = "WARD_BENCH_MEMBER"

// task is one line.
type task struct {
	Do      string // entries: as many as possible; lone: one after another; links: one transaction each; idle
	Writers int    // that wait for what they wrote to be final before they write again
	Batch   int    // entries in one database transaction
	For     time.Duration
}

// measured is the answer. Times are in milliseconds.
type measured struct {
	Done    int
	Took    time.Duration
	Durable []float64
	Final   []float64
	CPU     time.Duration
	Receipt int // bytes of the newest
	Error   string
}

type member struct {
	chain  *chain.Process
	db     *store.DB
	record *ledger.Ledger
	org    ward.OrgID
	origin receipt.Key
	wrote  atomic.Int64 // leaves that are durable
	finals finals
}

// finals are who waits for leaves to be agreed. One asks for all: each question goes to the chain's process, and costs as much
// as several leaves.
type finals struct {
	mu     sync.Mutex
	asking bool
	agreed int64         // leaves, when it was asked last
	told   chan struct{} // closed when there are more
}

// benchMember runs one until its input ends.
func benchMember(ctx context.Context, raw string) error {
	var config chain.Config
	if err := json.Unmarshal([]byte(raw), &config); err != nil {
		return err
	}
	m := &member{record: ledger.New(time.Now), org: ward.NewID[ward.OrgID](), finals: finals{told: make(chan struct{})}}
	config.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	self, err := os.Executable()
	if err != nil {
		return err
	}
	m.chain = chain.StartProcess(ctx, config, func() *exec.Cmd { return exec.Command(self) })
	defer m.chain.Stop()
	if m.db, err = store.Open(ctx, store.Config{Dir: filepath.Join(config.Dir, "clinic")}); err != nil {
		return err
	}
	defer m.db.Close()
	key := make([]byte, 32)
	rand.Read(key)
	sealer, err := store.NewSealer(key)
	if err != nil {
		return err
	}
	if _, err := m.write(ctx, 1); err != nil {
		return err
	}
	keeper, err := ledger.NewKeeper(ctx, ledger.Config{
		DB: m.db, Ledger: m.record, Sealer: sealer, Clinics: named{config.Name}, Chain: m.chain, Notices: quiet{}, Host: "bench", Log: config.Log, Now: time.Now,
	})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { keeper.Run(running) })
	defer func() { stop(); keeping.Wait() }()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var t task
		answer, err := measured{}, json.Unmarshal(in.Bytes(), &t)
		if err == nil {
			answer, err = m.do(ctx, t)
		}
		if err != nil {
			answer.Error = err.Error()
		}
		if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

type named struct{ name string }

func (n named) Of(context.Context, *store.Tx, ward.OrgID) (ward.ClinicInfo, error) {
	return ward.ClinicInfo{Name: n.name}, nil
}

type quiet struct{}

func (quiet) Publish(ward.OrgID, ward.Notice) error { return nil }

// write commits leaves and gives how many are durable with them.
func (m *member) write(ctx context.Context, n int) (int64, error) {
	leaves, now := make([]ledger.Leaf, n), time.Now()
	for i := range leaves {
		leaves[i] = ledger.Leaf{Kind: receipt.LeafEntry, Ref: ward.NewIDAt[string](now), Content: []byte("a statement of an entry")}
	}
	err := m.db.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return m.record.Commit(ctx, tx, m.org, leaves...) })
	return m.wrote.Add(int64(n)), err
}

// final waits until so many leaves are agreed.
func (m *member) final(size int64) error {
	end := time.NewTimer(memberPatience)
	defer end.Stop()
	f := &m.finals
	for {
		f.mu.Lock()
		agreed, told := f.agreed, f.told
		ask := agreed < size && !f.asking
		f.asking = f.asking || ask
		f.mu.Unlock()
		switch {
		case agreed >= size:
			return nil
		case ask:
			go m.ask()
		}
		select {
		case <-told:
		case <-end.C:
			return fmt.Errorf("%d leaves did not become final", size)
		}
	}
}

// ask asks the chain until more is agreed.
func (m *member) ask() {
	for f, end := &m.finals, time.Now().Add(memberPatience); time.Now().Before(end); time.Sleep(finalPoll) {
		agreed, _, _ := m.chain.Head(m.origin)
		f.mu.Lock()
		more := agreed > f.agreed
		if more {
			f.agreed, f.asking = agreed, false
			close(f.told)
			f.told = make(chan struct{})
		}
		f.mu.Unlock()
		if more {
			return
		}
	}
}

const (
	memberPatience = time.Minute
	finalPoll      = time.Millisecond
)

func (m *member) do(ctx context.Context, t task) (measured, error) {
	if err := m.settle(ctx); err != nil {
		return measured{}, err
	}
	if t.Do == "idle" {
		m.rest()
	}
	out, began := measured{}, time.Now()
	cpu := usedCPU()
	until := began.Add(t.For)
	var mu sync.Mutex
	note := func(n int, durable, final time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		out.Done += n
		out.Final = append(out.Final, milliseconds(final))
		if durable > 0 {
			out.Durable = append(out.Durable, milliseconds(durable))
		}
	}
	var err error
	switch t.Do {
	case "idle":
		time.Sleep(t.For)
	case "links":
		err = m.links(ctx, t, until, note)
	default:
		err = m.entries(ctx, t, until, note)
	}
	out.Took, out.CPU = time.Since(began), usedCPU()-cpu
	if block, ok := m.chain.Newest(m.origin); ok {
		raw, err := json.Marshal(receipt.Receipt{Block: block, Index: 1 << 30, Size: 1 << 30, Path: make([]receipt.Hash, 30)})
		if err != nil {
			return out, err
		}
		out.Receipt = len(raw)
	}
	return out, err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// settle waits until the log is registered and agreed as it is.
func (m *member) settle(ctx context.Context) error {
	if m.origin == (receipt.Key{}) {
		for end := time.Now().Add(memberPatience); ; time.Sleep(20 * time.Millisecond) {
			var raw []byte
			err := m.db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
				return tx.Row(ctx, `SELECT block FROM ledger_finals WHERE org = $1 ORDER BY size LIMIT 1`, string(m.org)).Scan(&raw)
			})
			if err == nil {
				block, err := receipt.Parse[receipt.Block](raw)
				if err != nil {
					return err
				}
				tx, err := receipt.ParseTx(block.Tx)
				m.origin = tx.Signer
				return err
			}
			if !errors.Is(err, store.ErrNoRow) || time.Now().After(end) {
				return fmt.Errorf("the log is not agreed: %w", err)
			}
		}
	}
	return m.final(m.wrote.Load())
}

// restAfter is how long no block must come before a member is at rest.
const restAfter = 3 * time.Second

// rest waits until what was left of a load before is over.
func (m *member) rest() {
	height, since := m.chain.Status().Height, time.Now()
	for end := time.Now().Add(memberPatience); time.Since(since) < restAfter && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if now := m.chain.Status().Height; now != height {
			height, since = now, time.Now()
		}
	}
}

func (m *member) entries(ctx context.Context, t task, until time.Time, note func(int, time.Duration, time.Duration)) error {
	errs := make([]error, t.Writers)
	var writing sync.WaitGroup
	for w := range t.Writers {
		writing.Go(func() {
			for time.Now().Before(until) && errs[w] == nil {
				began := time.Now()
				size, err := m.write(ctx, t.Batch)
				durable := time.Since(began)
				if err == nil {
					err = m.final(size)
				}
				if errs[w] = err; err == nil {
					note(t.Batch, durable, time.Since(began))
				}
			}
		})
	}
	writing.Wait()
	return errors.Join(errs...)
}

// links has the chain agree on one thing in each transaction: what a chain without logs would do. They are of a log of their
// own, which writers share.
func (m *member) links(ctx context.Context, t task, until time.Time, note func(int, time.Duration, time.Duration)) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	if err := m.chain.Register(ctx, receipt.Key(public), receipt.Hash{}, "one each"); err != nil {
		return err
	}
	errs := make([]error, t.Writers)
	var writing sync.WaitGroup
	for w := range t.Writers {
		writing.Go(func() {
			for time.Now().Before(until) && errs[w] == nil {
				var l receipt.Link
				rand.Read(l.Label[:])
				rand.Read(l.Value[:])
				began := time.Now()
				_, errs[w] = m.chain.Submit(ctx, receipt.SignTx(m.chain.ID(), private, receipt.KindLink, l.Body()))
				if errs[w] == nil {
					note(1, 0, time.Since(began))
				}
			}
		})
	}
	writing.Wait()
	return errors.Join(errs...)
}

// usedCPU is what this process and its chain's have used of the processor.
func usedCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	threads, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range threads {
		children, _ := os.ReadFile(file)
		for _, child := range strings.Fields(string(children)) {
			times, _ := filepath.Glob("/proc/" + child + "/task/*/schedstat")
			for _, file := range times {
				var nanoseconds int64
				if text, err := os.ReadFile(file); err == nil {
					fmt.Sscan(string(text), &nanoseconds)
				}
				used += time.Duration(nanoseconds)
			}
		}
	}
	return used
}
