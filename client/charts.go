package client

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// A Chart is a chart opened: all entries of the compartments that this person holds, and what did not check.
type Chart struct {
	Chart    ward.ChartID
	Owner    ward.PersonID
	Locks    []*Lock
	Entries  []Entry // by time
	Troubles []Trouble
	Due      bool // a new epoch is due
}

// Lock finds a compartment's lock among those that are open.
func (c *Chart) Lock(compartment string) *Lock {
	for _, l := range c.Locks {
		if l.Compartment == compartment {
			return l
		}
	}
	return nil
}

// Standing are the entries that count (seal.Threads): the newest version of each that was not withdrawn.
func (c *Chart) Standing() []Entry {
	versions := make([]seal.Version, len(c.Entries))
	for i, e := range c.Entries {
		h := e.Header
		versions[i] = seal.Version{
			Lock: e.Lock, Seq: e.Seq, Entry: h.Entry, Kind: h.Kind, Author: h.Author, Clinician: slices.Contains(e.Roles, ward.Clinician),
			Amends: h.Amends, Retracts: h.Retracts,
		}
	}
	var standing []int
	for _, t := range seal.Threads(versions) {
		if t.Withdrawn < 0 {
			standing = append(standing, t.Now())
		}
	}
	slices.Sort(standing)
	entries := make([]Entry, len(standing))
	for n, i := range standing {
		entries[n] = c.Entries[i]
	}
	return entries
}

// Charts lists the charts that this person may read.
func (c *Client) Charts(ctx context.Context) ([]ward.Chart, error) {
	answer, err := get[struct {
		Charts []ward.Chart `json:"charts"`
	}](ctx, c, "/api/charts")
	return answer.Charts, err
}

// OpenChart opens a chart: every compartment that this person holds. A compartment that does not open is a trouble,
// and the others are shown.
func (c *Client) OpenChart(ctx context.Context, id ward.ChartID) (*Chart, error) {
	return c.openChart(ctx, id, nil)
}

// BreakGlass opens a chart in an emergency, for an hour. Everyone concerned hears of it at once. The code is
// life-threatening, unconscious or other; the reason goes, sealed, into the chart.
func (c *Client) BreakGlass(ctx context.Context, id ward.ChartID, code, reason string) (*Chart, error) {
	released, err := call[struct {
		Grants []ward.HeldGrant `json:"grants"`
	}](ctx, c, http.MethodPost, path("charts", string(id), "break-glass"), ward.BreakGlass{Code: code})
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(ctx, id, envelope.General, c.Note(id, "Emergency access", reason)); err != nil {
		return nil, err
	}
	return c.openChart(ctx, id, released.Grants)
}

// EndEmergency ends an emergency that this person declared. The chart is due for a new epoch.
func (c *Client) EndEmergency(ctx context.Context, id ward.ChartID) error {
	return do(ctx, c, http.MethodDelete, path("charts", string(id), "break-glass"), nil)
}

// Emergencies lists who opened which chart in an emergency lately, for officers.
func (c *Client) Emergencies(ctx context.Context) ([]ward.Emergency, error) {
	answer, err := get[struct {
		Emergencies []ward.Emergency `json:"emergencies"`
	}](ctx, c, "/api/emergencies")
	return answer.Emergencies, err
}

func (c *Client) openChart(ctx context.Context, id ward.ChartID, more []ward.HeldGrant) (*Chart, error) {
	found, err := get[ward.Chart](ctx, c, path("charts", string(id)))
	if err != nil {
		return nil, err
	}
	chart := &Chart{Chart: id, Owner: found.Person}
	var failed error
	for _, s := range found.Locks {
		if !s.Readable {
			continue
		}
		log, err := c.readPart(ctx, found, s, more)
		if err != nil {
			failed = err
			chart.Troubles = append(chart.Troubles, Trouble{Lock: s.Lock, Err: err})
			continue
		}
		chart.Locks = append(chart.Locks, log.Lock)
		chart.Entries = append(chart.Entries, log.Entries...)
		chart.Troubles = append(chart.Troubles, log.Troubles...)
		chart.Due = chart.Due || s.Due
	}
	if len(chart.Locks) == 0 {
		if failed == nil {
			failed = &ward.Error{Kind: ward.Refused, Message: "this chart is not shared with you"}
		}
		return nil, failed
	}
	slices.SortStableFunc(chart.Entries, func(a, b Entry) int { return cmp.Compare(a.Header.Time, b.Header.Time) })
	return chart, nil
}

func (c *Client) readPart(ctx context.Context, chart ward.Chart, s ward.LockSummary, more []ward.HeldGrant) (*Log, error) {
	mine := slices.DeleteFunc(slices.Clone(more), func(g ward.HeldGrant) bool {
		grant, err := envelope.Parse[envelope.Grant]([]byte(g.Text))
		return err != nil || grant.Body.Lock != s.Lock
	})
	l, err := c.openLock(ctx, s.Lock, maxDepth, mine)
	if err != nil {
		return nil, err
	}
	if err := checkPart(l.Line, chart, s.Compartment); err != nil {
		return nil, err
	}
	return c.read(ctx, l)
}

// Share gives compartments of a chart to a person or, if holder is set, to a team. Until may be zero.
func (c *Client) Share(ctx context.Context, chart ward.ChartID, person ward.PersonID, holder ward.LockID, purpose string, until time.Time, compartments ...string) error {
	found, err := get[ward.Chart](ctx, c, path("charts", string(chart)))
	if err != nil {
		return err
	}
	for _, compartment := range compartments {
		at := slices.IndexFunc(found.Locks, func(s ward.LockSummary) bool { return s.Compartment == compartment })
		if at < 0 {
			return &ward.Error{Kind: ward.Refused, Message: "you do not hold the " + compartment + " part of this chart"}
		}
		if err := c.Grant(ctx, found.Locks[at].Lock, person, holder, purpose, until); err != nil {
			return err
		}
	}
	return nil
}

// Unshare takes a person or team off every compartment of a chart that this person holds, and gives each a new key.
func (c *Client) Unshare(ctx context.Context, chart ward.ChartID, person ward.PersonID, holder ward.LockID) error {
	opened, err := c.OpenChart(ctx, chart)
	if err != nil {
		return err
	}
	for _, l := range opened.Locks {
		members, err := c.Members(ctx, l)
		if err != nil {
			return err
		}
		for _, m := range members {
			if m.State == "live" && m.Grant.Person == person && m.Grant.Holder == holder {
				if err := c.Revoke(ctx, l.Lock, m.Grant.Grant); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// EraseChart erases one's own chart: its ciphertext and every key to it.
func (c *Client) EraseChart(ctx context.Context, chart ward.ChartID) error {
	return do(ctx, c, http.MethodDelete, path("charts", string(chart)), nil)
}
