package chain_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ward/ledger/chain"
	"ward/ledger/receipt"
)

// smallDisk is a folder on a disk of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("only root can mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves no room in a folder, until it is told to make some.
func fill(t *testing.T, dir string) (room func()) {
	t.Helper()
	name := filepath.Join(dir, "full")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// A member whose disk is full stops alone, in words, and goes on by itself once there is room.
func TestAFullDiskStopsOneMemberUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	var configs []chain.Config
	for i := range 4 {
		address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
		config := chain.Config{Dir: filepath.Join(t.TempDir(), "chain"), Name: fmt.Sprint("Clinic ", i), Listen: address, Address: address, Again: time.Second}
		if i == 3 {
			config.Dir = filepath.Join(smallDisk(t), "chain")
		}
		configs = append(configs, config)
	}
	if err := chain.Together(configs...); err != nil {
		t.Fatal(err)
	}
	first := start(t, configs[0])
	start(t, configs[1])
	start(t, configs[2])
	last, _ := apart(t, configs[3])
	others, own := newBook("others"), newBook("own")
	if err := first.Register(wait(t), others.origin(), receipt.Hash{}, "Clinic 0"); err != nil {
		t.Fatal(err)
	}
	if err := last.Register(wait(t), own.origin(), receipt.Hash{}, "Clinic 3"); err != nil {
		t.Fatal(err)
	}
	agrees(t, own, last)
	for range 2 {
		room := fill(t, filepath.Dir(configs[3].Dir))
		until(t, "the full disk stops its member", func() bool {
			agrees(t, others, first)
			return strings.Contains(last.Status().Reason, "no space left")
		})
		for range 3 {
			agrees(t, others, first)
		}
		room()
		until(t, "it goes on by itself", func() bool {
			s := last.Status()
			return s.Reason == "" && s.Height >= first.Status().Height
		})
		agrees(t, own, last)
	}
	if s := first.Status(); len(s.Faults) > 0 || s.Reason != "" {
		t.Errorf("another member says %+v", s)
	}
}
