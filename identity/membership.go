package identity

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"ward"
	"ward/ledger"
	"ward/ledger/receipt"
	"ward/membership"
	"ward/policy"
	"ward/seal/envelope"
	"ward/store"
)

// Who is who is what people signed (package membership). The server takes no statement that readers would refuse, and
// keeps beside the chains what follows from them: the rows of persons and cards, which say who may sign in as what.

// maxStatements is how many statements one answer has: of half a kilobyte each.
const maxStatements = 500

// rosters are clinics' rosters as far as they were read and found to hold, since reading one begins at its founding.
type rosters struct {
	mu sync.Mutex
	of map[ward.OrgID]*roster
}

type roster struct {
	*membership.History
	unsure bool // its newest statement is of a transaction that has not ended
}

// roster reads a clinic's roster as far as the running transaction sees it. The caller holds i.rosters.mu.
func (i *Identity) roster(ctx context.Context, tx *store.Tx, org ward.OrgID) (*roster, error) {
	r := i.rosters.of[org]
	sure := r != nil && !r.unsure
	if !sure {
		o, err := getOrg(ctx, tx, org)
		if err != nil {
			return nil, err
		}
		if len(o.clinic) == 0 {
			return nil, ward.Errorf(ward.Missing, "this clinic was not founded yet")
		}
		clinic, err := envelope.Parse[envelope.Clinic](o.clinic)
		if err != nil {
			return nil, err
		}
		h, err := membership.NewRoster(clinic)
		if err != nil {
			return nil, err
		}
		r = &roster{History: h}
	}
	more, _, err := statements(ctx, tx, org, string(org), r.Head().Seq, 0)
	if err != nil {
		return nil, err
	}
	if err := r.Read(more, i.Now()); err != nil {
		return nil, fmt.Errorf("the roster that is kept does not hold: %w", err)
	}
	if !sure { // it may have what this transaction stated before
		tx.AfterCommit(func() {
			i.rosters.mu.Lock()
			defer i.rosters.mu.Unlock()
			i.rosters.of[org] = r
		})
	}
	return r, nil
}

// statements reads those of a chain after a seq, in order, limit of them or, if that is 0, all.
func statements(ctx context.Context, tx *store.Tx, org ward.OrgID, chain string, after, limit int64) (page [][]byte, more bool, err error) {
	query := `SELECT text FROM membership WHERE org = $1 AND chain = $2 AND seq > $3 ORDER BY seq`
	if limit > 0 {
		query += ` LIMIT ` + strconv.FormatInt(limit+1, 10)
	}
	found, err := tx.Rows(ctx, query, string(org), chain, after)
	if err != nil {
		return nil, false, err
	}
	defer found.Close()
	for found.Next() {
		var text []byte
		if err := found.Scan(&text); err != nil {
			return nil, false, err
		}
		page = append(page, text)
	}
	if limit > 0 && int64(len(page)) > limit {
		return page[:limit], true, found.Err()
	}
	return page, false, found.Err()
}

// A said is a statement that was taken, and the chain with it.
type said struct {
	chain   *membership.History
	seq     int64
	changed []membership.Member
}

// state takes the next statement of a chain, if it holds, and does what follows from it.
func (i *Identity) state(ctx context.Context, tx *store.Tx, org ward.OrgID, chain string, text []byte, by ward.PersonID) (said, error) {
	s, err := i.take(ctx, tx, org, chain, text)
	if err != nil {
		return s, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO membership (org, chain, seq, text) VALUES ($1, $2, $3, $4)`, string(org), chain, s.seq, text); err != nil {
		if store.IsDuplicate(err) {
			return s, movedOn()
		}
		return s, err
	}
	leaf := ledger.Leaf{Kind: receipt.LeafMembership, Ref: statementRef(chain, s.seq), Content: text}
	if err := i.Ledger.Commit(ctx, tx, org, leaf); err != nil {
		return s, err
	}
	if err := i.Ledger.Link(ctx, tx, org, ward.PersonID(chain), s.seq, text); err != nil {
		return s, err
	}
	for _, m := range s.changed {
		if err := i.follow(ctx, tx, org, m, by); err != nil {
			return s, err
		}
	}
	if err := i.void(ctx, tx, org, chain, s.chain); err != nil {
		return s, err
	}
	i.tell(tx, org, ward.Notice{Kind: "person"})
	return s, nil
}

// take judges a statement by the rules, without keeping it.
func (i *Identity) take(ctx context.Context, tx *store.Tx, org ward.OrgID, chain string, text []byte) (said, error) {
	i.rosters.mu.Lock()
	defer i.rosters.mu.Unlock()
	r, err := i.roster(ctx, tx, org)
	if err != nil {
		return said{}, err
	}
	h := r.History
	if chain != string(org) {
		h = membership.NewThread(r.History, ward.PersonID(chain))
		before, _, err := statements(ctx, tx, org, chain, 0, 0)
		if err != nil {
			return said{}, err
		}
		if err := h.Read(before, i.Now()); err != nil {
			return said{}, fmt.Errorf("the thread that is kept does not hold: %w", err)
		}
	}
	head := h.Head()
	if err := h.Append(text, i.Now()); err != nil {
		if place, ok := envelope.PlaceOf(text); ok && place.Chain == chain && place.Seq <= head.Seq {
			return said{}, movedOn()
		}
		return said{}, wrapInvalid(err)
	}
	s := said{chain: h, seq: head.Seq + 1}
	for _, id := range h.Changed(s.seq) {
		m, _ := h.Member(id)
		s.changed = append(s.changed, m)
	}
	if h == r.History {
		r.unsure = true
		tx.AfterCommit(func() {
			i.rosters.mu.Lock()
			defer i.rosters.mu.Unlock()
			r.unsure = false
		})
	}
	return s, nil
}

// movedOn says that somebody else stated something in the meantime.
func movedOn() error {
	return ward.Errorf(ward.Conflict, "something was stated here in the meantime").WithHint("Read on, and state it again at the new place.")
}

// follow keeps what a chain now says of a person, and ends what they had by what it said before.
func (i *Identity) follow(ctx context.Context, tx *store.Tx, org ward.OrgID, m membership.Member, by ward.PersonID) error {
	was, err := getPerson(ctx, tx, org, m.Person)
	if ward.KindOf(err) == ward.Missing {
		was, err = person{roles: m.Roles}, insertPerson(ctx, tx, org, m.Person, m.Roles, i.Now())
	}
	if err != nil {
		return err
	}
	ended := int64(0)
	if !m.Active {
		ended = max(was.ended, m.Ended.UnixMilli())
	}
	if _, err := tx.Exec(ctx, `UPDATE persons SET roles = $1, ended = $2 WHERE org = $3 AND person = $4`,
		formatRoles(m.Roles), ended, string(org), string(m.Person)); err != nil {
		return err
	}
	if err := i.followCard(ctx, tx, org, m); err != nil {
		return err
	}
	switch {
	case ended != 0 && was.ended == 0:
		err = i.Charts.EndPerson(ctx, tx, org, m.Person, by)
	case formatRoles(was.roles) != formatRoles(m.Roles) && m.Roles[0].IsStaff():
		err = i.Charts.EndRoles(ctx, tx, org, m.Person, by, m.Roles)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	// Sessions were begun under the limits of what they were; they begin again under the new.
	if _, err := deleteSessions(ctx, tx, org, m.Person, ""); err != nil {
		return err
	}
	i.tell(tx, org, ward.Notice{Kind: "session", Person: m.Person})
	return nil
}

// followCard lets a card count, and ends what was opened with the keys before: sessions, passkeys and keyrings. Browsers'
// certificates stay, because entries that they signed must still be checked; none counts for a new card.
func (i *Identity) followCard(ctx context.Context, tx *store.Tx, org ward.OrgID, m membership.Member) error {
	if _, err := tx.Exec(ctx, `UPDATE cards SET pending = 0 WHERE org = $1 AND person = $2 AND hash = $3`, string(org), string(m.Person), m.Card.Hash); err != nil {
		return err
	}
	if m.Card.Serial > 1 {
		if err := i.Charts.Rekeyed(ctx, tx, org, m.Person, m.Card.Hash); err != nil {
			return err
		}
	}
	return i.endKeys(ctx, tx, org, m.Person, `card <> $3 AND card NOT IN (SELECT hash FROM cards WHERE org = $1 AND person = $2 AND pending = 1)`, m.Card.Hash)
}

// void ends the cards that waited in a chain and no longer do.
func (i *Identity) void(ctx context.Context, tx *store.Tx, org ward.OrgID, chain string, h *membership.History) error {
	gone, err := cardsWaiting(ctx, tx, org, chain)
	if err != nil {
		return err
	}
	for _, waits := range h.Pending() {
		delete(gone, waits.What)
	}
	for hash, person := range gone {
		if _, err := tx.Exec(ctx, `DELETE FROM cards WHERE org = $1 AND person = $2 AND hash = $3`, string(org), string(person), hash); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM browsers WHERE org = $1 AND person = $2 AND card = $3`, string(org), string(person), hash); err != nil {
			return err
		}
		if err := i.endKeys(ctx, tx, org, person, `card = $3`, hash); err != nil {
			return err
		}
	}
	return nil
}

// cardsWaiting lists the cards of a chain that wait, by hash.
func cardsWaiting(ctx context.Context, tx *store.Tx, org ward.OrgID, chain string) (map[string]ward.PersonID, error) {
	found, err := tx.Rows(ctx, `SELECT person, hash FROM cards WHERE org = $1 AND chain = $2 AND pending = 1`, string(org), chain)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	waiting := map[string]ward.PersonID{}
	for found.Next() {
		var person ward.PersonID
		var hash string
		if err := found.Scan((*string)(&person), &hash); err != nil {
			return nil, err
		}
		waiting[hash] = person
	}
	return waiting, found.Err()
}

// endKeys ends what belongs to some of a person's cards.
func (i *Identity) endKeys(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, which, hash string) error {
	ended := int64(0)
	for _, table := range []string{"sessions", "passkeys", "keyrings", "recovery_keys"} {
		n, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org = $1 AND person = $2 AND `+which, string(org), string(person), hash)
		if err != nil {
			return err
		}
		ended += n
	}
	if ended > 0 {
		i.tell(tx, org, ward.Notice{Kind: "session", Person: person})
	}
	return nil
}

// page reads a part of the roster.
func (i *Identity) page(ctx context.Context, tx *store.Tx, org ward.OrgID, after int64) (ward.MembershipPage, error) {
	found, more, err := statements(ctx, tx, org, string(org), after, maxStatements)
	answer := ward.MembershipPage{Statements: make([]string, len(found)), More: more}
	for n, text := range found {
		answer.Statements[n] = string(text)
	}
	return answer, err
}

// thread reads a patient's or proxy's own chain.
func thread(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]string, error) {
	return texts(ctx, tx, `SELECT text FROM membership WHERE org = $1 AND chain = $2 ORDER BY seq`, string(org), string(person))
}

// GetMembership answers GET /api/membership.
func (i *Identity) GetMembership(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil || after < 0 {
		return nil, ward.Errorf(ward.Invalid, "after is the seq of the last statement that you have, or 0")
	}
	return i.page(ctx, tx, who.Org, after)
}

// InvitedMembership answers POST /api/invitations/{invitation}/membership, to whoever has the link.
func (i *Identity) InvitedMembership(ctx context.Context, tx *store.Tx, _ ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.MembershipAfter](r.Body)
	if err != nil {
		return nil, err
	}
	v, err := i.withToken(ctx, tx, ward.InvitationID(r.PathValue("invitation")), body.Token)
	if err != nil {
		return nil, err
	}
	var answer ward.InvitedMembership
	if answer.MembershipPage, err = i.page(ctx, tx, v.org, max(0, body.After)); err != nil {
		return nil, err
	}
	answer.Thread, err = thread(ctx, tx, v.org, v.person)
	return answer, err
}

// actions are what the record calls the statements that PostStatement takes.
var actions = map[string]string{
	envelope.Confirm{}.Type(): "confirmed", envelope.Complete{}.Type(): "completed", envelope.Veto{}.Type(): "vetoed", envelope.Roles{}.Type(): "changed-roles",
	envelope.Rename{}.Type(): "renamed", envelope.Deactivate{}.Type(): "ended", envelope.Reinstate{}.Type(): "reinstated", envelope.Rules{}.Type(): "changed-rules",
}

// AboutStatement is the person in the path, and what is to be stated of them.
func (i *Identity) AboutStatement(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	about, err := i.AboutPerson(ctx, tx, who, r)
	if err != nil {
		return about, err
	}
	body, err := ward.Decode[ward.StatementPut](r.Body)
	if err != nil {
		return about, err
	}
	about.Statement, _, _ = strings.Cut(strings.TrimPrefix(kindOf(body.Text), "ward/"), "/")
	if actions[kindOf(body.Text)] == "" {
		return about, ward.Errorf(ward.Invalid, "this is not a statement that can be made of a person")
	}
	return about, nil
}

func kindOf(text string) string {
	kind, _, _ := strings.Cut(text[:min(len(text), 64)], "\n")
	return kind
}

// IsWeighty tells whether a statement changes what somebody may, so that a fresh touch is asked for. One that only says
// that time has passed, which browsers do by themselves, does not.
func (i *Identity) IsWeighty(_ ward.Caller, about policy.Resource, _ *http.Request) bool {
	return about.Statement != "complete"
}

// PostStatement answers POST /api/people/{person}/membership.
func (i *Identity) PostStatement(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.StatementPut](r.Body)
	if err != nil {
		return nil, err
	}
	id := ward.PersonID(r.PathValue("person"))
	author, concerns, chain, ok := envelope.Concerns([]byte(body.Text))
	if !ok || author != who.Person || concerns != "" && concerns != id {
		return nil, ward.Errorf(ward.Invalid, "the statement is not the caller's own, about this person")
	}
	if chain != string(who.Org) && chain != string(id) {
		return nil, ward.Errorf(ward.Invalid, "the statement is of neither the roster nor this person's chain")
	}
	if _, err := i.state(ctx, tx, who.Org, chain, []byte(body.Text), who.Person); err != nil {
		return nil, err
	}
	return nil, i.record(ctx, tx, who.Org, ward.Event{Person: who.Person, Roles: who.Roles, Action: actions[kindOf(body.Text)], About: "person:" + string(id)})
}

// PostKeys answers POST /api/keys: the caller, who has the keys before, takes new ones. All their other sessions end;
// their passkeys open the new keyring.
func (i *Identity) PostKeys(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.KeysPut](r.Body)
	if err != nil {
		return nil, err
	}
	s, err := i.newCard(body.CardText, body.Recipient, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	if s.Body.Invitation != "" || body.RecoveryKeyring == nil || body.Recovery == nil {
		return nil, ward.Errorf(ward.Invalid, "new keys come without an invitation, and with a new recovery code")
	}
	if err := checkKeyring(body.Keyring, body.RecoveryKeyring); err != nil {
		return nil, err
	}
	if err := i.mayTakeKeys(ctx, tx, who); err != nil {
		return nil, err
	}
	browser, err := checkBrowser(body.BrowserText, s, who.Browser)
	if err != nil {
		return nil, err
	}
	old, err := getKeyring(ctx, tx, who.Org, who.Person, who.Card)
	if err != nil {
		return nil, err
	}
	if body.Version != old.Version+1 {
		return nil, ward.Errorf(ward.Conflict, "your keyring was changed elsewhere in the meantime").WithHint("Read it again and repeat.")
	}
	if err := insertCard(ctx, tx, s, body.Recipient); err != nil {
		return nil, err
	}
	for _, query := range []string{
		`UPDATE passkeys SET card = $1 WHERE org = $2 AND person = $3 AND card = $4`,
		`UPDATE sessions SET card = $1 WHERE org = $2 AND person = $3 AND card = $4 AND session = $5`,
	} {
		args := []any{s.Hash(), string(who.Org), string(who.Person), who.Card}
		if strings.Contains(query, "$5") {
			args = append(args, string(who.Session))
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil {
			return nil, err
		}
	}
	if err := insertKeyring(ctx, tx, who.Org, who.Person, s.Hash(), body.Version, body.Keyring, body.RecoveryKeyring); err != nil {
		return nil, err
	}
	if err := putRecovery(ctx, tx, who.Org, who.Person, s.Hash(), *body.Recovery); err != nil {
		return nil, err
	}
	if err := i.keepBrowser(ctx, tx, browser); err != nil {
		return nil, err
	}
	if _, err := i.state(ctx, tx, who.Org, s.Body.Chain, s.Text, who.Person); err != nil {
		return nil, err
	}
	if err := i.Charts.RegrantHeld(ctx, tx, who.Org, who.Person, body.Grants); err != nil {
		return nil, err
	}
	return nil, i.record(ctx, tx, who.Org, ward.Event{Person: who.Person, Roles: who.Roles, Action: "changed-keys"})
}

// maxKeysADay is how often somebody takes new keys in a day: others must read every card that a person ever had, and seal
// to the new one what they hold.
const maxKeysADay = 5

func (i *Identity) mayTakeKeys(ctx context.Context, tx *store.Tx, who ward.Caller) error {
	made, err := texts(ctx, tx, `SELECT text FROM cards WHERE org = $1 AND person = $2 ORDER BY serial DESC LIMIT $3`, string(who.Org), string(who.Person), int64(maxKeysADay))
	if err != nil || len(made) < maxKeysADay {
		return err
	}
	oldest, err := envelope.Parse[envelope.MemberCard]([]byte(made[len(made)-1]))
	if err != nil {
		return err
	}
	at, err := ward.ParseTime(oldest.Body.Time)
	if err == nil && i.Now().Before(at.Add(24*time.Hour)) {
		err = ward.Errorf(ward.TooMany, "your keys were changed %d times in a day", maxKeysADay).WithHint("Wait until tomorrow. If it was not you, call the clinic.")
	}
	return err
}

// newCard reads a card that somebody sends with the recipient that belongs to it. Whether it may follow, its chain says.
func (i *Identity) newCard(text, recipient string, org ward.OrgID, person ward.PersonID) (*envelope.Statement[envelope.MemberCard], error) {
	s, err := envelope.Parse[envelope.MemberCard]([]byte(text))
	if err != nil {
		return nil, wrapInvalid(err)
	}
	if err := envelope.CheckRecipient(recipient); err != nil {
		return nil, wrapInvalid(err)
	}
	if s.Body.Org != org || s.Body.Person != person || s.Body.RecipientHash != envelope.Hash([]byte(recipient)) {
		return nil, ward.Errorf(ward.Invalid, "the card is for someone else, or for another recipient")
	}
	return s, nil
}

// cards shows what belongs to a person's cards, for others to check.
func (i *Identity) cards(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID) (ward.PersonCards, error) {
	answer := ward.PersonCards{Person: id, State: "active", Recipients: []string{}, Browsers: []string{}}
	p, err := getPerson(ctx, tx, org, id)
	if ward.KindOf(err) == ward.Missing {
		answer.State = "invited"
		var failed error
		if answer.Thread, failed = thread(ctx, tx, org, id); failed == nil && len(answer.Thread) == 0 {
			failed = err
		}
		return answer, failed
	}
	if err != nil {
		return answer, err
	}
	if answer.Recipients, err = recipientsOf(ctx, tx, org, id); err != nil {
		return answer, err
	}
	switch {
	case p.ended != 0:
		answer.State = "ended"
	case len(answer.Recipients) == 0:
		answer.State = "pending"
	}
	if !p.roles[0].IsStaff() {
		if answer.Thread, err = thread(ctx, tx, org, id); err != nil {
			return answer, err
		}
	}
	answer.Browsers, err = browsersOf(ctx, tx, org, id)
	return answer, err
}

// HostOf shows a person's current card, for a guest whose link pins it.
func (i *Identity) HostOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (ward.GuestHost, error) {
	c, err := currentCard(ctx, tx, org, person)
	if err != nil {
		return ward.GuestHost{}, err
	}
	answer := ward.GuestHost{Person: person, CardText: string(c.Text), Recipient: c.recipient}
	answer.Browsers, err = browsersOf(ctx, tx, org, person)
	return answer, err
}
