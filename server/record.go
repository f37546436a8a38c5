package server

import (
	"context"
	"net/http"
	"strconv"

	"ward"
	"ward/ledger"
	"ward/store"
)

// recordPage is how many events one answer holds.
const recordPage = 500

// getRecord answers GET /api/record?after=N, or ?newest=1 and ?before=N, newest first.
func (s *Server) getRecord(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	q := ledger.Query{Limit: recordPage, Newest: r.URL.Query().Get("newest") == "1"}
	for name, into := range map[string]*int64{"after": &q.After, "before": &q.Before} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return nil, ward.Errorf(ward.Invalid, "%s must be a number from 0", name)
		}
		*into = n
	}
	return s.ledger.List(ctx, tx, who.Org, q)
}
