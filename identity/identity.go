// Package identity knows who is asking: organisations, people and their roles, invitations, passkeys, keyrings,
// cards, browsers, recovery and sessions. The rules:
//
//   - Nobody joins but by an invitation: a link whose secret the inviter made, used once, for one person and their
//     roles. The server keeps only a hash of what is made from the secret.
//   - Passkeys only, with user verification. Their PRF opens the keyring in the browser; its results never come here,
//     and a client that sends them is refused.
//   - A session is a token that only works with a fresh proof (DPoP, RFC 9449) by the key of the browser that signed
//     in, and ends by idleness, by age, or by its person.
//   - Who is who, with which keys and roles, is what people signed (package membership). A card that waits for a second
//     person, or for the time of a veto, may hardly do a thing.
//
// The server keeps keyrings sealed and cannot open them. It protects ciphertext and metadata with all of this; what
// a chart says is protected by keys it never has.
package identity

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"ward"
	"ward/ledger"
	"ward/seal/envelope"
	"ward/store"
)

// Charts is what identity needs of charts.
type Charts interface {
	// Create stores the locks that a new person's client made.
	Create(ctx context.Context, tx *store.Tx, org ward.OrgID, author ward.PersonID, locks []ward.NewLock) error
	// Regrant stores the grants of the staff list that a new person made for themselves.
	Regrant(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, grants []ward.NewGrant) error
	// RegrantHeld stores grants that a person makes of what they hold to their own new card.
	RegrantHeld(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, grants []ward.NewGrant) error
	// Outside shows locks to someone who is about to join.
	Outside(ctx context.Context, tx *store.Tx, org ward.OrgID, locks ...ward.LockID) ([]ward.LockSummary, error)
	// ChartsOf lists a person's own charts.
	ChartsOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.ChartID, error)
	// Holders lists who shares a chart with a person.
	Holders(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.PersonID, error)
	// Rekeyed marks what was granted to a person's earlier cards as due for new keys.
	Rekeyed(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, card string) error
	// EndPerson takes a person off everything they hold.
	EndPerson(ctx context.Context, tx *store.Tx, org ward.OrgID, person, by ward.PersonID) error
	// EndRoles takes a member of staff off what the roles that remain to them no longer entitle to.
	EndRoles(ctx context.Context, tx *store.Tx, org ward.OrgID, person, by ward.PersonID, remaining []ward.Role) error
	// EraseOf erases a person's charts and takes them off everything.
	EraseOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) error
}

// Letters sends an invitation by e-mail. It keeps nothing.
type Letters interface {
	Invite(ctx context.Context, address, link, language string, until time.Time) error
}

// Notices is where changes are told.
type Notices interface {
	Publish(org ward.OrgID, n ward.Notice) error
}

// Config is what identity is made of.
type Config struct {
	DB      *store.DB
	Ledger  *ledger.Ledger
	Charts  Charts
	Letters Letters // nil when no mail server is configured
	Notices Notices
	Sealer  *store.Sealer
	Origin  string // https://clinic.example: passkeys and proofs are bound to it
	Version string // of this program
	Now     func() time.Time
}

// Identity answers the routes about people and sessions.
type Identity struct {
	Config
	webauthn *webauthn.WebAuthn
	nonceKey []byte
	seen     *seen
	rosters  rosters
	sending  sync.WaitGroup
	mailbox  chan struct{} // a place for each letter on its way
}

// New makes an Identity.
func New(ctx context.Context, config Config) (*Identity, error) {
	origin, err := url.Parse(config.Origin)
	if err != nil || origin.Hostname() == "" {
		return nil, fmt.Errorf("origin %q is not an address like https://clinic.example", config.Origin)
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: origin.Hostname(), RPDisplayName: "Ward", RPOrigins: []string{config.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("configure passkeys: %w", err)
	}
	nonceKey, err := config.DB.Secret(ctx, config.Sealer, "dpop-nonce")
	if err != nil {
		return nil, err
	}
	return &Identity{Config: config, webauthn: w, nonceKey: nonceKey, seen: &seen{of: map[string]seenSession{}}, rosters: rosters{of: map[ward.OrgID]*roster{}}, mailbox: make(chan struct{}, lettersAtOnce)}, nil
}

// Card is a person's newest card that counts, and what else a stranger's request is checked with.
type Card struct {
	Hash    string
	Signing string
	Roles   []ward.Role
	Active  bool
}

// CardOf finds a person's newest card that counts.
func (i *Identity) CardOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (Card, error) {
	p, err := getPerson(ctx, tx, org, person)
	if err != nil {
		return Card{}, err
	}
	c, err := currentCard(ctx, tx, org, person)
	if err != nil {
		return Card{}, err
	}
	return Card{Hash: c.Hash(), Signing: c.Body.Signing, Roles: p.roles, Active: p.ended == 0}, nil
}

// Certified fails unless the person's current card certified the browser's key.
func (i *Identity) Certified(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID, key string) error {
	by, latest, err := certifier(ctx, tx, org, person, key)
	if err != nil {
		return err
	}
	if by != latest {
		return ward.Errorf(ward.Unauthenticated, "this browser is certified by keys that have been replaced").WithHint("Sign in again.")
	}
	return nil
}

// checkBrowser checks that a person's card certified the key that the request was proven with.
func checkBrowser(text string, card *envelope.Statement[envelope.MemberCard], key string) (*envelope.Statement[envelope.Browser], error) {
	s, err := envelope.Parse[envelope.Browser]([]byte(text))
	if err != nil {
		return nil, wrapInvalid(err)
	}
	b := s.Body
	if b.Org != card.Body.Org || b.Person != card.Body.Person || b.Card != card.Hash() || b.Key != key {
		return nil, ward.Errorf(ward.Invalid, "the browser's certificate is not for this person, card and browser")
	}
	return s, wrapInvalid(s.Verify(card.Body.Signing))
}

// checkKeyring checks the outside of a sealed keyring: both copies, where given.
func checkKeyring(keyring, recovery []byte) error {
	if len(keyring) > ward.MaxKeyring || len(recovery) > ward.MaxKeyring {
		return ward.Errorf(ward.TooLarge, "a sealed keyring may be %d bytes long", ward.MaxKeyring)
	}
	if !strings.HasPrefix(string(keyring), "age-encryption.org/v1\n-> mlkem768x25519 ") {
		return ward.Errorf(ward.Invalid, "the keyring is not sealed to passkeys")
	}
	if recovery != nil {
		return wrapInvalid(envelope.CheckPassphrase(recovery))
	}
	return nil
}

// wrapInvalid makes an error about what someone sent safe to show them.
func wrapInvalid(err error) error {
	if err == nil {
		return nil
	}
	return &ward.Error{Kind: ward.Invalid, Message: err.Error(), Hint: "See docs/formats.md.", Err: err}
}

func parseRoles(text string) []ward.Role {
	roles := []ward.Role{}
	for word := range strings.FieldsSeq(text) {
		roles = append(roles, ward.Role(word))
	}
	return roles
}

func formatRoles(roles []ward.Role) string {
	words := make([]string, len(roles))
	for i, role := range roles {
		words[i] = string(role)
	}
	return strings.Join(words, " ")
}

// record adds an event to the organisation's record.
func (i *Identity) record(ctx context.Context, tx *store.Tx, org ward.OrgID, e ward.Event) error {
	if e.Decision == "" {
		e.Decision = "done"
	}
	return i.Ledger.Append(ctx, tx, org, e)
}

func (i *Identity) tell(tx *store.Tx, org ward.OrgID, n ward.Notice) {
	tx.AfterCommit(func() { i.Notices.Publish(org, n) })
}
