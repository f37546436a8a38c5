package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"

	"ward"
	"ward/ledger"
)

// beginning is what an operator asks of a log after a loss: how much of it is lost or, having been told, to begin it again.
type beginning struct {
	Org   ward.OrgID     `json:"org,omitempty"`  // may be left out if only one lost something
	Lost  *int64         `json:"lost,omitempty"` // confirms it
	Which ward.LogBefore `json:"which"`          // in the answer
}

// logsFile is the socket where the clinic's own process answers operators about its logs; the chain's answers another.
const logsFile = "logs"

// clerks asks it.
func (c *Config) clerks() operators { return operators{filepath.Join(c.Dir, "ledger", logsFile)} }

// listenForLogs answers operators about the clinic's logs until stop.
func listenForLogs(dir string, k *ledger.Keeper, log *slog.Logger) (stop func()) {
	return answerOperators(filepath.Join(dir, logsFile), log, operatorRoutes{
		"POST /again": func(r *http.Request) (any, error) {
			b, err := ward.Decode[beginning](io.LimitReader(r.Body, 1<<20))
			if err != nil {
				return nil, err
			}
			return beginAgain(r.Context(), k, b)
		},
	})
}

func beginAgain(ctx context.Context, k *ledger.Keeper, b beginning) (beginning, error) {
	orgs := []ward.OrgID{b.Org}
	if b.Org == "" {
		var err error
		if orgs, err = k.Logs(ctx); err != nil {
			return b, err
		}
	}
	var found []beginning
	var why error
	for _, org := range orgs {
		which, err := k.Lost(ctx, org)
		if err != nil {
			why = err
			continue
		}
		found = append(found, beginning{Org: org, Lost: b.Lost, Which: which})
	}
	switch {
	case len(found) == 0 && why != nil:
		return b, why
	case len(found) != 1:
		return b, &ward.Error{Kind: ward.Conflict, Message: fmt.Sprintf("%d of the clinics here lost something", len(found)), Hint: "Name one by its id: GET /api/clinic tells it."}
	}
	b = found[0]
	if b.Lost == nil {
		return b, nil
	}
	var err error
	b.Which, err = k.BeginAgain(ctx, b.Org, *b.Lost)
	return b, err
}

func (o operators) beginAgain(ctx context.Context, t terminal, lost, org string) error {
	b := beginning{Org: ward.OrgID(org)}
	if lost != "" {
		n, err := strconv.ParseInt(lost, 10, 64)
		if err != nil || n < 0 {
			return usageError{errors.New("begin-again takes the number of what is lost, as it says without one")}
		}
		b.Lost = &n
	}
	var answer beginning
	if err := o.ask(ctx, "POST", "/again", b, &answer); err != nil {
		return err
	}
	w := answer.Which
	if b.Lost == nil {
		missing := fmt.Sprintf(`Up to %d of them are missing here, and nothing will become final until the log is begun again.
If a newer backup exists, restore it instead: what is missing cannot be recovered after this.`, w.Lost)
		if w.Lost == 0 {
			missing = "None of them is missing here, but the log is another operator's, so nothing will become final until it is begun again."
		}
		fmt.Fprintf(t.out, `The organisations agreed on %d things of the log of clinic %s.
%s
Everyone who had seen the old log will be told by their own device that part of it was lost.
To begin it again: ward ledger begin-again %d %s
`, w.Size, answer.Org, missing, w.Lost, answer.Org)
		return nil
	}
	fmt.Fprintf(t.out, "Begun again. The record says that the log of before had %d agreed things, of which up to %d are lost. Tell the clinic's people why, before their devices ask them.\nOther Wards on this database must be started again.\n", w.Size, w.Lost)
	return nil
}
