package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"ward"
	"ward/seal/envelope"
)

// Book books a visit, and says in the chart what it is about.
func (c *Client) Book(ctx context.Context, a Appointment) (ward.VisitID, error) {
	if a.Visit == "" {
		a.Visit = ward.NewID[ward.VisitID]()
	}
	n := ward.NewVisit{Visit: a.Visit, Chart: a.Chart, Host: a.With, Starts: ward.FormatTime(a.Start), Ends: ward.FormatTime(a.End)}
	if _, err := call[ward.Visit](ctx, c, http.MethodPost, "/api/visits", n); err != nil {
		return "", err
	}
	_, err := c.Write(ctx, a.Chart, envelope.General, resource("appointment", a.resource("booked")))
	return a.Visit, err
}

// Move moves a visit to the times of a.
func (c *Client) Move(ctx context.Context, a Appointment) error {
	return c.changeVisit(ctx, a, ward.VisitChange{Starts: ward.FormatTime(a.Start), Ends: ward.FormatTime(a.End)}, "booked")
}

// Cancel cancels a visit.
func (c *Client) Cancel(ctx context.Context, a Appointment) error {
	return c.changeVisit(ctx, a, ward.VisitChange{State: "cancelled"}, "cancelled")
}

func (c *Client) changeVisit(ctx context.Context, a Appointment, change ward.VisitChange, status string) error {
	if _, err := call[ward.Visit](ctx, c, http.MethodPut, path("visits", string(a.Visit)), change); err != nil {
		return err
	}
	_, err := c.Write(ctx, a.Chart, envelope.General, resource("appointment", a.resource(status)))
	return err
}

// Visits lists those between two moments that concern the person; all for the front desk.
func (c *Client) Visits(ctx context.Context, from, to time.Time) ([]ward.Visit, error) {
	list, err := get[struct {
		Visits []ward.Visit `json:"visits"`
	}](ctx, c, fmt.Sprintf("/api/visits?from=%s&to=%s", url.QueryEscape(ward.FormatTime(from)), url.QueryEscape(ward.FormatTime(to))))
	return list.Visits, err
}

// SetAvailability says when patients may book a clinician by themselves.
func (c *Client) SetAvailability(ctx context.Context, person ward.PersonID, a ward.Availability) error {
	return do(ctx, c, http.MethodPut, path("people", string(person), "availability"), a)
}

// Slots lists the free times of a clinician that a patient may book.
func (c *Client) Slots(ctx context.Context, person ward.PersonID, from, to time.Time) (ward.Slots, error) {
	return get[ward.Slots](ctx, c, fmt.Sprintf("%s?from=%s&to=%s", path("people", string(person), "slots"), url.QueryEscape(ward.FormatTime(from)), url.QueryEscape(ward.FormatTime(to))))
}
