package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// Locks as their holder sees them: the line of epochs checked, the keys opened by a grant to oneself or to a team
// one holds, and through the histories back to the first.

// A Lock is a lock with the keys that this person can open.
type Lock struct {
	ward.LockSummary
	Line     []*envelope.Statement[envelope.Epoch]
	keys     map[int64]seal.LockKey
	snapshot int64
}

// Current is the lock's current epoch, to seal to.
func (l *Lock) Current() envelope.Epoch { return l.Line[len(l.Line)-1].Body }

// key is the key of the current epoch.
func (l *Lock) key() (seal.LockKey, error) {
	k, ok := l.keys[l.Current().Epoch]
	if !ok {
		return k, &ward.Error{Kind: ward.Refused, Message: "you do not hold this lock's current key", Hint: "Someone who holds it must grant it."}
	}
	return k, nil
}

// ErrShut is the error of who holds a lock by grants of which none opens: after new keys, until somebody makes another.
var ErrShut = errors.New("no grant of it opens")

// maxDepth is how far a grant may lead through locks: a person holds a team, which holds a chart.
const maxDepth = 2

// Locks lists the locks that this person may read.
func (c *Client) Locks(ctx context.Context) ([]ward.LockSummary, error) {
	answer, err := get[struct {
		Locks []ward.LockSummary `json:"locks"`
	}](ctx, c, "/api/locks")
	return answer.Locks, err
}

// OpenLock opens a lock that this person holds, and checks it.
func (c *Client) OpenLock(ctx context.Context, id ward.LockID) (*Lock, error) {
	return c.openLock(ctx, id, maxDepth, nil)
}

func (c *Client) openLock(ctx context.Context, id ward.LockID, depth int, more []ward.HeldGrant) (*Lock, error) {
	given, err := get[ward.Lock](ctx, c, path("locks", string(id)))
	if err != nil {
		return nil, err
	}
	l := &Lock{LockSummary: given.LockSummary, keys: map[int64]seal.LockKey{}, snapshot: given.Snapshot}
	if l.Line, err = c.checkLine(ctx, given.LockSummary, id); err != nil {
		return nil, err
	}
	if len(given.Histories) != len(l.Line)-1 {
		return nil, fmt.Errorf("lock %s: it has %d epochs and %d histories", id, len(l.Line), len(given.Histories))
	}
	var failed error
	var shut []ward.HeldGrant
	for _, g := range append(given.Grants, more...) { // more than one of an epoch may stand: any that opens will do
		key, err := c.openGrant(ctx, g, l.Line, depth)
		if err != nil {
			failed, shut = errors.Join(failed, err), append(shut, g)
			continue
		}
		l.keys[key.Epoch] = key
	}
	c.answerGrants(ctx, l, given.Grants, shut)
	for n := int64(len(l.Line)); n > 1; n-- {
		key, ok := l.keys[n]
		if !ok || l.keys[n-1].Epoch != 0 {
			continue
		}
		older, err := seal.OpenHistory(given.Histories[n-2], key, l.Line)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", id, err)
		}
		l.keys[n-1] = older
	}
	if len(l.keys) == 0 {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", id, ErrShut), failed)
	}
	return l, nil
}

// An answer to a grant tells the clinic whether what was sealed to this person opens.
type answer struct {
	lock  ward.LockID
	opens bool
}

// answerGrants notes what to say of grants to this person's own card: that one does not open, so that somebody makes it
// again; that it does, so that what is sealed to the cards before may go.
func (c *Client) answerGrants(ctx context.Context, l *Lock, given, shut []ward.HeldGrant) {
	k := c.state().keyring
	if k == nil || len(shut) == 0 {
		return // each opens, so none is to an earlier card
	}
	me, err := c.person(ctx, k.Person)
	if err != nil {
		return // whoever needs it says so; then nothing of a grant can be told
	}
	var mine []*envelope.Statement[envelope.Grant]
	answers := map[ward.GrantID]answer{}
	earlier := false
	for _, g := range given {
		s, err := envelope.Parse[envelope.Grant]([]byte(g.Text))
		if err != nil || s.Body.Person != k.Person || s.Body.Epoch > int64(len(l.Line)) {
			continue
		}
		card := me.CardBy(s.Body.Card)
		if card == nil || card.Recipient != k.Identity.Recipient() {
			earlier = true
			continue
		}
		mine = append(mine, s)
		if _, err := seal.CheckGrant([]byte(g.Text), l.Line[s.Body.Epoch-1].Body, nil); err != nil {
			continue // the server's own
		}
		if !slices.ContainsFunc(shut, func(s ward.HeldGrant) bool { return s.Text == g.Text }) {
			continue
		}
		if _, err := seal.OpenGrant(g, l.Line[s.Body.Epoch-1].Body, nil, k.Identity); err != nil {
			answers[s.Body.Grant] = answer{l.Lock, false}
		}
	}
	for _, s := range mine {
		if _, spoiled := answers[s.Body.Grant]; earlier && !spoiled {
			answers[s.Body.Grant] = answer{l.Lock, true}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, a := range answers {
		c.answers[id] = a
	}
}

// sendAnswers tells the clinic what was noted of grants.
func (c *Client) sendAnswers(ctx context.Context) error {
	c.mu.Lock()
	answers := c.answers
	c.answers = map[ward.GrantID]answer{}
	c.mu.Unlock()
	var failed error
	for id, a := range answers {
		err := do(ctx, c, http.MethodPost, path("locks", string(a.lock), "opened"), object{"grant": id, "opens": a.opens})
		if kind := ward.KindOf(err); err != nil && kind != ward.Gone && kind != ward.Missing {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// checkLine checks a lock's epochs with their authors' keys.
func (c *Client) checkLine(ctx context.Context, given ward.LockSummary, id ward.LockID) ([]*envelope.Statement[envelope.Epoch], error) {
	if given.Lock != id {
		return nil, fmt.Errorf("lock %s: the server shows another", id)
	}
	return seal.CheckLine(c.Org(), id, given.Epochs, func(p ward.PersonID) (*seal.Person, error) { return c.personOrErased(ctx, p) })
}

func (c *Client) openGrant(ctx context.Context, g ward.HeldGrant, line []*envelope.Statement[envelope.Epoch], depth int) (seal.LockKey, error) {
	s, err := envelope.Parse[envelope.Grant]([]byte(g.Text))
	if err != nil {
		return seal.LockKey{}, err
	}
	b := s.Body
	if b.Epoch > int64(len(line)) {
		return seal.LockKey{}, errors.New("grant: it is of an epoch that does not exist")
	}
	identity, err := c.identityFor(ctx, b, depth)
	if err != nil {
		return seal.LockKey{}, err
	}
	granter, err := c.personOrErased(ctx, b.Granter)
	if err != nil && !errors.Is(err, seal.ErrErased) {
		return seal.LockKey{}, err
	}
	return seal.OpenGrant(g, line[b.Epoch-1].Body, granter, identity)
}

// identityFor is the identity that opens a grant: one's own, or that of a lock one holds.
func (c *Client) identityFor(ctx context.Context, b envelope.Grant, depth int) (seal.Identity, error) {
	k := c.state().keyring
	switch {
	case k == nil:
		return seal.Identity{}, ErrSignedOut
	case b.Person == k.Person:
		return k.Identity, nil
	case b.Holder == "" || depth == 0:
		return seal.Identity{}, errors.New("grant: it is to someone else")
	}
	holder, err := c.openLock(ctx, b.Holder, depth-1, nil)
	if err != nil {
		return seal.Identity{}, err
	}
	key, ok := holder.keys[b.HolderEpoch]
	if !ok {
		return seal.Identity{}, fmt.Errorf("grant: it is to epoch %d of lock %s, which does not open", b.HolderEpoch, b.Holder)
	}
	return key.Identity, nil
}

// Keys shows a team's public keys, checked, to grant to it or write to it.
func (c *Client) Keys(ctx context.Context, id ward.LockID) (*Lock, error) {
	s, err := get[ward.LockSummary](ctx, c, path("locks", string(id), "keys"))
	if err != nil {
		return nil, err
	}
	l := &Lock{LockSummary: s}
	l.Line, err = c.checkLine(ctx, s, id)
	return l, err
}

// A Member is someone who holds or held a lock.
type Member struct {
	Grant envelope.Grant
	State string // live, expired, removed
	Ended string
	By    ward.PersonID
}

// Members lists who holds and held a lock, with the lock's own signature on each grant checked.
func (c *Client) Members(ctx context.Context, l *Lock) ([]Member, error) {
	answer, err := get[struct {
		Members []ward.Member `json:"members"`
	}](ctx, c, path("locks", string(l.Lock), "members"))
	if err != nil {
		return nil, err
	}
	var members []Member
	for _, m := range answer.Members {
		s, err := envelope.Parse[envelope.Grant]([]byte(m.Text))
		if err != nil {
			return nil, err
		}
		if s.Body.Epoch > int64(len(l.Line)) {
			return nil, fmt.Errorf("lock %s: a member holds an epoch that does not exist", l.Lock)
		}
		if _, err := seal.CheckGrant([]byte(m.Text), l.Line[s.Body.Epoch-1].Body, nil); err != nil {
			return nil, err
		}
		if m.State == "removed" {
			c.noteEnd(l.Lock, s.Body.Grant, &s.Body)
		}
		members = append(members, Member{s.Body, m.State, m.Ended, m.By})
	}
	return members, nil
}

// grantee finds the latest keys, checked, of whom a grant is to. Standing is the card by which a person holds the lock
// already, or empty.
func (c *Client) grantee(ctx context.Context, person ward.PersonID, holder ward.LockID, standing string) (seal.Grantee, error) {
	if holder != "" {
		keys, err := c.Keys(ctx, holder)
		if err != nil {
			return seal.Grantee{}, err
		}
		return seal.ToLock(keys.Line[len(keys.Line)-1]), nil
	}
	c.forgetPerson(person)
	p, err := c.person(ctx, person)
	if err != nil {
		return seal.Grantee{}, err
	}
	if err := c.maySeal(ctx, p, standing); err != nil {
		return seal.Grantee{}, err
	}
	return seal.ToPerson(p), nil
}

// Grant gives a lock's current key to a person or to a lock. Until may be zero.
func (c *Client) Grant(ctx context.Context, id ward.LockID, person ward.PersonID, holder ward.LockID, purpose string, until time.Time) error {
	l, err := c.OpenLock(ctx, id)
	if err != nil {
		return err
	}
	end := ""
	if !until.IsZero() {
		end = ward.FormatTime(until)
	}
	err = c.grant(ctx, l, person, holder, purpose, end)
	if ward.KindOf(err) == ward.Conflict {
		if holds, failed := c.holds(ctx, id, person, holder, purpose, end); failed == nil && holds {
			return nil
		}
	}
	return err
}

// holds tells whether a member holds a lock on these terms.
func (c *Client) holds(ctx context.Context, id ward.LockID, person ward.PersonID, holder ward.LockID, purpose, until string) (bool, error) {
	l, err := c.OpenLock(ctx, id)
	if err != nil {
		return false, err
	}
	members, err := c.Members(ctx, l)
	return slices.ContainsFunc(members, func(m Member) bool {
		g := m.Grant
		return m.State == "live" && g.Person == person && g.Holder == holder && g.Purpose == purpose && g.Until == until
	}), err
}

func (c *Client) grant(ctx context.Context, l *Lock, person ward.PersonID, holder ward.LockID, purpose, until string) error {
	key, err := l.key()
	if err != nil {
		return err
	}
	to, err := c.grantee(ctx, person, holder, "")
	if err != nil {
		return err
	}
	pen, err := c.pen()
	if err != nil {
		return err
	}
	g, err := pen.Grant(key, to, purpose, until, c.now())
	if err != nil {
		return err
	}
	return do(ctx, c, http.MethodPost, path("locks", string(l.Lock), "grants"), object{"grants": []ward.NewGrant{g}})
}

// Revoke takes a member off a lock, and turns the lock at once if this person can.
func (c *Client) Revoke(ctx context.Context, id ward.LockID, grant ward.GrantID) error {
	if err := do(ctx, c, http.MethodDelete, path("locks", string(id), "grants", string(grant)), nil); err != nil {
		return err
	}
	c.noteEnd(id, grant, nil)
	l, err := c.OpenLock(ctx, id)
	if err != nil {
		if ward.KindOf(err) == ward.Refused {
			return nil // they took themselves off; who remains turns it
		}
		return err
	}
	return c.turn(ctx, l)
}

// turn makes a lock's next epoch, for all who remain.
func (c *Client) turn(ctx context.Context, l *Lock) error {
	old, err := l.key()
	if err != nil {
		return err
	}
	members, err := c.Members(ctx, l)
	if err != nil {
		return err
	}
	pen, err := c.pen()
	if err != nil {
		return err
	}
	key, epoch, history, err := pen.Turn(old, l.Line[len(l.Line)-1], c.now())
	if err != nil {
		return err
	}
	turned := ward.NewEpoch{Epoch: string(epoch.Text), History: history}
	for _, m := range members {
		if m.State != "live" || m.Grant.Epoch != l.Current().Epoch {
			continue // not a member, or not since the lock turned last
		}
		if c.cameBack(l.Lock, m.Grant) {
			return fmt.Errorf("lock %s: %w", l.Lock, ErrCameBack)
		}
		to, err := c.grantee(ctx, m.Grant.Person, m.Grant.Holder, m.Grant.Card)
		if err != nil {
			return err
		}
		g, err := pen.Grant(key, to, m.Grant.Purpose, m.Grant.Until, c.now())
		if err != nil {
			return err
		}
		turned.Grants = append(turned.Grants, g)
	}
	return do(ctx, c, http.MethodPost, path("locks", string(l.Lock), "epochs"), turned)
}

// CreateTeam makes a team of clinicians, oneself among them, and writes its name into it.
func (c *Client) CreateTeam(ctx context.Context, name string, members ...ward.PersonID) (ward.LockID, error) {
	pen, err := c.pen()
	if err != nil {
		return "", err
	}
	key, epoch, err := pen.NewLock(envelope.LockTeam, "", "", c.now())
	if err != nil {
		return "", err
	}
	lock := ward.NewLock{Epoch: string(epoch.Text)}
	for _, person := range append([]ward.PersonID{c.Person()}, members...) {
		to, err := c.grantee(ctx, person, "", "")
		if err != nil {
			return "", err
		}
		g, err := pen.Grant(key, to, envelope.ForWork, "", c.now())
		if err != nil {
			return "", err
		}
		lock.Grants = append(lock.Grants, g)
	}
	if err := do(ctx, c, http.MethodPost, "/api/locks", lock); err != nil {
		return "", err
	}
	group := object{"resourceType": "Group", "type": "practitioner", "actual": true, "name": name}
	return key.Lock, c.writeOutside(ctx, key.Lock, []Item{resource("record", group)})
}
