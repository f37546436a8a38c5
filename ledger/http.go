package ledger

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// What the ledger answers it reads in a snapshot of its own, after it was decided who may ask: a proof reads many rows,
// and nobody who writes should wait for that.

// maxReceipts is how many proofs one answer holds: some 150 KB.
const maxReceipts = 50

// GetLedger answers GET /api/ledger.
func (k *Keeper) GetLedger(ctx context.Context, who ward.Caller, w http.ResponseWriter, _ *http.Request) error {
	own, err := k.secretsOf(ctx, who.Org)
	if err != nil {
		return err
	}
	public := own.public()
	is := ward.Ledger{Origin: public.String(), Salt: own.salt.String(), Before: own.before}
	if k.Chain != nil {
		is.Chain = k.Chain.ID()
		var set []receipt.Validator
		is.Height, set = k.Chain.Validators()
		for _, v := range set {
			is.Validators = append(is.Validators, ward.Validator{Name: v.Name, Key: ward.B64.EncodeToString(v.Key), Power: v.Power, Kind: v.Kind})
		}
	}
	newest, err := k.newestFinal(ctx, who.Org)
	if err == nil {
		is.Final = &ward.LedgerFinal{LogHead: newest.head(), Block: newest.block}
	} else if !errors.Is(err, store.ErrNoRow) {
		return err
	}
	return answer(w, is)
}

func (k *Keeper) newestFinal(ctx context.Context, org ward.OrgID) (f final, err error) {
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		f, err = finalFor(ctx, tx, org, -1, 0)
		return err
	})
	return f, err
}

// GetConsistency answers GET /api/ledger/consistency?from=N.
func (k *Keeper) GetConsistency(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	from, err := number(r, "from")
	if err != nil {
		return err
	}
	shown := ward.Consistency{From: from, Proof: []string{}}
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		newest, err := finalFor(ctx, tx, who.Org, -1, 0)
		if errors.Is(err, store.ErrNoRow) {
			return ward.Errorf(ward.Missing, "nothing is agreed yet")
		}
		if err != nil {
			return err
		}
		if from > newest.size {
			return ward.Errorf(ward.Conflict, "%d leaves are agreed, fewer than %d", newest.size, from).
				WithHint("The server's history may have been changed. Tell the clinic.")
		}
		shown.Final = ward.LedgerFinal{LogHead: newest.head(), Block: newest.block}
		if from == 0 || from == newest.size {
			return nil
		}
		proof, err := tlog.ProveTree(newest.size, from, newTree(tx, who.Org, newest.size).reader(ctx))
		for _, h := range proof {
			shown.Proof = append(shown.Proof, ward.B64.EncodeToString(h[:]))
		}
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, shown)
}

// GetChanges answers GET /api/ledger/changes?after=H.
func (k *Keeper) GetChanges(_ context.Context, _ ward.Caller, w http.ResponseWriter, r *http.Request) error {
	after, err := number(r, "after")
	if err != nil {
		return err
	}
	shown := ward.LedgerChanges{Changes: []json.RawMessage{}}
	if k.Chain != nil {
		changes, err := k.Chain.Changes(after)
		if err != nil {
			return err
		}
		for _, c := range changes {
			text, err := json.Marshal(c)
			if err != nil {
				return err
			}
			shown.Changes = append(shown.Changes, text)
		}
	}
	return answer(w, shown)
}

// asked is something to prove: its kind and text by its ref.
type asked map[string]Leaf

// GetChartReceipts answers GET /api/charts/{chart}/receipts?event=ID…: of events about a chart.
func (k *Keeper) GetChartReceipts(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	refs, err := ids(r, "event")
	if err != nil {
		return err
	}
	return k.prove(ctx, who.Org, w, r, refs, func(ctx context.Context, tx *store.Tx) (asked, error) {
		args := []any{string(who.Org), r.PathValue("chart")}
		for _, ref := range refs {
			args = append(args, ref)
		}
		return askedEvents(ctx, tx, `chart = $2 AND event IN (`+places(3, len(refs))+`)`, args)
	})
}

// GetRecordReceipts answers GET /api/record/receipts?event=ID…: of any events.
func (k *Keeper) GetRecordReceipts(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	refs, err := ids(r, "event")
	if err != nil {
		return err
	}
	return k.prove(ctx, who.Org, w, r, refs, func(ctx context.Context, tx *store.Tx) (asked, error) {
		leaves, err := leavesByRef(ctx, tx, who.Org, receipt.LeafEvent, refs)
		if err != nil || len(leaves) == 0 {
			return nil, err
		}
		args := []any{string(who.Org)}
		for _, leaf := range leaves {
			args = append(args, leaf.seq)
		}
		return askedEvents(ctx, tx, `seq IN (`+places(2, len(leaves))+`)`, args)
	})
}

const (
	// maxAccesses is how many events one answer opens: some 200 KB.
	maxAccesses = 250
	// maxEntries is how many entries of the log one answer holds: 256 KB in b64.
	maxEntries = 4096
)

// GetChartAccesses answers GET /api/charts/{chart}/accesses?after=N: the events about a chart after the N-th of the record.
func (k *Keeper) GetChartAccesses(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	chart := r.PathValue("chart")
	return k.accesses(ctx, w, r, `SELECT marks FROM ledger_charts WHERE org = $1 AND chart = $2`, ` AND e.chart = $2`, string(who.Org), chart)
}

// GetRecordAccesses answers GET /api/record/accesses?after=N.
func (k *Keeper) GetRecordAccesses(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	return k.accesses(ctx, w, r, `SELECT marks FROM ledger_logs WHERE org = $1`, ``, string(who.Org))
}

func (k *Keeper) accesses(ctx context.Context, w http.ResponseWriter, r *http.Request, key, which string, args ...any) error {
	after, err := number(r, "after")
	if err != nil {
		return err
	}
	shown := ward.Accesses{Accesses: []ward.Access{}}
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		var raw []byte
		if err := tx.Row(ctx, key, args...).Scan(&raw); errors.Is(err, store.ErrNoRow) {
			return ward.Errorf(ward.Missing, "nothing is recorded of this yet")
		} else if err != nil {
			return err
		}
		shown.Key = ward.B64.EncodeToString(raw)
		n := len(args)
		args := append(slices.Clone(args), after, int64(maxAccesses+1))
		rows, err := tx.Rows(ctx, `SELECT l.salt, l.commitment, e.body FROM record_events e LEFT JOIN ledger_leaves l ON l.org = e.org AND l.ref = e.event AND l.kind = 'event'
			WHERE e.org = $1`+which+fmt.Sprintf(` AND e.seq > $%d ORDER BY e.seq LIMIT $%d`, n+1, n+2), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if len(shown.Accesses) == maxAccesses {
				shown.More = true
				break
			}
			var leaf keptLeaf
			var body []byte
			if err := rows.Scan(&leaf.salt, &leaf.commitment, &body); err != nil {
				return err
			}
			salt, _ := leaf.opens() // what no leaf speaks of is shown as it is: the reader finds that it does not fit
			shown.Accesses = append(shown.Accesses, ward.Access{Salt: ward.B64.EncodeToString(salt[:]), Text: string(body)})
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	return answer(w, shown)
}

// GetEntries answers GET /api/ledger/entries?from=N: the log's entries from a place on, which say nothing to who has no key.
func (k *Keeper) GetEntries(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	from, err := number(r, "from")
	if err != nil {
		return err
	}
	var all []byte
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		entries, err := commitments(ctx, tx, who.Org, from, from+maxEntries)
		for _, e := range entries {
			all = append(all, e...)
		}
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, ward.LedgerEntries{From: from, Entries: ward.B64.EncodeToString(all)})
}

func askedEvents(ctx context.Context, tx *store.Tx, where string, args []any) (asked, error) {
	rows, err := tx.Rows(ctx, `SELECT event, body FROM record_events WHERE org = $1 AND `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := asked{}
	for rows.Next() {
		leaf := Leaf{Kind: receipt.LeafEvent}
		if err := rows.Scan(&leaf.Ref, &leaf.Content); err != nil {
			return nil, err
		}
		all[leaf.Ref] = leaf
	}
	return all, rows.Err()
}

// GetLockReceipts answers GET /api/locks/{lock}/receipts?entry=ID…&grant=ID…&epoch=N…: of what is kept in a lock.
func (k *Keeper) GetLockReceipts(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	lock := ward.LockID(r.PathValue("lock"))
	var refs []string
	kindOf := map[string]string{}
	for _, kind := range []string{receipt.LeafEntry, receipt.LeafGrant} {
		some, err := ids(r, kind)
		if err != nil {
			return err
		}
		for _, ref := range some {
			refs, kindOf[ref] = append(refs, ref), kind
		}
	}
	for _, number := range r.URL.Query()["epoch"] {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 {
			return ward.Errorf(ward.Invalid, "epoch must be a number from 1")
		}
		ref := string(lock) + "/" + strconv.FormatInt(n, 10)
		refs, kindOf[ref] = append(refs, ref), receipt.LeafEpoch
	}
	if len(refs) > maxReceipts {
		return tooMany()
	}
	return k.prove(ctx, who.Org, w, r, refs, func(ctx context.Context, tx *store.Tx) (asked, error) {
		texts, err := k.Locks.TextsOf(ctx, tx, who.Org, lock, refs)
		all := asked{}
		for ref, text := range texts {
			all[ref] = Leaf{Kind: kindOf[ref], Ref: ref, Content: text}
		}
		return all, err
	})
}

// prove answers with the leaf of each thing that is there, and with the proof that it is agreed, if it is. Who came to know
// the organisations later than something was agreed asks with from=H: a newer head proves it as well, signed by those they know.
func (k *Keeper) prove(ctx context.Context, org ward.OrgID, w http.ResponseWriter, r *http.Request, refs []string, find func(context.Context, *store.Tx) (asked, error)) error {
	shown := ward.Receipts{Receipts: []ward.Receipt{}}
	from, err := number(r, "from")
	if err != nil {
		return err
	}
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		if len(refs) == 0 {
			return nil
		}
		things, err := find(ctx, tx)
		if err != nil {
			return err
		}
		p := prover{tx: tx, org: org, from: from, trees: map[int64]*tree{}}
		for _, ref := range refs {
			thing, ok := things[ref]
			if !ok {
				continue
			}
			one, err := p.prove(ctx, thing)
			if err != nil {
				return err
			}
			shown.Receipts = append(shown.Receipts, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return answer(w, shown)
}

// prover makes proofs in one transaction.
type prover struct {
	tx    *store.Tx
	org   ward.OrgID
	from  int64           // the height of the chain from which the reader knows who signs
	trees map[int64]*tree // by size
}

// prove proves one thing. What no leaf speaks of, or what a leaf speaks of otherwise, is shown as it is: the reader finds
// that it does not fit, and says so.
func (p prover) prove(ctx context.Context, thing Leaf) (ward.Receipt, error) {
	shown := ward.Receipt{Ref: thing.Ref, Leaf: -1, Kind: thing.Kind, Text: string(thing.Content)}
	leaves, err := leavesByRef(ctx, p.tx, p.org, thing.Kind, []string{thing.Ref})
	if err != nil {
		return shown, err
	}
	leaf, ok := leaves[thing.Ref]
	if !ok {
		return shown, nil
	}
	salt, _ := leaf.opens() // of one that was emptied or altered nothing fits
	shown.Leaf, shown.Salt = leaf.idx, ward.B64.EncodeToString(salt[:])
	f, err := finalFor(ctx, p.tx, p.org, leaf.idx, p.from)
	if errors.Is(err, store.ErrNoRow) {
		shown.Pending = true
		return shown, nil
	}
	if err != nil {
		return shown, err
	}
	log := p.trees[f.size]
	if log == nil {
		log = newTree(p.tx, p.org, f.size)
		p.trees[f.size] = log
	}
	path, err := tlog.ProveRecord(f.size, leaf.idx, log.reader(ctx))
	if err != nil {
		return shown, err
	}
	block, err := receipt.Parse[receipt.Block](f.block)
	if err != nil {
		return shown, err
	}
	proof := receipt.Receipt{Block: block, Index: leaf.idx, Size: f.size}
	for _, h := range path {
		proof.Path = append(proof.Path, receipt.Hash(h))
	}
	shown.Receipt, err = json.Marshal(proof)
	return shown, err
}

// GetCardProof answers GET /api/people/{person}/card-proof: what is agreed of a person's own chain.
func (k *Keeper) GetCardProof(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	return k.lineProof(ctx, who, w, r.PathValue("person"))
}

// GetRosterProof answers GET /api/membership/proof: what is agreed of the clinic's roster.
func (k *Keeper) GetRosterProof(ctx context.Context, who ward.Caller, w http.ResponseWriter, _ *http.Request) error {
	return k.lineProof(ctx, who, w, string(who.Org))
}

func (k *Keeper) lineProof(ctx context.Context, who ward.Caller, w http.ResponseWriter, person string) error {
	own, err := k.secretsOf(ctx, who.Org)
	if err != nil {
		return err
	}
	label := receipt.Label(own.salt, person)
	shown := ward.CardProof{Label: label.String(), Pending: true}
	if k.Chain == nil {
		return answer(w, shown)
	}
	var waiting int64
	err = k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT count(*) FROM ledger_links WHERE org = $1 AND person = $2 AND state = 'waiting'`, string(who.Org), person).Scan(&waiting)
	})
	if err != nil {
		return err
	}
	newest, err := k.Chain.Line(own.public(), label)
	if err != nil {
		return err
	}
	proof, err := k.Chain.ProveLink(own.public(), label)
	if err != nil {
		return err
	}
	shown.Pending = waiting > 0 || newest != receipt.Hash{} && (proof.Value == nil || *proof.Value != newest) // no block signs it yet
	if shown.Proof, err = json.Marshal(proof); err != nil {
		return err
	}
	return answer(w, shown)
}

// GetRecordState answers GET /api/record/state: it reads the whole record and tells whether it fits together.
func (k *Keeper) GetRecordState(ctx context.Context, who ward.Caller, w http.ResponseWriter, _ *http.Request) error {
	state, err := k.Check(ctx, who.Org)
	if err != nil {
		return err
	}
	return answer(w, state)
}

// GetStatus answers GET /api/ledger/status.
func (k *Keeper) GetStatus(ctx context.Context, who ward.Caller, w http.ResponseWriter, _ *http.Request) error {
	shown := ward.LedgerStatus{ReadOnly: k.isReadOnly(who.Org)}
	err := k.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		size, err := sizeOf(ctx, tx, who.Org)
		if err != nil {
			return err
		}
		root, err := newTree(tx, who.Org, size).rootAt(ctx, size)
		if err == nil { // a log that lost leaves has none, and an alarm
			shown.Log.Root = ward.B64.EncodeToString(root[:])
		}
		shown.Log.Size, shown.Waiting = size, size
		newest, err := finalFor(ctx, tx, who.Org, -1, 0)
		if err == nil {
			h := newest.head()
			shown.Agreed, shown.AgreedAt, shown.Waiting = &h, ward.FormatTime(newest.at), max(size-newest.size, 0)
		} else if !errors.Is(err, store.ErrNoRow) {
			return err
		}
		if shown.Alarms, err = openAlarms(ctx, tx, who.Org); err != nil {
			return err
		}
		if shown.Since, err = waitingSince(ctx, tx, who.Org, newest.size); err != nil {
			return err
		}
		return tx.Row(ctx, `SELECT count(*) FROM ledger_links WHERE org = $1 AND state = 'waiting'`, string(who.Org)).Scan(&shown.Links)
	})
	if err != nil {
		return err
	}
	if k.Chain != nil {
		status := k.Chain.Status()
		shown.Chain = &status
		shown.Running = k.running()
	}
	s := k.log(who.Org)
	k.guard.Lock()
	shown.Record = s.checked
	k.guard.Unlock()
	return answer(w, shown)
}

// running tells which programs run here, and with which numbers they are recorded.
func (k *Keeper) running() []ward.ChainRelease {
	if k.Running == nil {
		return nil
	}
	programs := slices.Clone(k.Running())
	for i, p := range programs {
		if sum, err := hex.DecodeString(p.Sum); err == nil && len(sum) == 32 {
			programs[i].Number = k.Chain.Recorded(receipt.ReleaseKinds[p.Kind], receipt.Hash(sum))
		}
	}
	return programs
}

// GetNames answers GET /api/ledger/names.
func (k *Keeper) GetNames(ctx context.Context, who ward.Caller, w http.ResponseWriter, _ *http.Request) error {
	own, err := k.secretsOf(ctx, who.Org)
	if err != nil {
		return err
	}
	if k.Chain == nil {
		return ward.Errorf(ward.Missing, "this clinic has no chain")
	}
	logs := []receipt.Key{own.public()}
	for _, b := range own.before {
		var origin receipt.Key
		if err := origin.UnmarshalText([]byte(b.Origin)); err != nil {
			return err
		}
		logs = append(logs, origin)
	}
	names, err := k.Chain.ProveNames(logs...)
	if err != nil {
		return err
	}
	return answer(w, names)
}

// GetAppRelease answers GET /api/ledger/app?sum=SHA-256: whether an app is one that the members recorded.
func (k *Keeper) GetAppRelease(_ context.Context, _ ward.Caller, w http.ResponseWriter, r *http.Request) error {
	sum, err := hex.DecodeString(r.URL.Query().Get("sum"))
	if err != nil || len(sum) != 32 {
		return ward.Errorf(ward.Invalid, "sum must be a SHA-256 in hex")
	}
	var shown ward.AppRelease
	if k.Chain == nil {
		return answer(w, shown)
	}
	proof, err := k.Chain.ProveRelease(receipt.ReleaseApp, receipt.Hash(sum))
	if err != nil {
		return err
	}
	if shown.Proof, err = json.Marshal(proof); err != nil {
		return err
	}
	return answer(w, shown)
}

// waitingSince is when the first event after a size of the log was written, or nothing.
func waitingSince(ctx context.Context, tx *store.Tx, org ward.OrgID, size int64) (string, error) {
	var seq int64
	err := tx.Row(ctx, `SELECT seq FROM ledger_leaves WHERE org = $1 AND idx >= $2 AND kind = 'event' ORDER BY idx LIMIT 1`, string(org), size).Scan(&seq)
	if errors.Is(err, store.ErrNoRow) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var body []byte
	err = tx.Row(ctx, `SELECT body FROM record_events WHERE org = $1 AND seq = $2`, string(org), seq).Scan(&body)
	if errors.Is(err, store.ErrNoRow) { // taken out: a check tells
		return "", nil
	}
	var e ward.Event
	if err == nil && json.Unmarshal(body, &e) != nil {
		return "", nil
	}
	return e.Time, err
}

// PostVote answers POST /api/ledger/votes: this member's vote in the chain's council. Members agree on it after this
// answers, which could take long; the status shows it then.
func (k *Keeper) PostVote(_ context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.LedgerVote](r.Body)
	if err != nil {
		return nil, err
	}
	if k.Council == nil || k.Chain == nil {
		return nil, ward.Errorf(ward.Missing, "this clinic has no chain to vote on")
	}
	if !slices.ContainsFunc(k.Chain.Status().Votes, func(v ward.ChainVote) bool { return v.Subject == body.Subject }) {
		return nil, ward.Errorf(ward.Missing, "nothing of this name is voted on").WithHint("It may be decided. Look again.")
	}
	tx.AfterCommit(func() {
		select {
		case k.votes <- body:
		default: // so many wait that the chain must stand still; the status shows that none was cast
		}
	})
	return nil, nil
}

// ids reads a query parameter that is given once for each id.
func ids(r *http.Request, name string) ([]string, error) {
	all := r.URL.Query()[name]
	if len(all) > maxReceipts {
		return nil, tooMany()
	}
	for _, id := range all {
		if !ward.IsID(id) {
			return nil, ward.Errorf(ward.Invalid, "%s must be an id", name)
		}
	}
	return all, nil
}

func tooMany() error {
	return ward.Errorf(ward.Invalid, "ask for at most %d receipts at a time", maxReceipts)
}

// number reads a query parameter that counts from 0.
func number(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, ward.Errorf(ward.Invalid, "%s must be a number from 0", name)
	}
	return n, nil
}

func answer(w http.ResponseWriter, body any) error {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body) // a caller who has gone cannot be told
	return nil
}
