package ledger_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/store"
)

// ring is a chain for tests: it keeps heads and lines as honestly as the real one, and signs nothing.
type ring struct {
	mu     sync.Mutex
	id     string
	logs   map[receipt.Key]receipt.Checkpoint
	blocks map[receipt.Key]receipt.Block
	lines  map[receipt.Key]receipt.Hash
	height int64
	halted bool
	waited bool // something waits, or did
	faults []ward.ChainFault
	clocks []ward.ChainMember
	lost   receipt.Key // the log of an operator who is no more
	away   bool        // it says of no log what it has, until one is registered
}

func newRing() *ring {
	return &ring{id: "ward-ring", logs: map[receipt.Key]receipt.Checkpoint{}, blocks: map[receipt.Key]receipt.Block{}, lines: map[receipt.Key]receipt.Hash{}}
}

func (r *ring) ID() string { return r.id }

func (r *ring) Register(_ context.Context, origin, _ receipt.Key, _ string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = false
	if _, ok := r.logs[origin]; !ok {
		r.logs[origin] = receipt.Checkpoint{}
	}
	return nil
}

func (r *ring) Submit(ctx context.Context, raw []byte) (receipt.Block, error) {
	for r.isHalted() {
		select {
		case <-ctx.Done():
			return receipt.Block{}, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	tx, err := receipt.ParseTx(raw)
	if err != nil || !tx.Signed(r.ID()) {
		return receipt.Block{}, fmt.Errorf("%w: %v", ledger.ErrRefused, err)
	}
	if tx.Kind == receipt.KindLink {
		l, err := receipt.ParseLink(tx.Body)
		key := receipt.LinkKey(tx.Signer, l.Label)
		if err != nil || r.lines[key] != l.Previous {
			return receipt.Block{}, fmt.Errorf("%w: not the line", ledger.ErrRefused)
		}
		r.lines[key] = l.Value
		return receipt.Block{}, nil
	}
	c, err := receipt.ParseCheckpoint(tx.Body)
	head := r.logs[tx.Signer]
	if err != nil || c.Old != head.New {
		return receipt.Block{}, fmt.Errorf("%w: not the head", ledger.ErrRefused)
	}
	var proof tlog.TreeProof
	for _, h := range c.Proof {
		proof = append(proof, tlog.Hash(h))
	}
	if c.Old > 0 && tlog.CheckTree(proof, c.New, tlog.Hash(c.Root), c.Old, tlog.Hash(head.Root)) != nil {
		return receipt.Block{}, fmt.Errorf("%w: it does not grow from the head", ledger.ErrRefused)
	}
	r.height++
	r.logs[tx.Signer] = c
	b := receipt.Block{Tx: raw}
	b.Chain, b.Height, b.TxTotal = r.id, r.height, 1
	b.TxPath, b.Header, b.Votes = []receipt.Hash{}, []receipt.Hash{}, []receipt.Vote{}
	r.blocks[tx.Signer] = b
	return b, nil
}

func (r *ring) isHalted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waited = r.waited || r.halted
	return r.halted
}

func (r *ring) isWaitedFor() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waited
}

func (r *ring) line(key receipt.Key) receipt.Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines[key]
}

func (r *ring) halt(halted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halted = halted
}

func (r *ring) Head(origin receipt.Key) (int64, tlog.Hash, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return 0, tlog.Hash{}, false
	}
	c, ok := r.logs[origin]
	return c.New, tlog.Hash(c.Root), ok
}

func (r *ring) goAway() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = true
}

func (r *ring) isAway() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.away
}

func (r *ring) Newest(origin receipt.Key) (receipt.Block, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, ok := r.blocks[origin]
	return b, ok
}

func (r *ring) Status() ward.ChainStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return ward.ChainStatus{Chain: r.ID(), Height: r.height, Faults: r.faults, Members: r.clocks}
}

func (r *ring) Validators() (int64, []receipt.Validator) { return 1, nil }

func (r *ring) Line(origin, label receipt.Key) (receipt.Hash, error) {
	return r.line(receipt.LinkKey(origin, label)), nil
}

func (r *ring) ProveLink(origin, label receipt.Key) (receipt.LinkProof, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	value, ok := r.lines[receipt.LinkKey(origin, label)]
	if !ok {
		return receipt.LinkProof{}, nil
	}
	return receipt.LinkProof{Value: &value}, nil
}

func (r *ring) Writes(origin receipt.Key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return origin != r.lost
}

func (r *ring) ProveNames(...receipt.Key) (receipt.Names, error) { return receipt.Names{}, nil }

func (r *ring) Recorded(byte, receipt.Hash) int64 { return 0 }

func (r *ring) ProveRelease(byte, receipt.Hash) (receipt.StateProof, error) {
	return receipt.StateProof{}, nil
}

func (r *ring) Changes(int64) ([]receipt.Change, error) { return nil, nil }

// keep runs a keeper of the desk's log until the test ends, or stop.
func (d *desk) keep(chain ledger.Chain, now func() time.Time) (k *ledger.Keeper, stop func()) {
	d.t.Helper()
	sealer, err := store.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		d.t.Fatal(err)
	}
	k, err = ledger.NewKeeper(d.t.Context(), ledger.Config{
		DB: d.db, Ledger: d.l, Sealer: sealer, Sources: []ledger.Source{shelf{}}, Clinics: d, Chain: chain, Notices: d, Host: "clinic.example",
		Log: slog.New(slog.DiscardHandler), Now: now,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(d.t.Context())
	var running sync.WaitGroup
	running.Go(func() { k.Run(ctx) })
	stop = func() { cancel(); running.Wait() }
	d.t.Cleanup(stop)
	return k, stop
}

func (d *desk) Of(context.Context, *store.Tx, ward.OrgID) (ward.ClinicInfo, error) {
	return ward.ClinicInfo{Name: "Hillside"}, nil
}

func (d *desk) Publish(ward.OrgID, ward.Notice) error { return nil }

// until waits until a keeper's status is as wanted.
func (d *desk) until(k *ledger.Keeper, what string, wanted func(ward.LedgerStatus) bool) ward.LedgerStatus {
	d.t.Helper()
	var s ward.LedgerStatus
	for range 6000 { // a minute, for a machine that has much else to do
		s = ask[ward.LedgerStatus](d, k.GetStatus, "/")
		if wanted(s) {
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	text, _ := json.Marshal(s)
	d.t.Fatalf("waited for %s; the status is %s", what, text)
	return s
}

func allAgreed(s ward.LedgerStatus) bool { return s.Waiting == 0 && s.Links == 0 && s.Agreed != nil }

func alarms(s ward.LedgerStatus) string {
	var all []string
	for _, a := range s.Alarms {
		all = append(all, a.Kind)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// ask calls a handler.
func ask[T any](d *desk, handler func(context.Context, ward.Caller, http.ResponseWriter, *http.Request) error, target string) T {
	d.t.Helper()
	w := httptest.NewRecorder()
	if err := handler(d.t.Context(), ward.Caller{Org: d.org}, w, httptest.NewRequest("GET", target, nil)); err != nil {
		d.t.Fatal(err)
	}
	var answer T
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		d.t.Fatal(err)
	}
	return answer
}

func TestEventsAreAgreedAndProven(t *testing.T) {
	d, chain := newDesk(t), newRing()
	d.event("one")
	k, _ := d.keep(chain, time.Now)
	d.event("two", "three")
	d.write(1, 2)
	d.event("four")
	s := d.until(k, "everything to be agreed", func(s ward.LedgerStatus) bool { return allAgreed(s) && s.Agreed.Size == 6 })
	if alarms(s) != "" || s.Agreed.Root != s.Log.Root {
		t.Errorf("the status is %+v", s)
	}
	var page ward.Events
	if err := d.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		page, err = d.l.List(ctx, tx, d.org, ledger.Query{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	target := "/?event=" + ward.NewID[string]()
	for _, e := range page.Events {
		target += "&event=" + string(e.Event)
	}
	receipts := ask[ward.Receipts](d, k.GetRecordReceipts, target).Receipts
	if len(receipts) != 4 {
		t.Fatalf("%d events are proven", len(receipts))
	}
	for _, r := range receipts {
		proof, err := receipt.Parse[receipt.Receipt](r.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		salt, err := ward.B64.DecodeString(r.Salt)
		if err != nil {
			t.Fatal(err)
		}
		commitment := receipt.Commitment(r.Kind, receipt.Salt(salt), []byte(r.Text))
		tx, err := receipt.ParseTx(proof.Tx)
		if err != nil {
			t.Fatal(err)
		}
		c, err := receipt.ParseCheckpoint(tx.Body)
		if err != nil {
			t.Fatal(err)
		}
		var path tlog.RecordProof
		for _, h := range proof.Path {
			path = append(path, tlog.Hash(h))
		}
		if err := tlog.CheckRecord(path, c.New, tlog.Hash(c.Root), proof.Index, tlog.RecordHash(commitment[:])); err != nil || c.New != proof.Size || proof.Index != r.Leaf {
			t.Errorf("%s: %v", r.Text, err)
		}
	}
	state := ask[ward.RecordState](d, k.GetRecordState, "/")
	d.wants(state)
	if state.Agreed == nil || state.Agreed.Size != state.Leaves {
		t.Errorf("the check knows of %+v", state.Agreed)
	}
}

func TestAnOlderBackupRaisesTheAlarmAndForksNothing(t *testing.T) {
	d, chain := newDesk(t), newRing()
	d.event("one", "two")
	var size, events int64
	var frontier []byte
	d.do(func(ctx context.Context, tx *store.Tx) error { // the backup
		return tx.Row(ctx, `SELECT size, events, frontier FROM ledger_logs WHERE org = $1`, string(d.org)).Scan(&size, &events, &frontier)
	})
	d.event("three", "four")
	k, stop := d.keep(chain, time.Now)
	d.until(k, "everything to be agreed", allAgreed)
	stop()
	height := chain.Status().Height

	d.behind(`DELETE FROM ledger_leaves WHERE org = $1 AND idx >= $2`, string(d.org), size)
	d.behind(`DELETE FROM record_events WHERE org = $1 AND seq > $2`, string(d.org), events)
	d.behind(`DELETE FROM ledger_finals WHERE org = $1`, string(d.org))
	d.behind(`UPDATE ledger_logs SET size = $1, events = $2, frontier = $3 WHERE org = $4`, size, events, frontier, string(d.org))
	k, stop = d.keep(chain, time.Now)
	s := d.until(k, "an alarm", func(s ward.LedgerStatus) bool {
		return strings.Contains(alarms(s), "shorter") || strings.Contains(alarms(s), "forked")
	})
	if !s.ReadOnly {
		t.Error("it is still sent to the chain")
	}
	d.event("five", "six", "seven", "eight") // work goes on, and the log grows past what was agreed
	isForked := func(s ward.LedgerStatus) bool { return strings.Contains(alarms(s), "forked") }
	since := func(s ward.LedgerStatus) string {
		return s.Alarms[slices.IndexFunc(s.Alarms, func(a ward.LedgerAlarm) bool { return a.Kind == "forked" })].Since
	}
	found := since(d.until(k, "the fork to be found", isForked))
	// That the chain was not there to say so for a moment ends no alarm.
	chain.goAway()
	d.event("nine")
	d.until(k, "the chain to be asked", func(ward.LedgerStatus) bool { return !chain.isAway() })
	time.Sleep(100 * time.Millisecond) // in which a wrong answer would be acted on
	if now := since(d.until(k, "the alarm", isForked)); now != found {
		t.Errorf("the alarm of %s is one of %s", found, now)
	}
	state := ask[ward.RecordState](d, k.GetRecordState, "/")
	if state.Whole || len(state.Problems) != 1 || state.Problems[0].Kind != "forked" {
		t.Errorf("the check found %+v", state.Problems)
	}
	stop()
	if chain.Status().Height != height {
		t.Error("something was agreed after the backup was put in place")
	}
	if err := d.db.View(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		page, err := d.l.List(ctx, tx, d.org, ledger.Query{})
		if !slices.ContainsFunc(page.Events, func(e ward.Event) bool { return e.Action == "ledger-alarm" }) {
			t.Error("the alarm is not on the record")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestALogBeginsAgainAfterALoss puts an older copy of a log in the place of one that was agreed further, for good.
func TestALogBeginsAgainAfterALoss(t *testing.T) {
	d, chain := newDesk(t), newRing()
	d.event("one", "two")
	k, stop := d.keep(chain, time.Now)
	d.until(k, "the first two to be agreed", allAgreed)
	if _, err := k.Lost(t.Context(), d.org); ward.KindOf(err) != ward.Conflict {
		t.Errorf("nothing is lost, and that is told as %v", err)
	}
	if _, err := k.BeginAgain(t.Context(), d.org, 0); ward.KindOf(err) != ward.Conflict {
		t.Errorf("a log that is whole begins again: %v", err)
	}
	var size, events int64
	var frontier []byte
	d.do(func(ctx context.Context, tx *store.Tx) error { // the backup
		if err := d.l.Link(ctx, tx, d.org, "amina", 1, []byte("card")); err != nil {
			return err
		}
		return tx.Row(ctx, `SELECT size, events, frontier FROM ledger_logs WHERE org = $1`, string(d.org)).Scan(&size, &events, &frontier)
	})
	d.event("three", "four", "five")
	d.until(k, "everything to be agreed", allAgreed)
	old := ask[ward.Ledger](d, k.GetLedger, "/")
	stop()
	d.behind(`DELETE FROM ledger_leaves WHERE org = $1 AND idx >= $2`, string(d.org), size)
	d.behind(`DELETE FROM record_events WHERE org = $1 AND seq > $2`, string(d.org), events)
	d.behind(`DELETE FROM ledger_finals WHERE org = $1 AND size > $2`, string(d.org), size)
	d.behind(`UPDATE ledger_logs SET size = $1, events = $2, frontier = $3 WHERE org = $4`, size, events, frontier, string(d.org))

	k, stop = d.keep(chain, time.Now)
	d.until(k, "an alarm", func(s ward.LedgerStatus) bool { return alarms(s) != "" })
	lost, err := k.Lost(t.Context(), d.org)
	if err != nil || lost.Lost != 3 || lost.Origin != old.Origin || lost.Size != old.Final.Size || lost.Root != old.Final.Root {
		t.Fatalf("lost is %+v, %v of %+v", lost, err, old.Final)
	}
	if _, err := k.BeginAgain(t.Context(), d.org, 2); ward.KindOf(err) != ward.Conflict {
		t.Errorf("another number confirms it: %v", err)
	}
	if _, err := k.BeginAgain(t.Context(), d.org, 3); err != nil {
		t.Fatal(err)
	}
	d.event("six")
	s := d.until(k, "the new log to be agreed", func(s ward.LedgerStatus) bool { return allAgreed(s) && alarms(s) == "" })
	now := ask[ward.Ledger](d, k.GetLedger, "/")
	if now.Origin == old.Origin || now.Salt != old.Salt || s.ReadOnly {
		t.Errorf("the new log is %+v, read-only %v", now, s.ReadOnly)
	}
	if len(now.Before) != 1 || now.Before[0].Origin != old.Origin || now.Before[0].Size != old.Final.Size || now.Before[0].Lost != 3 || now.Before[0].Time == "" {
		t.Errorf("the log before is told as %+v", now.Before)
	}
	var origin, salt receipt.Key
	if err := errors.Join(origin.UnmarshalText([]byte(now.Origin)), salt.UnmarshalText([]byte(now.Salt))); err != nil {
		t.Fatal(err)
	}
	if chain.line(receipt.LinkKey(origin, receipt.Label(salt, "amina"))) != receipt.LineValue([]byte("card")) {
		t.Error("the lines of cards did not come along")
	}
	d.wants(ask[ward.RecordState](d, k.GetRecordState, "/"))
	if _, err := k.BeginAgain(t.Context(), d.org, 3); ward.KindOf(err) != ward.Conflict {
		t.Errorf("it begins again twice: %v", err)
	}
	stop()
	k, _ = d.keep(chain, time.Now) // and after a restart
	d.event("seven")
	d.until(k, "the new log to be agreed", func(s ward.LedgerStatus) bool { return allAgreed(s) && alarms(s) == "" })
}

func TestALogWhoseOperatorIsNoMoreBeginsAgainWhole(t *testing.T) {
	d, chain := newDesk(t), newRing()
	d.event("one", "two")
	k, _ := d.keep(chain, time.Now)
	d.until(k, "all to be agreed", allAgreed)
	old := ask[ward.Ledger](d, k.GetLedger, "/")
	chain.mu.Lock()
	err := chain.lost.UnmarshalText([]byte(old.Origin))
	chain.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	lost, err := k.Lost(t.Context(), d.org)
	if err != nil || lost.Lost != 0 || lost.Size != old.Final.Size {
		t.Fatalf("lost is %+v, %v", lost, err)
	}
	if _, err := k.BeginAgain(t.Context(), d.org, 0); err != nil {
		t.Fatal(err)
	}
	d.until(k, "the new log to be agreed", allAgreed)
	if now := ask[ward.Ledger](d, k.GetLedger, "/"); now.Origin == old.Origin || now.Final.Size <= old.Final.Size {
		t.Errorf("the new log is %+v", now)
	}
}

func TestAnEditedLogIsNotSentToTheChain(t *testing.T) {
	d, chain := newDesk(t), newRing()
	d.event("one", "two", "three")
	k, stop := d.keep(chain, time.Now)
	d.until(k, "everything to be agreed", allAgreed)
	stop()
	d.behind(`UPDATE ledger_leaves SET commitment = (SELECT commitment FROM ledger_leaves WHERE org = $1 AND idx = 0) WHERE org = $1 AND idx = 1`, string(d.org))
	k, _ = d.keep(chain, time.Now)
	d.until(k, "the edit to be found", func(s ward.LedgerStatus) bool {
		return strings.Contains(alarms(s), "forked") && strings.Contains(alarms(s), "record") && s.ReadOnly
	})
}

func TestWhatHappensDuringAHaltIsAgreedAfterIt(t *testing.T) {
	d, chain := newDesk(t), newRing()
	d.event("one")
	var late time.Duration
	var mu sync.Mutex
	k, _ := d.keep(chain, func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(late) })
	d.until(k, "everything to be agreed", allAgreed)
	chain.halt(true)
	d.event("two")
	d.until(k, "something to wait", func(s ward.LedgerStatus) bool { return s.Waiting > 0 && s.Since != "" && chain.isWaitedFor() })
	mu.Lock()
	late = 2 * time.Minute
	mu.Unlock()
	d.until(k, "the halt to be told", func(s ward.LedgerStatus) bool { return alarms(s) == "halted" })
	d.event("three")
	chain.halt(false)
	s := d.until(k, "all to be agreed and the alarm over", func(s ward.LedgerStatus) bool { return allAgreed(s) && alarms(s) == "" })
	if s.Agreed.Size < 5 { // with the alarm's own beginning and end
		t.Errorf("agreed are %d", s.Agreed.Size)
	}
}

func TestCardsGoToTheirLineInOrder(t *testing.T) {
	d, chain := newDesk(t), newRing()
	person := ward.NewID[ward.PersonID]()
	link := func(serial int64, card string) {
		d.do(func(ctx context.Context, tx *store.Tx) error {
			return d.l.Link(ctx, tx, d.org, person, serial, []byte(card))
		})
	}
	d.event("one")
	link(1, "first")
	link(2, "second")
	k, stop := d.keep(chain, time.Now)
	d.until(k, "cards to be agreed", allAgreed)
	proof := ask[ward.Ledger](d, k.GetLedger, "/")
	salt, err := ward.B64.DecodeString(proof.Salt)
	if err != nil {
		t.Fatal(err)
	}
	origin, err := ward.B64.DecodeString(proof.Origin)
	if err != nil {
		t.Fatal(err)
	}
	key := receipt.LinkKey(receipt.Key(origin), receipt.Label(receipt.Key(salt), string(person)))
	if chain.line(key) != receipt.LineValue([]byte("first"), []byte("second")) {
		t.Error("the line is not the cards")
	}
	stop()

	d.behind(`DELETE FROM ledger_links WHERE org = $1 AND serial = 2`, string(d.org)) // an older backup, and then another card
	link(2, "another")
	k, _ = d.keep(chain, time.Now)
	d.until(k, "the officer to be told", func(s ward.LedgerStatus) bool { return strings.Contains(alarms(s), "line") })
	if chain.line(key) != receipt.LineValue([]byte("first"), []byte("second")) {
		t.Error("the line was bent")
	}
}

func TestAClinicThatJoinsAnotherChainTakesItsLogAndItsCardsAlong(t *testing.T) {
	d, alone, others := newDesk(t), newRing(), newRing()
	others.id = "ward-others"
	person := ward.NewID[ward.PersonID]()
	d.event("one", "two")
	for n, card := range []string{"first", "second"} {
		d.do(func(ctx context.Context, tx *store.Tx) error {
			return d.l.Link(ctx, tx, d.org, person, int64(n+1), []byte(card))
		})
	}
	k, stop := d.keep(alone, time.Now)
	d.until(k, "everything to be agreed", allAgreed)
	stop()

	k, stop = d.keep(others, time.Now)
	s := d.until(k, "everything to be agreed by the others", func(s ward.LedgerStatus) bool { return allAgreed(s) && len(others.lines) == 1 })
	if alarms(s) != "" {
		t.Errorf("alarms: %s", alarms(s))
	}
	for key, line := range alone.lines {
		if others.line(key) != line {
			t.Error("the line is another")
		}
	}
	receipts := ask[ward.Receipts](d, k.GetRecordReceipts, "/?event="+firstEvent(d))
	block, err := receipt.Parse[receipt.Receipt](receipts.Receipts[0].Receipt)
	if err != nil || block.Chain != others.ID() {
		t.Errorf("the first event is proven by chain %q, %v", block.Chain, err)
	}
	late := ask[ward.Receipts](d, k.GetRecordReceipts, fmt.Sprintf("/?from=%d&event=%s", block.Height+1000, firstEvent(d)))
	if !late.Receipts[0].Pending {
		t.Error("it is proven by a head of before the height that was asked from")
	}
	stop()

	d.behind(`UPDATE ledger_leaves SET commitment = (SELECT commitment FROM ledger_leaves WHERE org = $1 AND idx = 0) WHERE org = $1 AND idx = 1`, string(d.org))
	k, _ = d.keep(newRing(), time.Now) // and a third, with a log that is not what the second agreed on
	d.until(k, "the officer to be told", func(s ward.LedgerStatus) bool { return strings.Contains(alarms(s), "forked") })
}

func TestAValidatorThatSignsTwoBlocksIsTold(t *testing.T) {
	d, chain := newDesk(t), newRing()
	chain.faults = []ward.ChainFault{{Kind: "equivocation", Name: "Riverside", Height: 7}}
	d.event("one")
	k, _ := d.keep(chain, time.Now)
	s := d.until(k, "the fault to be told", func(s ward.LedgerStatus) bool { return alarms(s) == "fault" })
	if !strings.Contains(s.Alarms[0].Text, "Riverside signed two different blocks at height 7") {
		t.Errorf("it says %q", s.Alarms[0].Text)
	}
}

func TestAMemberWhoseClockIsWrongIsTold(t *testing.T) {
	d, chain := newDesk(t), newRing()
	d.event("one")
	chain.clocks = []ward.ChainMember{{Validator: ward.Validator{Name: "Riverside"}, ClockOff: 3600}, {Validator: ward.Validator{Name: "Hillside"}, Self: true, ClockOff: -300}}
	k, _ := d.keep(chain, time.Now)
	s := d.until(k, "the clocks to be told", func(s ward.LedgerStatus) bool { return alarms(s) == "clock" })
	for _, text := range []string{"The clock of Riverside is about 60 minutes ahead", "this clinic's own machine is about 5 minutes behind"} {
		if !strings.Contains(s.Alarms[0].Text, text) {
			t.Errorf("it says %q", s.Alarms[0].Text)
		}
	}
}

func TestWithoutAChainEverythingWaits(t *testing.T) {
	d := newDesk(t)
	d.event("one")
	k, _ := d.keep(nil, time.Now)
	is := ask[ward.Ledger](d, k.GetLedger, "/")
	s := d.until(k, "nothing", func(ward.LedgerStatus) bool { return true })
	if is.Chain != "" || is.Origin == "" || s.Chain != nil || s.Waiting != 1 {
		t.Errorf("the ledger is %+v, the status %+v", is, s)
	}
	proof := ask[ward.Receipts](d, k.GetRecordReceipts, "/?event="+firstEvent(d))
	if len(proof.Receipts) != 1 || !proof.Receipts[0].Pending {
		t.Errorf("it is proven: %+v", proof)
	}
}

func firstEvent(d *desk) (id string) {
	d.do(func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT event FROM record_events WHERE org = $1 AND seq = 1`, string(d.org)).Scan(&id)
	})
	return id
}

// TestAnOlderDatabaseGetsItsLeaves begins where the migration leaves a database of an older Ward: rows, and no leaves.
func TestAnOlderDatabaseGetsItsLeaves(t *testing.T) {
	d := newDesk(t)
	for range 3 {
		d.event("one", "two", "three")
		d.write(int(time.Now().UnixNano()))
	}
	d.behind(`DELETE FROM ledger_leaves WHERE org = $1`, string(d.org))
	d.behind(`UPDATE ledger_logs SET size = 0, frontier = NULL, filled = 0 WHERE org = $1`, string(d.org))
	k, stop := d.keep(nil, time.Now)
	d.event("after")
	state := ask[ward.RecordState](d, k.GetRecordState, "/")
	d.wants(state)
	if state.Events != 10 || state.Leaves != 13 {
		t.Errorf("there are %d events and %d leaves", state.Events, state.Leaves)
	}
	stop()
	// It happens once: what has no leaf afterwards was put there by someone.
	d.behind(`INSERT INTO server_secrets (name, sealed, created) SELECT 'entry-new', sealed, 0 FROM server_secrets WHERE name LIKE 'entry-%' LIMIT 1`)
	d.keep(nil, time.Now)
	d.wants(d.check(), "unlogged entry 1 -1")
}

// TestOthersToolsReadTheLog reads the log as C2SP says, with nothing of ours.
func TestOthersToolsReadTheLog(t *testing.T) {
	d := newDesk(t)
	numbers := make([]int, 300)
	for i := range numbers {
		numbers[i] = i
	}
	d.write(numbers...)
	k, _ := d.keep(nil, time.Now)
	fetch := func(handler func(context.Context, ward.Caller, http.ResponseWriter, *http.Request) error, tile string) ([]byte, error) {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.SetPathValue("org", string(d.org))
		r.SetPathValue("tile", tile)
		err := handler(t.Context(), ward.Caller{}, w, r)
		return w.Body.Bytes(), err
	}
	text, err := fetch(k.GetCheckpoint, "")
	if err != nil {
		t.Fatal(err)
	}
	name := "clinic.example/ledger/" + string(d.org)
	origin, err := ward.B64.DecodeString(ask[ward.Ledger](d, k.GetLedger, "/").Origin)
	if err != nil {
		t.Fatal(err)
	}
	key, err := note.NewEd25519VerifierKey(name, ed25519.PublicKey(origin))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	var hashes []tlog.Hash
	for _, tile := range []string{"0/000", "0/001.p/44"} {
		body, err := fetch(k.GetTile, tile)
		if err != nil {
			t.Fatal(err)
		}
		for ; len(body) >= 32; body = body[32:] {
			hashes = append(hashes, tlog.Hash(body))
		}
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (found []tlog.Hash, _ error) {
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for n, h := range hashes {
		more, err := tlog.StoredHashesForRecordHash(int64(n), h, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(300, reader)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%s\n300\n%s\n", name, base64.StdEncoding.EncodeToString(root[:])); signed.Text != want {
		t.Errorf("the checkpoint is %q, want %q", signed.Text, want)
	}
	bundle, err := fetch(k.GetTile, "entries/001.p/44")
	if err != nil || len(bundle) != 44*50 || tlog.RecordHash(bundle[2:50]) != hashes[256] {
		t.Errorf("the entries are %d bytes, %v", len(bundle), err)
	}
	upper, err := fetch(k.GetTile, "1/000.p/1")
	if err != nil || !bytes.Equal(upper, stored[tlog.StoredHashIndex(8, 0)][:]) {
		t.Errorf("the tile above is %x, %v", upper, err)
	}
	for _, none := range []string{"0/002", "0/001", "0/001.p/45", "1/000", "2/000.p/1", "entries/001", "0/1", "00/000", "0/x000/000", "0/000.p/256", "0/000.p/0", "x", ""} {
		if body, err := fetch(k.GetTile, none); ward.KindOf(err) != ward.Missing {
			t.Errorf("tile %q is %d bytes, %v", none, len(body), err)
		}
	}
}

func FuzzTilePaths(f *testing.F) {
	for _, seed := range []string{"0/000", "entries/x001/x234/067.p/3", "6/999.p/255", "0/x1/000", "/", "0/000.p/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		level, n, width, err := ledger.ParseTile(path)
		if err != nil {
			return
		}
		if level < -1 || level > 6 || n < 0 || width < 1 || width > 256 {
			t.Fatalf("%q is tile %d of level %d, %d wide", path, n, level, width)
		}
		if again := ledger.TilePath(level, n, width); again != path {
			t.Fatalf("%q is also %q", path, again)
		}
	})
}
