package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"ward/store"
)

// kills is how often the writer is killed, each time in another moment of its work.
const kills = 25

// TestWhatWasAcknowledgedSurvivesAKill runs a writer that says which operations were acknowledged, and kills it in the
// middle. Each operation writes two rows: afterwards both are there, or neither; and every acknowledged one is.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	if dir := os.Getenv("WARD_KILL_TEST_DIR"); dir != "" {
		writeUntilKilled(dir)
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range kills {
		writer := exec.Command(os.Args[0], "-test.run", "^TestWhatWasAcknowledgedSurvivesAKill$")
		writer.Env = append(os.Environ(), "WARD_KILL_TEST_DIR="+dir, fmt.Sprintf("WARD_KILL_TEST_ROUND=%d", round))
		out, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if name, ok := strings.CutPrefix(lines.Text(), "done "); ok {
				acknowledged[name] = true
			}
			if n == 20+7*round {
				writer.Process.Kill() // and go on reading what it had said by then
			}
		}
		writer.Wait()
	}
	if len(acknowledged) < kills*20 {
		t.Fatalf("only %d operations were acknowledged", len(acknowledged))
	}
	checkRows(t, dir, acknowledged)
}

// writeUntilKilled is the writer's process.
func writeUntilKilled(dir string) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	round := os.Getenv("WARD_KILL_TEST_ROUND")
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%s-%d-%d", round, worker, i)
				err := db.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
					if err := put(name+"/a")(ctx, tx); err != nil {
						return err
					}
					return put(name+"/b")(ctx, tx)
				})
				if err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				fmt.Println("done " + name)
			}
		}()
	}
	select {}
}

func checkRows(t *testing.T, dir string, acknowledged map[string]bool) {
	db, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	halves := map[string]int{}
	err = db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		found, err := tx.Rows(ctx, `SELECT name FROM server_secrets`)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var name string
			if err := found.Scan(&name); err != nil {
				return err
			}
			operation, _, _ := strings.Cut(name, "/")
			halves[operation]++
		}
		return found.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range acknowledged {
		if halves[name] != 2 {
			t.Errorf("operation %s was acknowledged and has %d of its 2 rows", name, halves[name])
		}
	}
	for name, n := range halves {
		if n != 2 {
			t.Errorf("operation %s is there by half", name)
		}
	}
}
