package envelope

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"ward"
)

// Browser certifies the key of one browser, which signs that person's entries and binds the session.
//
// Signature: the person's signing key.
type Browser struct {
	Org    ward.OrgID    `json:"org"`
	Person ward.PersonID `json:"person"`
	Card   string        `json:"card"` // hash of the signing card's text
	Key    string        `json:"key"`  // Ed25519 public key, b64
	Time   string        `json:"time"`
}

// Clinic is how an organisation begins: its founder names the locks that all staff share. Everyone pins its hash
// at sign-up, so that the server cannot put another directory or team in their place.
//
// Signature: the founder's signing key.
type Clinic struct {
	Org     ward.OrgID    `json:"org"`
	Founder ward.PersonID `json:"founder"`
	Signing string        `json:"signing"` // the founder's first signing key, b64
	Locks   ClinicLocks   `json:"locks"`
	Time    string        `json:"time"`
}

// ClinicLocks are the locks that every clinic has.
type ClinicLocks struct {
	Directory  ward.LockID `json:"directory"`  // names and contacts: front desk, clinicians, officers
	Staff      ward.LockID `json:"staff"`      // the names of staff: everyone, patients too
	Clinicians ward.LockID `json:"clinicians"` // the first team
	Emergency  ward.LockID `json:"emergency"`  // break-glass
}

// Kinds of lock.
const (
	LockChart     = "chart"
	LockTeam      = "team"
	LockDirectory = "directory"
	LockStaff     = "staff"
	LockEmergency = "emergency"
)

// Compartments of a chart.
const (
	General    = "general"
	Restricted = "restricted"
)

// Epoch starts a lock, or turns it so that those who left cannot read what comes. The lock's id is made from the
// first epoch's keys; each later epoch is signed with the key of the one before, which only holders have.
//
// Signatures: the author's signing key; the lock's: epoch 1 its own Verify key, epoch n that of epoch n-1.
type Epoch struct {
	Org         ward.OrgID    `json:"org"`
	Lock        ward.LockID   `json:"lock"`
	Kind        string        `json:"kind"`
	Chart       ward.ChartID  `json:"chart,omitempty"`       // kind chart only
	Compartment string        `json:"compartment,omitempty"` // kind chart only
	Epoch       int64         `json:"epoch"`                 // from 1
	Recipient   string        `json:"recipient"`             // age1pq1…
	Verify      string        `json:"verify"`                // the lock's Ed25519 key of this epoch, b64
	Previous    string        `json:"previous,omitempty"`    // hash of the text of epoch n-1
	History     string        `json:"history,omitempty"`     // hash of the sealed history, see docs/formats.md
	Author      ward.PersonID `json:"author"`
	Time        string        `json:"time"`
}

// Grant is a lock's identity of one epoch, sealed to a person or to another lock.
//
// Signatures: the granter's signing key; the lock's key of that epoch, so only a holder can grant.
type Grant struct {
	Org         ward.OrgID    `json:"org"`
	Lock        ward.LockID   `json:"lock"`
	Epoch       int64         `json:"epoch"`
	Grant       ward.GrantID  `json:"grant"`
	Person      ward.PersonID `json:"person,omitempty"`      // to a person …
	Card        string        `json:"card,omitempty"`        // … by the hash of the card whose recipient it is sealed to
	Holder      ward.LockID   `json:"holder,omitempty"`      // or to a lock …
	HolderEpoch int64         `json:"holderEpoch,omitempty"` // … of this epoch
	Purpose     string        `json:"purpose"`
	Until       string        `json:"until,omitempty"`
	Granter     ward.PersonID `json:"granter"`
	Time        string        `json:"time"`
	SHA256      string        `json:"sha256"` // of the sealed grant file
}

// Purposes a grant may be for.
const (
	ForSelf      = "self"
	ForCare      = "care"
	ForProxy     = "proxy"
	ForEmergency = "emergency"
	ForOpinion   = "second-opinion"
	ForResearch  = "research"
	ForWork      = "work" // role locks: directory, staff, teams
)

// Entry is what is outside a sealed entry. Seen is the state of the lock's chain that its author last verified.
//
// Signature: the browser's key.
type Entry struct {
	Org     ward.OrgID    `json:"org"`
	Lock    ward.LockID   `json:"lock"`
	Epoch   int64         `json:"epoch"`
	Entry   ward.EntryID  `json:"entry"`
	Kind    string        `json:"kind"` // coarse; see EntryKinds
	Author  ward.PersonID `json:"author"`
	Browser string        `json:"browser"` // the signing browser's key, b64
	Time    string        `json:"time"`
	Seen    Head          `json:"seen"`
	Size    int64         `json:"size"`   // of the sealed bytes
	SHA256  string        `json:"sha256"` // of the sealed bytes
}

// EntryKinds are the coarse kinds that the server learns.
var EntryKinds = []string{"record", "note", "message", "questionnaire", "file", "consent", "appointment", "person", "snapshot"}

// Head is where a lock's chain of entries stands: after Seq entries, Chain.
type Head struct {
	Seq   int64  `json:"seq"`
	Chain string `json:"chain"`
}

// Visitor binds the key with which someone signs in one visit's MLS group to who they are: a person, by their card, or a
// guest, by the key of the link that they came with.
//
// Signature: a person's browser key; a guest's own key, which is the one that their admission names.
type Visitor struct {
	Org    ward.OrgID    `json:"org"`
	Visit  ward.VisitID  `json:"visit"`
	Member ward.PersonID `json:"member"`           // the person's id, or the guest's
	Person ward.PersonID `json:"person,omitempty"` // absent for guests
	Card   string        `json:"card,omitempty"`   // hash of the person's card
	Leaf   string        `json:"leaf"`             // the Ed25519 key of their leaf, b64; new each time they join
	Time   string        `json:"time"`
}

// Admission lets someone into a visit.
//
// Signature: the browser key of the clinician whose visit it is.
type Admission struct {
	Org      ward.OrgID    `json:"org"`
	Visit    ward.VisitID  `json:"visit"`
	Member   ward.PersonID `json:"member"`
	Card     string        `json:"card,omitempty"`   // hash of a person's card, as the clinician's browser checked it; never for guests
	Guest    string        `json:"guest,omitempty"`  // a guest's key, b64
	Called   string        `json:"called,omitempty"` // hash of their sealed name; always for guests
	Out      string        `json:"out,omitempty"`    // ids of whom the clinician had taken out by then
	Role     string        `json:"role"`             // as what they are let in
	Admitter ward.PersonID `json:"admitter"`
	Time     string        `json:"time"`
	Until    string        `json:"until"`
}

// Guest is a link with which someone without an account may come to the door of one visit. From its secret follows a
// key, and Link is the public half: who has the link can sign, and whoever made it vouches for that.
//
// Signature: the inviter's browser key.
type Guest struct {
	Org     ward.OrgID    `json:"org"`
	Visit   ward.VisitID  `json:"visit"`
	Guest   ward.PersonID `json:"guest"` // their id as a member
	Link    string        `json:"link"`  // b64
	Inviter ward.PersonID `json:"inviter"`
	Time    string        `json:"time"`
}

// Arrival is a guest at the door: their browser's key, and the name that they sealed to the clinician.
//
// Signatures: the link's key; the guest's own.
type Arrival struct {
	Org    ward.OrgID    `json:"org"`
	Visit  ward.VisitID  `json:"visit"`
	Guest  ward.PersonID `json:"guest"`
	Key    string        `json:"key"` // b64
	Time   string        `json:"time"`
	SHA256 string        `json:"sha256"` // of the sealed name
}

// Roles in a visit.
const (
	AsPatient   = "patient"
	AsProxy     = "proxy"
	AsClinician = "clinician"
	AsGuest     = "guest"
)

// Start is the head of a lock without entries.
func Start(lock ward.LockID) Head {
	return Head{Chain: Hash([]byte("ward/chain/1\n" + string(lock)))}
}

// Next is the head after the entry with this statement text: the SHA-256 of the chain so far and the SHA-256 of
// the text, 64 bytes in all.
func (h Head) Next(text []byte) Head {
	chain, _ := ward.B64.DecodeString(h.Chain)
	sum := sha256.Sum256(text)
	return Head{Seq: h.Seq + 1, Chain: Hash(append(chain, sum[:]...))}
}

// LockIDOf makes a lock's id from the keys of its first epoch, so that nobody can put other keys under an id.
func LockIDOf(recipient, verify string) ward.LockID {
	sum := sha256.Sum256([]byte("ward/lock/1\n" + recipient + "\n" + verify))
	return ward.IDOf[ward.LockID]([16]byte(sum[:16]))
}

func (Browser) Type() string { return "ward/browser/1" }
func (Clinic) Type() string  { return "ward/clinic/1" }
func (Epoch) Type() string   { return "ward/epoch/1" }
func (Grant) Type() string   { return "ward/grant/1" }
func (Entry) Type() string   { return "ward/entry/1" }

func (Visitor) Type() string   { return "ward/visitor/1" }
func (Admission) Type() string { return "ward/admission/1" }
func (Guest) Type() string     { return "ward/guest/1" }
func (Arrival) Type() string   { return "ward/arrival/1" }

func (b Browser) check() error {
	return first(id("org", b.Org), id("person", b.Person), hash("card", b.Card), key("key", b.Key), moment("time", b.Time))
}

func (c Clinic) check() error {
	return first(
		id("org", c.Org), id("founder", c.Founder), key("signing", c.Signing),
		id("directory", c.Locks.Directory), id("staff", c.Locks.Staff),
		id("clinicians", c.Locks.Clinicians), id("emergency", c.Locks.Emergency), moment("time", c.Time),
	)
}

func (e Epoch) check() error {
	chart := e.Kind == LockChart
	return first(
		id("org", e.Org), id("lock", e.Lock),
		oneOf("kind", e.Kind, LockChart, LockTeam, LockDirectory, LockStaff, LockEmergency),
		when(chart, id("chart", e.Chart)), when(chart, oneOf("compartment", e.Compartment, General, Restricted)),
		when(!chart, empty("chart", string(e.Chart))), when(!chart, empty("compartment", e.Compartment)),
		from1("epoch", e.Epoch), recipient(e.Recipient), key("verify", e.Verify),
		when(e.Epoch == 1 && e.Lock != LockIDOf(e.Recipient, e.Verify), fmt.Errorf("the lock's id is not made from its keys")),
		when(e.Epoch == 1, empty("previous", e.Previous)), when(e.Epoch == 1, empty("history", e.History)),
		when(e.Epoch > 1, hash("previous", e.Previous)), when(e.Epoch > 1, hash("history", e.History)),
		id("author", e.Author), moment("time", e.Time),
	)
}

func (g Grant) check() error {
	toPerson := g.Person != ""
	return first(
		id("org", g.Org), id("lock", g.Lock), from1("epoch", g.Epoch), id("grant", g.Grant),
		when(toPerson == (g.Holder != ""), fmt.Errorf("must be to one person or one lock")),
		when(toPerson, id("person", g.Person)), when(toPerson, hash("card", g.Card)),
		when(toPerson && g.HolderEpoch != 0, fmt.Errorf("holderEpoch is only for a grant to a lock")),
		when(!toPerson, id("holder", g.Holder)), when(!toPerson, from1("holderEpoch", g.HolderEpoch)),
		when(!toPerson, empty("card", g.Card)), when(g.Holder == g.Lock, fmt.Errorf("a lock cannot hold itself")),
		oneOf("purpose", g.Purpose, ForSelf, ForCare, ForProxy, ForEmergency, ForOpinion, ForResearch, ForWork),
		when(g.Until != "", moment("until", g.Until)),
		id("granter", g.Granter), moment("time", g.Time), hash("sha256", g.SHA256),
	)
}

func (e Entry) check() error {
	return first(
		id("org", e.Org), id("lock", e.Lock), from1("epoch", e.Epoch), id("entry", e.Entry),
		oneOf("kind", e.Kind, EntryKinds...), id("author", e.Author), key("browser", e.Browser), moment("time", e.Time),
		when(e.Seen.Seq < 0, fmt.Errorf("seen.seq must not be negative")), hash("seen.chain", e.Seen.Chain),
		from1("size", e.Size), hash("sha256", e.SHA256),
	)
}

func (v Visitor) check() error {
	person := v.Person != ""
	return first(
		id("org", v.Org), id("visit", v.Visit), id("member", v.Member),
		when(person && v.Person != v.Member, fmt.Errorf("a person is a member by their own id")),
		when(person, hash("card", v.Card)), when(!person, empty("card", v.Card)),
		key("leaf", v.Leaf), moment("time", v.Time),
	)
}

func (a Admission) check() error {
	return first(
		id("org", a.Org), id("visit", a.Visit), id("member", a.Member),
		oneOf("role", a.Role, AsPatient, AsProxy, AsClinician, AsGuest),
		when(a.Role == AsGuest, key("guest", a.Guest)), when(a.Role != AsGuest, empty("guest", a.Guest)),
		when(a.Role == AsGuest, empty("card", a.Card)), when(a.Role != AsGuest, hash("card", a.Card)),
		when(a.Role == AsGuest || a.Called != "", hash("called", a.Called)), when(a.Out != "", ids("out", a.Out)),
		id("admitter", a.Admitter), moment("time", a.Time), moment("until", a.Until),
	)
}

func (g Guest) check() error {
	return first(id("org", g.Org), id("visit", g.Visit), id("guest", g.Guest), key("link", g.Link), id("inviter", g.Inviter), moment("time", g.Time))
}

func (a Arrival) check() error {
	return first(id("org", a.Org), id("visit", a.Visit), id("guest", a.Guest), key("key", a.Key), moment("time", a.Time), hash("sha256", a.SHA256))
}

// first is the first error of a list.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func when(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

func id[T ~string](name string, value T) error {
	if !ward.IsID(value) {
		return fmt.Errorf("%s is not an id", name)
	}
	return nil
}

const (
	idLength = 26
	// maxIDs bounds a list of ids: more than can be taken out of one visit.
	maxIDs = 100
)

// ids checks a list of ids in order, one after the other, each once.
func ids(name, value string) error {
	if len(value) > maxIDs*idLength {
		return fmt.Errorf("%s has more than %d ids", name, maxIDs)
	}
	for before := ""; value != ""; {
		next := value[:min(idLength, len(value))]
		if !ward.IsID(next) || next <= before {
			return fmt.Errorf("%s is not ids in order", name)
		}
		before, value = next, value[len(next):]
	}
	return nil
}

// maxSafe is the largest integer that JavaScript holds exactly.
const maxSafe = 1<<53 - 1

func from1(name string, n int64) error {
	if n < 1 || n > maxSafe {
		return fmt.Errorf("%s is %d; it must be from 1 to %d", name, n, int64(maxSafe))
	}
	return nil
}

func hash(name, value string) error { return bytes32(name, value) }

// key checks a public key of Ed25519.
func key(name, value string) error {
	b, err := ward.B64.DecodeString(value)
	if err != nil {
		return fmt.Errorf("%s is not base64url", name)
	}
	if err := checkSigningPoint(b); err != nil {
		return fmt.Errorf("%s is not a key: %w", name, err)
	}
	return nil
}

func bytes32(name, value string) error {
	if b, err := ward.B64.DecodeString(value); err != nil || len(b) != 32 {
		return fmt.Errorf("%s is not 32 bytes of base64url", name)
	}
	return nil
}

func empty(name, value string) error {
	if value != "" {
		return fmt.Errorf("%s must be absent here", name)
	}
	return nil
}

func moment(name, value string) error {
	if _, err := ward.ParseTime(value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func oneOf(name, value string, allowed ...string) error {
	for _, a := range allowed {
		if a == value {
			return nil
		}
	}
	return fmt.Errorf("%s is %.40q; it must be one of %s", name, value, strings.Join(allowed, ", "))
}

func recipient(value string) error { return CheckRecipient(value) }
