package charts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"ward"
	"ward/ledger"
	"ward/policy"
	"ward/seal/envelope"
	"ward/store"
)

// AboutLock loads the lock in the path.
func (c *Charts) AboutLock(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	seen, err := locksSeenBy(ctx, tx, who, c.Now(), "l.lock", r.PathValue("lock"))
	if err != nil {
		return policy.Resource{}, err
	}
	if len(seen) == 0 {
		return policy.Resource{}, missing("lock")
	}
	l := seen[0]
	about := policy.Resource{
		Type: "Lock", ID: string(l.id), Org: who.Org, Chart: l.chart, Owner: l.owner, Kind: l.kind, Compartment: l.compartment,
	}
	readers(who, seen, &about)
	return about, nil
}

// AboutUpload is the lock an upload is for; an upload becomes a file or an imported record.
func (c *Charts) AboutUpload(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	about, err := c.AboutLock(ctx, tx, who, r)
	about.EntryKind = "file"
	return about, err
}

// AboutEntries is the lock, once for each kind of entry in the batch.
func (c *Charts) AboutEntries(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	about, err := c.AboutLock(ctx, tx, who, r)
	if err != nil {
		return about, err
	}
	batch, err := batchOf(r)
	if err != nil {
		return about, err
	}
	kinds := map[string]bool{}
	for _, n := range batch {
		kinds[n.Body.Kind] = true
	}
	var each []policy.Resource
	for kind := range kinds {
		one := about
		one.EntryKind = kind
		each = append(each, one)
	}
	return all(about, each)
}

// AboutGrants is the lock, once for each grant in the body.
func (c *Charts) AboutGrants(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	about, err := c.AboutLock(ctx, tx, who, r)
	if err != nil {
		return about, err
	}
	body, err := ward.Decode[grantsBody](r.Body)
	if err != nil {
		return about, err
	}
	standing, err := grantsOf(ctx, tx, who.Org, ward.LockID(about.ID))
	if err != nil {
		return about, err
	}
	var each []policy.Resource
	for _, n := range body.Grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(n.Text))
		if err != nil {
			return about, invalid(err)
		}
		one, err := c.aboutGrant(ctx, tx, who.Org, about, s.Body.Person, s.Body.Holder, s.Body.Purpose)
		if err != nil {
			return about, err
		}
		for _, g := range standing {
			same := g.member() == string(s.Body.Person)+string(s.Body.Holder) && g.isLive(c.Now())
			if same && g.purpose == s.Body.Purpose && endsTogether(s.Body.Until, g.until) {
				one.Renewal = true
			}
		}
		each = append(each, one)
	}
	return all(about, each)
}

// AboutGrant is the lock and the one grant in the path, to take it back.
func (c *Charts) AboutGrant(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	about, err := c.AboutLock(ctx, tx, who, r)
	if err != nil {
		return about, err
	}
	g, err := findGrant(ctx, tx, who.Org, ward.LockID(about.ID), ward.GrantID(r.PathValue("grant")))
	if err != nil {
		return about, err
	}
	return c.aboutGrant(ctx, tx, who.Org, about, g.person, g.holder, g.purpose)
}

func (c *Charts) aboutGrant(ctx context.Context, tx *store.Tx, org ward.OrgID, about policy.Resource, person ward.PersonID, holder ward.LockID, purpose string) (policy.Resource, error) {
	about.Purpose = purpose
	if holder != "" {
		l, err := getLock(ctx, tx, org, holder)
		about.Holder = l.kind
		return about, err
	}
	card, err := c.People.Card(ctx, tx, org, person)
	about.Grantee, about.Roles = person, card.Roles
	return about, err
}

// all makes one resource of several, each of which is decided.
func all(about policy.Resource, each []policy.Resource) (policy.Resource, error) {
	if len(each) == 0 {
		return about, ward.Errorf(ward.Invalid, "there is nothing in the request")
	}
	about = each[0]
	about.Also = each[1:]
	return about, nil
}

// AboutChart loads the chart in the path.
func (c *Charts) AboutChart(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	chart := ward.ChartID(r.PathValue("chart"))
	owner, err := chartOwner(ctx, tx, who.Org, chart)
	if errors.Is(err, store.ErrNoRow) {
		return policy.Resource{}, missing("chart")
	}
	if err != nil {
		return policy.Resource{}, err
	}
	seen, err := locksSeenBy(ctx, tx, who, c.Now(), "l.chart", string(chart))
	if err != nil {
		return policy.Resource{}, err
	}
	about := policy.Resource{Type: "Chart", ID: string(chart), Org: who.Org, Chart: chart, Owner: owner}
	readers(who, seen, &about)
	return about, nil
}

// ListLocks answers GET /api/locks.
func (c *Charts) ListLocks(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	all, err := readable(ctx, tx, who.Org, who.Person, c.Now())
	if err != nil {
		return nil, err
	}
	summaries := make([]ward.LockSummary, len(all))
	for i, l := range all {
		summaries[i] = l.LockSummary
	}
	return struct {
		Locks []ward.LockSummary `json:"locks"`
	}{summaries}, nil
}

// CreateTeam answers POST /api/locks.
func (c *Charts) CreateTeam(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	n, err := ward.Decode[ward.NewLock](r.Body)
	if err != nil {
		return nil, err
	}
	e, err := envelope.Parse[envelope.Epoch]([]byte(n.Epoch))
	if err != nil {
		return nil, invalid(err)
	}
	if e.Body.Kind != envelope.LockTeam {
		return nil, ward.Errorf(ward.Invalid, "only a team is made this way, not a lock of kind %s", e.Body.Kind)
	}
	if err := c.checkTeam(ctx, tx, who.Org, n.Grants); err != nil {
		return nil, err
	}
	if err := c.Create(ctx, tx, who.Org, who.Person, []ward.NewLock{n}); err != nil {
		return nil, err
	}
	return summaryOf(ctx, tx, who.Org, e.Body.Lock, c.Now())
}

// checkTeam holds a team's first members to what policy says of those who join later: clinicians, for work.
func (c *Charts) checkTeam(ctx context.Context, tx *store.Tx, org ward.OrgID, grants []ward.NewGrant) error {
	for _, n := range grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(n.Text))
		if err != nil {
			return invalid(err)
		}
		if s.Body.Person == "" || s.Body.Purpose != envelope.ForWork {
			return ward.Errorf(ward.Invalid, "a team is granted to persons, for work")
		}
		card, err := c.People.Card(ctx, tx, org, s.Body.Person)
		if err != nil {
			return err
		}
		if !(ward.Caller{Roles: card.Roles}).Has(ward.Clinician) {
			return ward.Errorf(ward.Refused, "a team is made of clinicians")
		}
	}
	return nil
}

// GetLock answers GET /api/locks/{lock}: what its reader needs to open it.
func (c *Charts) GetLock(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	id := ward.LockID(r.PathValue("lock"))
	s, err := summaryOf(ctx, tx, who.Org, id, c.Now())
	if err != nil {
		return nil, err
	}
	s.Readable = true
	answer := ward.Lock{LockSummary: s, Grants: []ward.HeldGrant{}}
	if answer.Histories, err = historiesOf(ctx, tx, who.Org, id); err != nil {
		return nil, err
	}
	held, err := c.HeldBy(ctx, tx, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	grants, err := grantsOf(ctx, tx, who.Org, id)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		if g.isLive(c.Now()) && (g.person == who.Person || g.holder != "" && contains(held, g.holder)) {
			answer.Grants = append(answer.Grants, ward.HeldGrant{Text: string(g.text), Sealed: g.sealed})
		}
	}
	answer.Snapshot, err = latestSnapshot(ctx, tx, who.Org, id)
	return answer, err
}

// GetKeys answers GET /api/locks/{lock}/keys: the line of public keys, for those who seal or grant to a lock that
// they need not hold.
func (c *Charts) GetKeys(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	id := ward.LockID(r.PathValue("lock"))
	all, err := c.Outside(ctx, tx, who.Org, id)
	if err != nil {
		return nil, err
	}
	start := envelope.Start(id)
	all[0].Seq, all[0].Chain = start.Seq, start.Chain // what is in it is for its holders
	return all[0], nil
}

// GetMembers answers GET /api/locks/{lock}/members.
func (c *Charts) GetMembers(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	l, err := getLock(ctx, tx, who.Org, ward.LockID(r.PathValue("lock")))
	if err != nil {
		return nil, err
	}
	members, err := c.members(ctx, tx, who.Org, l)
	return struct {
		Members []ward.Member `json:"members"`
	}{members}, err
}

type grantsBody struct {
	Grants []ward.NewGrant `json:"grants"`
}

// PostGrants answers POST /api/locks/{lock}/grants.
func (c *Charts) PostGrants(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[grantsBody](r.Body)
	if err != nil {
		return nil, err
	}
	for _, n := range body.Grants {
		s, err := envelope.Parse[envelope.Grant]([]byte(n.Text))
		if err != nil {
			return nil, invalid(err)
		}
		if string(s.Body.Lock) != r.PathValue("lock") {
			return nil, ward.Errorf(ward.Invalid, "a grant is of another lock than the path says")
		}
	}
	return nil, c.grantAll(ctx, tx, who.Org, who.Person, body.Grants, false)
}

// DeleteGrant answers DELETE /api/locks/{lock}/grants/{grant}.
func (c *Charts) DeleteGrant(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	l, err := getLock(ctx, tx, who.Org, ward.LockID(r.PathValue("lock")))
	if err != nil {
		return nil, err
	}
	return nil, c.revoke(ctx, tx, who, l, ward.GrantID(r.PathValue("grant")))
}

type openedBody struct {
	Grant ward.GrantID `json:"grant"`
	Opens bool         `json:"opens"`
}

// PostOpened answers POST /api/locks/{lock}/opened.
func (c *Charts) PostOpened(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[openedBody](r.Body)
	if err != nil {
		return nil, err
	}
	l, err := getLock(ctx, tx, who.Org, ward.LockID(r.PathValue("lock")))
	if err != nil {
		return nil, err
	}
	return nil, c.opened(ctx, tx, who, l, body.Grant, body.Opens)
}

func findGrant(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, grant ward.GrantID) (grantRow, error) {
	all, err := grantsOf(ctx, tx, org, id)
	if err != nil {
		return grantRow{}, err
	}
	for _, g := range all {
		if g.id == grant {
			return g, nil
		}
	}
	return grantRow{}, missing("grant")
}

// PostEpoch answers POST /api/locks/{lock}/epochs.
func (c *Charts) PostEpoch(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	n, err := ward.Decode[ward.NewEpoch](r.Body)
	if err != nil {
		return nil, err
	}
	l, err := getLock(ctx, tx, who.Org, ward.LockID(r.PathValue("lock")))
	if err != nil {
		return nil, err
	}
	return nil, c.turn(ctx, tx, who, l, n)
}

// GetEntries answers GET /api/locks/{lock}/entries?after=N.
func (c *Charts) GetEntries(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	after, err := number(r, "after")
	if err != nil {
		return nil, err
	}
	l, err := getLock(ctx, tx, who.Org, ward.LockID(r.PathValue("lock")))
	if err != nil {
		return nil, err
	}
	return c.page(ctx, tx, who.Org, l, after)
}

// PostEntries answers POST /api/locks/{lock}/entries.
func (c *Charts) PostEntries(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	batch, err := batchOf(r)
	if err != nil {
		return nil, err
	}
	return c.post(ctx, tx, who, ward.LockID(r.PathValue("lock")), batch)
}

// GetUpload answers GET /api/locks/{lock}/uploads/{upload}: how far it is.
func (c *Charts) GetUpload(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	id := ward.UploadID(r.PathValue("upload"))
	u, err := getUpload(ctx, tx, who.Org, id)
	if errors.Is(err, store.ErrNoRow) || err == nil && (u.person != who.Person || string(u.lock) != r.PathValue("lock")) {
		return ward.Upload{Upload: id}, nil
	}
	return ward.Upload{Upload: id, Parts: u.parts, Size: u.size}, err
}

// ListCharts answers GET /api/charts: those the caller may read, and their own.
func (c *Charts) ListCharts(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	all, err := readable(ctx, tx, who.Org, who.Person, c.Now())
	if err != nil {
		return nil, err
	}
	charts := []ward.Chart{}
	for _, l := range all {
		if l.Kind != envelope.LockChart {
			continue
		}
		if n := len(charts); n == 0 || charts[n-1].Chart != l.Chart {
			charts = append(charts, ward.Chart{Chart: l.Chart, Person: l.owner})
		}
		last := &charts[len(charts)-1]
		last.Locks = append(last.Locks, l.LockSummary)
	}
	told, err := c.lately(ctx, tx, who.Org)
	if err != nil {
		return nil, err
	}
	for _, e := range told {
		for i := range charts {
			if charts[i].Chart == e.Chart {
				charts[i].Emergencies = append(charts[i].Emergencies, e)
			}
		}
	}
	return struct {
		Charts []ward.Chart `json:"charts"`
	}{charts}, nil
}

// FindChart answers GET /api/charts/{chart}: enough of it to write to it. A compartment that the caller cannot read
// is listed with its keys only: neither its head nor its count of entries, which would tell that there is something.
func (c *Charts) FindChart(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	chart := ward.ChartID(r.PathValue("chart"))
	owner, err := chartOwner(ctx, tx, who.Org, chart)
	if err != nil {
		return nil, err
	}
	seen, err := locksSeenBy(ctx, tx, who, c.Now(), "l.chart", string(chart))
	if err != nil {
		return nil, err
	}
	canRead := map[ward.LockID]bool{}
	for _, l := range seen {
		if l.direct || len(l.through) > 0 || l.broken {
			canRead[l.id] = true
		}
	}
	all, err := chartSummaries(ctx, tx, who.Org, chart, c.Now())
	if err != nil {
		return nil, err
	}
	answer := ward.Chart{Chart: chart, Person: owner, Locks: []ward.LockSummary{}}
	for _, l := range all {
		l.Readable = canRead[l.Lock]
		if !l.Readable && l.Compartment == envelope.Restricted && owner != who.Person {
			continue
		}
		if !l.Readable {
			start := envelope.Start(l.Lock)
			l.Seq, l.Chain = start.Seq, start.Chain
		}
		answer.Locks = append(answer.Locks, l.LockSummary)
	}
	told, err := c.lately(ctx, tx, who.Org)
	if err != nil {
		return nil, err
	}
	for _, e := range told {
		if e.Chart == chart && (len(canRead) > 0 || e.Person == who.Person || owner == who.Person) {
			answer.Emergencies = append(answer.Emergencies, e)
		}
	}
	return answer, nil
}

// looksPerPage is how many events of a chart's record one answer holds.
const looksPerPage = 200

// GetLooks answers GET /api/charts/{chart}/looks?before=N: the record of one chart, newest first.
func (c *Charts) GetLooks(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	before, err := number(r, "before")
	if err != nil {
		return nil, err
	}
	return c.Ledger.List(ctx, tx, who.Org, ledger.Query{
		Chart: ward.ChartID(r.PathValue("chart")), Before: before, Newest: before == 0, Limit: looksPerPage,
	})
}

// DeleteChart answers DELETE /api/charts/{chart}.
func (c *Charts) DeleteChart(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	return nil, c.erase(ctx, tx, who.Org, ward.ChartID(r.PathValue("chart")), who.Person)
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

// answer writes a JSON answer from a handler that streams.
func answer(w http.ResponseWriter, body any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(body)
}

func inline(sealed []byte) io.ReadSeeker { return bytes.NewReader(sealed) }

func contains(ids []ward.LockID, id ward.LockID) bool {
	for _, i := range ids {
		if i == id {
			return true
		}
	}
	return false
}
