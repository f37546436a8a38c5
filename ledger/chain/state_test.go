package chain

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"ward/ledger/receipt"
)

const testChain = "ward-test"

func seeded(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(k ed25519.PrivateKey) receipt.Key { return receipt.Key(k.Public().(ed25519.PublicKey)) }

// someone is a member that could be, by number.
func someone(n int, power int64) receipt.Member {
	name := fmt.Sprint("member ", n)
	key := public(seeded(name + " signs"))
	return receipt.Member{
		Operator: public(seeded(name)), Power: power, Node: [20]byte{byte(n), 1}, Kind: receipt.Ed25519, Key: key[:],
		Address: fmt.Sprintf("h%d:1", n), Name: name,
	}
}

func operatorOf(n int) ed25519.PrivateKey { return seeded(fmt.Sprint("member ", n)) }

func genesisOf(members int) ([]byte, []abci.ValidatorUpdate) {
	var g genesis
	var set []abci.ValidatorUpdate
	for n := range members {
		m := someone(n, firstPower)
		g.Members = append(g.Members, m.Bytes())
		key, _ := protoKey(m.Kind, m.Key)
		set = append(set, abci.ValidatorUpdate{PubKey: key, Power: m.Power})
	}
	raw, _ := json.Marshal(g)
	return raw, set
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func begun(t fataler, db dbm.DB, members int) *app {
	t.Helper()
	a := newApp(db, testChain)
	if err := a.load(); err != nil {
		t.Fatal(err)
	}
	if a.now == nil {
		raw, set := genesisOf(members)
		if _, err := a.InitChain(context.Background(), &abci.RequestInitChain{AppStateBytes: raw, Validators: set}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func voteTx(by int, number uint64, yes bool, s receipt.Subject) []byte {
	return receipt.SignTx(testChain, operatorOf(by), receipt.KindVote, receipt.Ballot{Number: number, Yes: yes, Subject: s}.Body())
}

func logTx(by int, number uint64, origin receipt.Key) []byte {
	return receipt.SignTx(testChain, operatorOf(by), receipt.KindLog, receipt.Log{Number: number, Origin: origin, Name: "log"}.Body())
}

// model is what should happen, written apart from state.go and simply: for one who reads the rules in docs/formats.md.
type model struct {
	power  map[int]int64
	number map[int]uint64
	votes  map[string]map[int]bool // by subject
	bodies map[string]receipt.Member
	logs   map[receipt.Key]int // who writes it
	heads  map[receipt.Key]Head
	lines  map[string]receipt.Hash
}

// Head is a size and a root.
type Head struct {
	size int64
	root receipt.Hash
}

func newModel(members int) *model {
	m := &model{map[int]int64{}, map[int]uint64{}, map[string]map[int]bool{}, map[string]receipt.Member{}, map[receipt.Key]int{}, map[receipt.Key]Head{}, map[string]receipt.Hash{}}
	for n := range members {
		m.power[n] = firstPower
	}
	return m
}

// step is a transaction that the model understands, beside its bytes.
type step struct {
	raw    []byte
	broken bool // its bytes or signature were spoilt
	by     int
	number uint64
	// one of
	member *receipt.Member // vote on member about
	about  int
	yes    bool
	log    *receipt.Key
	head   *Head // checkpoint of log
	old    int64
	honest bool // its proof is of what was before
	link   *receipt.Link
}

func (m *model) total() (all int64) {
	for _, p := range m.power {
		all += p
	}
	return all
}

func (m *model) can(s step) bool {
	members := 0
	for n, p := range m.power {
		if n != s.about && p > 0 {
			members++
		}
	}
	if s.member.Power == 0 {
		return m.power[s.about] > 0 && members > 0
	}
	return m.power[s.about] != s.member.Power
}

// do tells whether the transaction holds, and does it.
func (m *model) do(s step) bool {
	if s.broken {
		return false
	}
	switch {
	case s.member != nil:
		subject := string(s.member.Bytes())
		voted := m.votes[subject][s.by]
		if m.power[s.by] == 0 || s.number <= m.number[s.by] || voted == s.yes || s.yes && !m.can(s) {
			return false
		}
		m.number[s.by] = s.number
		if m.votes[subject] == nil {
			m.votes[subject] = map[int]bool{}
			m.bodies[subject] = *s.member
		}
		m.votes[subject][s.by] = true
		if !s.yes {
			delete(m.votes[subject], s.by)
		}
		m.settle()
		return true
	case s.link != nil:
		by, ok := m.logs[*s.log]
		line := s.log.String() + s.link.Label.String()
		if !ok || m.power[by] == 0 || m.lines[line] != s.link.Previous {
			return false
		}
		m.lines[line] = s.link.Value
		return true
	case s.head != nil:
		by, ok := m.logs[*s.log]
		if !ok || m.power[by] == 0 || s.old != m.heads[*s.log].size || !s.honest || s.head.size <= s.old {
			return false
		}
		m.heads[*s.log] = *s.head
		return true
	default:
		by, ok := m.logs[*s.log]
		if m.power[s.by] == 0 || s.number <= m.number[s.by] || ok && by != s.by {
			return false
		}
		m.number[s.by], m.logs[*s.log] = s.number, s.by
		return true
	}
}

// settle does what more than two thirds want. Which of two comes first does not matter to who is a member in the end, as
// subjects here are about one person each and name their power.
func (m *model) settle() {
	for changed := true; changed; {
		changed = false
		var order []string
		for subject := range m.votes {
			order = append(order, subject)
		}
		slices.SortFunc(order, func(a, b string) int {
			x, y := m.bodies[a], m.bodies[b]
			return compare(receipt.Subject{Member: &x}.ID(), receipt.Subject{Member: &y}.ID())
		})
		for _, subject := range order {
			body := m.bodies[subject]
			about := int(body.Node[0])
			var yes int64
			for by := range m.votes[subject] {
				yes += m.power[by]
			}
			switch {
			case len(m.votes[subject]) == 0 || !m.can(step{member: &body, about: about}):
				delete(m.votes, subject)
			case yes*3 > m.total()*2:
				delete(m.votes, subject)
				m.power[about] = body.Power
				changed = true
			}
			if changed {
				break
			}
		}
	}
}

// paper is a log that a test grows.
type paper struct {
	hashes []tlog.Hash
	size   int64
}

func (p *paper) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		out[i] = p.hashes[n]
	}
	return out, nil
}

func (p *paper) grow(n int) {
	for range n {
		h, _ := tlog.StoredHashes(p.size, []byte{byte(p.size)}, p)
		p.hashes = append(p.hashes, h...)
		p.size++
	}
}

// drawer makes transactions: most that hold, some that do not.
type drawer struct {
	papers  map[receipt.Key]*paper
	numbers uint64
}

func (d *drawer) draw(t *rapid.T, m *model) step {
	by := rapid.IntRange(0, 4).Draw(t, "by")
	d.numbers++
	s := step{by: by, number: d.numbers}
	if rapid.IntRange(0, 9).Draw(t, "old number") == 0 {
		s.number = uint64(rapid.IntRange(0, int(d.numbers)).Draw(t, "number"))
	}
	key := seeded(fmt.Sprint("origin ", rapid.IntRange(0, 3).Draw(t, "origin")))
	origin := public(key)
	switch rapid.IntRange(0, 7).Draw(t, "what") {
	case 0, 1, 2:
		s.about, s.yes = rapid.IntRange(0, 5).Draw(t, "about"), rapid.IntRange(0, 5).Draw(t, "no") > 0
		who := someone(s.about, firstPower*int64(rapid.IntRange(0, 2).Draw(t, "power")))
		s.member = &who
		s.raw = voteTx(by, s.number, s.yes, receipt.Subject{Member: &who})
	case 3:
		s.log = &origin
		s.raw = logTx(by, s.number, origin)
	case 4, 5, 6:
		p := d.papers[origin]
		if p == nil {
			p = &paper{}
			d.papers[origin] = p
		}
		s.log, s.old, s.honest = &origin, m.heads[origin].size, true
		if rapid.IntRange(0, 5).Draw(t, "elsewhere") == 0 {
			s.old = int64(rapid.IntRange(0, int(p.size)).Draw(t, "old"))
		}
		p.grow(rapid.IntRange(0, 4).Draw(t, "leaves"))
		if p.size == 0 || p.size <= s.old {
			p.grow(1 + int(s.old-p.size))
		}
		root, _ := tlog.TreeHash(p.size, p)
		c := receipt.Checkpoint{Old: s.old, New: p.size, Root: receipt.Hash(root), Attempt: uint16(d.numbers)}
		if s.old > 0 {
			proof, _ := tlog.ProveTree(p.size, s.old, p)
			for _, h := range proof {
				c.Proof = append(c.Proof, receipt.Hash(h))
			}
		}
		if s.old > 0 && rapid.IntRange(0, 5).Draw(t, "forge") == 0 {
			c.Root[0] ^= 1
			s.honest = false
		}
		s.head = &Head{c.New, c.Root}
		s.raw = receipt.SignTx(testChain, key, receipt.KindCheckpoint, c.Body())
	default:
		l := receipt.Link{Label: receipt.Key{byte(rapid.IntRange(0, 2).Draw(t, "label"))}, Value: receipt.Hash{byte(d.numbers), byte(d.numbers >> 8), 1}}
		l.Previous = m.lines[origin.String()+l.Label.String()]
		if rapid.IntRange(0, 4).Draw(t, "stale") == 0 {
			l.Previous[3] ^= 1
		}
		s.log, s.link = &origin, &l
		s.raw = receipt.SignTx(testChain, key, receipt.KindLink, l.Body())
	}
	if rapid.IntRange(0, 19).Draw(t, "spoil") == 0 {
		s.raw = slices.Clone(s.raw)
		s.raw[rapid.IntRange(1, len(s.raw)-1).Draw(t, "where")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		s.broken = true
	}
	return s
}

// Replicas that crash between FinalizeBlock and Commit stay alike, take just what the model takes, and give no vote to a block
// that holds anything else.
func TestReplicasAreAlikeAndDoWhatTheModelSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		const members = 4
		dbs := []dbm.DB{dbm.NewMemDB(), dbm.NewMemDB(), dbm.NewMemDB()}
		var apps []*app
		for _, db := range dbs {
			apps = append(apps, begun(t, db, members))
		}
		m, d := newModel(members), &drawer{papers: map[receipt.Key]*paper{}}
		for height := int64(1); height <= 8; height++ {
			at := time.Unix(1_700_000_000+height, 0)
			// The pool is drawn against a model that runs ahead, so that much of it holds, one thing after another.
			var pool, right [][]byte
			for range rapid.IntRange(0, 8).Draw(t, "transactions") {
				s := d.draw(t, m)
				pool = append(pool, s.raw)
				if m.do(s) {
					right = append(right, s.raw)
				}
			}
			prepared, err := apps[0].PrepareProposal(ctx, &abci.RequestPrepareProposal{Txs: pool, MaxTxBytes: 1 << 20, Height: height, Time: at})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(prepared.Txs, right, bytes.Equal) {
				t.Fatalf("at block %d it takes %d transactions, the model %d of %d", height, len(prepared.Txs), len(right), len(pool))
			}
			var root []byte
			for i := range apps {
				judge := func(txs [][]byte) bool {
					r, err := apps[i].ProcessProposal(ctx, &abci.RequestProcessProposal{Txs: txs, Height: height, Time: at})
					if err != nil {
						t.Fatal(err)
					}
					return r.Status == abci.ResponseProcessProposal_ACCEPT
				}
				if !judge(right) {
					t.Fatalf("member %d refuses an honest block", i)
				}
				if len(pool) != len(right) && judge(pool) {
					t.Fatalf("member %d gives its vote to a dishonest block", i)
				}
				finalize := func() *abci.ResponseFinalizeBlock {
					r, err := apps[i].FinalizeBlock(ctx, &abci.RequestFinalizeBlock{Txs: right, Height: height, Time: at})
					if err != nil {
						t.Fatal(err)
					}
					return r
				}
				r := finalize()
				if rapid.IntRange(0, 3).Draw(t, "crash") == 0 {
					apps[i] = begun(t, dbs[i], members)
					if again := finalize(); !bytes.Equal(again.AppHash, r.AppHash) || len(again.ValidatorUpdates) != len(r.ValidatorUpdates) {
						t.Fatal("played again, the block gives another state")
					}
				}
				if root == nil {
					root = r.AppHash
				}
				if !bytes.Equal(root, r.AppHash) {
					t.Fatalf("member %d has another state at block %d", i, height)
				}
				if _, err := apps[i].Commit(ctx, &abci.RequestCommit{}); err != nil {
					t.Fatal(err)
				}
				if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
					apps[i] = begun(t, dbs[i], members)
					if now := apps[i].now.trie.hash(); !bytes.Equal(now[:], root) {
						t.Fatal("from the disk comes another state")
					}
				}
			}
			for n, power := range m.power {
				if have := apps[0].now.Members[public(operatorOf(n))].Power; have != power {
					t.Fatalf("member %d has power %d, in the model %d", n, have, power)
				}
			}
			if len(apps[0].now.Open) != len(m.votes) {
				t.Fatalf("%d votes are open, in the model %d", len(apps[0].now.Open), len(m.votes))
			}
			for origin, head := range m.heads {
				if have := apps[0].now.Logs[origin]; have.Size != head.size || have.Root != head.root {
					t.Fatal("a log's head is not the model's")
				}
			}
		}
	})
}

// Every state that three members can vote themselves into, in so many votes.
func TestEverySmallStateKeepsTheRules(t *testing.T) {
	raw, _ := genesisOf(3)
	first, err := founded(raw)
	if err != nil {
		t.Fatal(err)
	}
	var subjects []receipt.Subject
	var who []receipt.Key
	for n := range 4 {
		who = append(who, public(operatorOf(n)))
		for _, power := range []int64{0, firstPower} {
			subjects = append(subjects, receipt.Subject{Member: new(someone(n, power))})
		}
	}
	const depth = 5
	seen := map[receipt.Hash]bool{}
	layer := []*agreed{first}
	for range depth {
		var next []*agreed
		for _, s := range layer {
			for by := range 4 {
				for _, subject := range subjects {
					for _, yes := range []bool{true, false} {
						after := s.clone()
						ballot := receipt.Ballot{Number: s.Members[who[by]].Number + 1, Yes: yes, Subject: subject}
						tx := receipt.Tx{Kind: receipt.KindVote, Signer: who[by], Body: ballot.Body()} // apply takes its signature for good
						if after.apply(tx, testChain) != nil {
							continue
						}
						checkStep(t, s, after, subject)
						// A vote's number is in the state; two states that differ in numbers only are one here.
						id := after.shape()
						if !seen[id] {
							seen[id] = true
							next = append(next, after)
						}
					}
				}
			}
		}
		layer = next
	}
	t.Logf("%d states", len(seen))
	if len(seen) < 1000 {
		t.Errorf("only %d states were found", len(seen))
	}
}

func (s *agreed) shape() receipt.Hash {
	c := s.clone()
	for operator, m := range c.Members {
		m.Number = 0
		c.setMember(operator, m)
	}
	return c.trie.hash()
}

func checkStep(t *testing.T, before, after *agreed, about receipt.Subject) {
	t.Helper()
	if len(after.validators()) == 0 {
		t.Fatal("nobody is left")
	}
	for id, open := range after.Open {
		subject, err := receipt.ParseSubject(open.Subject)
		if err != nil || subject.ID() != id || len(open.Yes) == 0 || after.possible(subject) != nil {
			t.Fatal("a vote is open that nobody wants, or that cannot be")
		}
		if yes, all := after.tally(open); yes*3 > all*2 {
			t.Fatal("a vote is open that is decided")
		}
	}
	if slices.EqualFunc(before.validators(), after.validators(), sameValidator) {
		return
	}
	// The set changed: what was voted on had more than two thirds of the power that there was.
	open := before.Open[about.ID()]
	yes, all := before.tally(open)
	for _, m := range before.Members {
		if m.Number < after.Members[m.Operator].Number {
			yes += m.Power // who voted just now
		}
	}
	if yes*3 <= all*2 {
		t.Fatalf("the set changed by %d of %d", yes, all)
	}
	raw, err := after.encode()
	if err != nil {
		t.Fatal(err)
	}
	leaves := after.leaves()
	again, err := restore(raw, func(each func(receipt.Key, receipt.Hash)) error {
		for k, v := range leaves {
			each(k, v)
		}
		return nil
	})
	if err != nil || again.trie.hash() != after.trie.hash() {
		t.Fatalf("a state is not what was kept of it: %v", err)
	}
}

func TestAVoteThatWasCountedCountsNeverAgain(t *testing.T) {
	raw, _ := genesisOf(3)
	s, err := founded(raw)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(raw []byte) error {
		tx, err := receipt.ParseTx(raw)
		if err != nil {
			t.Fatal(err)
		}
		return s.apply(tx, testChain)
	}
	in, out := receipt.Subject{Member: new(someone(3, firstPower))}, receipt.Subject{Member: new(someone(3, 0))}
	var admitted [][]byte
	for by := range 3 {
		admitted = append(admitted, voteTx(by, 1, true, in))
	}
	for _, tx := range admitted {
		if err := apply(tx); err != nil {
			t.Fatal(err)
		}
	}
	for by := range 3 {
		if err := apply(voteTx(by, 2, true, out)); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.validators()) != 3 {
		t.Fatal("it was not expelled")
	}
	for _, tx := range admitted {
		if apply(tx) == nil {
			t.Error("an old vote counts again")
		}
	}
	// Three of four expel one; of four, two are not enough, and of three with the fourth gone they are not either.
	if err := apply(voteTx(0, 3, true, receipt.Subject{Member: new(someone(2, 0))})); err != nil {
		t.Fatal(err)
	}
	if len(s.validators()) != 3 || len(s.Open) != 1 {
		t.Error("one of three decided")
	}
}

// A transaction that was in a block, or waited for one in vain, comes back from members that are behind. It must not be passed on
// again by those that are not: it would go round for ever.
func TestWhatWasInABlockIsNotTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, ctx, origin := begun(t, dbm.NewMemDB(), 1), context.Background(), seeded("a log")
		link := func(previous, value byte) []byte {
			l := receipt.Link{Label: receipt.Key{1}, Previous: receipt.Hash{previous}, Value: receipt.Hash{value}}
			return receipt.SignTx(testChain, origin, receipt.KindLink, l.Body())
		}
		check := func(tx []byte, kind abci.CheckTxType) bool {
			t.Helper()
			r, err := a.CheckTx(ctx, &abci.RequestCheckTx{Tx: tx, Type: kind})
			if err != nil {
				t.Fatal(err)
			}
			return r.Code == 0
		}
		height := int64(0)
		block := func(txs ...[]byte) {
			t.Helper()
			height++
			if _, err := a.FinalizeBlock(ctx, &abci.RequestFinalizeBlock{Height: height, Time: time.Now(), Txs: txs}); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Commit(ctx, nil); err != nil {
				t.Fatal(err)
			}
		}
		first, second, stray := link(0, 1), link(1, 2), link(7, 8)
		for _, tx := range [][]byte{first, second, stray} {
			if !check(tx, abci.CheckTxType_New) {
				t.Fatal("it may not even wait")
			}
		}
		if check(first, abci.CheckTxType_New) {
			t.Error("what comes twice at once is taken twice")
		}
		time.Sleep(2 * takenFor)
		if !check(first, abci.CheckTxType_New) {
			t.Error("what was lost on its way is never taken again")
		}
		block(logTx(0, 1, public(origin)), first)
		block(second)
		for n := 0; check(stray, abci.CheckTxType_Recheck); n++ {
			if n > 2*maxStale {
				t.Fatal("what fits nowhere waits for ever")
			}
			block()
		}
		for name, tx := range map[string][]byte{"an older link": first, "the newest": second, "what fits nowhere": stray} {
			if check(tx, abci.CheckTxType_New) {
				t.Errorf("%s is taken again", name)
			}
		}
		time.Sleep(2 * goneFor)
		if !check(stray, abci.CheckTxType_New) {
			t.Error("what did not fit is never taken again")
		}
		if check(second, abci.CheckTxType_New) {
			t.Error("what is agreed is taken again later")
		}
	})
}

func TestVotesThatNobodyDecidesEnd(t *testing.T) {
	raw, _ := genesisOf(3)
	s, err := founded(raw)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Unix(1_700_000_000, 0)
	if err := s.begin(1, began, nil); err != nil {
		t.Fatal(err)
	}
	tx, _ := receipt.ParseTx(voteTx(0, 1, true, receipt.Subject{Member: new(someone(3, firstPower))}))
	if err := s.apply(tx, testChain); err != nil {
		t.Fatal(err)
	}
	if s.begin(2, began.Add(voteLasts), nil); len(s.Open) != 1 {
		t.Error("it ended too soon")
	}
	if s.begin(3, began.Add(voteLasts+time.Second), nil); len(s.Open) != 0 {
		t.Error("it is still open")
	}
}

func TestAnUpgradeHaltsWhoDoesNotKnowIt(t *testing.T) {
	raw, _ := genesisOf(1)
	s, err := founded(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.begin(1, time.Unix(1, 0), nil); err != nil {
		t.Fatal(err)
	}
	tx, _ := receipt.ParseTx(voteTx(0, 1, true, receipt.Subject{Upgrade: &receipt.Upgrade{Height: 5, Version: maxVersion + 1}}))
	if err := s.apply(tx, testChain); err != nil {
		t.Fatal(err)
	}
	if err := s.clone().begin(4, time.Unix(4, 0), nil); err != nil {
		t.Error(err)
	}
	if err := s.clone().begin(5, time.Unix(5, 0), nil); err == nil {
		t.Error("it goes on by rules that it does not know")
	}
}

func TestTheTrieIsTheSameHoweverItCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.Byte(), 0, 40, rapid.ID).Draw(t, "keys")
		key := func(b byte) receipt.Key { return receipt.Key{b & 0xf0, 0, b & 0x0f} } // many share their beginning
		var grown trie
		for _, b := range keys {
			grown = grown.set(key(b), receipt.Hash{b, 1})
		}
		gone := map[byte]bool{}
		if len(keys) > 0 {
			for _, b := range rapid.SliceOf(rapid.SampledFrom(keys)).Draw(t, "gone") {
				before := grown.hash()
				after := grown.drop(key(b))
				if grown.hash() != before {
					t.Fatal("a change changed what was before")
				}
				grown = after
				gone[b] = true
			}
		}
		var fresh trie
		for _, b := range slices.Backward(keys) {
			if !gone[b] {
				fresh = fresh.set(key(b), receipt.Hash{b, 1})
			}
		}
		if fresh.hash() != grown.hash() {
			t.Fatal("two tries of the same have different roots")
		}
		for b := range 256 {
			v, ok := grown.get(key(byte(b)))
			want := slices.Contains(keys, byte(b)) && !gone[byte(b)]
			if ok != want || ok && v != (receipt.Hash{byte(b), 1}) {
				t.Fatal("the trie holds something else")
			}
		}
	})
}

func FuzzTransaction(f *testing.F) {
	f.Add(voteTx(0, 1, true, receipt.Subject{Member: new(someone(5, firstPower))}))
	f.Add(voteTx(1, 1, true, receipt.Subject{Upgrade: &receipt.Upgrade{Height: 9, Version: 2}}))
	f.Add(voteTx(1, 1, false, receipt.Subject{Releases: &receipt.ReleaseKeys{Needed: 1, Keys: []receipt.Key{{1}}}}))
	f.Add(logTx(0, 1, receipt.Key{1}))
	f.Add(receipt.SignTx(testChain, operatorOf(0), receipt.KindCheckpoint, receipt.Checkpoint{New: 1}.Body()))
	f.Add(receipt.SignTx(testChain, operatorOf(0), receipt.KindLink, receipt.Link{Value: receipt.Hash{1}}.Body()))
	f.Add(receipt.SignTx(testChain, operatorOf(0), receipt.KindRelease, receipt.Release{Kind: 1, Number: 1, Signed: []receipt.ReleaseSignature{{}}}.Body()))
	raw, _ := genesisOf(2)
	s, err := founded(raw)
	if err != nil {
		f.Fatal(err)
	}
	s.setSigners(&receipt.ReleaseKeys{Needed: 1, Keys: []receipt.Key{public(operatorOf(0))}})
	s.setLog(public(operatorOf(0)), logHead{Operator: public(operatorOf(0))})
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, err := receipt.ParseTx(raw)
		if err != nil {
			return
		}
		s.never(tx)
		after := s.clone()
		before := after.trie.hash()
		if err := after.apply(tx, testChain); err != nil {
			return // what does not hold is given up with the block, so it may have changed something here
		}
		if after.trie.hash() == before && tx.Kind != receipt.KindRelease {
			t.Error("a transaction that holds changed nothing")
		}
		if s.trie.hash() != before {
			t.Error("it changed the state before")
		}
	})
}

func FuzzStoredState(f *testing.F) {
	raw, _ := genesisOf(2)
	s, err := founded(raw)
	if err != nil {
		f.Fatal(err)
	}
	kept, err := s.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(kept)
	f.Add([]byte(`{"members":{}}`))
	leaves, root := s.leaves(), s.trie.hash()
	f.Fuzz(func(t *testing.T, raw []byte) {
		again, err := restore(raw, func(each func(receipt.Key, receipt.Hash)) error {
			for k, v := range leaves {
				each(k, v)
			}
			return nil
		})
		if err == nil && again.trie.hash() != root {
			t.Error("another state fits the same leaves")
		}
	})
}
