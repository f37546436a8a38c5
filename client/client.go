// Package client is Ward's API in Go: everything a browser can do, sealing on the way out and opening, with every
// check, on the way in. The simulator plays people with it, and tests play attackers against it.
//
// A Client is one person in one browser: a key that signs requests and entries, a session, and the keyring, which is
// open in memory while signed in. It takes nothing from the server on trust. Public keys are checked card by card,
// locks epoch by epoch, entries signature by signature, and histories against the last head this client saw; what
// does not check is told as a Trouble and never shown.
//
// Start with joining.go (how a person comes in), then locks.go and entries.go (how a chart is opened and written).
// The formats are in docs/formats.md, the routes in docs/api.md.
package client

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"ward"
	"ward/ledger/receipt"
	"ward/seal"
	"ward/seal/envelope"
)

// Config is what a Client is made of.
type Config struct {
	Origin        string           // https://clinic.example
	HTTP          *http.Client     // nil for one with sensible limits
	Authenticator *Authenticator   // where passkeys are; nil for a new one
	Now           func() time.Time // nil for time.Now
	GoOn          bool             // for ExportWithCode: take the ledger's history as it is now, though it is not the one of before
}

// A Client is one person in one browser. Its methods may be called at the same time.
type Client struct {
	origin  string
	http    *http.Client
	keys    *Authenticator
	now     func() time.Time
	browser seal.SigningKey

	reading sync.Mutex // held by who reads on in the history of who is who
	roster  *chain
	threads map[ward.PersonID]*chain
	agreed  map[string]int // of a chain: how many of its statements the organisations agreed on when this was asked last

	changing  sync.Mutex // held by who changes the keyring
	following sync.Mutex // held by who follows the ledger's history

	mu       sync.Mutex
	nonce    string
	session  ward.Session
	keyring  *seal.Keyring
	clinic   *envelope.Statement[envelope.Clinic]
	people   map[ward.PersonID]*seal.Person
	opened   map[ward.LockID]*history
	history  *History // of the ledger, as it was checked last
	head     head
	departed map[ward.LockID]*departed // who was taken off which lock
	answers  map[ward.GrantID]answer   // to grants, for the next housekeeping to send
}

// head is the newest head of a log that was checked.
type head struct {
	origin receipt.Key
	receipt.Seen
}

// New makes a client, not signed in.
func New(config Config) *Client {
	c := &Client{
		origin: config.Origin, http: config.HTTP, keys: config.Authenticator, now: config.Now, browser: seal.NewSigningKey(),
		people: map[ward.PersonID]*seal.Person{}, opened: map[ward.LockID]*history{}, answers: map[ward.GrantID]answer{},
		departed: map[ward.LockID]*departed{}, threads: map[ward.PersonID]*chain{}, agreed: map[string]int{},
	}
	if c.http == nil {
		c.http = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	if c.keys == nil {
		c.keys = NewAuthenticator()
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c
}

// ErrSignedOut is the error of whoever is not signed in.
var ErrSignedOut = errors.New("not signed in")

// Person is who is signed in, or empty.
func (c *Client) Person() ward.PersonID { return c.state().session.Person }

// Org is the clinic of who is signed in.
func (c *Client) Org() ward.OrgID { return c.state().session.Org }

// Roles are those of who is signed in.
func (c *Client) Roles() []ward.Role { return c.state().session.Roles }

// Name is the person's own, from the keyring.
func (c *Client) Name() string {
	if k := c.state().keyring; k != nil {
		return k.Name
	}
	return ""
}

// Authenticator holds the person's passkeys, for another Client of theirs.
func (c *Client) Authenticator() *Authenticator { return c.keys }

// current is what a signed-in client needs at once.
type current struct {
	session ward.Session
	keyring *seal.Keyring
	clinic  *envelope.Statement[envelope.Clinic]
}

func (c *Client) state() current {
	c.mu.Lock()
	defer c.mu.Unlock()
	return current{c.session, c.keyring, c.clinic}
}

// pen is the person ready to write.
func (c *Client) pen() (seal.Pen, error) {
	k := c.state().keyring
	if k == nil {
		return seal.Pen{}, ErrSignedOut
	}
	return seal.Pen{Hand: k.Hand(), Card: k.Card, Name: k.Name, Browser: c.browser}, nil
}

// clinicLocks are the clinic's four.
func (c *Client) clinicLocks() (envelope.ClinicLocks, error) {
	s := c.state().clinic
	if s == nil {
		return envelope.ClinicLocks{}, ErrSignedOut
	}
	return s.Body.Locks, nil
}

// Clinic tells what anyone may know of the clinic.
func (c *Client) Clinic(ctx context.Context) (ward.ClinicInfo, error) {
	return get[ward.ClinicInfo](ctx, c, "/api/clinic")
}

// Me tells who the server takes this person for.
func (c *Client) Me(ctx context.Context) (ward.Me, error) { return get[ward.Me](ctx, c, "/api/me") }
