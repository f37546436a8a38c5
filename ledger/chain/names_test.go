package chain_test

import (
	"crypto/sha256"
	"slices"
	"testing"

	"ward/ledger/chain"
	"ward/ledger/receipt"
)

func TestNamesAreShownAsMembersAgreedOnThem(t *testing.T) {
	ctx := wait(t)
	c := start(t, chain.Config{Dir: t.TempDir(), Name: "Hillside"})
	book, salt := newBook("names"), receipt.Key{1, 2, 3}
	if err := c.Register(ctx, book.origin(), receipt.SaltHash(salt), "Hillside Clinic"); err != nil {
		t.Fatal(err)
	}
	book.add([]byte("a"))
	if _, err := c.Submit(ctx, book.checkpoint(c.ID(), 0, 0)); err != nil { // and a block after the one that registered it
		t.Fatal(err)
	}
	who := trust(c, book.origin())
	names, err := c.ProveNames(book.origin(), receipt.Key{9})
	if err != nil {
		t.Fatal(err)
	}
	called, err := who.CheckNames(names)
	if err != nil {
		t.Fatal(err)
	}
	log := called.Logs[book.origin()]
	if len(called.Logs) != 1 || log.Name != "Hillside Clinic" || log.SaltHash != receipt.SaltHash(salt) || log.Operator != c.Self().Operator {
		t.Errorf("the log is registered as %+v", called.Logs)
	}
	text, _ := who.Validators[0].Key.MarshalText()
	if len(called.Validators) != 1 || called.Validators[string(text)] != "Hillside" || called.Agreed.Of != 1 {
		t.Errorf("validators are called %v", called.Validators)
	}
	for what, change := range map[string]func(n *receipt.Names){
		"another name of the log": func(n *receipt.Names) { n.Logs[0].Name = "Riverside Clinic" },
		"another salt":            func(n *receipt.Names) { n.Logs[0].SaltHash = sha256.Sum256(nil) },
		"another head":            func(n *receipt.Names) { n.Logs[0].Size++ },
		"another log":             func(n *receipt.Names) { n.Logs[0].Origin[0]++ },
		"another name of a member": func(n *receipt.Names) {
			m, _ := receipt.ParseMember(n.Members[0].Member)
			m.Name = "Riverside"
			n.Members[0].Member = m.Bytes()
		},
		"other counts":       func(n *receipt.Names) { n.Members[0].Counts = make(receipt.Bytes, 24) },
		"counts cut off":     func(n *receipt.Names) { n.Members[0].Counts = n.Members[0].Counts[1:] },
		"nothing":            func(n *receipt.Names) { n.Logs, n.Members = nil, nil },
		"no signature":       func(n *receipt.Names) { n.Signed.Votes = nil },
		"a path cut off":     func(n *receipt.Names) { n.Logs[0].Path = n.Logs[0].Path[1:] },
		"a path for another": func(n *receipt.Names) { n.Members[0].Path = n.Logs[0].Path },
	} {
		n := names
		n.Logs, n.Members = slices.Clone(names.Logs), slices.Clone(names.Members)
		change(&n)
		if called, err := who.CheckNames(n); err == nil {
			t.Errorf("%s is taken: %v", what, called)
		}
	}
}
