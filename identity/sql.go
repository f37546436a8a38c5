package identity

import (
	"context"
	"errors"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

type org struct {
	id     ward.OrgID
	name   string
	clinic []byte
}

func getOrg(ctx context.Context, tx *store.Tx, id ward.OrgID) (org, error) {
	o := org{id: id}
	err := tx.Row(ctx, `SELECT name, clinic FROM orgs WHERE org = $1`, string(id)).Scan(&o.name, &o.clinic)
	if errors.Is(err, store.ErrNoRow) {
		return o, ward.Errorf(ward.Missing, "there is no such clinic here")
	}
	return o, err
}

func insertOrg(ctx context.Context, tx *store.Tx, o org, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO orgs (org, name, clinic, created) VALUES ($1, $2, $3, $4)`, string(o.id), o.name, []byte{}, now.UnixMilli())
	return err
}

type person struct {
	roles []ward.Role
	ended int64
}

func getPerson(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID) (person, error) {
	var p person
	var roles string
	err := tx.Row(ctx, `SELECT roles, ended FROM persons WHERE org = $1 AND person = $2`, string(org), string(id)).Scan(&roles, &p.ended)
	p.roles = parseRoles(roles)
	if errors.Is(err, store.ErrNoRow) {
		return p, ward.Errorf(ward.Missing, "there is no such person here")
	}
	return p, err
}

func insertPerson(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID, roles []ward.Role, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO persons (org, person, roles, ended, created) VALUES ($1, $2, $3, 0, $4)`,
		string(org), string(id), formatRoles(roles), now.UnixMilli())
	return err
}

// A card is a row of a person's public keys.
type card struct {
	*envelope.Statement[envelope.MemberCard]
	recipient string
	pending   bool
}

func scanCard(row interface{ Scan(...any) error }) (card, error) {
	var c card
	var text []byte
	var pending int64
	err := row.Scan(&text, &c.recipient, &pending)
	if errors.Is(err, store.ErrNoRow) {
		return c, ward.Errorf(ward.Missing, "this person has no card yet")
	}
	if err != nil {
		return c, err
	}
	c.pending = pending == 1
	c.Statement, err = envelope.Parse[envelope.MemberCard](text)
	return c, err
}

// currentCard finds a person's newest card that counts.
func currentCard(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID) (card, error) {
	return scanCard(tx.Row(ctx, `SELECT text, recipient, pending FROM cards WHERE org = $1 AND person = $2 AND pending = 0 ORDER BY serial DESC LIMIT 1`,
		string(org), string(id)))
}

// getCard finds one of a person's cards, which may wait.
func getCard(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID, hash string) (card, error) {
	return scanCard(tx.Row(ctx, `SELECT text, recipient, pending FROM cards WHERE org = $1 AND person = $2 AND hash = $3`,
		string(org), string(id), hash))
}

// recipientsOf gives those of a person's cards that count, oldest first.
func recipientsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID) ([]string, error) {
	return texts(ctx, tx, `SELECT recipient FROM cards WHERE org = $1 AND person = $2 AND pending = 0 ORDER BY serial`, string(org), string(id))
}

func browsersOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID) ([]string, error) {
	return texts(ctx, tx, `SELECT text FROM browsers WHERE org = $1 AND person = $2 ORDER BY key`, string(org), string(id))
}

func texts(ctx context.Context, tx *store.Tx, query string, args ...any) ([]string, error) {
	found, err := tx.Rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	all := []string{}
	for found.Next() {
		var text []byte
		if err := found.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, string(text))
	}
	return all, found.Err()
}

func insertCard(ctx context.Context, tx *store.Tx, s *envelope.Statement[envelope.MemberCard], recipient string) error {
	_, err := tx.Exec(ctx, `INSERT INTO cards (org, person, hash, chain, serial, text, recipient, pending) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)`,
		string(s.Body.Org), string(s.Body.Person), s.Hash(), s.Body.Chain, s.Body.Serial, s.Text, recipient)
	return err
}

func putBrowser(ctx context.Context, tx *store.Tx, s *envelope.Statement[envelope.Browser]) error {
	_, err := tx.Exec(ctx, `INSERT INTO browsers (org, person, key, card, text) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, person, key) DO UPDATE SET card = excluded.card, text = excluded.text`,
		string(s.Body.Org), string(s.Body.Person), s.Body.Key, s.Body.Card, s.Text)
	return err
}

// certifier gives the hashes of the card that certified a browser and of the person's newest that counts.
func certifier(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID, key string) (by, newest string, err error) {
	err = tx.Row(ctx, `SELECT b.card, c.hash FROM browsers b JOIN cards c ON c.org = b.org AND c.person = b.person
		WHERE b.org = $1 AND b.person = $2 AND b.key = $3 AND c.pending = 0 ORDER BY c.serial DESC LIMIT 1`, string(org), string(id), key).Scan(&by, &newest)
	if errors.Is(err, store.ErrNoRow) {
		err = ward.Errorf(ward.Unauthenticated, "this browser is not certified by your keys").WithHint("Unlock again, so that it certifies itself.")
	}
	return by, newest, err
}

func getKeyring(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID, card string) (ward.Keyring, error) {
	var k ward.Keyring
	err := tx.Row(ctx, `SELECT version, keyring, recovery FROM keyrings WHERE org = $1 AND person = $2 AND card = $3`, string(org), string(id), card).
		Scan(&k.Version, &k.Keyring, &k.RecoveryKeyring)
	if errors.Is(err, store.ErrNoRow) {
		return k, ward.Errorf(ward.Missing, "there is no keyring")
	}
	return k, err
}

// putKeyring stores the next version of a keyring, if it is the next.
func putKeyring(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID, card string, k ward.KeyringPut) error {
	if err := checkKeyring(k.Keyring, k.RecoveryKeyring); err != nil {
		return err
	}
	var n int64
	var err error
	if k.RecoveryKeyring != nil {
		n, err = tx.Exec(ctx, `UPDATE keyrings SET version = $1, keyring = $2, recovery = $3 WHERE org = $4 AND person = $5 AND card = $6 AND version = $7`,
			k.Version, k.Keyring, k.RecoveryKeyring, string(org), string(id), card, k.Version-1)
	} else {
		n, err = tx.Exec(ctx, `UPDATE keyrings SET version = $1, keyring = $2 WHERE org = $3 AND person = $4 AND card = $5 AND version = $6`,
			k.Version, k.Keyring, string(org), string(id), card, k.Version-1)
	}
	if err != nil {
		return err
	}
	if n == 0 {
		return ward.Errorf(ward.Conflict, "your keyring was changed elsewhere in the meantime").WithHint("Read it again and repeat.")
	}
	if k.Recovery == nil {
		return nil
	}
	return putRecovery(ctx, tx, org, id, card, *k.Recovery)
}

func insertKeyring(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID, card string, version int64, keyring, recovery []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO keyrings (org, person, card, version, keyring, recovery) VALUES ($1, $2, $3, $4, $5, $6)`,
		string(org), string(id), card, version, keyring, recovery)
	return err
}

func putRecovery(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID, card string, k ward.RecoveryKey) error {
	if b, err := ward.B64.DecodeString(k.Lookup); err != nil || len(b) != 16 {
		return ward.Errorf(ward.Invalid, "the recovery lookup is not 16 bytes of base64url")
	}
	if b, err := ward.B64.DecodeString(k.TokenHash); err != nil || len(b) != 32 {
		return ward.Errorf(ward.Invalid, "the hash of the recovery token is not 32 bytes of base64url")
	}
	_, err := tx.Exec(ctx, `INSERT INTO recovery_keys (org, person, card, lookup, token_hash, attempts) VALUES ($1, $2, $3, $4, $5, 0)
		ON CONFLICT (org, person, card) DO UPDATE SET lookup = excluded.lookup, token_hash = excluded.token_hash, attempts = 0`,
		string(org), string(id), card, k.Lookup, k.TokenHash)
	if store.IsDuplicate(err) {
		return ward.Errorf(ward.Conflict, "this recovery code is taken").WithHint("Make another.")
	}
	return err
}

type recoveryRow struct {
	org       ward.OrgID
	person    ward.PersonID
	card      string
	tokenHash string
	attempts  int64
}

func getRecovery(ctx context.Context, tx *store.Tx, lookup string) (recoveryRow, error) {
	var row recoveryRow
	err := tx.Row(ctx, `SELECT org, person, card, token_hash, attempts FROM recovery_keys WHERE lookup = $1`, lookup).
		Scan((*string)(&row.org), (*string)(&row.person), &row.card, &row.tokenHash, &row.attempts)
	return row, err
}

func countRecovery(ctx context.Context, tx *store.Tx, lookup string, attempts int64) error {
	_, err := tx.Exec(ctx, `UPDATE recovery_keys SET attempts = $1 WHERE lookup = $2`, attempts, lookup)
	return err
}

type passkeyRow struct {
	id            ward.PasskeyID
	card          string
	record        []byte
	created, used int64
}

func passkeysOf(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID) ([]passkeyRow, error) {
	found, err := tx.Rows(ctx, `SELECT passkey, card, record, created, used FROM passkeys WHERE org = $1 AND person = $2 ORDER BY created`, string(org), string(id))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []passkeyRow
	for found.Next() {
		var k passkeyRow
		if err := found.Scan((*string)(&k.id), &k.card, &k.record, &k.created, &k.used); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, found.Err()
}

func insertPasskey(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PasskeyID, person ward.PersonID, card, credential string, record []byte, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO passkeys (org, passkey, person, card, credential, record, created, used) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
		string(org), string(id), string(person), card, credential, record, now.UnixMilli())
	return err
}

// usePasskey notes that a passkey was used, and gives the card whose keyring it opens.
func usePasskey(ctx context.Context, tx *store.Tx, credential string, record []byte, now time.Time) (card string, err error) {
	err = tx.Row(ctx, `UPDATE passkeys SET record = $1, used = $2 WHERE credential = $3 RETURNING card`, record, now.UnixMilli(), credential).Scan(&card)
	return card, err
}

func deletePasskeys(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, only ward.PasskeyID) (int64, error) {
	if only == "" {
		return tx.Exec(ctx, `DELETE FROM passkeys WHERE org = $1 AND person = $2`, string(org), string(person))
	}
	return tx.Exec(ctx, `DELETE FROM passkeys WHERE org = $1 AND person = $2 AND passkey = $3`, string(org), string(person), string(only))
}

func insertCeremony(ctx context.Context, tx *store.Tx, id, purpose string, org ward.OrgID, person ward.PersonID, session []byte, expires time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO ceremonies (ceremony, purpose, org, person, session, expires) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, purpose, string(org), string(person), session, expires.UnixMilli())
	return err
}

func takeCeremony(ctx context.Context, tx *store.Tx, id, purpose string, now time.Time) (ward.OrgID, ward.PersonID, []byte, error) {
	var org, person string
	var session []byte
	err := tx.Row(ctx, `DELETE FROM ceremonies WHERE ceremony = $1 AND purpose = $2 AND expires > $3 RETURNING org, person, session`,
		id, purpose, now.UnixMilli()).Scan(&org, &person, &session)
	return ward.OrgID(org), ward.PersonID(person), session, err
}

type session struct {
	org                  ward.OrgID
	id                   ward.SessionID
	person               ward.PersonID
	card                 string
	browser, agent       string
	share                []byte
	idle                 time.Duration
	started, used, until time.Time
	touched              time.Time
	roles                []ward.Role
	ended, pending       bool
	visit                ward.VisitID // of a guest's
}

// caller is whose session it is.
func (s session) caller() ward.Caller {
	return ward.Caller{Org: s.org, Person: s.person, Roles: s.roles, Session: s.id, Card: s.card, Browser: s.browser, Pending: s.pending, Visit: s.visit, Touched: s.touched}
}

const sessionColumns = `s.org, s.session, s.person, s.card, s.browser, s.agent, s.share, s.idle, s.started, s.used, s.until, s.touched`

func scanSession(row interface{ Scan(...any) error }, more ...any) (session, error) {
	var s session
	var idle, started, used, until, touched int64
	dest := []any{(*string)(&s.org), (*string)(&s.id), (*string)(&s.person), &s.card, &s.browser, &s.agent, &s.share, &idle, &started, &used, &until, &touched}
	err := row.Scan(append(dest, more...)...)
	s.idle, s.started, s.used, s.until = time.Duration(idle)*time.Millisecond, time.UnixMilli(started), time.UnixMilli(used), time.UnixMilli(until)
	s.touched = time.UnixMilli(touched)
	return s, err
}

// sessionByToken finds a session with all that authenticating needs, in one question.
func sessionByToken(ctx context.Context, tx *store.Tx, tokenHash string) (session, error) {
	var roles string
	var ended, pending int64
	s, err := scanSession(tx.Row(ctx, `SELECT `+sessionColumns+`, p.roles, p.ended,
			COALESCE((SELECT c.pending FROM cards c WHERE c.org = s.org AND c.person = s.person AND c.hash = s.card), 1)
		FROM sessions s JOIN persons p ON p.org = s.org AND p.person = s.person WHERE s.token = $1`, tokenHash), &roles, &ended, &pending)
	s.roles, s.ended, s.pending = parseRoles(roles), ended != 0, pending == 1
	return s, err
}

func getSession(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.SessionID) (session, error) {
	return scanSession(tx.Row(ctx, `SELECT `+sessionColumns+` FROM sessions s WHERE s.org = $1 AND s.session = $2`, string(org), string(id)))
}

func sessionsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]session, error) {
	found, err := tx.Rows(ctx, `SELECT `+sessionColumns+` FROM sessions s WHERE s.org = $1 AND s.person = $2 ORDER BY s.used DESC`, string(org), string(person))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []session
	for found.Next() {
		s, err := scanSession(found)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, found.Err()
}

func insertSession(ctx context.Context, tx *store.Tx, s session, tokenHash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO sessions (org, session, person, card, token, browser, agent, share, idle, started, used, until, touched)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`, string(s.org), string(s.id), string(s.person), s.card, tokenHash, s.browser, s.agent, s.share,
		s.idle.Milliseconds(), s.started.UnixMilli(), s.used.UnixMilli(), s.until.UnixMilli(), s.touched.UnixMilli())
	return err
}

func touchSession(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.SessionID, now time.Time) error {
	return tx.Queue(ctx, `UPDATE sessions SET used = $1 WHERE org = $2 AND session = $3`, now.UnixMilli(), string(org), string(id))
}

func setTouched(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.SessionID, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET touched = $1 WHERE org = $2 AND session = $3`, now.UnixMilli(), string(org), string(id))
	return err
}

func deleteSessions(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, only ward.SessionID) (int64, error) {
	if only == "" {
		return tx.Exec(ctx, `DELETE FROM sessions WHERE org = $1 AND person = $2`, string(org), string(person))
	}
	return tx.Exec(ctx, `DELETE FROM sessions WHERE org = $1 AND person = $2 AND session = $3`, string(org), string(person), string(only))
}

type invitation struct {
	org               ward.OrgID
	id                ward.InvitationID
	person            ward.PersonID
	roles             []ward.Role
	chart             ward.ChartID
	recover, founding bool
	by                ward.PersonID
	tokenHash         string
	attempts          int64
	welcome           []byte
	state             string
	sent              bool
	hash              string // of the invite that was stated; empty when founding
	created, until    time.Time
}

const invitationColumns = `org, invitation, person, roles, chart, recover, founding, by_person, token_hash, attempts, welcome, state, sent, hash, created, until`

func scanInvitation(row interface{ Scan(...any) error }) (invitation, error) {
	var v invitation
	var roles string
	var recovers, founding, sent, created, until int64
	err := row.Scan((*string)(&v.org), (*string)(&v.id), (*string)(&v.person), &roles, (*string)(&v.chart), &recovers, &founding, (*string)(&v.by),
		&v.tokenHash, &v.attempts, &v.welcome, &v.state, &sent, &v.hash, &created, &until)
	v.roles, v.recover, v.founding, v.sent = parseRoles(roles), recovers == 1, founding == 1, sent == 1
	v.created, v.until = time.UnixMilli(created), time.UnixMilli(until)
	return v, err
}

func getInvitation(ctx context.Context, tx *store.Tx, id ward.InvitationID) (invitation, error) {
	return scanInvitation(tx.Row(ctx, `SELECT `+invitationColumns+` FROM invitations WHERE invitation = $1`, string(id)))
}

func invitationsOf(ctx context.Context, tx *store.Tx, org ward.OrgID) ([]invitation, error) {
	found, err := tx.Rows(ctx, `SELECT `+invitationColumns+` FROM invitations WHERE org = $1 AND founding = 0 ORDER BY created DESC LIMIT 1000`, string(org))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []invitation
	for found.Next() {
		v, err := scanInvitation(found)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, found.Err()
}

func insertInvitation(ctx context.Context, tx *store.Tx, v invitation) error {
	if v.welcome == nil {
		v.welcome = []byte{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO invitations (`+invitationColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, 'open', $11, $12, $13, $14)`,
		string(v.org), string(v.id), string(v.person), formatRoles(v.roles), string(v.chart), flag(v.recover), flag(v.founding), string(v.by),
		v.tokenHash, v.welcome, flag(v.sent), v.hash, v.created.UnixMilli(), v.until.UnixMilli())
	return err
}

func setInvitation(ctx context.Context, tx *store.Tx, id ward.InvitationID, state string) error {
	_, err := tx.Exec(ctx, `UPDATE invitations SET state = $1 WHERE invitation = $2`, state, string(id))
	return err
}

// withdrawOthers ends a person's open invitations: a new one takes their place.
func withdrawOthers(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error {
	_, err := tx.Exec(ctx, `UPDATE invitations SET state = 'withdrawn' WHERE org = $1 AND person = $2 AND state IN ('open', 'opened')`, string(org), string(person))
	return err
}

// unsend says of an invitation that its letter was not sent after all.
func unsend(ctx context.Context, tx *store.Tx, id ward.InvitationID) error {
	_, err := tx.Exec(ctx, `UPDATE invitations SET sent = 0 WHERE invitation = $1`, string(id))
	return err
}

func countInvitation(ctx context.Context, tx *store.Tx, id ward.InvitationID, attempts int64) error {
	_, err := tx.Exec(ctx, `UPDATE invitations SET attempts = $1 WHERE invitation = $2`, attempts, string(id))
	return err
}

// acceptInvitation marks an invitation used; its welcome is of no more use and goes. The token's hash stays, so that
// only the bearer of the link learns that it was used.
func acceptInvitation(ctx context.Context, tx *store.Tx, id ward.InvitationID) (int64, error) {
	return tx.Exec(ctx, `UPDATE invitations SET state = 'accepted', welcome = $1 WHERE invitation = $2 AND state IN ('open', 'opened')`,
		[]byte{}, string(id))
}

type personRow struct {
	id    ward.PersonID
	roles []ward.Role
	ended int64
	card  string // hash of the newest that counts, or empty
}

func peopleOf(ctx context.Context, tx *store.Tx, org ward.OrgID) ([]personRow, error) {
	found, err := tx.Rows(ctx, `SELECT p.person, p.roles, p.ended, COALESCE((SELECT c.hash FROM cards c WHERE c.org = p.org AND c.person = p.person AND c.pending = 0 ORDER BY c.serial DESC LIMIT 1), '')
		FROM persons p WHERE p.org = $1 ORDER BY p.created, p.person`, string(org))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []personRow
	for found.Next() {
		var p personRow
		var roles string
		if err := found.Scan((*string)(&p.id), &roles, &p.ended, &p.card); err != nil {
			return nil, err
		}
		p.roles = parseRoles(roles)
		all = append(all, p)
	}
	return all, found.Err()
}

// erasePerson removes everything that identity keeps of a person.
func erasePerson(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.PersonID) error {
	for _, table := range []string{"sessions", "passkeys", "recovery_keys", "keyrings", "browsers", "cards", "invitations", "persons"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org = $1 AND person = $2`, string(org), string(id)); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `DELETE FROM membership WHERE org = $1 AND chain = $2`, string(org), string(id))
	return err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
