package chain_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/chain"
	"ward/ledger/receipt"
)

// Four members as four processes. This test's own binary is each of them, told so by its environment; they are asked over
// their standard input and output.

// How much members are killed. go run ./build soak sets these.
var (
	soakFor   = flag.Duration("soak", 0, "for how `long` members are killed and mended, instead of a few rounds")
	soakKills = flag.Int("kills", 0, "how `many` times members are killed and mended, instead of a few rounds")
)

const memberEnvironment = "WARD_TEST_MEMBER"

func TestMain(m *testing.M) {
	if raw := os.Getenv(memberEnvironment); raw != "" {
		os.Exit(beMember([]byte(raw)))
	}
	if chain.IsProcess() {
		os.Exit(chain.BeProcess(fuse))
	}
	os.Exit(m.Run())
}

// process is a member, from inside its process.
type process struct{ c *chain.Chain }

type stdio struct {
	io.Reader
	io.Writer
}

func (stdio) Close() error { return nil }

func beMember(raw []byte) int {
	var config chain.Config
	if err := json.Unmarshal(raw, &config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	config.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	c := chain.Start(context.Background(), config)
	server := rpc.NewServer()
	server.RegisterName("Member", &process{c})
	server.ServeConn(stdio{os.Stdin, os.Stdout}) // until who started it is gone
	if err := c.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Nothing is what calls have no use for.
type Nothing struct{}

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// Submit offers a transaction and gives the block, as JSON.
func (p *process) Submit(tx []byte, block *[]byte) error {
	ctx, cancel := within()
	defer cancel()
	b, err := p.c.Submit(ctx, tx)
	if err == nil {
		*block, err = json.Marshal(b)
	}
	return err
}

// Log is a log and its name.
type Log struct {
	Origin receipt.Key
	Name   string
}

func (p *process) Register(l Log, _ *Nothing) error {
	ctx, cancel := within()
	defer cancel()
	return p.c.Register(ctx, l.Origin, receipt.Hash{}, l.Name)
}

// Head is an agreed head.
type Head struct {
	Size int64
	Root receipt.Hash
}

func (p *process) Head(origin receipt.Key, head *Head) error {
	size, root, _ := p.c.Head(origin)
	*head = Head{size, receipt.Hash(root)}
	return nil
}

// State is how far a member is.
type State struct {
	Height int64
	Root   receipt.Hash
	Status ward.ChainStatus
}

func (p *process) State(_ Nothing, s *State) error {
	s.Height, s.Root = p.c.Root()
	s.Status = p.c.Status()
	return nil
}

func (p *process) Invite(_ Nothing, raw *[]byte) error {
	i, err := p.c.Invite()
	if err == nil {
		*raw, err = json.Marshal(i)
	}
	return err
}

func (p *process) Welcome(member []byte, follows *bool) error {
	m, err := receipt.ParseMember(member)
	if err != nil {
		return err
	}
	*follows = p.c.Follows(m)
	return p.c.Welcome(m)
}

func (p *process) Propose(member []byte, _ *Nothing) error {
	m, err := receipt.ParseMember(member)
	if err != nil {
		return err
	}
	ctx, cancel := within()
	defer cancel()
	_, err = p.c.ProposeMember(ctx, m)
	return err
}

func (p *process) Vote(subject string, _ *Nothing) error {
	ctx, cancel := within()
	defer cancel()
	return p.c.Vote(ctx, subject, true)
}

func (p *process) Trusted(origin receipt.Key, raw *[]byte) (err error) {
	height, set := p.c.Validators()
	*raw, err = json.Marshal(receipt.Trust{Chain: p.c.ID(), Validators: set, Height: height, Origin: origin})
	return err
}

func (p *process) Changes(since int64, raw *[]byte) error {
	changes, err := p.c.Changes(since)
	if err == nil {
		*raw, err = json.Marshal(changes)
	}
	return err
}

// A peer is a member, from outside.
type peer struct {
	t       *testing.T
	config  chain.Config
	book    *book
	process *exec.Cmd
	client  *rpc.Client
	noise   *bytes.Buffer

	mu    sync.Mutex
	acked []Head // heads that were said to be agreed
}

func newMember(t *testing.T, name string) *peer {
	m := &peer{t: t, book: newBook(name)}
	port := freePort(t)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	m.config = chain.Config{Dir: filepath.Join(t.TempDir(), name), Name: name, Listen: address, Address: address}
	return m
}

// freePort is one that nobody listens on, below those that outgoing connections of other programs take while a member is down.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := 12000 + rand.IntN(18000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func (m *peer) start() {
	m.t.Helper()
	config := m.config
	config.Log = nil
	raw, err := json.Marshal(config)
	if err != nil {
		m.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	m.noise = &bytes.Buffer{}
	m.process = exec.Command(self)
	m.process.Env = append(os.Environ(), memberEnvironment+"="+string(raw))
	m.process.Stderr = m.noise
	in, err1 := m.process.StdinPipe()
	out, err2 := m.process.StdoutPipe()
	if err1 != nil || err2 != nil {
		m.t.Fatal(err1, err2)
	}
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.client = rpc.NewClient(stdioOf{out, in})
	m.t.Cleanup(m.kill)
}

type stdioOf struct {
	io.ReadCloser
	in io.WriteCloser
}

func (s stdioOf) Write(b []byte) (int, error) { return s.in.Write(b) }
func (s stdioOf) Close() error                { s.in.Close(); return s.ReadCloser.Close() }

func (m *peer) kill() {
	if m.process != nil {
		m.process.Process.Kill()
		m.process.Wait()
		m.client.Close()
		m.process = nil
	}
}

// ask calls, or gives an error if the member was killed.
func (m *peer) ask(method string, about, answer any) error {
	return m.client.Call("Member."+method, about, answer)
}

func (m *peer) must(method string, about, answer any) {
	m.t.Helper()
	if err := m.ask(method, about, answer); err != nil {
		m.t.Fatalf("%s of %s: %v\n%s", method, m.config.Name, err, m.noise)
	}
}

func (m *peer) state() (s State) {
	m.must("State", Nothing{}, &s)
	return s
}

// grow adds leaves to the member's log and has them agreed. An error means that it is not known whether they are.
func (m *peer) grow(chain string, leaves int) (receipt.Block, error) {
	var head Head
	if err := m.ask("Head", m.book.origin(), &head); err != nil {
		return receipt.Block{}, err
	}
	for i := range leaves {
		m.book.add(fmt.Appendf(nil, "%s %d", m.config.Name, m.book.size+int64(i)))
	}
	root, err := tlog.TreeHash(m.book.size, m.book)
	if err != nil {
		return receipt.Block{}, err
	}
	var raw []byte
	if err := m.ask("Submit", m.book.checkpoint(chain, head.Size, uint16(rand.IntN(1<<16))), &raw); err != nil {
		return receipt.Block{}, err
	}
	m.mu.Lock()
	m.acked = append(m.acked, Head{m.book.size, receipt.Hash(root)})
	m.mu.Unlock()
	return receipt.Parse[receipt.Block](raw)
}

// lasts tells that every head that was said to be agreed is part of what is agreed now, at a member.
func (m *peer) lasts(at *peer) {
	m.t.Helper()
	var now Head
	at.must("Head", m.book.origin(), &now)
	for _, h := range m.acked {
		proof := []receipt.Hash{}
		if h.Size < now.Size {
			p, err := tlog.ProveTree(now.Size, h.Size, m.book)
			if err != nil {
				m.t.Fatal(err)
			}
			for _, x := range p {
				proof = append(proof, receipt.Hash(x))
			}
		}
		if err := receipt.Extends(receipt.Seen{Size: h.Size, Root: h.Root}, receipt.Seen{Size: now.Size, Root: now.Root}, proof); err != nil {
			m.t.Fatalf("%s lost what was agreed at %d leaves; at %s there are %d: %v", m.config.Name, h.Size, at.config.Name, now.Size, err)
		}
	}
}

// until waits for something that must come.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come: ", what)
		}
	}
}

// level waits until members are at the same block with the same state.
func level(t *testing.T, members ...*peer) {
	t.Helper()
	until(t, "the same state at all members", func() bool {
		first := members[0].state()
		for _, m := range members[1:] {
			s := m.state()
			if s.Status.Reason != "" {
				t.Fatalf("%s is halted: %s", m.config.Name, s.Status.Reason)
			}
			if s.Height != first.Height {
				return false
			}
			if s.Root != first.Root {
				t.Fatalf("%s has another state at block %d", m.config.Name, s.Height)
			}
		}
		return true
	})
}

// join has a new member of a chain follow, admitted and level.
func join(t *testing.T, m *peer, id string, members ...*peer) {
	t.Helper()
	var invitation []byte
	members[0].must("Invite", Nothing{}, &invitation)
	config := m.config
	config.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	a, err := chain.Join(config, invitation)
	if err != nil {
		t.Fatal(err)
	}
	var follows bool
	members[0].must("Welcome", []byte(a.Member), &follows)
	m.start()
	until(t, m.config.Name+" follows", func() bool {
		members[0].must("Welcome", []byte(a.Member), &follows)
		return follows
	})
	level(t, append(members, m)...)
	members[0].must("Propose", []byte(a.Member), &Nothing{})
	vote(t, members)
	until(t, m.config.Name+" is a member", func() bool {
		return len(m.state().Status.Members) == len(members)+1
	})
	m.must("Register", Log{m.book.origin(), m.config.Name}, &Nothing{})
}

// vote has each of some members vote for what is open, once all of them know of it: the first, who proposed it, knows first.
func vote(t *testing.T, members []*peer) {
	t.Helper()
	for _, m := range members {
		level(t, members...)
		for _, v := range m.state().Status.Votes {
			if !v.Mine {
				m.must("Vote", v.Subject, &Nothing{})
			}
		}
	}
}

func TestFourMembersAsFourProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("four processes")
	}
	t.Parallel() // it waits most of the time
	began := time.Now()
	step := func(what string) { t.Logf("%5.1f s  %s", time.Since(began).Seconds(), what) }
	names := []string{"Hillside", "Lakeside", "Riverside", "Seaside"}
	var m []*peer
	for _, n := range names {
		m = append(m, newMember(t, n))
	}
	m[0].start()
	status := m[0].state().Status
	id := status.Chain
	m[0].must("Register", Log{m[0].book.origin(), names[0]}, &Nothing{})
	grow := func(who *peer) receipt.Block {
		t.Helper()
		b, err := who.grow(id, 3)
		if err != nil {
			t.Fatalf("%s: %v\n%s", who.config.Name, err, who.noise)
		}
		return b
	}
	grow(m[0])
	var raw []byte
	m[0].must("Trusted", m[0].book.origin(), &raw)
	trusted, err := receipt.Parse[receipt.Trust](raw)
	if err != nil {
		t.Fatal(err)
	}

	for i := 1; i < 4; i++ {
		join(t, m[i], id, m[:i]...)
	}
	step("grown from one member to four")

	// Who pinned the first validator follows the set to four, by what is signed alone.
	last := grow(m[0])
	level(t, m...)
	m[3].must("Changes", trusted.Height-1, &raw)
	var changes []receipt.Change
	if err := json.Unmarshal(raw, &changes); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if trusted, err = trusted.Follow(c); err != nil {
			t.Fatal(err)
		}
	}
	if agreed, err := trusted.CheckBlock(last); err != nil || agreed.Of != 4 || len(agreed.Votes) < 3 {
		t.Fatalf("a receipt of four: %+v %v", agreed, err)
	}

	m[3].kill()
	grow(m[0])
	grow(m[1])
	step("one killed: goes on")

	m[2].kill()
	waiting := make(chan error, 1)
	go func() {
		_, err := m[0].grow(id, 5)
		waiting <- err
	}()
	until(t, "the chain says that it stands still", func() bool { return m[0].state().Status.Halted != "" })
	select {
	case err := <-waiting:
		t.Fatalf("agreed by two of four: %v", err)
	default:
	}
	step("two killed: it stands still, and says so")
	m[2].start()
	m[3].start()
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	level(t, m...)
	step("both back: what waited is agreed")

	k := killing{t: t, id: id, all: m, step: step}
	for rounds := 6; rounds > 0 || k.kills < *soakKills || time.Since(began) < *soakFor; rounds-- {
		k.round()
	}
	step("nothing that was agreed is lost: " + k.String())

	// An old disk.
	level(t, m...)
	m[3].kill()
	old := m[3].config.Dir + ".old"
	if err := os.CopyFS(old, os.DirFS(m[3].config.Dir)); err != nil {
		t.Fatal(err)
	}
	m[3].start()
	for range 3 {
		grow(m[1])
	}
	level(t, m...)
	m[3].kill()
	if err := os.RemoveAll(m[3].config.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(old, m[3].config.Dir); err != nil {
		t.Fatal(err)
	}
	m[3].start()
	level(t, m...)
	grow(m[3])
	step("an old disk restored: it catches up")

	// One is expelled, and is let in no more.
	var out receipt.Member
	for _, told := range m[0].state().Status.Members {
		if told.Name == names[3] {
			out = asMember(t, told)
		}
	}
	out.Power = 0
	m[0].must("Propose", out.Bytes(), &Nothing{})
	vote(t, m[:3])
	until(t, "the expelled one is gone", func() bool {
		s := m[0].state().Status
		return len(s.Members) == 3 && len(s.Votes) == 0
	})
	var before, after Head
	m[0].must("Head", m[3].book.origin(), &before)
	go m[3].grow(id, 1) // which nobody hears, or refuses
	for range 3 {
		grow(m[2])
	}
	level(t, m[:3]...)
	for _, who := range m[:3] {
		for _, at := range m[:3] {
			who.lasts(at)
		}
	}
	m[0].must("Head", m[3].book.origin(), &after)
	if after != before {
		t.Error("who was expelled still has its log agreed")
	}
	step("one expelled: the others go on")
}

// killing is kill -9, again and again, while all write.
type killing struct {
	t    *testing.T
	id   string
	all  []*peer
	step func(string)

	rounds, kills, spoilt, agreed int
	slowest                       time.Duration // until all were level again
}

func (k *killing) String() string {
	return fmt.Sprintf("%d kills in %d rounds, %d write-ahead logs spoilt, %d heads agreed meanwhile; all level again after at most %.1f s",
		k.kills, k.rounds, k.spoilt, k.agreed, k.slowest.Seconds())
}

// round kills some members while all write: one; each fourth time two, so that the others stand still; each seventh all, as
// when the power goes. They come back, some to be killed once more while they catch up, and some with a write-ahead log
// that is spoilt. Then all must be level, and have all that was said to be agreed.
func (k *killing) round() {
	k.t.Helper()
	k.rounds++
	var writing sync.WaitGroup
	for _, who := range k.all {
		writing.Go(func() {
			for range 4 {
				if _, err := who.grow(k.id, 1+rand.IntN(50)); err != nil {
					return // killed
				}
			}
		})
	}
	count := 1
	switch {
	case k.rounds%7 == 0:
		count = len(k.all)
	case k.rounds%4 == 0:
		count = 2
	}
	var dead []*peer
	for _, i := range rand.Perm(len(k.all))[:count] {
		dead = append(dead, k.all[i])
	}
	for _, who := range dead {
		time.Sleep(time.Duration(rand.IntN(400/count)) * time.Millisecond)
		who.kill()
		k.kills++
	}
	time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
	for _, who := range dead {
		if k.rounds%3 == 0 {
			spoil(k.t, filepath.Join(who.config.Dir, "data", "cs.wal", "wal"), count == 1)
			k.spoilt++
		}
		who.start()
	}
	if again := dead[0]; k.rounds%2 == 0 {
		time.Sleep(time.Duration(rand.IntN(600)) * time.Millisecond)
		again.kill()
		k.kills++
		again.start()
	}
	back := time.Now()
	writing.Wait()
	level(k.t, k.all...)
	k.slowest = max(k.slowest, time.Since(back))
	for _, who := range k.all {
		for _, at := range k.all {
			who.lasts(at)
		}
		if len(who.acked) > 0 {
			k.agreed += len(who.acked) - 1
			who.acked = who.acked[len(who.acked)-1:] // which holds those before
		}
	}
	if k.rounds%20 == 0 {
		k.step(fmt.Sprintf("%s; block %d", k, k.all[0].state().Height))
	}
}

// spoil takes some bytes off a file's end, as a disk does that lost power; or, to a member that is alone in this, writes
// noise there or changes a byte.
func spoil(t *testing.T, file string, alone bool) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	near := rand.IntN(min(len(raw), 200)) // from the end
	how := 0
	if alone {
		how = rand.IntN(3)
	}
	switch how {
	case 0:
		raw = raw[:len(raw)-1-near]
	case 1:
		raw = append(raw, bytes.Repeat([]byte{byte(near)}, near)...)
	case 2:
		raw[len(raw)-1-10*near%len(raw)] ^= 0x40
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func asMember(t *testing.T, told ward.ChainMember) receipt.Member {
	t.Helper()
	var m receipt.Member
	key, err1 := ward.B64.DecodeString(told.Key)
	operator, err2 := ward.B64.DecodeString(told.Operator)
	node, err3 := hex.DecodeString(told.Node)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	copy(m.Node[:], node)
	m.Operator, m.Power, m.Kind, m.Key, m.Address, m.Name = receipt.Key(operator), told.Power, told.Kind, key, told.Address, told.Name
	return m
}
