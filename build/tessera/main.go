// Command tessera measures Tessera's log on POSIX files for `go run ./build bench ledger`: many writers, each of which waits
// until its entry is in the log's tree. It is a module of its own, since Ward does not use Tessera.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const (
	writers = 1024
	lasts   = 5 * time.Second
	age     = 5 * time.Millisecond // of a batch: Tessera's own 250 ms would be most of what is measured
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "tessera:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tessera-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	private, _, err := note.GenerateKey(rand.Reader, "bench")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(writers, age)
	log, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var times []float64
	began := time.Now()
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := 0; time.Since(began) < lasts; n++ {
				start := time.Now()
				if _, err := log.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "an entry of a log %d %d", w, n)))(); err != nil {
					continue
				}
				mu.Lock()
				times = append(times, float64(time.Since(start).Microseconds())/1000)
				mu.Unlock()
			}
		})
	}
	writing.Wait()
	took := time.Since(began)
	if err := shutdown(ctx); err != nil {
		return err
	}
	if len(times) == 0 {
		return fmt.Errorf("nothing was added")
	}
	slices.Sort(times)
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"Rate": float64(len(times)) / took.Seconds(), "P50": times[len(times)/2], "P99": times[len(times)*99/100],
	})
}
