package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ward"
	"ward/ledger/receipt"
	"ward/store"
)

// item is one of what operations leave for the end of their commit: an event, a leaf, or what to forget.
type item struct {
	event  *ward.Event
	leaf   Leaf
	forget []string
}

// forgotten is the action of the event that counts leaves whose salts an erasure forgot.
const forgotten = "forget"

// extend writes what operations gathered. What is to be forgotten may have been gathered in the same commit, so it
// comes after all leaves, and the events that count it after that.
func (l *Ledger) extend(ctx context.Context, tx *store.Tx, org ward.OrgID, items []item) error {
	var refs []string
	grown := slices.DeleteFunc(slices.Clone(items), func(i item) bool {
		refs = append(refs, i.forget...)
		return i.forget != nil
	})
	if err := grow(ctx, tx, org, grown); err != nil || len(refs) == 0 {
		return err
	}
	count := int64(0)
	for page := range slices.Chunk(refs, forgetPage) {
		n, err := forget(ctx, tx, org, page)
		if err != nil {
			return err
		}
		count += n
	}
	if count == 0 {
		return nil
	}
	now := l.now()
	e := ward.Event{Event: ward.NewIDAt[ward.EventID](now), Time: ward.FormatTime(now), Action: forgotten, Decision: "done", Count: count}
	return grow(ctx, tx, org, []item{{event: &e}})
}

// head is the end of a log.
type head struct {
	size     int64
	frontier frontier
	kept     []byte // the frontier, as it is kept
	salt     receipt.Key
	record   line
	charts   map[ward.ChartID]*line
}

// line is the end of events that follow one another: all of the record, or all that name a chart. Each has a number without a
// gap, the commitment of the one before, and a mark that only who knows the key can tell from chance.
type line struct {
	number int64
	newest receipt.Hash // the commitment of the last
	key    receipt.Key
}

// grow appends to a log. The head's row is updated first: that serialises writers to one log, and gives these their
// places, numbers and what they follow.
func grow(ctx context.Context, tx *store.Tx, org ward.OrgID, items []item) error {
	if len(items) == 0 {
		return nil
	}
	events := int64(0)
	var charts []ward.ChartID
	for _, i := range items {
		if i.event == nil {
			continue
		}
		events++
		if c := i.event.Chart; c != "" && !slices.Contains(charts, c) {
			charts = append(charts, c)
		}
	}
	h, err := reserve(ctx, tx, org, int64(len(items)), events, charts)
	if err != nil {
		return err
	}
	leaves := make([]planted, len(items))
	salts := make([]byte, 32*len(items))
	rand.Read(salts)
	var rows []any // of events
	for n, i := range items {
		salt := receipt.Salt(salts[32*n:])
		if i.event == nil {
			leaves[n] = plantedOf(i.leaf, salt)
			continue
		}
		e := *i.event
		h.next(&salt, "", &e.Seq, &e.Previous, &e.RecordKey)
		chart := h.charts[e.Chart]
		if chart != nil {
			h.next(&salt, e.Chart, &e.Number, &e.Before, &e.ChartKey)
		}
		at, err := ward.ParseTime(e.Time)
		if err != nil {
			return err
		}
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		rows = append(rows, string(org), e.Seq, string(e.Event), at.UnixMilli(), e.Action, string(e.Person), string(e.Chart), body)
		leaves[n] = plantedOf(Leaf{Kind: receipt.LeafEvent, Ref: string(e.Event), Content: body, seq: e.Seq}, salt)
		h.record.newest = leaves[n].entry.Commitment()
		if chart != nil {
			chart.newest = h.record.newest
		}
	}
	if err := insert(ctx, tx, `INSERT INTO record_events (org, seq, event, time, action, person, chart, body) VALUES `, ``, 8, rows); err != nil {
		return err
	}
	if err := keepCharts(ctx, tx, org, h.charts); err != nil {
		return err
	}
	return plant(ctx, tx, org, h, leaves)
}

// next puts the next event of a chart's line, or of the record's, at its place: its number, its mark, and what it follows, or
// which key the marks after the first are made with.
func (h *head) next(salt *receipt.Salt, chart ward.ChartID, number *int64, before, key *string) {
	l, which := &h.record, receipt.LineRecord
	if chart != "" {
		l, which = h.charts[chart], receipt.LineChart
	}
	l.number++
	*number = l.number
	mark := receipt.MarkOf(l.key, l.number)
	if l.number > 1 {
		*before = l.newest.String()
	} else {
		mark = receipt.FirstMark(h.salt, string(chart))
		*key = receipt.KeyHash(l.key).String()
	}
	copy(salt[16+8*which:], mark[:])
}

// keepCharts keeps where the lines of charts end now.
func keepCharts(ctx context.Context, tx *store.Tx, org ward.OrgID, charts map[ward.ChartID]*line) error {
	var rows []any
	for _, chart := range slices.Sorted(maps.Keys(charts)) {
		l := charts[chart]
		rows = append(rows, string(org), string(chart), l.number, l.newest[:], l.key[:])
	}
	return insert(ctx, tx, `INSERT INTO ledger_charts (org, chart, number, newest, marks) VALUES `,
		` ON CONFLICT (org, chart) DO UPDATE SET number = excluded.number, newest = excluded.newest`, 5, rows)
}

// planted is a leaf with what opens it, and its entry in the log.
type planted struct {
	Leaf
	salt  receipt.Salt
	entry receipt.Entry
}

func plantedOf(leaf Leaf, salt receipt.Salt) planted {
	return planted{leaf, salt, receipt.Commitment(leaf.Kind, salt, leaf.Content)}
}

// plant adds leaves to a log, at places that were reserved.
func plant(ctx context.Context, tx *store.Tx, org ward.OrgID, h head, leaves []planted) error {
	hashes := make([]tlog.Hash, len(leaves))
	rows := make([]any, 0, 7*len(leaves))
	for n, leaf := range leaves {
		hashes[n] = tlog.RecordHash(leaf.entry[:])
		rows = append(rows, string(org), h.size+int64(n), leaf.Kind, leaf.Ref, leaf.seq, leaf.salt[:16], leaf.entry[:])
	}
	if err := tile(ctx, tx, org, h.size, hashes); err != nil {
		return err
	}
	if err := insert(ctx, tx, `INSERT INTO ledger_leaves (org, idx, kind, ref, seq, salt, commitment) VALUES `, ``, 7, rows); err != nil {
		return err
	}
	for n, hash := range hashes {
		h.frontier = h.frontier.add(h.size+int64(n), hash)
	}
	return tx.Queue(ctx, `UPDATE ledger_logs SET frontier = $1, newest = $2 WHERE org = $3`, h.frontier.bytes(), h.record.newest[:], string(org))
}

// reserve takes places at the end of a log and of its record, and gives the head before them, with the ends of charts' lines.
// The first statement locks the log's row until the end of the transaction; the second, which PostgreSQL gets with it, reads
// what is there once that is had.
func reserve(ctx context.Context, tx *store.Tx, org ward.OrgID, leaves, events int64, charts []ward.ChartID) (head, error) {
	h := head{charts: map[ward.ChartID]*line{}}
	fresh := make([]byte, 32*(2+len(charts)))
	rand.Read(fresh)
	if err := tx.Queue(ctx, `INSERT INTO ledger_logs (org, size, events, filled, marks, salt) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (org) DO UPDATE SET size = ledger_logs.size + excluded.size, events = ledger_logs.events + excluded.events, marks = COALESCE(ledger_logs.marks, excluded.marks), salt = COALESCE(ledger_logs.salt, excluded.salt)`,
		string(org), leaves, events, int64(filledAll), fresh[:32], fresh[32:64]); err != nil {
		return h, err
	}
	for n, chart := range charts {
		h.charts[chart] = &line{key: receipt.Key(fresh[32*(n+2):])}
	}
	for { // once, but for more charts than a page
		page := charts[:min(len(charts), chartsPage)]
		if err := h.read(ctx, tx, org, page); err != nil {
			return h, err
		}
		if charts = charts[len(page):]; len(charts) == 0 {
			break
		}
	}
	h.size, h.record.number = h.size-leaves, h.record.number-events
	var err error
	h.frontier, err = parseFrontier(h.size, h.kept)
	return h, err
}

// chartsPage is how many charts' lines one statement reads: few sizes, so that few statements are prepared.
const chartsPage = 16

// read reads the ends of the log, of its record, and of a page of charts' lines.
func (h *head) read(ctx context.Context, tx *store.Tx, org ward.OrgID, charts []ward.ChartID) error {
	columns, join, args := `NULL, 0, NULL, NULL`, ``, []any{string(org)}
	if len(charts) > 0 {
		width := chartsPage
		if len(charts) == 1 {
			width = 1
		}
		columns, join = `c.chart, COALESCE(c.number, 0), c.newest, c.marks`, ` LEFT JOIN ledger_charts c ON c.org = l.org AND c.chart IN (`+places(2, width)+`)`
		for i := range width {
			args = append(args, string(charts[min(i, len(charts)-1)]))
		}
	}
	rows, err := tx.Rows(ctx, `SELECT l.size, l.events, l.frontier, l.newest, l.marks, l.salt, `+columns+` FROM ledger_logs l`+join+` WHERE l.org = $1`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var newest, key, salt, chartNewest, chartKey []byte
		var chart *string
		var number int64
		if err := rows.Scan(&h.size, &h.record.number, &h.kept, &newest, &key, &salt, &chart, &number, &chartNewest, &chartKey); err != nil {
			return err
		}
		copy(h.record.newest[:], newest)
		copy(h.record.key[:], key)
		copy(h.salt[:], salt)
		if chart == nil {
			continue
		}
		l := h.charts[ward.ChartID(*chart)]
		if l == nil || len(chartNewest) != 32 || len(chartKey) != 32 {
			return fmt.Errorf("the end of the events of chart %s cannot be read", *chart)
		}
		*l = line{number, receipt.Hash(chartNewest), receipt.Key(chartKey)}
	}
	return rows.Err()
}

// forgetPage is how many leaves one statement forgets.
const forgetPage = 64

func forget(ctx context.Context, tx *store.Tx, org ward.OrgID, refs []string) (int64, error) {
	args := make([]any, 0, 1+forgetPage)
	args = append(args, string(org))
	for _, ref := range refs {
		args = append(args, ref)
	}
	for len(args) < 1+forgetPage { // the same statement for any number
		args = append(args, refs[0])
	}
	return tx.Exec(ctx, `UPDATE ledger_leaves SET salt = NULL, ref = '' WHERE org = $1 AND kind <> 'event' AND ref IN (`+places(2, forgetPage)+`)`, args...)
}

// insertPages are how many rows one statement inserts. Few sizes, so that few statements are prepared.
var insertPages = []int{64, 16, 4, 1}

// insert adds rows, given as one list of values. then is what follows them in the statement.
func insert(ctx context.Context, tx *store.Tx, into, then string, columns int, values []any) error {
	for _, page := range insertPages {
		for n := page * columns; len(values) >= n; values = values[n:] {
			rows := make([]string, page)
			for i := range rows {
				rows[i] = "(" + places(1+i*columns, columns) + ")"
			}
			if err := tx.Queue(ctx, into+strings.Join(rows, ", ")+then, values[:n]...); err != nil {
				return err
			}
		}
	}
	return nil
}

// places are the places of count parameters: $3, $4, …
func places(from, count int) string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(all, ", ")
}
