package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

// lifetime is how long a session lasts without a request, and in all.
type lifetime struct{ idle, absolute time.Duration }

// lifetimes by role; who has several gets the shortest. A clinic's screens are shared and walked away from; a
// patient's phone is locked by itself, and a frightened person should not have to sign in every day.
var lifetimes = map[ward.Role]lifetime{
	ward.Patient:   {24 * time.Hour, 30 * 24 * time.Hour},
	ward.Proxy:     {24 * time.Hour, 30 * 24 * time.Hour},
	ward.Clinician: {30 * time.Minute, 12 * time.Hour},
	ward.FrontDesk: {30 * time.Minute, 12 * time.Hour},
	ward.Security:  {15 * time.Minute, 8 * time.Hour},
	ward.Privacy:   {15 * time.Minute, 8 * time.Hour},
	ward.Admin:     {15 * time.Minute, 8 * time.Hour},
}

// usedStep is how exactly the last use of a session is kept: exact enough for idleness, without a write each time.
const usedStep = 20 * time.Second

func lifetimeOf(roles []ward.Role) lifetime {
	least := lifetimes[ward.Patient]
	for _, role := range roles {
		if l, ok := lifetimes[role]; ok {
			least = lifetime{min(least.idle, l.idle), min(least.absolute, l.absolute)}
		}
	}
	return least
}

// Recognise finds who asks, by the headers, from a snapshot or from what it found a moment ago: that their browser made this
// request, and not yet that it is for the first time. It is asked before a body is read, so that no stranger's is;
// Authenticate asks again.
func (i *Identity) Recognise(ctx context.Context, r *http.Request) (ward.Caller, error) {
	token, err := tokenOf(r)
	if err != nil {
		return ward.Caller{}, err
	}
	s, known := i.seen.get(token, i.Now())
	if !known {
		err = i.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
			s, err = i.find(ctx, tx, token)
			return err
		})
		if err != nil {
			return ward.Caller{}, err
		}
	}
	_, err = i.provenBy(r, s, token)
	if isTheft(err) {
		refusal := err
		if err := i.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return i.recordTheft(ctx, tx, s, refusal) }); err != nil {
			return ward.Caller{}, err
		}
	}
	if err == nil && !known {
		err = i.isOver(s)
	}
	if err != nil {
		return ward.Caller{}, err
	}
	i.seen.put(token, s, i.Now())
	return s.caller(), nil
}

const (
	// seenFor is how long a session is recognised without asking the database, which costs a tenth of a small request. One
	// that has ended meanwhile gets its body read and is refused.
	seenFor = 10 * time.Second
	// maxSeen is how many are kept: 5 MB. Beyond it all are asked for again.
	maxSeen = 10_000
)

// seen are sessions that were recognised a moment ago, by the hash of their token. What is decided is decided by others.
type seen struct {
	mu sync.Mutex
	of map[string]seenSession
}

type seenSession struct {
	session
	at time.Time
}

func (s *seen) get(token string, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.of[envelope.Hash([]byte(token))]
	return one.session, ok && now.Sub(one.at) < seenFor
}

func (s *seen) put(token string, one session, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := envelope.Hash([]byte(token))
	if was, ok := s.of[hash]; ok && now.Sub(was.at) < seenFor {
		return // it is asked for again when its time is over, however often it comes
	}
	if len(s.of) >= maxSeen {
		clear(s.of)
	}
	one.share = nil
	s.of[hash] = seenSession{one, now}
}

// Authenticate finds who asks: the session of the token, if the request carries a fresh proof by the key that the
// session is bound to. It spends the proof.
func (i *Identity) Authenticate(ctx context.Context, tx *store.Tx, r *http.Request) (ward.Caller, error) {
	token, err := tokenOf(r)
	if err != nil {
		return ward.Caller{}, err
	}
	s, err := i.find(ctx, tx, token)
	if err != nil {
		return ward.Caller{}, err
	}
	p, err := i.provenBy(r, s, token)
	if err == nil {
		err = i.spend(ctx, tx, p)
	}
	if isTheft(err) {
		if err := i.recordTheft(ctx, tx, s, err); err != nil {
			return ward.Caller{}, err
		}
		return ward.Caller{}, counted{err}
	}
	if err == nil {
		err = i.isOver(s)
	}
	if err != nil {
		return ward.Caller{}, err
	}
	if now := i.Now(); s.visit == "" && now.Sub(s.used) > usedStep {
		if err := touchSession(ctx, tx, s.org, s.id, now); err != nil {
			return ward.Caller{}, err
		}
	}
	return s.caller(), nil
}

// tokenOf is the token of a request.
func tokenOf(r *http.Request) (string, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "DPoP ")
	if !ok || len(token) != 43 {
		return "", ward.Errorf(ward.Unauthenticated, "you are not signed in").WithHint("Sign in.")
	}
	return token, nil
}

// find finds the session of a token: a person's or a guest's.
func (i *Identity) find(ctx context.Context, tx *store.Tx, token string) (session, error) {
	hash := envelope.Hash([]byte(token))
	s, err := sessionByToken(ctx, tx, hash)
	if errors.Is(err, store.ErrNoRow) {
		s, err = guestByToken(ctx, tx, hash)
	}
	if errors.Is(err, store.ErrNoRow) {
		err = ward.Errorf(ward.Unauthenticated, "this session has ended").WithHint("Sign in again.")
	}
	return s, err
}

// isOver says why a session counts no more, if so.
func (i *Identity) isOver(s session) error {
	now := i.Now()
	switch {
	case s.visit != "" && now.After(s.until):
		return ward.Errorf(ward.Unauthenticated, "this visit is over")
	case now.After(s.until) || s.visit == "" && now.After(s.used.Add(s.idle)):
		return ward.Errorf(ward.Unauthenticated, "this session has ended").WithHint("Sign in again.")
	case s.ended:
		return ward.Errorf(ward.Unauthenticated, "this account has ended").WithHint("Ask the clinic.")
	}
	return nil
}

// provenBy checks that a session's own browser makes this request.
func (i *Identity) provenBy(r *http.Request, s session, token string) (proof, error) {
	p, err := i.checkProof(r, token)
	if err == nil && s.browser != p.key {
		err = badProof("it is by another browser")
	}
	return p, err
}

// isTheft tells a refused proof from a nonce that is merely old and from a fault. Who has the token and not the key has
// stolen it, so that is put on record.
func isTheft(err error) bool {
	return err != nil && ward.KindOf(err) == ward.Unauthenticated && !errors.As(err, new(nonceError))
}

func (i *Identity) recordTheft(ctx context.Context, tx *store.Tx, s session, refusal error) error {
	return i.record(ctx, tx, s.org, ward.Event{
		Person: s.person, Roles: s.roles, Action: "refused-proof", About: "session:" + string(s.id), Decision: "deny", Outcome: string(ward.KindOf(refusal)),
	})
}

// spend uses a proof up. Its id is kept for as long as its nonce counts.
func (i *Identity) spend(ctx context.Context, tx *store.Tx, p proof) error {
	n, err := tx.Exec(ctx, `INSERT INTO proofs (jti, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		p.claims.ID, i.Now().Add((nonceSteps+1)*nonceStep).UnixMilli())
	if err == nil && n == 0 {
		err = badProof("it was used before")
	}
	return err
}

// CheckProof tells whether a public request carries a proof, whose key may become a session's.
func (i *Identity) CheckProof(r *http.Request) error {
	_, err := i.checkProof(r, "")
	return err
}

// proven is the key that a public request was proven with: it becomes the session's.
func (i *Identity) proven(ctx context.Context, tx *store.Tx, r *http.Request) (string, error) {
	p, err := i.checkProof(r, "")
	if err != nil {
		return "", err
	}
	return p.key, i.spend(ctx, tx, p)
}

// begin starts a session of a person, with the keys of one of their cards, in the browser with this key. They have just touched a passkey: they signed in with it,
// or made it.
func (i *Identity) begin(ctx context.Context, tx *store.Tx, r *http.Request, org ward.OrgID, person ward.PersonID, card, key string) (ward.Session, error) {
	p, err := getPerson(ctx, tx, org, person)
	if err != nil {
		return ward.Session{}, err
	}
	life, now := lifetimeOf(p.roles), i.Now()
	token, share := make([]byte, 32), make([]byte, 32)
	rand.Read(token)
	rand.Read(share)
	answer := ward.Session{
		Session: ward.NewID[ward.SessionID](), Token: ward.B64.EncodeToString(token), Person: person, Org: org, Roles: p.roles,
		Idle: int64(life.idle.Seconds()), Until: ward.FormatTime(now.Add(life.absolute)), Share: ward.B64.EncodeToString(share),
	}
	k, err := getKeyring(ctx, tx, org, person, card)
	if err != nil {
		return ward.Session{}, err
	}
	c, err := getCard(ctx, tx, org, person, card)
	if err != nil {
		return ward.Session{}, err
	}
	answer.Keyring, answer.Version, answer.CardText = k.Keyring, k.Version, string(c.Text)
	err = insertSession(ctx, tx, session{
		org: org, id: answer.Session, person: person, card: card, browser: key, agent: agentOf(r.UserAgent()),
		share: i.Sealer.Seal(shareName(answer.Session), share), idle: life.idle, started: now, used: now, until: now.Add(life.absolute), touched: now,
	}, envelope.Hash([]byte(answer.Token)))
	return answer, err
}

func shareName(id ward.SessionID) string { return "session-share/" + string(id) }

// agentOf says coarsely what browser it is, so that a person recognises their own: a maker and a system, of a few
// each, and no version.
func agentOf(header string) string {
	find := func(words ...[2]string) string {
		for _, w := range words {
			if strings.Contains(header, w[0]) {
				return w[1]
			}
		}
		return ""
	}
	browser := find([2]string{"Edg/", "Edge"}, [2]string{"Firefox/", "Firefox"}, [2]string{"Chrome/", "Chrome"}, [2]string{"CriOS/", "Chrome"},
		[2]string{"Safari/", "Safari"}, [2]string{"ward-client", "Ward client"})
	system := find([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Windows", "Windows"},
		[2]string{"Mac OS", "Mac"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "" && system == "":
		return ""
	case system == "":
		return browser
	case browser == "":
		return system
	}
	return browser + ", " + system
}

// endSessions ends a person's sessions, all or one, and with them the server's halves of the keys that let a reload
// unlock.
func (i *Identity) endSessions(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, only ward.SessionID) error {
	n, err := deleteSessions(ctx, tx, org, person, only)
	if err != nil {
		return err
	}
	if only != "" && n == 0 {
		return ward.Errorf(ward.Missing, "there is no such session of yours")
	}
	i.tell(tx, org, ward.Notice{Kind: "session", Person: person})
	return nil
}

// Sweep removes what time has ended: proofs, ceremonies, sessions. It is called now and then.
func (i *Identity) Sweep(ctx context.Context) error {
	return i.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		now := i.Now().UnixMilli()
		for _, statement := range []string{
			`DELETE FROM proofs WHERE expires < $1`,
			`DELETE FROM ceremonies WHERE expires < $1`,
			`DELETE FROM sessions WHERE until < $1 OR used + idle < $1`,
			`DELETE FROM guest_sessions WHERE until < $1`,
		} {
			if _, err := tx.Exec(ctx, statement, now); err != nil {
				return err
			}
		}
		return nil
	})
}
