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
	_, err = tx.Exec(ctx, `INSERT INTO break_glass (org, chart, person, code, began, until, epochs) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		string(who.Org), string(chart), string(who.Person), body.Code, now.UnixMilli(), now.Add(glassTime).UnixMilli(), opened)
	if err != nil {
		return nil, err
	}
	owner, err := chartOwner(ctx, tx, who.Org, chart)
	if err != nil {
		return nil, err
	}
	c.tell(tx, who.Org, ward.Notice{Kind: "grant", Chart: chart, Person: owner})
	return answer, nil
}
