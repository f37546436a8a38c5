package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// A Source keeps statements that the log commits to.
type Source interface {
	// Kinds are those of leaves that speak of what it keeps.
	Kinds() []string
	// Statements reads a page of those of a kind, in an order of its own, after the place of one; at first after "". The
	// last page is empty.
	Statements(ctx context.Context, tx *store.Tx, org ward.OrgID, kind, after string, limit int) ([]Statement, error)
}

// Statement is something kept, as a source gives it.
type Statement struct {
	Leaf
	Place string // in the source's order
	Sound bool   // what is kept beside the text is what the text says

	// Of a card that counts: whose line it is on, and its place there.
	Line   ward.PersonID
	Serial int64
}

// checkPage is how much a check reads at a time: between pages others may write.
const checkPage = 500

// checker is one check of an organisation's record.
type checker struct {
	db     *store.DB
	org    ward.OrgID
	state  ward.RecordState
	leaves []mark           // what was found of each
	newest map[string]int64 // of kinds that are replaced: the newest leaf of each ref
	counts map[string]*ward.RecordProblem
}

// mark is what a check knows of a leaf.
type mark struct {
	kind  uint8 // index in kinds
	state uint8
}

const (
	speaks   = iota // of something that was not found yet
	found           // and it fits
	emptied         // its salt is gone
	replaced        // a newer leaf speaks of what is kept
)

var kinds = []string{receipt.LeafEvent, receipt.LeafEntry, receipt.LeafGrant, receipt.LeafEnd, receipt.LeafEpoch, receipt.LeafMembership, receipt.LeafBrowser, receipt.LeafClinic}

// replaceable are kinds of which something new may take the place of what is kept.
var replaceable = []string{receipt.LeafMembership, receipt.LeafBrowser, receipt.LeafClinic}

// Check reads an organisation's whole record and log, in pages, and tells what does not fit: what is kept against its
// commitments, these against the tree, and the tree against what the chain agreed (agreed, if there is any, by size).
// What is written while it runs is left for the next.
func Check(ctx context.Context, db *store.DB, org ward.OrgID, now string, agreed []ward.LogHead, sources ...Source) (ward.RecordState, error) {
	c := &checker{db: db, org: org, newest: map[string]int64{}, counts: map[string]*ward.RecordProblem{}}
	c.state.Checked = now
	if err := c.readLog(ctx, agreed); err != nil {
		return ward.RecordState{}, fmt.Errorf("check the log: %w", err)
	}
	for _, source := range append([]Source{events{}}, sources...) {
		for _, kind := range source.Kinds() {
			if err := c.readKept(ctx, source, kind); err != nil {
				return ward.RecordState{}, fmt.Errorf("check what is kept of kind %s: %w", kind, err)
			}
		}
	}
	if err := c.conclude(ctx, sources); err != nil {
		return ward.RecordState{}, err
	}
	return c.state, nil
}

// problem counts something that does not fit.
func (c *checker) problem(kind, about string, first int64, ref string) {
	p := c.counts[kind+about]
	if p == nil {
		p = &ward.RecordProblem{Kind: kind, About: about, First: first, Ref: ref}
		c.counts[kind+about] = p
	}
	p.Count++
}

// readLog walks the leaves, builds the tree anew, and compares it with what is kept of it and with what was agreed.
func (c *checker) readLog(ctx context.Context, agreed []ward.LogHead) error {
	var kept []byte
	var size int64
	err := c.db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.Row(ctx, `SELECT size, events, frontier FROM ledger_logs WHERE org = $1`, string(c.org)).Scan(&size, &c.state.Events, &kept)
		if errors.Is(err, store.ErrNoRow) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	c.state.Leaves = size
	var end frontier
	var whole []tlog.Hash
	agreed = slices.Clone(agreed)
	slices.SortFunc(agreed, func(a, b ward.LogHead) int { return int(a.Size - b.Size) })
	fits := int64(0) // leaves up to the last agreed head that fits
	compare := func(at int64) {
		for len(agreed) > 0 && agreed[0].Size == at {
			root := end.root()
			if agreed[0].Root == ward.B64.EncodeToString(root[:]) {
				fits = at
			} else {
				c.problem("forked", "", fits, "")
			}
			agreed = agreed[1:]
		}
	}
	for next := int64(0); next < size; {
		page, err := c.leavesFrom(ctx, next, min(next+checkPage, size))
		if err != nil {
			return err
		}
		for _, leaf := range page {
			if leaf.idx != next { // a leaf was taken out: nothing after it can fit
				break
			}
			hash := tlog.RecordHash(leaf.commitment)
			end = end.add(next, hash)
			whole = append(whole, hash)
			c.note(leaf)
			next++
			if len(whole) == tileWidth {
				if err := c.compareTile(ctx, next/tileWidth-1, whole); err != nil {
					return err
				}
				whole = whole[:0]
			}
			compare(next)
		}
		if len(page) == 0 || page[len(page)-1].idx != next-1 {
			c.problem("tree", "", next, "")
			c.state.Leaves = next
			break
		}
	}
	root := end.root()
	c.state.Root = ward.B64.EncodeToString(root[:])
	if c.counts["tree"] == nil && string(end.bytes()) != string(kept) {
		c.problem("tree", "", size, "")
	}
	if len(agreed) > 0 {
		c.problem("shorter", "", c.state.Leaves, "")
		c.counts["shorter"].Count = agreed[len(agreed)-1].Size - c.state.Leaves
	}
	return nil
}

// compareTile compares a tile of leaves with the one that was kept when they were written.
func (c *checker) compareTile(ctx context.Context, n int64, hashes []tlog.Hash) error {
	var kept []tlog.Hash
	err := c.db.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		kept, err = getTile(ctx, tx, c.org, 0, n)
		return err
	})
	if err != nil {
		return err
	}
	for i, h := range hashes {
		if len(kept) != len(hashes) || kept[i] != h {
			c.problem("tree", "", n*tileWidth+int64(i), "")
			return nil
		}
	}
	return nil
}

// keptLeaf is a row of leaves.
type keptLeaf struct {
	idx, seq         int64
	kind, ref        string
	salt, commitment []byte
}

// opens gives what opens a leaf: the salt that is kept, and its marks.
func (l keptLeaf) opens() (receipt.Salt, bool) {
	if len(l.salt) != 16 || len(l.commitment) != 48 {
		return receipt.Salt{}, false
	}
	return receipt.Salt(append(slices.Clone(l.salt), l.commitment[32:]...)), true
}

func (c *checker) leavesFrom(ctx context.Context, from, to int64) ([]keptLeaf, error) {
	var all []keptLeaf
	err := c.db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.Rows(ctx, `SELECT idx, kind, ref, seq, salt, commitment FROM ledger_leaves WHERE org = $1 AND idx >= $2 AND idx < $3 ORDER BY idx`, string(c.org), from, to)
		if err != nil {
			return err
		}
		all, err = scanLeaves(rows)
		return err
	})
	return all, err
}

func scanLeaves(rows *store.Rows) ([]keptLeaf, error) {
	defer rows.Close()
	var all []keptLeaf
	for rows.Next() {
		var l keptLeaf
		if err := rows.Scan(&l.idx, &l.kind, &l.ref, &l.seq, &l.salt, &l.commitment); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

// note remembers a leaf until what it speaks of is found.
func (c *checker) note(leaf keptLeaf) {
	kind := slices.Index(kinds, leaf.kind)
	if kind < 0 {
		c.problem("tree", "", leaf.idx, "")
		kind = 0
	}
	m := mark{kind: uint8(kind)}
	if leaf.salt == nil {
		m.state = emptied
		if leaf.kind == receipt.LeafEvent {
			c.problem("emptied", leaf.kind, leaf.idx, leaf.ref)
		}
	} else if slices.Contains(replaceable, leaf.kind) {
		if before, ok := c.newest[leaf.kind+"\n"+leaf.ref]; ok {
			c.leaves[before].state = replaced
		}
		c.newest[leaf.kind+"\n"+leaf.ref] = leaf.idx
	}
	c.leaves = append(c.leaves, m)
}

// readKept walks what is kept of a kind and finds the leaf of each.
func (c *checker) readKept(ctx context.Context, source Source, kind string) error {
	for after := ""; ; {
		var page []Statement
		leaves := map[string]keptLeaf{}
		err := c.db.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			if page, err = source.Statements(ctx, tx, c.org, kind, after, checkPage); err != nil || len(page) == 0 {
				return err
			}
			leaves, err = leavesOf(ctx, tx, c.org, kind, page)
			return err
		})
		if err != nil {
			return err
		}
		for _, s := range page {
			c.compare(kind, s, leaves)
		}
		if len(page) == 0 {
			return nil
		}
		after = page[len(page)-1].Place
	}
}

func (c *checker) compare(kind string, s Statement, leaves map[string]keptLeaf) {
	leaf, ok := leaves[s.Ref]
	switch {
	case !ok:
		c.problem("unlogged", kind, placeOf(s, -1), s.Ref)
	case leaf.idx >= int64(len(c.leaves)): // since the check began, or beyond where the log is broken
	case !fits(leaf, s):
		c.problem("altered", kind, placeOf(s, leaf.idx), s.Ref)
		c.leaves[leaf.idx].state = found // though not as it was
	default:
		c.leaves[leaf.idx].state = found
	}
}

func fits(leaf keptLeaf, s Statement) bool {
	salt, ok := leaf.opens()
	if !ok {
		return false
	}
	want := receipt.Commitment(leaf.kind, salt, s.Content)
	return s.Sound && string(want[:]) == string(leaf.commitment)
}

// placeOf names a statement to a person: an event by its sequence, all else by its leaf.
func placeOf(s Statement, leaf int64) int64 {
	if s.Kind == receipt.LeafEvent {
		return placeNumber(s.Place)
	}
	return leaf
}

// leavesOf finds the newest leaf of each of a page.
func leavesOf(ctx context.Context, tx *store.Tx, org ward.OrgID, kind string, page []Statement) (map[string]keptLeaf, error) {
	refs := make([]string, len(page))
	for i, s := range page {
		refs[i] = s.Ref
	}
	return leavesByRef(ctx, tx, org, kind, refs)
}

func leavesByRef(ctx context.Context, tx *store.Tx, org ward.OrgID, kind string, refs []string) (map[string]keptLeaf, error) {
	all := map[string]keptLeaf{}
	if len(refs) == 0 {
		return all, nil
	}
	args := []any{string(org), kind}
	for _, ref := range refs {
		args = append(args, ref)
	}
	rows, err := tx.Rows(ctx, `SELECT idx, kind, ref, seq, salt, commitment FROM ledger_leaves WHERE org = $1 AND kind = $2 AND ref IN (`+places(3, len(refs))+`) ORDER BY idx`, args...)
	if err != nil {
		return nil, err
	}
	found, err := scanLeaves(rows)
	for _, leaf := range found {
		all[leaf.ref] = leaf
	}
	return all, err
}

// conclude looks again at leaves that nothing was found for, since it may have been erased or replaced meanwhile, compares
// what was emptied with what erasures counted, and says it all in words.
func (c *checker) conclude(ctx context.Context, sources []Source) error {
	known := []string{receipt.LeafEvent}
	for _, source := range sources {
		known = append(known, source.Kinds()...)
	}
	var lost []int64
	for idx, m := range c.leaves {
		if m.state == speaks && slices.Contains(known, kinds[m.kind]) {
			lost = append(lost, int64(idx))
		}
	}
	for page := range slices.Chunk(lost, checkPage) {
		if err := c.missing(ctx, page); err != nil {
			return err
		}
	}
	err := c.db.View(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		var counted int64
		if c.state.Erased, counted, err = erased(ctx, tx, c.org); err == nil && counted != c.state.Erased {
			c.problem("emptied", "", -1, "")
			c.counts["emptied"].Count = c.state.Erased - counted
		}
		return err
	})
	for _, p := range c.counts {
		p.Text = inWords(*p)
		c.state.Problems = append(c.state.Problems, *p)
	}
	slices.SortFunc(c.state.Problems, func(a, b ward.RecordProblem) int { return strings.Compare(a.Kind+a.About, b.Kind+b.About) })
	c.state.Whole = len(c.state.Problems) == 0
	return err
}

// missing counts leaves that still speak of something and of which nothing is kept.
func (c *checker) missing(ctx context.Context, indexes []int64) error {
	return c.db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		args := []any{string(c.org)}
		for _, idx := range indexes {
			args = append(args, idx)
		}
		rows, err := tx.Rows(ctx, `SELECT idx, kind, ref, seq, salt, commitment FROM ledger_leaves l WHERE org = $1 AND salt IS NOT NULL AND idx IN (`+places(2, len(indexes))+`)
			AND NOT EXISTS (SELECT 1 FROM ledger_leaves n WHERE n.org = l.org AND n.ref = l.ref AND n.kind = l.kind AND n.idx > l.idx) ORDER BY idx`, args...)
		if err != nil {
			return err
		}
		found, err := scanLeaves(rows)
		for _, leaf := range found {
			c.problem("missing", leaf.kind, leaf.idx, leaf.ref)
		}
		return err
	})
}

// erased counts the leaves that were emptied, and what erasures say that they emptied.
func erased(ctx context.Context, tx *store.Tx, org ward.OrgID) (emptied, counted int64, err error) {
	err = tx.Row(ctx, `SELECT count(*) FROM ledger_leaves WHERE org = $1 AND salt IS NULL AND kind <> 'event'`, string(org)).Scan(&emptied)
	if err != nil {
		return 0, 0, err
	}
	rows, err := tx.Rows(ctx, `SELECT body FROM record_events WHERE org = $1 AND action = '`+forgotten+`'`, string(org))
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return 0, 0, err
		}
		var e ward.Event
		if json.Unmarshal(body, &e) == nil { // if not it was altered, which is told elsewhere
			counted += e.Count
		}
	}
	return emptied, counted, rows.Err()
}

var names = map[string][2]string{
	receipt.LeafEvent: {"event of the record", "events of the record"}, receipt.LeafEntry: {"entry", "entries"}, receipt.LeafGrant: {"grant", "grants"},
	receipt.LeafEpoch: {"key of a lock", "keys of locks"}, receipt.LeafMembership: {"statement of who is who", "statements of who is who"}, receipt.LeafBrowser: {"browser's key", "browsers' keys"},
	receipt.LeafClinic: {"founding statement", "founding statements"}, receipt.LeafEnd: {"end of a grant", "ends of grants"},
}

// inWords tells an officer what a problem is.
func inWords(p ward.RecordProblem) string {
	name, are, they := names[p.About][0], "is", "it"
	if p.Count != 1 {
		name, are, they = names[p.About][1], "are", "they"
	}
	where := ""
	if p.First >= 0 && p.About == receipt.LeafEvent && p.Kind != "missing" {
		where = fmt.Sprintf("; the first is event %d", p.First)
	} else if p.First >= 0 {
		where = fmt.Sprintf("; the first is at place %d of the log", p.First)
	}
	switch p.Kind {
	case "altered":
		return fmt.Sprintf("%d %s %s not as written: changed after %s went into the log%s", p.Count, name, are, they, where)
	case "missing":
		if p.About == receipt.LeafEnd {
			return fmt.Sprintf("%d %s %s gone: the log has %s, the database does not, so who was taken off a chart or a team may hold it again%s", p.Count, name, are, they, where)
		}
		return fmt.Sprintf("%d %s %s gone: the log has %s, the database does not, and nobody erased %s%s", p.Count, name, are, they, they, where)
	case "unlogged":
		return fmt.Sprintf("%d %s %s in the database and not in the log: put there past Ward%s", p.Count, name, are, where)
	case "emptied":
		if p.About != "" {
			return fmt.Sprintf("%d %s can no longer be checked: what ties %s to the log was taken away%s", p.Count, name, they, where)
		}
		return fmt.Sprintf("%d more places of the log were emptied than erasures account for", p.Count)
	case "tree":
		return fmt.Sprintf("the log itself was changed or cut, from place %d on", p.First)
	case "forked":
		return fmt.Sprintf("the log is not the one that was agreed: it was changed somewhere after place %d", p.First)
	case "shorter":
		return fmt.Sprintf("the log ends at place %d, %d short of what was agreed: an older backup, or its end was cut off", p.First, p.Count)
	case "line":
		return fmt.Sprintf("the keys of %d of the clinic's people are not those that were agreed", p.Count)
	}
	return p.Kind
}

// events is the record as a source.
type events struct{}

func (events) Kinds() []string { return []string{receipt.LeafEvent} }

func (events) Statements(ctx context.Context, tx *store.Tx, org ward.OrgID, _, after string, limit int) ([]Statement, error) {
	rows, err := tx.Rows(ctx, `SELECT seq, event, time, action, person, chart, body FROM record_events WHERE org = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
		string(org), placeNumber(after), int64(limit))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []Statement
	for rows.Next() {
		var seq, moment int64
		var event, action, person, chart string
		var body []byte
		if err := rows.Scan(&seq, &event, &moment, &action, &person, &chart, &body); err != nil {
			return nil, err
		}
		page = append(page, Statement{
			Leaf: Leaf{Kind: receipt.LeafEvent, Ref: event, Content: body, seq: seq}, Place: strconv.FormatInt(seq, 10),
			Sound: describes(body, seq, event, moment, action, person, chart),
		})
	}
	return page, rows.Err()
}

// placeNumber undoes how events write their place; what is none is 0, before the first.
func placeNumber(place string) int64 {
	n, _ := strconv.ParseInt(place, 10, 64)
	return n
}

// describes tells whether an event's columns, which queries use, say what its committed bytes say.
func describes(body []byte, seq int64, event string, moment int64, action, person, chart string) bool {
	var e ward.Event
	if json.Unmarshal(body, &e) != nil {
		return false
	}
	at, err := ward.ParseTime(e.Time)
	return err == nil && at.UnixMilli() == moment && e.Seq == seq && string(e.Event) == event &&
		e.Action == action && string(e.Person) == person && string(e.Chart) == chart
}
