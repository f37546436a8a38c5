package identity

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

// Guests of a visit have no account. Package visits lets them come; who they are afterwards is told here, as of everyone
// else: by a token that is bound to their browser's key.

// BeginGuest starts the session of a visit's guest in the browser with this key, by which the request must be proven.
// An earlier one of theirs ends.
func (i *Identity) BeginGuest(ctx context.Context, tx *store.Tx, r *http.Request, guest ward.Caller, until time.Time) (ward.GuestSession, error) {
	key, err := i.proven(ctx, tx, r)
	if err != nil {
		return ward.GuestSession{}, err
	}
	if key != guest.Browser {
		return ward.GuestSession{}, badProof("it is by another browser")
	}
	raw := make([]byte, 32)
	rand.Read(raw)
	answer := ward.GuestSession{
		Token: ward.B64.EncodeToString(raw), Org: guest.Org, Visit: guest.Visit, Guest: guest.Person, Until: ward.FormatTime(until),
	}
	_, err = tx.Exec(ctx, `INSERT INTO guest_sessions (org, visit, guest, token, browser, until) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (guest) DO UPDATE SET token = excluded.token, browser = excluded.browser, until = excluded.until`,
		string(guest.Org), string(guest.Visit), string(guest.Person), envelope.Hash([]byte(answer.Token)), key, until.UnixMilli())
	return answer, err
}

// EndGuests ends the sessions of a visit's guests: all, or one's.
func (i *Identity) EndGuests(ctx context.Context, tx *store.Tx, org ward.OrgID, visit ward.VisitID, only ward.PersonID) error {
	found, err := tx.Rows(ctx, `DELETE FROM guest_sessions WHERE org = $1 AND visit = $2 AND ($3 = '' OR guest = $3) RETURNING guest`,
		string(org), string(visit), string(only))
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var guest ward.PersonID
		if err := found.Scan((*string)(&guest)); err != nil {
			return err
		}
		i.tell(tx, org, ward.Notice{Kind: "session", Person: guest}) // which ends their stream
	}
	return found.Err()
}

// guestByToken finds a guest's session, of which a guest has one.
func guestByToken(ctx context.Context, tx *store.Tx, tokenHash string) (session, error) {
	s := session{roles: []ward.Role{ward.Guest}}
	var until int64
	err := tx.Row(ctx, `SELECT org, visit, guest, browser, until FROM guest_sessions WHERE token = $1`, tokenHash).
		Scan((*string)(&s.org), (*string)(&s.visit), (*string)(&s.person), &s.browser, &until)
	s.id, s.until = ward.SessionID(s.person), time.UnixMilli(until)
	return s, err
}

// CardsOf shows a person's cards and browsers, for others to check.
func (i *Identity) CardsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (ward.PersonCards, error) {
	return i.cards(ctx, tx, org, person)
}

// Of shows what anyone may know of a clinic.
func (i *Identity) Of(ctx context.Context, tx *store.Tx, id ward.OrgID) (ward.ClinicInfo, error) {
	o, err := getOrg(ctx, tx, id)
	return i.info(o), err
}
