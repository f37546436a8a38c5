package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"ward"
	"ward/client"
	"ward/seal/envelope"
)

const (
	entryWriters = 8    // people who write at the same time, and connections of the bare database
	entryBatch   = 16   // entries in one request, as an import sends them
	entryBody    = 4096 // bytes of a note with some history
	entryTime    = 3 * time.Second
	entryRounds  = 3
	entriesAhead = 1600 // entries that each writer has ready: more than the server takes in that time
)

// benchEntries compares sealed entries that the real server accepts (over HTTP, proofs, signatures, policy, audit, one
// durable transaction each request) with bare rows of the same size in PostgreSQL, one transaction each, no security at
// all. Entries are sealed before; the writers' requests and proofs run on the same machine and are part of the time. Each
// round measures both, one right after the other, so that a machine that is busier for a while is busier for both.
func benchEntries(ctx context.Context, b *bencher) error {
	if err := binary(ctx); err != nil {
		return err
	}
	db := &database{}
	defer db.stop()
	bareAt, err := db.create(ctx, "bare")
	if err != nil {
		return err
	}
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		address := ""
		if engine == "PostgreSQL" {
			if address, err = db.create(ctx, "ward"); err != nil {
				return err
			}
		}
		for _, batch := range []int{entryBatch, 1} {
			bare, rate, ratio, err := acceptedRate(ctx, bareAt, address, batch)
			if err != nil {
				return fmt.Errorf("%s: %w", engine, err)
			}
			name := fmt.Sprintf("entries: accepted, %s, %d a request", engine, batch)
			b.print("entries: bare inserts a second, PostgreSQL", bare, "/s", noGoal)
			b.print(name+", a second", rate, "/s", noGoal)
			g := noGoal
			if batch > 1 {
				g = atLeast(0.5)
			}
			b.print(name+", against bare", ratio, "", g)
		}
	}
	return nil
}

// repeat gives the median of several measurements.
func repeat(times int, measure func(round int) (float64, error)) (float64, error) {
	values := make([]float64, times)
	for i := range values {
		var err error
		if values[i], err = measure(i); err != nil {
			return 0, err
		}
	}
	return median(values), nil
}

// together runs one worker each until the time is over, and gives how many things they did a second.
func together(workers int, work func(worker int, until time.Time) (int, error)) (float64, error) {
	start := time.Now()
	until := start.Add(entryTime)
	counts, errs := make([]int, workers), make([]error, workers)
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() { counts[w], errs[w] = work(w, until) })
	}
	working.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(start).Seconds(), errors.Join(errs...)
}

func bareRate(ctx context.Context, address string) (float64, error) {
	conns := make([]*pgx.Conn, entryWriters)
	for i := range conns {
		var err error
		if conns[i], err = pgx.Connect(ctx, address); err != nil {
			return 0, err
		}
		defer conns[i].Close(ctx)
	}
	if _, err := conns[0].Exec(ctx, `CREATE TABLE IF NOT EXISTS bare (id TEXT PRIMARY KEY, sealed BYTEA NOT NULL)`); err != nil {
		return 0, err
	}
	sealed := make([]byte, entryBody+envelope.MinSealed)
	rand.Read(sealed)
	return together(entryWriters, func(w int, until time.Time) (int, error) {
		n := 0
		for ; time.Now().Before(until); n++ {
			if _, err := conns[w].Exec(ctx, `INSERT INTO bare (id, sealed) VALUES ($1, $2)`, ward.NewID[string](), sealed); err != nil {
				return n, err
			}
		}
		return n, nil
	})
}

// acceptedRate starts the real server on an empty database, lets patients join, and lets them write. It gives medians:
// of the bare rate, of the server's, and of their ratio in each round.
func acceptedRate(ctx context.Context, bareAt, database string, batch int) (bare, rate, ratio float64, err error) {
	served, err := serveEmpty(ctx, database)
	if err != nil {
		return 0, 0, 0, err
	}
	defer served.stop()
	founder := client.New(client.Config{Origin: served.origin})
	if _, err := founder.Accept(ctx, served.link, client.About{Given: "Ada", Family: "Okafor", PasskeyName: "x"}); err != nil {
		return 0, 0, 0, err
	}
	writers := make([]*client.Client, entryWriters)
	charts := make([]ward.ChartID, entryWriters)
	for i := range writers {
		about := client.About{Given: "Some", Family: fmt.Sprintf("Patient %d", i), PasskeyName: "x", Consent: "yes"}
		invited, err := founder.Invite(ctx, about, false, ward.Patient)
		if err != nil {
			return 0, 0, 0, err
		}
		writers[i], charts[i] = client.New(client.Config{Origin: served.origin}), invited.Chart
		if _, err := writers[i].Accept(ctx, invited.Link, about); err != nil {
			return 0, 0, 0, err
		}
	}
	var bares, rates []float64
	ratio, err = repeat(entryRounds, func(int) (float64, error) {
		sealed := make([][]ward.NewEntry, entryWriters)
		locks := make([]ward.LockID, entryWriters)
		for w := range writers {
			if locks[w], sealed[w], err = sealAhead(ctx, writers[w], charts[w]); err != nil {
				return 0, err
			}
		}
		without, err := bareRate(ctx, bareAt)
		if err != nil {
			return 0, err
		}
		with, err := together(entryWriters, func(w int, until time.Time) (int, error) {
			n := 0
			for ; n+batch <= len(sealed[w]) && time.Now().Before(until); n += batch {
				if err := writers[w].Post(ctx, locks[w], sealed[w][n:n+batch]); err != nil {
					return n, err
				}
			}
			return n, nil
		})
		bares, rates = append(bares, without), append(rates, with)
		return with / without, err
	})
	if err != nil {
		return 0, 0, 0, err
	}
	return median(bares), median(rates), ratio, nil
}

// sealAhead seals what one person will send, so that the time is the server's.
func sealAhead(ctx context.Context, c *client.Client, chart ward.ChartID) (ward.LockID, []ward.NewEntry, error) {
	random := make([]byte, entryBody*3/4) // does not compress away
	rand.Read(random)
	message := c.Message(chart, ward.B64.EncodeToString(random), "")
	items := make([]client.Item, entriesAhead)
	for i := range items {
		items[i] = message
	}
	return c.Seal(ctx, chart, envelope.General, items...)
}

// served is a running `ward serve` on an empty folder.
type served struct {
	origin, link string
	process      *exec.Cmd
	dir          string
}

var foundingLink = regexp.MustCompile(`http://\S+/join#\S+`)

func serveEmpty(ctx context.Context, database string) (_ *served, err error) {
	s := &served{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "ward-bench-"); err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(free.Addr().String())
	if err = errors.Join(err, free.Close()); err != nil {
		return nil, err
	}
	s.origin = "http://localhost:" + port
	s.process = exec.CommandContext(ctx, wardBinary(), "serve")
	if database != "" { // another schema for each start, so that each is empty
		database += "&search_path=s" + ward.NewID[string]()
		if err := createSchema(ctx, database); err != nil {
			return nil, err
		}
	}
	s.process.Env = append(os.Environ(), "WARD_DIR="+s.dir, "WARD_LISTEN=localhost:"+port, "WARD_DATABASE="+database, "WARD_LOG_LEVEL=error")
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if s.link = foundingLink.FindString(lines.Text()); s.link != "" {
			go io.Copy(io.Discard, out)
			return s, nil
		}
	}
	return nil, errors.New("the server did not print its founding link")
}

func createSchema(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE SCHEMA "+conn.Config().RuntimeParams["search_path"])
	return err
}

func (s *served) stop() {
	if s.process != nil && s.process.Process != nil {
		s.process.Process.Signal(syscall.SIGTERM)
		s.process.Wait()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}
