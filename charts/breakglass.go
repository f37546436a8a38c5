package charts

import (
	"context"
	"net/http"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

// glassTime is how long an emergency opens a chart. Longer care goes through the care team, or another reason.
const glassTime = time.Hour

// glassCodes are the reasons the server may know; what happened is written into the chart.
var glassCodes = []string{"life-threatening", "unconscious", "other"}

// glassShown is how long patients, readers and officers are told of an emergency; the record has it longer.
const glassShown = 90 * 24 * time.Hour

// PostBreakGlass answers POST /api/charts/{chart}/break-glass: it releases the chart's keys, sealed to the emergency
// lock that clinicians hold, for an hour. The patient and the officers hear of it at once, and the chart is due for a
// new epoch when the hour is over.
func (c *Charts) PostBreakGlass(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.BreakGlass](r.Body)
	if err != nil {
		return nil, err
	}
	known := false
	for _, code := range glassCodes {
		known = known || code == body.Code
	}
	if !known {
		return nil, ward.Errorf(ward.Invalid, "the reason must be one of life-threatening, unconscious, other")
	}
	chart := ward.ChartID(r.PathValue("chart"))
	locks, err := locksOf(ctx, tx, who.Org, chart)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Grants []ward.HeldGrant `json:"grants"`
		Until  string           `json:"until"`
	}{Grants: []ward.HeldGrant{}}
	opened := ""
	for _, l := range locks {
		grants, err := grantsOf(ctx, tx, who.Org, l.id)
		if err != nil {
			return nil, err
		}
		for _, g := range grants {
			if g.purpose == envelope.ForEmergency && g.isLive(c.Now()) {
				answer.Grants = append(answer.Grants, ward.HeldGrant{Text: string(g.text), Sealed: g.sealed})
				opened += openedMark(l.id, l.epoch)
			}
		}
	}
	if len(answer.Grants) == 0 {
		return nil, ward.Errorf(ward.Missing, "this chart has no emergency access").WithHint("The patient removed it. Ask them or their care team.")
	}
	now := c.Now()
	answer.Until = ward.FormatTime(now.Add(glassTime))
	_, err = tx.Exec(ctx, `INSERT INTO break_glass (org, chart, person, code, began, until, epochs, running) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)`,
		string(who.Org), string(chart), string(who.Person), body.Code, now.UnixMilli(), now.Add(glassTime).UnixMilli(), opened)
	if err != nil {
		return nil, err
	}
	return answer, c.tellEmergency(ctx, tx, who.Org, chart)
}

// tellEmergency tells the patient, who reads the chart, and the officers that an emergency began, or is over.
func (c *Charts) tellEmergency(ctx context.Context, tx *store.Tx, org ward.OrgID, chart ward.ChartID) error {
	owner, err := chartOwner(ctx, tx, org, chart)
	if err != nil {
		return err
	}
	c.tell(tx, org, ward.Notice{Kind: "grant", Chart: chart, Person: owner})
	return nil
}

// EndEmergency answers DELETE /api/charts/{chart}/break-glass: the caller's own emergency is over, and the chart is due
// for a new epoch.
func (c *Charts) EndEmergency(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	chart, now := ward.ChartID(r.PathValue("chart")), c.Now().UnixMilli()
	_, err := tx.Exec(ctx, `UPDATE break_glass SET until = $1, running = 0 WHERE org = $2 AND chart = $3 AND person = $4 AND until > $1`,
		now, string(who.Org), string(chart), string(who.Person))
	if err != nil {
		return nil, err
	}
	return nil, c.tellEmergency(ctx, tx, who.Org, chart)
}

// EndHours puts on record which emergencies are over because their hour is, and tells of them, once between all replicas.
// Policy opens nothing from that moment on, whether this runs or not.
func (c *Charts) EndHours(ctx context.Context) error {
	return c.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		over, err := endHours(ctx, tx, c.Now())
		if err != nil {
			return err
		}
		for _, e := range over {
			err := c.Ledger.Append(ctx, tx, e.org, ward.Event{
				Person: e.person, Roles: []ward.Role{ward.Clinician}, Action: "emergency-over", About: "chart:" + string(e.chart), Chart: e.chart, Decision: "done",
			})
			if err == nil {
				err = c.tellEmergency(ctx, tx, e.org, e.chart)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ListEmergencies answers GET /api/emergencies, for officers.
func (c *Charts) ListEmergencies(ctx context.Context, tx *store.Tx, who ward.Caller, _ *http.Request) (any, error) {
	all, err := c.lately(ctx, tx, who.Org)
	return struct {
		Emergencies []ward.Emergency `json:"emergencies"`
	}{all}, err
}

// lately lists the emergencies of a clinic that are still told of, newest first. They are few.
func (c *Charts) lately(ctx context.Context, tx *store.Tx, org ward.OrgID) ([]ward.Emergency, error) {
	return emergencies(ctx, tx, org, c.Now().Add(-glassShown))
}
