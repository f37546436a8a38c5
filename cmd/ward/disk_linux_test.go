package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ward"
	"ward/seal/envelope"
)

// TestAFullDiskLosesNothingAndNeedsOnlyRoom fills the disk under the real server while people write. What it cannot keep it
// refuses, in words, and nothing that it acknowledged is lost; with room again, all goes on, the chain too.
func TestAFullDiskLosesNothingAndNeedsOnlyRoom(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("only root can mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := &served{t: t, dir: filepath.Join(disk, "data"), origin: "http://" + freeAddress(t)}
	person := s.patients(1)[0]
	defer func() { s.kill() }()
	chart, acknowledged := chartOf(t, person), map[string]bool{}
	write := func(text string) error {
		_, err := person.Write(t.Context(), chart, envelope.General, person.Message(chart, text, ""))
		if err == nil {
			acknowledged[text] = true
		}
		return err
	}
	if err := write("0-before"); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		full, err := os.Create(filepath.Join(disk, "full"))
		if err != nil {
			t.Fatal(err)
		}
		for block := make([]byte, 1<<20); len(block) > 0; {
			if _, err := full.Write(block); errors.Is(err, syscall.ENOSPC) {
				block = block[:len(block)/2]
			} else if err != nil {
				t.Fatal(err)
			}
		}
		full.Close()
		refused := 0
		for n := 0; refused < 3; n++ { // what fits in pages that are there is kept still
			err := write(fmt.Sprintf("0-full-%d-%d", round, n))
			if err == nil {
				continue
			}
			refused++
			if ward.KindOf(err) != ward.Unavailable || !strings.Contains(err.Error(), "disk") {
				t.Fatalf("it is refused so: %v", err)
			}
		}
		if err := os.Remove(full.Name()); err != nil {
			t.Fatal(err)
		}
		for n, end := 0, time.Now().Add(engineWithin); ; n++ {
			if err = write(fmt.Sprintf("0-room-%d-%d", round, n)); err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("with room again: %v", err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		for end := time.Now().Add(engineWithin); ; time.Sleep(100 * time.Millisecond) {
			status, err := operators{filepath.Join(s.dir, "ledger", controlFile)}.state(t.Context())
			if err == nil && status.Reason == "" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the chain does not go on: %v %s", err, status.Reason)
			}
		}
		if round == 1 { // and as it begins
			s.kill()
			s.start()
		}
		checkWritten(t, person, "0", acknowledged)
	}
}
