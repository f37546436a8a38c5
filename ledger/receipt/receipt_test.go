package receipt

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"golang.org/x/mod/sumdb/tlog"
)

// A consortium is a chain's validators with their private keys, an organisation's origin and its log: enough to sign
// the blocks that a chain would.
type consortium struct {
	Trust
	origin ed25519.PrivateKey
	sign   map[string]func([]byte) []byte // by public key
	hashes []tlog.Hash                    // of the log, as tlog stores them
	size   int64
}

func (c *consortium) ReadHashes(at []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(at))
	for i, n := range at {
		list[i] = c.hashes[n]
	}
	return list, nil
}

// newConsortium makes keys from seeds, so that vectors are the same each time they are written.
func newConsortium(kinds ...string) *consortium {
	c := &consortium{origin: ed25519.NewKeyFromSeed(seed(200)), sign: map[string]func([]byte) []byte{}}
	c.Trust = Trust{Chain: "ward-test", Height: 1, Origin: Key(c.origin.Public().(ed25519.PublicKey)), Salt: Key(seed(201))}
	for i, kind := range kinds {
		c.Validators = append(c.Validators, c.validator(i, kind))
	}
	order(c.Validators)
	return c
}

func (c *consortium) validator(i int, kind string) Validator {
	v := Validator{Name: fmt.Sprintf("Clinic %d", i+1), Power: 10, Kind: kind}
	if kind == MLDSA65 {
		public, private := mldsa65.NewKeyFromSeed((*[32]byte)(seed(byte(i + 1))))
		v.Key = public.Bytes()
		c.sign[string(v.Key)] = func(m []byte) []byte {
			s := make([]byte, mldsa65.SignatureSize)
			if err := mldsa65.SignTo(private, m, nil, false, s); err != nil {
				panic(err)
			}
			return s
		}
		return v
	}
	private := ed25519.NewKeyFromSeed(seed(byte(i + 1)))
	v.Key = Bytes(private.Public().(ed25519.PublicKey))
	c.sign[string(v.Key)] = func(m []byte) []byte { return ed25519.Sign(private, m) }
	return v
}

func order(set []Validator) {
	slices.SortFunc(set, func(a, b Validator) int {
		if before(a, b) {
			return -1
		}
		return 1
	})
}

func seed(n byte) []byte {
	sum := sha256.Sum256([]byte{n})
	return sum[:]
}

// add puts commitments in the log.
func (c *consortium) add(commitments ...Entry) {
	for _, h := range commitments {
		more, err := tlog.StoredHashes(c.size, h[:], c)
		if err != nil {
			panic(err)
		}
		c.hashes = append(c.hashes, more...)
		c.size++
	}
}

func (c *consortium) seen(size int64) Seen {
	h, err := tlog.TreeHash(size, c)
	if err != nil {
		panic(err)
	}
	return Seen{size, Hash(h)}
}

func (c *consortium) extension(from, to int64) []Hash {
	p, err := tlog.ProveTree(to, from, c)
	if err != nil {
		panic(err)
	}
	list := []Hash{}
	for _, h := range p {
		list = append(list, Hash(h))
	}
	return list
}

// signed is a block at a height whose header has the fields given, signed by everyone.
func (c *consortium) signed(height int64, round int32, fields map[int]Hash, known ...int) Signed {
	var leaves [headerFields]Hash
	for i := range leaves {
		value, ok := fields[i]
		if i == fieldValidators {
			value, _ = ValidatorsHash(c.Validators)
			ok = true
		}
		if !ok {
			value = sha256.Sum256([]byte{byte(i), byte(height)})
		}
		leaves[i] = Hash(tlog.RecordHash(field(nil, 0x0a, value[:])))
	}
	s := Signed{Chain: c.Chain, Height: height, Round: round, Header: HeaderRest(leaves, known...), Parts: 1, PartsHash: Hash(seed(99))}
	header := treeHash(leaves[:])
	for i, v := range c.Validators {
		vote := Vote{Validator: int64(i), Seconds: 1_790_000_000 + height, Nanos: int64(i) * 1_000_000}
		vote.Signature = c.sign[string(v.Key)](signBytes(s, header, vote))
		s.Votes = append(s.Votes, vote)
	}
	return s
}

// block agrees on the log as it is, beside transactions of others.
func (c *consortium) block(height int64, others int) Block {
	checkpoint := Checkpoint{Old: 0, New: c.size, Root: c.seen(c.size).Root}
	tx := SignTx(c.Chain, c.origin, KindCheckpoint, checkpoint.Body())
	var leaves []Hash
	for i := range others {
		id := sha256.Sum256([]byte{byte(i)})
		leaves = append(leaves, Hash(tlog.RecordHash(id[:])))
	}
	id := sha256.Sum256(tx)
	leaves = append(leaves, Hash(tlog.RecordHash(id[:])))
	data := treeHash(leaves)
	return Block{
		Signed: c.signed(height, 1, map[int]Hash{fieldData: data}, BlockFields...),
		Tx:     tx, TxIndex: int64(others), TxTotal: int64(others + 1), TxPath: auditPath(leaves, others),
	}
}

func auditPath(leaves []Hash, i int) []Hash {
	if len(leaves) == 1 {
		return []Hash{}
	}
	k := half(len(leaves))
	if i < k {
		return append(auditPath(leaves[:k], i), treeHash(leaves[k:]))
	}
	return append(auditPath(leaves[k:], i-k), treeHash(leaves[:k]))
}

func (c *consortium) receipt(b Block, index int64) Receipt {
	p, err := tlog.ProveRecord(c.size, index, c)
	if err != nil {
		panic(err)
	}
	r := Receipt{Block: b, Index: index, Size: c.size, Path: []Hash{}}
	for _, h := range p {
		r.Path = append(r.Path, Hash(h))
	}
	return r
}

func commitment(n byte) Entry { return Commitment(LeafEvent, Salt(seed(n)[:]), []byte{n}) }

func TestReceiptLeadsFromWhatHappenedToTheSignatures(t *testing.T) {
	for _, kinds := range [][]string{{Ed25519}, {Ed25519, Ed25519, Ed25519, Ed25519}, {MLDSA65, MLDSA65, MLDSA65, MLDSA65}} {
		c := newConsortium(kinds...)
		for n := range 9 {
			c.add(commitment(byte(n)))
		}
		b := c.block(12, 1)
		for n := range int64(9) {
			r := c.receipt(b, n)
			agreed, err := c.Check(commitment(byte(n)), r)
			if err != nil {
				t.Fatal(err)
			}
			if agreed.Of != len(kinds) || len(agreed.Votes) != len(kinds) || agreed.Size != 9 || agreed.Time.Unix() != 1_790_000_012 {
				t.Fatalf("the receipt says %+v", agreed)
			}
			if _, err := c.Check(commitment(byte(n+1)), r); err == nil {
				t.Fatal("a receipt was taken for another thing")
			}
			text := marshal(t, r)
			if kinds[0] == Ed25519 && len(text) > 3<<10 {
				t.Fatalf("a receipt has %d bytes; at most 3 KB were promised", len(text))
			}
			again, err := Parse[Receipt](text)
			if err != nil {
				t.Fatal(err)
			}
			if string(marshal(t, again)) != string(text) {
				t.Fatal("a receipt is written otherwise the second time")
			}
		}
	}
}

// TestReceiptWithAnyFieldChangedIsRefused changes each number, each byte string and each list of a receipt.
func TestReceiptWithAnyFieldChangedIsRefused(t *testing.T) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	for n := range 9 {
		c.add(commitment(byte(n)))
	}
	good := c.receipt(c.block(12, 1), 4)
	count := 0
	err := mutate(marshal(t, good), func(what string, text []byte) {
		count++
		r, err := Parse[Receipt](text)
		if err != nil {
			return
		}
		agreed, err := c.Check(commitment(4), r)
		// Three of four signatures are still more than two thirds: then the receipt says that three signed.
		if err == nil && !(what == "one less in .votes" && len(agreed.Votes) == 3) {
			t.Errorf("accepted with %s: %s", what, text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 100 {
		t.Fatalf("only %d changes were tried", count)
	}
}

// mutate calls try with each way to change one thing in a JSON value.
func mutate(text []byte, try func(what string, text []byte)) error {
	var root any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&root); err != nil {
		return err
	}
	emit := func(what string) {
		changed, err := json.Marshal(root)
		if err != nil {
			panic(err)
		}
		try(what, changed)
	}
	var walk func(at string, value any, set func(any))
	walk = func(at string, value any, set func(any)) {
		switch v := value.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(mapKeys(v)) {
				was := v[key]
				delete(v, key)
				emit("no " + at + "." + key)
				v[key] = was
				walk(at+"."+key, was, func(to any) { v[key] = to })
				v[key] = was
			}
			v["more"] = 1
			emit("one more field in " + at)
			delete(v, "more")
		case []any:
			for i := range v {
				set(slices.Delete(slices.Clone(v), i, i+1))
				emit("one less in " + at)
				set(v)
				set(slices.Insert(slices.Clone(v), i, v[i]))
				emit("one twice in " + at)
				set(v)
				was := v[i]
				walk(fmt.Sprintf("%s[%d]", at, i), was, func(to any) { v[i] = to })
				v[i] = was
			}
			if len(v) > 1 {
				turned := slices.Clone(v)
				slices.Reverse(turned)
				set(turned)
				emit("the order of " + at + " turned")
				set(v)
			}
		case json.Number:
			n, _ := v.Int64()
			for _, to := range []int64{n + 1, n - 1, -n - 1, 1 << 53} {
				set(to)
				emit(fmt.Sprintf("%s %d", at, to))
			}
			set(v)
		case string:
			for _, i := range []int{0, len(v) / 2, len(v) - 1} {
				for _, to := range []string{"A", "B"} {
					if i >= 0 && len(v) > 0 && v[i:i+1] != to {
						set(v[:i] + to + v[i+1:])
						emit(at + " altered")
					}
				}
			}
			set(v + "A")
			emit(at + " longer")
			set("")
			emit(at + " empty")
			set(v)
		}
	}
	walk("", root, func(any) {})
	return nil
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestReceiptOfFewerThanTwoThirdsIsRefused(t *testing.T) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	c.add(commitment(0))
	r := c.receipt(c.block(3, 0), 0)
	r.Votes = r.Votes[1:]
	if agreed, err := c.Check(commitment(0), r); err != nil || len(agreed.Votes) != 3 {
		t.Fatalf("three of four: %+v, %v", agreed, err)
	}
	r.Votes = r.Votes[1:]
	if _, err := c.Check(commitment(0), r); !errors.Is(err, ErrNotAgreed) {
		t.Fatalf("two of four: %v", err)
	}
	r.Votes = nil
	if _, err := c.Check(commitment(0), r); !errors.Is(err, ErrNotAgreed) {
		t.Fatalf("none of four: %v", err)
	}
}

func TestReceiptOfStrangersIsRefused(t *testing.T) {
	c, strangers := newConsortium(Ed25519), newConsortium(Ed25519)
	other := strangers.validator(7, Ed25519)
	strangers.Validators = []Validator{other}
	strangers.add(commitment(0))
	if _, err := c.Check(commitment(0), strangers.receipt(strangers.block(3, 0), 0)); err == nil {
		t.Fatal("a receipt that strangers signed was accepted")
	}
}

func TestTrustFollowsWhatTheTrustedValidatorsSigned(t *testing.T) {
	c := newConsortium(Ed25519)
	old := c.Trust
	next := []Validator{c.validator(0, Ed25519), c.validator(1, Ed25519), c.validator(2, MLDSA65)}
	order(next)
	hash, err := ValidatorsHash(next)
	if err != nil {
		t.Fatal(err)
	}
	change := Change{c.signed(7, 1, map[int]Hash{fieldNextValidators: hash}, ChangeFields...), next}
	moved, err := old.Follow(change)
	if err != nil {
		t.Fatal(err)
	}
	if moved.Height != 8 || len(moved.Validators) != 3 {
		t.Fatalf("moved to %+v", moved)
	}
	if _, err := moved.Follow(change); err == nil {
		t.Fatal("went back to an older change")
	}
	change.Next = slices.Clone(next[:2])
	if _, err := old.Follow(change); err == nil {
		t.Fatal("followed to validators that nobody signed for")
	}
	// Who was expelled agrees on nothing any more.
	c.add(commitment(0))
	r := c.receipt(c.block(9, 0), 0)
	if _, err := moved.Check(commitment(0), r); err == nil {
		t.Fatal("a receipt of the validators of before was accepted")
	}
	c.Validators = next
	if _, err := moved.Check(commitment(0), c.receipt(c.block(9, 0), 0)); err != nil {
		t.Fatal(err)
	}
}

func TestTrustRefusesAnotherHistory(t *testing.T) {
	c, other := newConsortium(Ed25519), newConsortium(Ed25519)
	for n := range 20 {
		c.add(commitment(byte(n)))
		other.add(commitment(byte(n + n/10))) // another from the eleventh on
	}
	for from := int64(1); from <= 20; from++ {
		trust, err := c.Trust.Extend(c.seen(from), nil)
		if err != nil {
			t.Fatal(err)
		}
		for to := from; to <= 20; to++ {
			if _, err := trust.Extend(c.seen(to), c.extension(from, to)); err != nil {
				t.Fatalf("%d to %d: %v", from, to, err)
			}
			_, err := trust.Extend(other.seen(to), other.extension(from, to))
			if from <= 10 && err != nil {
				t.Fatalf("%d to %d of a log that was the same until 10: %v", from, to, err)
			}
			if from > 10 && !errors.Is(err, ErrForked) {
				t.Fatalf("%d to %d of another log: %v", from, to, err)
			}
		}
		if from > 1 {
			if _, err := trust.Extend(c.seen(from-1), nil); !errors.Is(err, ErrForked) {
				t.Fatalf("rolled back to %d: %v", from-1, err)
			}
		}
	}
}

// A trie for tests, built anew for each question from all its leaves.
func trieRoot(leaves []Leaf, depth int) Hash {
	switch len(leaves) {
	case 0:
		return Hash{}
	case 1:
		return StateLeaf(leaves[0].Key, leaves[0].Value)
	}
	l, r := part(leaves, depth)
	return StateBranch(trieRoot(l, depth+1), trieRoot(r, depth+1))
}

func part(leaves []Leaf, depth int) (l, r []Leaf) {
	for _, leaf := range leaves {
		if bit(leaf.Key, depth) == 0 {
			l = append(l, leaf)
		} else {
			r = append(r, leaf)
		}
	}
	return l, r
}

func prove(leaves []Leaf, key Key) StateProof {
	p := StateProof{Path: []Hash{}}
	for depth := 0; ; depth++ {
		switch {
		case len(leaves) == 1 && leaves[0].Key == key:
			p.Value = &leaves[0].Value
			return p
		case len(leaves) == 1:
			p.Other = &leaves[0]
			return p
		case len(leaves) == 0:
			return p
		}
		l, r := part(leaves, depth)
		if bit(key, depth) == 0 {
			p.Path = append(p.Path, trieRoot(r, depth+1))
			leaves = l
		} else {
			p.Path = append(p.Path, trieRoot(l, depth+1))
			leaves = r
		}
	}
}

func TestStateProofShowsWhatIsThereAndWhatIsNot(t *testing.T) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	var leaves []Leaf
	for n := range 50 {
		leaves = append(leaves, Leaf{Key(seed(byte(n))), Hash(seed(byte(n + 1)))})
	}
	root := trieRoot(leaves, 0)
	signed := c.signed(9, 1, map[int]Hash{fieldApp: root}, StateFields...)
	absent := 0
	for n := range 80 {
		key := Key(seed(byte(n)))
		p := prove(leaves, key)
		p.Signed = signed
		value, there, _, err := c.CheckState(key, p)
		if err != nil {
			t.Fatal(err)
		}
		if there != (n < 50) || there && value != Hash(seed(byte(n+1))) {
			t.Fatalf("at %d: %v, %v", n, value, there)
		}
		if !there {
			absent++
		} else if other := (Leaf{key, value}); true {
			// What is there is not hidden by calling its own leaf another's.
			hidden := p
			hidden.Value, hidden.Other = nil, &other
			if _, _, _, err := c.CheckState(key, hidden); err == nil {
				t.Fatal("a key was hidden behind its own leaf")
			}
		}
	}
	if absent != 30 {
		t.Fatalf("%d of 30 were shown to be absent", absent)
	}
}

func TestStateProofOrChangeWithAnyFieldChangedIsRefused(t *testing.T) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	leaves := []Leaf{{Key(seed(1)), Hash(seed(2))}, {Key(seed(3)), Hash(seed(4))}, {Key(seed(5)), Hash(seed(6))}}
	for _, key := range []Key{leaves[0].Key, Key(seed(7))} {
		p := prove(leaves, key)
		p.Signed = c.signed(9, 1, map[int]Hash{fieldApp: trieRoot(leaves, 0)}, StateFields...)
		err := mutate(marshal(t, p), func(what string, text []byte) {
			changed, err := Parse[StateProof](text)
			if err != nil {
				return
			}
			if _, _, _, err := c.CheckState(key, changed); err == nil && what != "one less in .votes" {
				t.Errorf("a proof was accepted with %s: %s", what, text)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	next := c.Validators[:3]
	hash, err := ValidatorsHash(next)
	if err != nil {
		t.Fatal(err)
	}
	err = mutate(marshal(t, Change{c.signed(7, 1, map[int]Hash{fieldNextValidators: hash}, ChangeFields...), next}), func(what string, text []byte) {
		changed, err := Parse[Change](text)
		if err != nil {
			return
		}
		// Names are as they were told: they are not in what is signed.
		if _, err := c.Follow(changed); err == nil && what != "one less in .votes" && !strings.Contains(what, "].name") {
			t.Errorf("a change was accepted with %s: %s", what, text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLineValueTellsOneCardFromAnother(t *testing.T) {
	a, b := []byte("first"), []byte("second")
	if LineValue(a, b) != LinkValue(LinkValue(Hash{}, a), b) {
		t.Fatal("a line is not its links")
	}
	if LineValue(a, b) == LineValue(b, a) || LineValue(a) == LineValue(a, b) || LineValue() != (Hash{}) {
		t.Fatal("two lines have one value")
	}
}

func TestTransactionIsOfOneChain(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	link := Link{Key(seed(1)), Hash(seed(2)), Hash(seed(3))}
	tx, err := ParseTx(SignTx("ward-a", key, KindLink, link.Body()))
	if err != nil {
		t.Fatal(err)
	}
	if !tx.Signed("ward-a") || tx.Signed("ward-b") {
		t.Fatal("the signature is not of the chain it was made for")
	}
	if again, err := ParseLink(tx.Body); err != nil || again != link {
		t.Fatalf("%+v, %v", again, err)
	}
}

func TestCheckingAReceiptTakesNoTime(t *testing.T) {
	c := newConsortium(Ed25519, Ed25519, Ed25519, Ed25519)
	c.add(commitment(0))
	r := c.receipt(c.block(3, 0), 0)
	start := time.Now()
	for range 20 {
		if _, err := c.Check(commitment(0), r); err != nil {
			t.Fatal(err)
		}
	}
	if each := time.Since(start) / 20; each > 50*time.Millisecond {
		t.Fatalf("a receipt takes %v", each)
	}
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestATrustThatWasNotLookedAtForAMonthIsOld(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		checked time.Time
		old     bool
	}{{now, false}, {now.Add(-Trusting), false}, {now.Add(-Trusting - time.Second), true}, {now.Add(time.Hour), false}, {time.Unix(0, 0), false}} {
		if got := (Trust{Checked: c.checked.Unix()}).IsOld(now); got != c.old {
			t.Errorf("checked at %v it is old: %v", c.checked, got)
		}
	}
}
