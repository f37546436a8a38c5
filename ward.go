// Package ward holds the words that every other package shares: who and what things are called (ids), who a
// person is to the clinic (roles), what went wrong (Error), and the bodies that a client and a server exchange
// (wire.go). It imports only the standard library, so that reading it needs nothing else.
//
// Start with ARCHITECTURE.md. The bytes that people sign and seal are in seal/envelope and docs/formats.md; the
// routes that carry them are in docs/api.md.
package ward

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// An id is 16 random bytes, or 10 after a time, in lower-case base32 (RFC 4648, no padding): 26 characters, safe in a
// path and read aloud without confusion. Clients choose the ids of what they make, so that sending a thing twice makes it once.
type (
	OrgID        string // an organisation: a clinic
	PersonID     string
	ChartID      string
	LockID       string // a key pair in epochs: a chart's compartment, a team, the directory (see docs/formats.md)
	GrantID      string
	EntryID      string
	UploadID     string
	InvitationID string
	PasskeyID    string // not the WebAuthn credential id
	SessionID    string
	EventID      string // an event of the audit record
	VisitID      string // a consultation by video, and its MLS group
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID makes an id of any of the types above.
func NewID[T ~string]() T {
	var b [16]byte
	rand.Read(b[:])
	return T(base32Lower.EncodeToString(b[:]))
}

// NewIDAt makes an id that begins with a moment in milliseconds, of which it has 48 bits, as UUIDs of version 7 do (RFC
// 9562). It is for what says its time anyway and of which there is much: what is written together lies together in an
// index of such ids.
func NewIDAt[T ~string](at time.Time) T {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(at.UnixMilli())<<16)
	rand.Read(b[6:])
	return T(base32Lower.EncodeToString(b[:]))
}

// IDOf writes 16 bytes, such as the start of a hash, as an id.
func IDOf[T ~string](b [16]byte) T { return T(base32Lower.EncodeToString(b[:])) }

// IsID tells whether s has the one form an id has.
func IsID[T ~string](s T) bool {
	if len(s) != 26 {
		return false
	}
	b, err := base32Lower.DecodeString(string(s))
	return err == nil && base32Lower.EncodeToString(b) == string(s)
}

// B64 is base64url without padding (RFC 4648, section 5), the only base64 that Ward writes outside JSON.
var B64 = Base64{base64.RawURLEncoding.Strict()}

// StdB64 is base64 with padding (RFC 4648, section 4), as JSON carries bytes.
var StdB64 = Base64{base64.StdEncoding.Strict()}

// Base64 is an encoding in which some bytes have one text only. The standard library's decoders skip line breaks, even
// the strict ones, so that a key with a line break in it would be a key here and none in a browser.
type Base64 struct{ encoding *base64.Encoding }

// EncodeToString writes bytes.
func (b Base64) EncodeToString(data []byte) string { return b.encoding.EncodeToString(data) }

// EncodedLen is how long the text of n bytes is.
func (b Base64) EncodedLen(n int) int { return b.encoding.EncodedLen(n) }

// DecodeString reads what EncodeToString writes, and nothing else.
func (b Base64) DecodeString(text string) ([]byte, error) {
	data, err := b.encoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if b.encoding.EncodeToString(data) != text {
		return nil, errors.New("this is not base64 in its one form")
	}
	return data, nil
}

// TimeFormat is how Ward writes a moment: RFC 3339 in UTC with milliseconds, always the same length.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// FormatTime writes t as TimeFormat says.
func FormatTime(t time.Time) string { return t.UTC().Format(TimeFormat) }

// ParseTime reads the one form FormatTime writes.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(TimeFormat, s)
	if err != nil || FormatTime(t) != s {
		return time.Time{}, fmt.Errorf("time %.40q is not of the form %s", s, TimeFormat)
	}
	return t, nil
}

// A Role is what a person is to the clinic. One person may have several.
type Role string

const (
	Patient   Role = "patient"
	Proxy     Role = "proxy" // a guardian or carer, who sees what they were granted
	Clinician Role = "clinician"
	FrontDesk Role = "frontdesk"
	Security  Role = "security" // security officer
	Privacy   Role = "privacy"  // data protection officer
	Admin     Role = "admin"    // runs the clinic's account; holds no key that opens a chart by being so

	// Guest is what someone is who came to one visit by a link. They have no account, and are invited to no other role.
	Guest Role = "guest"
)

// Roles lists all roles that people are invited to.
var Roles = []Role{Patient, Proxy, Clinician, FrontDesk, Security, Privacy, Admin}

// IsStaff tells whether the role works for the clinic.
func (r Role) IsStaff() bool { return r != Patient && r != Proxy && r != Guest && r != "" }

// A Caller is who is asking: a person, or a guest of one visit, in a session bound to one browser.
type Caller struct {
	Org     OrgID
	Person  PersonID // or the guest; empty for a caller who is not signed in
	Visit   VisitID  // the one visit of a guest; empty for everyone else
	Roles   []Role
	Session SessionID
	Card    string    // hash of the card whose keys the session works with
	Browser string    // the browser's public key, b64
	Pending bool      // the card does not count yet: may do little
	Touched time.Time // when they last showed by a passkey that it is they
}

// Has tells whether the caller has the role.
func (c Caller) Has(role Role) bool {
	for _, r := range c.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// Kind says, for programs, what sort of thing went wrong. Only server turns a Kind into an HTTP status.
type Kind string

const (
	Invalid         Kind = "invalid"         // the request cannot be right, whoever sends it
	Unauthenticated Kind = "unauthenticated" // sign in (again)
	Refused         Kind = "refused"         // policy says no
	Missing         Kind = "missing"         // not there, or not for this caller to know of
	Conflict        Kind = "conflict"        // right a moment ago: read again and repeat
	Gone            Kind = "gone"            // was there and has ended
	TooLarge        Kind = "too_large"
	TooMany         Kind = "too_many" // slow down
	Unavailable     Kind = "unavailable"
	Internal        Kind = "internal"
)

// Error is the error that crosses packages. Message is a sentence that a patient may read and holds nothing
// private; Hint says what to do next; Err is for the log only.
type Error struct {
	Kind    Kind
	Message string
	Hint    string
	Err     error
}

// Errorf makes an Error whose message is formatted; a %w among the arguments becomes its Err.
func Errorf(kind Kind, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: wrapped.Error(), Err: errors.Unwrap(wrapped)}
}

// WithHint adds the next step to take.
func (e *Error) WithHint(hint string) *Error { e.Hint = hint; return e }

func (e *Error) Error() string {
	if e.Err != nil && e.Message != e.Err.Error() {
		return e.Message + " (" + e.Err.Error() + ")"
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the first Error in err's chain: Unavailable for a context that ended, else Internal.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Unavailable
	}
	return Internal
}

// Secret is a string that no log or format verb prints.
type Secret string

func (Secret) String() string               { return "[redacted]" }
func (Secret) GoString() string             { return "[redacted]" }
func (Secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
