package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"ward/ledger/chain"
)

const (
	ledgerTime    = 5 * time.Second
	ledgerWriters = 32  // of each member, when as much as possible is written
	ledgerBatch   = 200 // entries in one database transaction, as an import's
	ledgerTxs     = 1000
	ledgerHashers = 16
)

// benchLedger measures how fast entries become durable and final with one and with four members, each a process with its
// log in SQLite as the server keeps it, all on this machine; and beside them, in the same run: one transaction for each
// entry on the same chain, a chain of hashes in PostgreSQL, and Tessera's log in files, which nobody agrees on.
func benchLedger(ctx context.Context, b *bencher) error {
	for _, members := range []int{1, 4} {
		if err := benchMembers(ctx, b, members); err != nil {
			return fmt.Errorf("%d members: %w", members, err)
		}
	}
	rate, err := hashChainRate(ctx)
	if err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	b.print("ledger: hash chain in PostgreSQL, 16 writers", rate, "/s", noGoal)
	return benchTessera(ctx, b)
}

func benchMembers(ctx context.Context, b *bencher, count int) (err error) {
	dir, err := os.MkdirTemp("", "ward-ledger-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var configs []chain.Config
	for i := range count {
		config := chain.Config{Dir: filepath.Join(dir, fmt.Sprint(i)), Name: fmt.Sprint("Clinic ", i)}
		if count > 1 {
			if config.Listen, err = freeAddress(); err != nil {
				return err
			}
			config.Address = config.Listen
		}
		configs = append(configs, config)
	}
	if err := chain.Together(configs...); err != nil {
		return err
	}
	var all []*told
	for _, config := range configs {
		one, err := tell(ctx, config)
		if err != nil {
			return err
		}
		defer one.end()
		all = append(all, one)
	}
	name := fmt.Sprintf("ledger: %d members, ", count)
	if count == 1 {
		name = "ledger: 1 member, "
	}
	first := all[:1]
	if _, err := inStep(all, task{Do: "lone", Writers: 1, Batch: 1, For: time.Second}); err != nil { // warm
		return err
	}
	lone, err := inStep(first, task{Do: "lone", Writers: 1, Batch: 1, For: ledgerTime})
	if err != nil {
		return err
	}
	b.print(name+"lone entry durable, p50", median(lone.Durable), "ms", noGoal)
	b.print(name+"lone entry durable, p99", quantile(lone.Durable, 0.99), "ms", atMost(5))
	b.print(name+"lone entry final, p50", median(lone.Final), "ms", noGoal)
	b.print(name+"lone entry final, p99", quantile(lone.Final, 0.99), "ms", atMost(100))
	if count > 1 {
		b.print(name+"receipt in a log of a billion", float64(lone.Receipt)/1000, "KB", atMost(3))
	}
	many, err := inStep(all, task{Do: "entries", Writers: ledgerWriters, Batch: ledgerBatch, For: ledgerTime})
	if err != nil {
		return err
	}
	g := noGoal
	if count == 4 {
		g = atLeast(50_000)
	}
	b.print(name+"entries final a second", float64(many.Done)/many.Took.Seconds(), "/s", g)
	b.print(name+"durable under that load, p99", quantile(many.Durable, 0.99), "ms", noGoal)
	b.print(name+"final under that load, p50", median(many.Final), "ms", noGoal)
	b.print(name+"final under that load, p99", quantile(many.Final, 0.99), "ms", noGoal)
	one, err := inStep(all, task{Do: "links", Writers: ledgerTxs / count, For: ledgerTime})
	if err != nil {
		return err
	}
	b.print(name+"one transaction an entry", float64(one.Done)/one.Took.Seconds(), "/s", noGoal)
	b.print(name+"one transaction an entry, final p50", median(one.Final), "ms", noGoal)
	b.print(name+"one transaction an entry, final p99", quantile(one.Final, 0.99), "ms", noGoal)
	idle, err := inStep(first, task{Do: "idle", For: 6 * ledgerTime})
	if err != nil {
		return err
	}
	g = noGoal
	if count == 1 {
		g = atMost(0.1)
	}
	b.print(name+"idle CPU, log and chain", 100*idle.CPU.Seconds()/idle.Took.Seconds(), "%", g)
	return nil
}

// freeAddress is on this machine, below the ports that outgoing connections take.
func freeAddress() (string, error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(18000))
		if l, err := net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("no port is free")
}

// told is a member's process.
type told struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func tell(ctx context.Context, config chain.Config) (*told, error) {
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := &told{process: exec.CommandContext(ctx, self)}
	t.process.Env = append(os.Environ(), memberEnvironment+"="+string(raw))
	t.process.Stderr = os.Stderr
	out, err := t.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if t.in, err = t.process.StdinPipe(); err != nil {
		return nil, err
	}
	t.out = bufio.NewScanner(out)
	t.out.Buffer(nil, 64<<20)
	return t, t.process.Start()
}

func (t *told) end() {
	t.in.Close()
	t.process.Wait()
}

func (t *told) do(what task) (measured, error) {
	var m measured
	if err := json.NewEncoder(t.in).Encode(what); err != nil {
		return m, err
	}
	if !t.out.Scan() {
		return m, errors.New("a member ended")
	}
	if err := json.Unmarshal(t.out.Bytes(), &m); err != nil {
		return m, err
	}
	if m.Error != "" {
		return m, errors.New(m.Error)
	}
	return m, nil
}

// inStep has members do the same at the same time, and adds up what they did.
func inStep(all []*told, what task) (measured, error) {
	answers, errs := make([]measured, len(all)), make([]error, len(all))
	var doing sync.WaitGroup
	for i, one := range all {
		doing.Go(func() { answers[i], errs[i] = one.do(what) })
	}
	doing.Wait()
	var sum measured
	for _, a := range answers {
		sum.Done += a.Done
		sum.Took = max(sum.Took, a.Took)
		sum.CPU += a.CPU
		sum.Receipt = max(sum.Receipt, a.Receipt)
		sum.Durable, sum.Final = append(sum.Durable, a.Durable...), append(sum.Final, a.Final...)
	}
	if err := errors.Join(errs...); err != nil {
		return sum, err
	}
	if sum.Done == 0 && what.Do != "idle" {
		return sum, errors.New("nothing was done")
	}
	return sum, nil
}

// hashChainRate is what PostgreSQL does alone: each row holds the hash of the row before. Its administrator can rewrite it.
func hashChainRate(ctx context.Context) (float64, error) {
	db := &database{}
	defer db.stop()
	address, err := db.create(ctx, "hashes")
	if err != nil {
		return 0, err
	}
	conns := make([]*pgx.Conn, ledgerHashers)
	for i := range conns {
		if conns[i], err = pgx.Connect(ctx, address); err != nil {
			return 0, err
		}
		defer conns[i].Close(ctx)
	}
	if _, err := conns[0].Exec(ctx, `CREATE TABLE chain (seq BIGINT PRIMARY KEY, body BYTEA NOT NULL, hash BYTEA NOT NULL);
		CREATE FUNCTION add(content BYTEA) RETURNS BIGINT LANGUAGE plpgsql AS $$
		DECLARE last RECORD;
		BEGIN
			PERFORM pg_advisory_xact_lock(1);
			SELECT seq, hash INTO last FROM chain ORDER BY seq DESC LIMIT 1;
			INSERT INTO chain VALUES (coalesce(last.seq, 0) + 1, content, sha256(coalesce(last.hash, '') || content));
			RETURN coalesce(last.seq, 0) + 1;
		END $$`); err != nil {
		return 0, err
	}
	return together(ledgerHashers, func(w int, until time.Time) (int, error) {
		n := 0
		for ; time.Now().Before(until); n++ {
			if _, err := conns[w].Exec(ctx, `SELECT add($1)`, fmt.Appendf(nil, "an entry of a log %d %d", w, n)); err != nil {
				return n, err
			}
		}
		return n, nil
	})
}

// benchTessera runs Tessera's POSIX log from a module of its own, so that Ward does not depend on it.
func benchTessera(ctx context.Context, b *bencher) error {
	run := exec.CommandContext(ctx, "go", "run", ".")
	run.Dir = filepath.Join("build", "tessera")
	run.Stderr = os.Stderr
	out, err := run.Output()
	if err != nil {
		return fmt.Errorf("tessera: %w", err)
	}
	var m struct {
		Rate, P50, P99 float64
	}
	if err := json.NewDecoder(strings.NewReader(string(out))).Decode(&m); err != nil {
		return err
	}
	b.print("ledger: Tessera, POSIX, one writer's files", m.Rate, "/s", noGoal)
	b.print("ledger: Tessera, integrated, p50", m.P50, "ms", noGoal)
	b.print("ledger: Tessera, integrated, p99", m.P99, "ms", noGoal)
	return nil
}
