package charts

import (
	"context"
	"encoding/json"
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

// What the ledger commits to: entries, grants and epochs, by the text of their statements, and the ends of grants. Charts
// give them back to who checks that they are still what was committed.

// epochRef names an epoch in the ledger.
func epochRef(id ward.LockID, epoch int64) string { return fmt.Sprintf("%s/%d", id, epoch) }

// refsOf lists all of a lock that the ledger speaks of.
func refsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID) ([]string, error) {
	return list[string](ctx, tx, `SELECT entry FROM entries WHERE org = $1 AND lock = $2
		UNION ALL SELECT id FROM grants WHERE org = $1 AND lock = $2
		UNION ALL SELECT lock || '/' || CAST(epoch AS TEXT) FROM epochs WHERE org = $1 AND lock = $2`, string(org), string(id))
}

// TextsOf implements ledger.Locks.
func (c *Charts) TextsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.LockID, refs []string) (map[string][]byte, error) {
	texts := map[string][]byte{}
	for _, ref := range refs {
		var text []byte
		err := tx.Row(ctx, `SELECT text FROM entries WHERE org = $1 AND entry = $2 AND lock = $3
			UNION ALL SELECT text FROM grants WHERE org = $1 AND id = $2 AND lock = $3
			UNION ALL SELECT text FROM epochs WHERE org = $1 AND lock || '/' || CAST(epoch AS TEXT) = $2 AND lock = $3`, string(org), ref, string(id)).Scan(&text)
		if errors.Is(err, store.ErrNoRow) {
			continue
		}
		if err != nil {
			return nil, err
		}
		texts[ref] = text
	}
	return texts, nil
}

// Kinds implements ledger.Source.
func (c *Charts) Kinds() []string {
	return []string{receipt.LeafEntry, receipt.LeafGrant, receipt.LeafEnd, receipt.LeafEpoch}
}

// Statements implements ledger.Source.
func (c *Charts) Statements(ctx context.Context, tx *store.Tx, org ward.OrgID, kind, after string, limit int) ([]ledger.Statement, error) {
	switch kind {
	case receipt.LeafEntry:
		return committedEntries(ctx, tx, org, after, limit)
	case receipt.LeafGrant:
		return committedGrants(ctx, tx, org, after, limit)
	case receipt.LeafEnd:
		return committedEnds(ctx, tx, org, after, limit)
	default:
		return committedEpochs(ctx, tx, org, after, limit)
	}
}

// committedEntries reads entries with what is kept beside their texts. Those that erasing emptied are in locks that all
// share; their texts stay.
func committedEntries(ctx context.Context, tx *store.Tx, org ward.OrgID, after string, limit int) ([]ledger.Statement, error) {
	id, seq := parsePlace(after)
	found, err := tx.Rows(ctx, `SELECT e.lock, e.seq, e.entry, e.kind, e.author, e.text, e.sealed, e.upload, e.size, COALESCE(l.kind, '')
		FROM entries e LEFT JOIN locks l ON l.org = e.org AND l.lock = e.lock
		WHERE e.org = $1 AND (e.lock, e.seq) > ($2, $3) ORDER BY e.lock, e.seq LIMIT $4`, string(org), id, seq, int64(limit))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var page []ledger.Statement
	for found.Next() {
		var row entryRow
		var kind string
		if err := found.Scan((*string)(&row.lock), &row.seq, (*string)(&row.entry), &row.kind, (*string)(&row.author), &row.text, &row.sealed, (*string)(&row.upload), &row.size, &kind); err != nil {
			return nil, err
		}
		page = append(page, ledger.Statement{
			Leaf:  ledger.Leaf{Kind: receipt.LeafEntry, Ref: string(row.entry), Content: row.text},
			Place: epochRef(row.lock, row.seq), Sound: row.sound(kind),
		})
	}
	return page, found.Err()
}

// sound tells whether a row says what its statement says. Files too large for a row are checked by who opens them.
func (row entryRow) sound(lockKind string) bool {
	s, err := envelope.Parse[envelope.Entry](row.text)
	if err != nil {
		return false
	}
	b := s.Body
	if b.Lock != row.lock || b.Entry != row.entry || b.Kind != row.kind || b.Author != row.author || b.Size != row.size {
		return false
	}
	if row.sealed == nil {
		return row.upload != "" || lockKind == envelope.LockDirectory || lockKind == envelope.LockStaff
	}
	return envelope.Hash(row.sealed) == b.SHA256
}

func committedGrants(ctx context.Context, tx *store.Tx, org ward.OrgID, after string, limit int) ([]ledger.Statement, error) {
	found, err := tx.Rows(ctx, `SELECT id, lock, epoch, person, card, holder, holder_epoch, purpose, until, text FROM grants
		WHERE org = $1 AND id > $2 ORDER BY id LIMIT $3`, string(org), after, int64(limit))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var page []ledger.Statement
	for found.Next() {
		var g grantRow
		var lock ward.LockID
		if err := found.Scan((*string)(&g.id), (*string)(&lock), &g.epoch, (*string)(&g.person), &g.card, (*string)(&g.holder), &g.holderEpoch, &g.purpose, &g.until, &g.text); err != nil {
			return nil, err
		}
		s, err := envelope.Parse[envelope.Grant](g.text)
		sound := err == nil && s.Body.Grant == g.id && s.Body.Lock == lock && s.Body.Epoch == g.epoch && s.Body.Person == g.person && s.Body.Card == g.card &&
			s.Body.Holder == g.holder && s.Body.HolderEpoch == g.holderEpoch && s.Body.Purpose == g.purpose && endsTogether(s.Body.Until, g.until)
		page = append(page, ledger.Statement{Leaf: ledger.Leaf{Kind: receipt.LeafGrant, Ref: string(g.id), Content: g.text}, Place: string(g.id), Sound: sound})
	}
	return page, found.Err()
}

// end is what the ledger commits to of a grant's end, which nobody signs: all of it that policy and readers go by.
type end struct {
	Format string        `json:"format"`
	Grant  ward.GrantID  `json:"grant"`
	Lock   ward.LockID   `json:"lock"`
	Time   string        `json:"time"`
	By     ward.PersonID `json:"by"`
	Turns  bool          `json:"turns"` // a new epoch must follow
}

// leaf of an end has its grant's id, so that both are forgotten together.
func (e end) leaf() ledger.Leaf {
	e.Format = "ward/end/1"
	text, _ := json.Marshal(e) // of words, it cannot fail
	return ledger.Leaf{Kind: receipt.LeafEnd, Ref: string(e.Grant), Content: text}
}

func committedEnds(ctx context.Context, tx *store.Tx, org ward.OrgID, after string, limit int) ([]ledger.Statement, error) {
	found, err := tx.Rows(ctx, `SELECT `+endColumns+` FROM grants WHERE org = $1 AND id > $2 AND ended <> 0 ORDER BY id LIMIT $3`, string(org), after, int64(limit))
	if err != nil {
		return nil, err
	}
	ends, err := scanEnds(found)
	page := make([]ledger.Statement, len(ends))
	for i, e := range ends {
		page[i] = ledger.Statement{Leaf: e.leaf(), Place: string(e.Grant), Sound: true}
	}
	return page, err
}

// endColumns of a grant that has ended say how.
const endColumns = `id, lock, ended, ended_by, turns`

// scanEnds reads endColumns.
func scanEnds(found *store.Rows) ([]end, error) {
	defer found.Close()
	var all []end
	for found.Next() {
		var e end
		var ended, turns int64
		if err := found.Scan((*string)(&e.Grant), (*string)(&e.Lock), &ended, (*string)(&e.By), &turns); err != nil {
			return nil, err
		}
		e.Time, e.Turns = formatMilli(ended), turns == 1
		all = append(all, e)
	}
	return all, found.Err()
}

func committedEpochs(ctx context.Context, tx *store.Tx, org ward.OrgID, after string, limit int) ([]ledger.Statement, error) {
	id, epoch := parsePlace(after)
	found, err := tx.Rows(ctx, `SELECT lock, epoch, text, history FROM epochs WHERE org = $1 AND (lock, epoch) > ($2, $3) ORDER BY lock, epoch LIMIT $4`,
		string(org), id, epoch, int64(limit))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var page []ledger.Statement
	for found.Next() {
		var lock ward.LockID
		var number int64
		var text, history []byte
		if err := found.Scan((*string)(&lock), &number, &text, &history); err != nil {
			return nil, err
		}
		s, err := envelope.Parse[envelope.Epoch](text)
		sound := err == nil && s.Body.Lock == lock && s.Body.Epoch == number && (number == 1 || envelope.Hash(history) == s.Body.History)
		ref := epochRef(lock, number)
		page = append(page, ledger.Statement{Leaf: ledger.Leaf{Kind: receipt.LeafEpoch, Ref: ref, Content: text}, Place: ref, Sound: sound})
	}
	return page, found.Err()
}

// parsePlace undoes epochRef; of what is none it gives what is before all.
func parsePlace(place string) (string, int64) {
	id, number, _ := strings.Cut(place, "/")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return "", 0
	}
	return id, n
}
