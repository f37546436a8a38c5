package receipt

import (
	"bytes"
	"encoding/json"
	"testing"
)

// What is read from outside is read without a panic, and what is accepted is written again as it was understood.

func FuzzParseTx(f *testing.F) {
	c := newConsortium(Ed25519)
	c.add(commitment(0), commitment(1))
	f.Add([]byte(c.block(1, 0).Tx))
	f.Add(SignTx("ward-test", c.origin, KindLink, Link{}.Body()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, err := ParseTx(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(tx.Encode(), raw) {
			t.Fatal("a transaction is written otherwise than it was read")
		}
		if checkpoint, err := ParseCheckpoint(tx.Body); err == nil && !bytes.Equal(checkpoint.Body(), tx.Body) {
			t.Fatal("a checkpoint is written otherwise than it was read")
		}
		if link, err := ParseLink(tx.Body); err == nil && !bytes.Equal(link.Body(), tx.Body) {
			t.Fatal("a link is written otherwise than it was read")
		}
		tx.Signed("ward-test")
	})
}

func FuzzReceipt(f *testing.F) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	for n := range 9 {
		c.add(commitment(byte(n)))
	}
	good, err := json.Marshal(c.receipt(c.block(12, 1), 4))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse[Receipt](text)
		if err != nil {
			return
		}
		agreed, err := c.Check(commitment(4), r)
		if err == nil && (agreed.Height != 12 || agreed.Size != 9 || r.Index != 4) {
			t.Fatalf("a forged receipt was accepted: %+v", agreed)
		}
	})
}

func FuzzChange(f *testing.F) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	hash, err := ValidatorsHash(c.Validators[:3])
	if err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(Change{c.signed(7, 1, map[int]Hash{fieldNextValidators: hash}, ChangeFields...), c.Validators[:3]})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, text []byte) {
		change, err := Parse[Change](text)
		if err != nil {
			return
		}
		if moved, err := c.Follow(change); err == nil && (moved.Height != 8 || len(moved.Validators) != 3) {
			t.Fatalf("followed a forged change to %+v", moved)
		}
	})
}

func FuzzStateProof(f *testing.F) {
	c := newConsortium(Ed25519)
	leaves := []Leaf{{Key(seed(1)), Hash(seed(2))}, {Key(seed(3)), Hash(seed(4))}}
	p := prove(leaves, leaves[0].Key)
	p.Signed = c.signed(9, 0, map[int]Hash{fieldApp: trieRoot(leaves, 0)}, StateFields...)
	good, err := json.Marshal(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, text []byte) {
		proof, err := Parse[StateProof](text)
		if err != nil {
			return
		}
		if value, there, _, err := c.CheckState(leaves[0].Key, proof); err == nil && (!there || value != leaves[0].Value) {
			t.Fatalf("a forged proof was accepted: %v, %v", value, there)
		}
	})
}

func FuzzNames(f *testing.F) {
	c := newConsortium(Ed25519)
	log := NamedLog{Origin: c.Origin, Name: "Hillside Clinic"}
	member := Member{Operator: Key(seed(1)), Power: 10, Kind: Ed25519, Key: c.Validators[0].Key, Name: "Hillside"}
	counts := make(Bytes, 24)
	leaves := []Leaf{{LogKey(log.Origin), log.value()}, {MemberKey(member.Operator), StateSum("member", member.Bytes(), counts)}}
	log.Path = prove(leaves, leaves[0].Key).Path
	n := Names{Logs: []NamedLog{log}, Members: []NamedMember{{member.Bytes(), counts, prove(leaves, leaves[1].Key).Path}}}
	n.Signed = c.signed(9, 0, map[int]Hash{fieldApp: trieRoot(leaves, 0)}, StateFields...)
	good, err := json.Marshal(n)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, text []byte) {
		names, err := Parse[Names](text)
		if err != nil {
			return
		}
		called, err := c.CheckNames(names)
		if err != nil {
			return
		}
		for _, l := range called.Logs {
			if l.Name != log.Name {
				t.Fatalf("a log is called %q", l.Name)
			}
		}
		for _, name := range called.Validators {
			if name != member.Name {
				t.Fatalf("a member is called %q", name)
			}
		}
	})
}

func FuzzTrust(f *testing.F) {
	good, err := json.Marshal(newConsortium(Ed25519, MLDSA65).Trust)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, text []byte) {
		trust, err := Parse[Trust](text)
		if err != nil || trust.Valid() != nil {
			return
		}
		again, err := json.Marshal(trust)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Parse[Trust](again); err != nil || back.Valid() != nil {
			t.Fatalf("what was good is not good the second time: %v", err)
		}
	})
}
