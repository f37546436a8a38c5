package visits

import (
	"context"
	"errors"
	"time"

	"ward"
	"ward/store"
)

// States of a visit, and of someone at its door.
const (
	booked    = "booked"
	open      = "open"
	ended     = "ended"
	cancelled = "cancelled"

	waiting  = "waiting"
	admitted = "admitted"
	left     = "left"
	removed  = "removed"
)

// visit is a row of visits, with the caller's own state at its door.
type visit struct {
	id            ward.VisitID
	chart         ward.ChartID
	patient, host ward.PersonID
	starts, ends  int64
	state         string
	late, epoch   int64
	series        ward.VisitID // the first of those that were booked together
	planned       int64        // when its time was last set
	seq           int64        // of its last message
	me            string
	waits         int64 // since when someone waits at the door; 0: nobody
}

const visitColumns = `v.visit, v.chart, v.patient, v.host, v.starts, v.ends, v.state, v.late, v.epoch, v.series, v.planned,
	COALESCE((SELECT max(m.seq) FROM visit_messages m WHERE m.org = v.org AND m.visit = v.visit), 0),
	COALESCE((SELECT d.state FROM visit_members d WHERE d.org = v.org AND d.visit = v.visit AND d.member = $1), ''),
	COALESCE((SELECT min(d.since) FROM visit_members d WHERE d.org = v.org AND d.visit = v.visit AND d.state = 'waiting'), 0)`

func scanVisit(row interface{ Scan(...any) error }) (visit, error) {
	var v visit
	err := row.Scan((*string)(&v.id), (*string)(&v.chart), (*string)(&v.patient), (*string)(&v.host), &v.starts, &v.ends, &v.state, &v.late, &v.epoch,
		(*string)(&v.series), &v.planned, &v.seq, &v.me, &v.waits)
	return v, err
}

func getVisit(ctx context.Context, tx *store.Tx, who ward.Caller, id ward.VisitID) (visit, error) {
	v, err := scanVisit(tx.Row(ctx, `SELECT `+visitColumns+` FROM visits v WHERE v.org = $2 AND v.visit = $3`, string(who.Person), string(who.Org), string(id)))
	if errors.Is(err, store.ErrNoRow) {
		return v, ward.Errorf(ward.Missing, "there is no such visit here")
	}
	return v, err
}

// holdVisit locks a visit's row until the operation ends, so that its epoch and its messages follow one another.
func holdVisit(ctx context.Context, tx *store.Tx, who ward.Caller, id ward.VisitID) (visit, error) {
	if _, err := tx.Exec(ctx, `UPDATE visits SET epoch = epoch WHERE org = $1 AND visit = $2`, string(who.Org), string(id)); err != nil {
		return visit{}, err
	}
	return getVisit(ctx, tx, who, id)
}

// listVisits lists those that end after and start before two moments: all, or a person's as host, patient or proxy.
func listVisits(ctx context.Context, tx *store.Tx, who ward.Caller, all bool, charts []ward.ChartID, after, before time.Time) ([]visit, error) {
	args := []any{string(who.Person), string(who.Org), after.UnixMilli(), before.UnixMilli(), int64(maxListed)}
	mine := ""
	if !all {
		mine = ` AND (v.host = $1 OR v.patient = $1`
		for _, chart := range charts {
			args = append(args, string(chart))
			mine += ` OR v.chart = $` + itoa(len(args))
		}
		mine += `)`
	}
	return scanVisits(tx.Rows(ctx, `SELECT `+visitColumns+` FROM visits v WHERE v.org = $2 AND v.ends > $3 AND v.starts < $4`+mine+` ORDER BY v.starts LIMIT $5`, args...))
}

// laterInSeries lists those of a visit's series that come after it and are still booked.
func laterInSeries(ctx context.Context, tx *store.Tx, who ward.Caller, of visit) ([]visit, error) {
	if of.series == "" {
		return nil, nil
	}
	return scanVisits(tx.Rows(ctx, `SELECT `+visitColumns+` FROM visits v WHERE v.org = $2 AND v.series = $3 AND v.state = 'booked' AND v.starts > $4 AND v.visit <> $5`,
		string(who.Person), string(who.Org), string(of.series), of.starts, string(of.id)))
}

// bookedFor lists those of a chart that are booked and not over.
func bookedFor(ctx context.Context, tx *store.Tx, who ward.Caller, chart ward.ChartID, now time.Time) ([]visit, error) {
	return scanVisits(tx.Rows(ctx, `SELECT `+visitColumns+` FROM visits v WHERE v.org = $2 AND v.chart = $3 AND v.state = 'booked' AND v.ends > $4`,
		string(who.Person), string(who.Org), string(chart), now.UnixMilli()))
}

func scanVisits(found *store.Rows, err error) ([]visit, error) {
	if err != nil {
		return nil, err
	}
	defer found.Close()
	list := []visit{}
	for found.Next() {
		v, err := scanVisit(found)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, found.Err()
}

func insertVisit(ctx context.Context, tx *store.Tx, org ward.OrgID, v visit, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO visits (org, visit, chart, patient, host, starts, ends, state, late, epoch, group_info, created, series, planned)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, -1, $9, $10, $11, $10)`,
		string(org), string(v.id), string(v.chart), string(v.patient), string(v.host), v.starts, v.ends, v.state, []byte{}, now.UnixMilli(), string(v.series))
	if store.IsDuplicate(err) {
		return ward.Errorf(ward.Conflict, "this visit exists already")
	}
	return err
}

func setVisit(ctx context.Context, tx *store.Tx, org ward.OrgID, v visit) error {
	_, err := tx.Exec(ctx, `UPDATE visits SET starts = $1, ends = $2, state = $3, late = $4, planned = $5 WHERE org = $6 AND visit = $7`,
		v.starts, v.ends, v.state, v.late, v.planned, string(org), string(v.id))
	return err
}

// setGroup moves the group to an epoch and keeps its state for who joins again.
func setGroup(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID, epoch int64, info []byte) error {
	_, err := tx.Exec(ctx, `UPDATE visits SET epoch = $1, group_info = $2 WHERE org = $3 AND visit = $4`, epoch, info, string(org), string(id))
	return err
}

func groupInfo(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID) ([]byte, error) {
	var info []byte
	err := tx.Row(ctx, `SELECT group_info FROM visits WHERE org = $1 AND visit = $2`, string(org), string(id)).Scan(&info)
	return info, err
}

type member struct {
	id        ward.PersonID
	state     string
	since     int64
	admission []byte
	name      []byte // sealed for those in the visit
	names     []byte // the key of all names, sealed to this member
}

func membersOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID) ([]member, error) {
	found, err := tx.Rows(ctx, `SELECT member, state, since, admission, name, names FROM visit_members WHERE org = $1 AND visit = $2 ORDER BY since, member`, string(org), string(id))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []member
	for found.Next() {
		var m member
		if err := found.Scan((*string)(&m.id), &m.state, &m.since, &m.admission, &m.name, &m.names); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, found.Err()
}

func putMember(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID, m member) error {
	if m.admission == nil {
		m.admission = []byte{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO visit_members (org, visit, member, state, since, admission, name, names) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org, visit, member) DO UPDATE SET state = excluded.state, since = excluded.since, admission = excluded.admission, name = excluded.name, names = excluded.names`,
		string(org), string(id), string(m.id), m.state, m.since, m.admission, m.name, m.names)
	return err
}

func insertMessage(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID, m ward.VisitMessage) error {
	_, err := tx.Exec(ctx, `INSERT INTO visit_messages (org, visit, seq, epoch, kind, sender, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		string(org), string(id), m.Seq, m.Epoch, m.Kind, string(m.Sender), m.Body)
	return err
}

// A budget is what a member has sent in a visit.
type budget struct {
	said, saidBytes, commits, commitBytes int64
	earned                                int64 // until when what was said is paid for, in Unix milliseconds
}

func budgetOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID, member ward.PersonID) (b budget, err error) {
	err = tx.Row(ctx, `SELECT said, said_bytes, commits, commit_bytes, earned FROM visit_members WHERE org = $1 AND visit = $2 AND member = $3`,
		string(org), string(id), string(member)).Scan(&b.said, &b.saidBytes, &b.commits, &b.commitBytes, &b.earned)
	return b, err
}

func setBudget(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID, member ward.PersonID, b budget) error {
	return tx.Queue(ctx, `UPDATE visit_members SET said = $1, said_bytes = $2, commits = $3, commit_bytes = $4, earned = $5 WHERE org = $6 AND visit = $7 AND member = $8`,
		b.said, b.saidBytes, b.commits, b.commitBytes, b.earned, string(org), string(id), string(member))
}

func messagesAfter(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID, after int64) (ward.VisitMessages, error) {
	page := ward.VisitMessages{Messages: []ward.VisitMessage{}}
	found, err := tx.Rows(ctx, `SELECT seq, epoch, kind, sender, body FROM visit_messages WHERE org = $1 AND visit = $2 AND seq > $3 ORDER BY seq LIMIT $4`,
		string(org), string(id), after, int64(maxListed+1))
	if err != nil {
		return page, err
	}
	defer found.Close()
	for size := 0; found.Next(); {
		var m ward.VisitMessage
		if err := found.Scan(&m.Seq, &m.Epoch, &m.Kind, (*string)(&m.Sender), &m.Body); err != nil {
			return page, err
		}
		if size += len(m.Body); len(page.Messages) == maxListed || size > ward.MaxPage {
			page.More = true
			break
		}
		page.Messages = append(page.Messages, m)
	}
	return page, found.Err()
}

// forget removes all that a visit's group said, and who its guests were: nobody needs it once it has ended.
func (v *Visits) forget(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID) error {
	if err := v.Sessions.EndGuests(ctx, tx, org, id, ""); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM visit_messages WHERE org = $1 AND visit = $2`,
		`DELETE FROM visit_members WHERE org = $1 AND visit = $2`,
		`DELETE FROM visit_guests WHERE org = $1 AND visit = $2`,
	} {
		if _, err := tx.Exec(ctx, statement, string(org), string(id)); err != nil {
			return err
		}
	}
	return setGroup(ctx, tx, org, id, -1, []byte{})
}
