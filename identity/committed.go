package identity

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/seal/envelope"
	"ward/store"
)

// What the ledger commits to: statements of membership, browsers' certificates and the clinic's founding statement. Identity gives them back
// to who checks that they are still what was committed.

func statementRef(chain string, seq int64) string { return fmt.Sprintf("%s/%d", chain, seq) }

func browserRef(person ward.PersonID, key string) string { return string(person) + "/" + key }

// keepBrowser stores a browser's certificate and has the log speak of it.
func (i *Identity) keepBrowser(ctx context.Context, tx *store.Tx, s *envelope.Statement[envelope.Browser]) error {
	if err := putBrowser(ctx, tx, s); err != nil {
		return err
	}
	return i.Ledger.Commit(ctx, tx, s.Body.Org, ledger.Leaf{Kind: receipt.LeafBrowser, Ref: browserRef(s.Body.Person, s.Body.Key), Content: s.Text})
}

// forgetCommitted has the log speak no more of a person's own chain and browsers.
func (i *Identity) forgetCommitted(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	refs, err := texts(ctx, tx, `SELECT chain || '/' || CAST(seq AS TEXT) FROM membership WHERE org = $1 AND chain = $2
		UNION ALL SELECT person || '/' || key FROM browsers WHERE org = $1 AND person = $2`, string(org), string(person))
	if err != nil {
		return err
	}
	return errors.Join(i.Ledger.Forget(ctx, tx, org, refs...), i.Ledger.Unlink(ctx, tx, org, person))
}

// Kinds implements ledger.Source.
func (i *Identity) Kinds() []string {
	return []string{receipt.LeafMembership, receipt.LeafBrowser, receipt.LeafClinic}
}

// Statements implements ledger.Source.
func (i *Identity) Statements(ctx context.Context, tx *store.Tx, org ward.OrgID, kind, after string, limit int) ([]ledger.Statement, error) {
	switch kind {
	case receipt.LeafMembership:
		return committedStatements(ctx, tx, org, after, limit)
	case receipt.LeafBrowser:
		return committedBrowsers(ctx, tx, org, after, limit)
	default:
		return committedClinic(ctx, tx, org, after)
	}
}

func committedStatements(ctx context.Context, tx *store.Tx, org ward.OrgID, after string, limit int) ([]ledger.Statement, error) {
	chain, number, _ := strings.Cut(after, "/")
	seq, _ := strconv.ParseInt(number, 10, 64) // of none, before all
	found, err := tx.Rows(ctx, `SELECT chain, seq, text FROM membership WHERE org = $1 AND (chain, seq) > ($2, $3) ORDER BY chain, seq LIMIT $4`,
		string(org), chain, seq, int64(limit))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var page []ledger.Statement
	for found.Next() {
		var text []byte
		if err := found.Scan(&chain, &seq, &text); err != nil {
			return nil, err
		}
		place, ok := envelope.PlaceOf(text)
		ref := statementRef(chain, seq)
		page = append(page, ledger.Statement{
			Leaf: ledger.Leaf{Kind: receipt.LeafMembership, Ref: ref, Content: text}, Place: ref,
			Sound: ok && place.Org == org && place.Chain == chain && place.Seq == seq, Line: ward.PersonID(chain), Serial: seq,
		})
	}
	return page, found.Err()
}

func committedBrowsers(ctx context.Context, tx *store.Tx, org ward.OrgID, after string, limit int) ([]ledger.Statement, error) {
	person, key, _ := strings.Cut(after, "/")
	found, err := tx.Rows(ctx, `SELECT person, key, card, text FROM browsers WHERE org = $1 AND (person, key) > ($2, $3) ORDER BY person, key LIMIT $4`,
		string(org), person, key, int64(limit))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var page []ledger.Statement
	for found.Next() {
		var text []byte
		var card string
		if err := found.Scan(&person, &key, &card, &text); err != nil {
			return nil, err
		}
		ref := browserRef(ward.PersonID(person), key)
		s, err := envelope.Parse[envelope.Browser](text)
		sound := err == nil && string(s.Body.Person) == person && s.Body.Key == key && s.Body.Card == card
		page = append(page, ledger.Statement{Leaf: ledger.Leaf{Kind: receipt.LeafBrowser, Ref: ref, Content: text}, Place: ref, Sound: sound})
	}
	return page, found.Err()
}

// committedClinic gives the founding statement, once there is one.
func committedClinic(ctx context.Context, tx *store.Tx, org ward.OrgID, after string) ([]ledger.Statement, error) {
	if after != "" {
		return nil, nil
	}
	o, err := getOrg(ctx, tx, org)
	if ward.KindOf(err) == ward.Missing || err == nil && len(o.clinic) == 0 {
		return nil, nil
	}
	return []ledger.Statement{{Leaf: ledger.Leaf{Kind: receipt.LeafClinic, Ref: string(org), Content: o.clinic}, Place: string(org), Sound: true}}, err
}
