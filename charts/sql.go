package charts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

// live is the condition on a grant g that it stands at a moment, given as the parameter that follows.
const live = `g.ended = 0 AND (g.until = 0 OR g.until > `

func insertChart(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID, person ward.PersonID, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO charts (org, chart, person, created) VALUES ($1, $2, $3, $4)`,
		string(org), string(chart), string(person), now.UnixMilli())
	return err
}

func chartOwner(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID) (ward.PersonID, error) {
	var owner ward.PersonID
	err := tx.Row(ctx, `SELECT person FROM charts WHERE org = $1 AND chart = $2`, string(org), string(chart)).Scan((*string)(&owner))
	return owner, err
}

func chartsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.ChartID, error) {
	return list[ward.ChartID](ctx, tx, `SELECT chart FROM charts WHERE org = $1 AND person = $2 ORDER BY created`, string(org), string(person))
}

func hasCompartment(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID, compartment string) (bool, error) {
	return exists(ctx, tx, `SELECT 1 FROM locks WHERE org = $1 AND chart = $2 AND compartment = $3`, string(org), string(chart), compartment)
}

func insertLock(ctx context.Context, tx *store.Tx, org ward.OrgID, l lock, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO locks (org, lock, kind, chart, compartment, epoch, seq, chain, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		string(org), string(l.id), l.kind, string(l.chart), l.compartment, l.epoch, l.head.Seq, l.head.Chain, now.UnixMilli())
	return err
}

const lockColumns = `l.lock, l.kind, l.chart, l.compartment, l.epoch, l.seq, l.chain, COALESCE(c.person, '')`

const lockTables = ` FROM locks l LEFT JOIN charts c ON c.org = l.org AND c.chart = l.chart `

type scanner interface{ Scan(dest ...any) error }

// scanLock reads lockColumns, and what a query selects after them.
func scanLock(row scanner, more ...any) (lock, error) {
	var l lock
	err := row.Scan(append([]any{(*string)(&l.id), &l.kind, (*string)(&l.chart), &l.compartment, &l.epoch, &l.head.Seq, &l.head.Chain, (*string)(&l.owner)}, more...)...)
	return l, err
}

func getLock(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID) (lock, error) {
	l, err := scanLock(tx.Row(ctx, `SELECT `+lockColumns+lockTables+`WHERE l.org = $1 AND l.lock = $2`, string(org), string(id)))
	if errors.Is(err, store.ErrNoRow) {
		return l, missing("lock")
	}
	return l, err
}

// holdHead locks a lock's row until the operation ends, so that its head and epoch stay as they are read.
func holdHead(ctx context.Context, tx *store.Tx, org ward.OrgID, l *lock) error {
	return tx.Row(ctx, `UPDATE locks SET seq = seq WHERE org = $1 AND lock = $2 RETURNING epoch, seq, chain`, string(org), string(l.id)).
		Scan(&l.epoch, &l.head.Seq, &l.head.Chain)
}

// holdLock is getLock and holdHead in one question.
func holdLock(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID) (lock, error) {
	l, err := scanLock(tx.Row(ctx, `UPDATE locks SET seq = seq WHERE org = $1 AND lock = $2 RETURNING lock, kind, chart, compartment, epoch, seq, chain,
		COALESCE((SELECT c.person FROM charts c WHERE c.org = locks.org AND c.chart = locks.chart), '')`, string(org), string(id)))
	if errors.Is(err, store.ErrNoRow) {
		return l, missing("lock")
	}
	return l, err
}

func setHead(ctx context.Context, tx *store.Tx, org ward.OrgID, l lock) error {
	return tx.Queue(ctx, `UPDATE locks SET epoch = $1, seq = $2, chain = $3 WHERE org = $4 AND lock = $5`,
		l.epoch, l.head.Seq, l.head.Chain, string(org), string(l.id))
}

// locksOf lists the locks of a chart, general first.
func locksOf(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID) ([]lock, error) {
	return locks(ctx, tx, `WHERE l.org = $1 AND l.chart = $2 ORDER BY l.compartment`, string(org), string(chart))
}

func locks(ctx context.Context, tx *store.Tx, where string, args ...any) ([]lock, error) {
	found, err := tx.Rows(ctx, `SELECT `+lockColumns+lockTables+where, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []lock
	for found.Next() {
		l, err := scanLock(found)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, found.Err()
}

// isDue tells whether a lock l must turn: someone who held the current epoch no longer should (their grant ended or its
// time is over), somebody who holds it has other keys since, a lock that holds it has turned, or someone broke the glass and their hour is over. The moment is $1.
const isDue = `(EXISTS (SELECT 1 FROM grants g LEFT JOIN locks h ON h.org = g.org AND h.lock = g.holder
		WHERE g.org = l.org AND g.lock = l.lock AND g.epoch = l.epoch AND (
			(g.ended > 0 AND g.turns = 1)
			OR g.outdated = 1
			OR (g.ended = 0 AND g.until > 0 AND g.until <= $1)
			OR (g.ended = 0 AND g.holder <> '' AND g.holder_epoch < h.epoch)))
	OR l.chart <> '' AND EXISTS (SELECT 1 FROM break_glass b WHERE b.org = l.org AND b.chart = l.chart AND b.until <= $1
		AND b.epochs LIKE '%' || l.lock || ':' || CAST(l.epoch AS TEXT) || ';%'))`

func lockIsDue(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, now time.Time) (bool, error) {
	return exists(ctx, tx, `SELECT 1 FROM locks l WHERE l.org = $2 AND l.lock = $3 AND `+isDue, now.UnixMilli(), string(org), string(id))
}

// listed is a lock as lists show it, and whose chart it is.
type listed struct {
	ward.LockSummary
	owner ward.PersonID
}

// summaries reads locks with their lines of keys, and whether they are due, in one question however many they are.
// Where begins with its parameter $2, and the order it asks for begins with whole locks.
func summaries(ctx context.Context, tx *store.Tx, now time.Time, where, order string, args ...any) ([]listed, error) {
	found, err := tx.Rows(ctx, `SELECT `+lockColumns+`, e.text, CASE WHEN e.epoch = l.epoch AND `+isDue+` THEN 1 ELSE 0 END`+
		lockTables+`JOIN epochs e ON e.org = l.org AND e.lock = l.lock WHERE `+where+` ORDER BY `+order+`, l.lock, e.epoch`,
		append([]any{now.UnixMilli()}, args...)...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []listed
	for found.Next() {
		var text []byte
		var due int64
		l, err := scanLock(found, &text, &due)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].Lock != l.id {
			all = append(all, listed{ward.LockSummary{
				Lock: l.id, Kind: l.kind, Chart: l.chart, Compartment: l.compartment, Seq: l.head.Seq, Chain: l.head.Chain,
			}, l.owner})
		}
		s := &all[len(all)-1]
		s.Epochs = append(s.Epochs, string(text))
		s.Due = s.Due || due == 1
	}
	return all, found.Err()
}

// summaryOf is one lock as lists show it.
func summaryOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, now time.Time) (ward.LockSummary, error) {
	all, err := summaries(ctx, tx, now, `l.org = $2 AND l.lock = $3`, `l.lock`, string(org), string(id))
	if err == nil && len(all) == 0 {
		err = missing("lock")
	}
	if err != nil {
		return ward.LockSummary{}, err
	}
	return all[0].LockSummary, nil
}

// chartSummaries lists the locks of a chart, general first.
func chartSummaries(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID, now time.Time) ([]listed, error) {
	return summaries(ctx, tx, now, `l.org = $2 AND l.chart = $3`, `l.compartment`, string(org), string(chart))
}

// readable lists the locks that a person may read: granted to them, to a lock they hold, or opened by breaking glass.
func readable(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, now time.Time) ([]listed, error) {
	all, err := summaries(ctx, tx, now, `l.org = $2 AND (l.lock IN (
			SELECT g.lock FROM grants g WHERE g.org = $2 AND g.person = $3 AND `+live+`$1)
			UNION SELECT g.lock FROM grants g JOIN grants h ON h.org = g.org AND h.lock = g.holder AND h.person = $3 AND h.ended = 0 AND (h.until = 0 OR h.until > $1)
				JOIN locks t ON t.org = h.org AND t.lock = h.lock AND t.kind <> 'emergency'
				WHERE g.org = $2 AND `+live+`$1))
			OR l.chart IN (SELECT b.chart FROM break_glass b WHERE b.org = $2 AND b.person = $3 AND b.until > $1))`,
		`l.chart, l.compartment`, string(org), string(person))
	for i := range all {
		all[i].Readable = true
	}
	return all, err
}

func heldBy(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, now time.Time) ([]ward.LockID, error) {
	return list[ward.LockID](ctx, tx, `SELECT DISTINCT g.lock FROM grants g JOIN locks l ON l.org = g.org AND l.lock = g.lock
		WHERE g.org = $1 AND g.person = $2 AND l.kind <> 'chart' AND `+live+`$3)`, string(org), string(person), now.UnixMilli())
}

// seenLock is a lock as one person may read it.
type seenLock struct {
	lock
	direct  bool          // it is granted to them
	through []ward.LockID // what they hold that it is granted to; not the emergency lock, which policy opens by itself
	broken  bool          // they broke its chart's glass
}

// locksSeenBy finds the locks whose column, l.lock or l.chart, has a value, in one question, since it is part of
// nearly every request.
func locksSeenBy(ctx context.Context, tx *store.Tx, who ward.Caller, now time.Time, column, value string) ([]seenLock, error) {
	found, err := tx.Rows(ctx, `SELECT `+lockColumns+`,
			CASE WHEN EXISTS (SELECT 1 FROM grants g WHERE g.org = l.org AND g.lock = l.lock AND g.person = $1 AND `+live+`$2)) THEN 1 ELSE 0 END,
			COALESCE((SELECT string_agg(g.holder, ' ') FROM grants g
				JOIN grants h ON h.org = g.org AND h.lock = g.holder AND h.person = $1 AND h.ended = 0 AND (h.until = 0 OR h.until > $2)
				JOIN locks t ON t.org = h.org AND t.lock = h.lock AND t.kind NOT IN ('emergency', 'chart')
				WHERE g.org = l.org AND g.lock = l.lock AND `+live+`$2)), ''),
			CASE WHEN l.chart <> '' AND EXISTS (SELECT 1 FROM break_glass b
				WHERE b.org = l.org AND b.chart = l.chart AND b.person = $1 AND b.until > $2) THEN 1 ELSE 0 END`+
		lockTables+`WHERE l.org = $3 AND `+column+` = $4 ORDER BY l.compartment`,
		string(who.Person), now.UnixMilli(), string(who.Org), value)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []seenLock
	for found.Next() {
		var l seenLock
		var direct, broken int64
		var through string
		if l.lock, err = scanLock(found, &direct, &through, &broken); err != nil {
			return nil, err
		}
		l.direct, l.broken = direct == 1, broken == 1
		for _, id := range strings.Fields(through) {
			l.through = append(l.through, ward.LockID(id))
		}
		all = append(all, l)
	}
	return all, found.Err()
}

// hearers lists who may read a lock or a part of a chart now, and whose chart it is. It is asked once for every notice.
func hearers(ctx context.Context, tx *store.Tx, org ward.OrgID, n ward.Notice, now time.Time) ([]ward.PersonID, error) {
	return list[ward.PersonID](ctx, tx, `WITH about AS (SELECT lock, chart FROM locks WHERE org = $1 AND (lock = $2 OR (chart <> '' AND chart = $3)))
		SELECT c.person FROM about a JOIN charts c ON c.org = $1 AND c.chart = a.chart
		UNION SELECT g.person FROM about a JOIN grants g ON g.org = $1 AND g.lock = a.lock WHERE g.person <> '' AND `+live+`$4)
		UNION SELECT h.person FROM about a JOIN grants g ON g.org = $1 AND g.lock = a.lock
			JOIN grants h ON h.org = g.org AND h.lock = g.holder AND h.person <> '' AND h.ended = 0 AND (h.until = 0 OR h.until > $4)
			JOIN locks t ON t.org = h.org AND t.lock = h.lock AND t.kind <> 'emergency' WHERE g.holder <> '' AND `+live+`$4)
		UNION SELECT b.person FROM about a JOIN break_glass b ON b.org = $1 AND b.chart = a.chart WHERE b.until > $4`,
		string(org), string(n.Lock), string(n.Chart), now.UnixMilli())
}

// emergencies lists who broke which glass since a moment, newest first.
func emergencies(ctx context.Context, tx *store.Tx, org ward.OrgID, since time.Time) ([]ward.Emergency, error) {
	found, err := tx.Rows(ctx, `SELECT b.chart, c.person, b.person, b.code, b.began, b.until FROM break_glass b
		JOIN charts c ON c.org = b.org AND c.chart = b.chart
		WHERE b.org = $1 AND b.began > $2 ORDER BY b.began DESC, b.person`, string(org), since.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer found.Close()
	all := []ward.Emergency{}
	for found.Next() {
		var e ward.Emergency
		var began, until int64
		if err := found.Scan((*string)(&e.Chart), (*string)(&e.Owner), (*string)(&e.Person), &e.Code, &began, &until); err != nil {
			return nil, err
		}
		e.Began, e.Until = formatMilli(began), formatMilli(until)
		all = append(all, e)
	}
	return all, found.Err()
}

type emergency struct {
	org    ward.OrgID
	chart  ward.ChartID
	person ward.PersonID
}

// endHours notes that emergencies are over, and gives each who had one of which chart. It is not over while another hour
// of theirs goes on.
func endHours(ctx context.Context, tx *store.Tx, now time.Time) ([]emergency, error) {
	found, err := tx.Rows(ctx, `UPDATE break_glass AS b SET running = 0 WHERE b.running = 1 AND NOT EXISTS
		(SELECT 1 FROM break_glass o WHERE o.org = b.org AND o.chart = b.chart AND o.person = b.person AND o.until > $1) RETURNING org, chart, person`, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []emergency
	for found.Next() {
		var e emergency
		if err := found.Scan((*string)(&e.org), (*string)(&e.chart), (*string)(&e.person)); err != nil {
			return nil, err
		}
		if !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all, found.Err()
}

func insertEpoch(ctx context.Context, tx *store.Tx, org ward.OrgID, b envelope.Epoch, text, history []byte) error {
	if history == nil {
		history = []byte{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO epochs (org, lock, epoch, text, history) VALUES ($1, $2, $3, $4, $5)`,
		string(org), string(b.Lock), b.Epoch, text, history)
	return err
}

// historiesOf gives what is sealed with each epoch of a lock from the second on: the key of the one before.
func historiesOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID) ([][]byte, error) {
	found, err := tx.Rows(ctx, `SELECT history FROM epochs WHERE org = $1 AND lock = $2 AND epoch > 1 ORDER BY epoch`, string(org), string(id))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	histories := [][]byte{}
	for found.Next() {
		var history []byte
		if err := found.Scan(&history); err != nil {
			return nil, err
		}
		histories = append(histories, history)
	}
	return histories, found.Err()
}

func getEpoch(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, epoch int64) (*envelope.Statement[envelope.Epoch], error) {
	var text []byte
	err := tx.Row(ctx, `SELECT text FROM epochs WHERE org = $1 AND lock = $2 AND epoch = $3`, string(org), string(id), epoch).Scan(&text)
	if errors.Is(err, store.ErrNoRow) {
		return nil, missing("epoch")
	}
	if err != nil {
		return nil, err
	}
	return envelope.Parse[envelope.Epoch](text)
}

func insertGrant(ctx context.Context, tx *store.Tx, org ward.OrgID, g envelope.Grant, text, sealed []byte, until int64, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO grants (org, id, lock, epoch, person, card, holder, holder_epoch, purpose, until, text, sealed, created, ended, ended_by, turns)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '', 0)`,
		string(org), string(g.Grant), string(g.Lock), g.Epoch, string(g.Person), g.Card, string(g.Holder), g.HolderEpoch, g.Purpose, until, text, sealed, now.UnixMilli())
	return err
}

// grantRow is what the rules need of a stored grant.
type grantRow struct {
	id          ward.GrantID
	epoch       int64
	person      ward.PersonID
	card        string
	holder      ward.LockID
	holderEpoch int64
	purpose     string
	until       int64
	text        []byte
	sealed      []byte
	ended       int64
	endedBy     ward.PersonID
	turns       bool
}

// member is who the grant is to: a person's id or a lock's.
func (g grantRow) member() string { return string(g.person) + string(g.holder) }

// isSpoiled tells whether the member themselves ended the grant because it did not open.
func (g grantRow) isSpoiled() bool {
	return g.ended != 0 && !g.turns && g.endedBy == g.person && g.granter() != g.person
}

func (g grantRow) granter() ward.PersonID {
	s, err := envelope.Parse[envelope.Grant](g.text)
	if err != nil {
		return "" // nobody's: it was checked when it was stored
	}
	return s.Body.Granter
}

func (g grantRow) isLive(now time.Time) bool {
	return g.ended == 0 && (g.until == 0 || g.until > now.UnixMilli())
}

// grantsOf lists all grants of a lock that were ever made, oldest first.
func grantsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID) ([]grantRow, error) {
	found, err := tx.Rows(ctx, `SELECT id, epoch, person, card, holder, holder_epoch, purpose, until, text, sealed, ended, ended_by, turns FROM grants
		WHERE org = $1 AND lock = $2 ORDER BY created, epoch, id`, string(org), string(id))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []grantRow
	for found.Next() {
		var g grantRow
		var turns int64
		if err := found.Scan((*string)(&g.id), &g.epoch, (*string)(&g.person), &g.card, (*string)(&g.holder), &g.holderEpoch, &g.purpose,
			&g.until, &g.text, &g.sealed, &g.ended, (*string)(&g.endedBy), &turns); err != nil {
			return nil, err
		}
		g.turns = turns == 1
		all = append(all, g)
	}
	return all, found.Err()
}

// endGrants ends every grant of a lock to a member. Turns says whether a new epoch must follow.
func endGrants(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, g grantRow, by ward.PersonID, turns bool, now time.Time) ([]end, error) {
	return ends(ctx, tx, org, by, turns, now, `AND lock = $6 AND person = $7 AND holder = $8`, string(id), string(g.person), string(g.holder))
}

func endGrant(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.GrantID, by ward.PersonID, turns bool, now time.Time) ([]end, error) {
	return ends(ctx, tx, org, by, turns, now, `AND id = $6`, string(id))
}

// endGrantsOf ends a person's grants of locks of these kinds, or of all if none are named.
func endGrantsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person, by ward.PersonID, now time.Time, kinds ...string) ([]end, error) {
	of := ""
	if len(kinds) > 0 {
		of = ` AND lock IN (SELECT lock FROM locks WHERE org = $1 AND kind IN ('` + strings.Join(kinds, "', '") + `'))` // words of the program
	}
	// The locks first, so that no new epoch that is on its way grants to this person again.
	if _, err := tx.Exec(ctx, `UPDATE locks SET seq = seq WHERE org = $1 AND lock IN (SELECT lock FROM grants WHERE org = $1 AND person = $2 AND ended = 0)`+of,
		string(org), string(person)); err != nil {
		return nil, err
	}
	return ends(ctx, tx, org, by, true, now, `AND person = $6`+of, string(person))
}

// ends ends grants that have not ended, those for which a condition holds whose parameters begin with $6, and says how
// each did. What sealed their keys goes.
func ends(ctx context.Context, tx *store.Tx, org ward.OrgID, by ward.PersonID, turns bool, now time.Time, and string, args ...any) ([]end, error) {
	args = append([]any{string(org), now.UnixMilli(), string(by), flag(turns), []byte{}}, args...)
	found, err := tx.Rows(ctx, `UPDATE grants SET ended = $2, ended_by = $3, turns = $4, sealed = $5 WHERE org = $1 AND ended = 0 `+and+` RETURNING `+endColumns, args...)
	if err != nil {
		return nil, err
	}
	return scanEnds(found)
}

// holdersAround lists the persons who hold a chart that this person owns or holds, and members of teams that do.
func holdersAround(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, now time.Time) ([]ward.PersonID, error) {
	return list[ward.PersonID](ctx, tx, `WITH mine AS (
			SELECT l.lock FROM locks l JOIN charts c ON c.org = l.org AND c.chart = l.chart WHERE l.org = $1 AND c.person = $2
			UNION SELECT g.lock FROM grants g JOIN locks k ON k.org = g.org AND k.lock = g.lock AND k.kind = 'chart' WHERE g.org = $1 AND g.person = $2 AND `+live+`$3))
		SELECT g.person FROM grants g WHERE g.org = $1 AND g.person <> '' AND g.lock IN (SELECT lock FROM mine) AND `+live+`$3)
		UNION SELECT t.person FROM grants g JOIN grants t ON t.org = g.org AND t.lock = g.holder AND t.person <> '' AND t.ended = 0 AND (t.until = 0 OR t.until > $3)
			WHERE g.org = $1 AND g.lock IN (SELECT lock FROM mine) AND `+live+`$3)`,
		string(org), string(person), now.UnixMilli())
}

func exists(ctx context.Context, tx *store.Tx, query string, args ...any) (bool, error) {
	var one int64
	err := tx.Row(ctx, query, args...).Scan(&one)
	if errors.Is(err, store.ErrNoRow) {
		return false, nil
	}
	return err == nil, err
}

// list reads a query of one column of ids.
func list[T ~string](ctx context.Context, tx *store.Tx, query string, args ...any) ([]T, error) {
	found, err := tx.Rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	all := []T{}
	for found.Next() {
		var id string
		if err := found.Scan(&id); err != nil {
			return nil, err
		}
		all = append(all, T(id))
	}
	return all, found.Err()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
