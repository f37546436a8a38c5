package ward

import "encoding/json"

// The bodies that a client and a server exchange, as JSON. docs/api.md says which route takes and gives which.
// Fields named *Text* hold a statement (seal/envelope) as it was written; []byte fields are standard JSON base64.

// Problem is the body of every answer that is not a success: {"error": …}.
type Problem struct {
	Error struct {
		Kind     Kind     `json:"kind"`
		Message  string   `json:"message"`
		Hint     string   `json:"hint,omitempty"`
		Policies []string `json:"policies,omitempty"` // the ids of the policies that decided
	} `json:"error"`
}

// ClinicInfo is what anyone may know of a clinic.
type ClinicInfo struct {
	Org     OrgID  `json:"org"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

// NewInvitation asks for an invitation. The client made the secret and gives only a hash of the token made from it.
type NewInvitation struct {
	InviteText string  `json:"inviteText"`      // the next statement of its chain: who is invited, as what, until when
	Chart      ChartID `json:"chart,omitempty"` // for patients: the chart that will be theirs
	TokenHash  string  `json:"tokenHash"`       // b64 SHA-256 of the token
	Welcome    []byte  `json:"welcome,omitempty"`
	Email      string  `json:"email,omitempty"` // not kept: used for one letter
	Link       string  `json:"link,omitempty"`  // only with Email; not kept, not logged
	Language   string  `json:"language,omitempty"`
}

// MembershipPage is a part of the roster, in order.
type MembershipPage struct {
	Statements []string `json:"statements"`
	More       bool     `json:"more"`
}

// InvitedMembership is what an invited person reads before they can join: the roster, and their own thread if they have one.
type InvitedMembership struct {
	MembershipPage
	Thread []string `json:"thread,omitempty"`
}

// MembershipAfter asks, with an invitation's token, for the roster after a seq.
type MembershipAfter struct {
	Token string `json:"token"`
	After int64  `json:"after"`
}

// StatementPut is the next statement of a chain of membership.
type StatementPut struct {
	Text string `json:"text"`
}

// KeysPut gives a person new keys: the card that follows the current one, and the keyring that has them.
type KeysPut struct {
	CardText    string `json:"cardText"`
	Recipient   string `json:"recipient"`
	BrowserText string `json:"browserText"`
	// Grants are of all that the person holds themselves, to the new card: stored with it or not at all, since nobody else may hold some of it.
	Grants []NewGrant `json:"grants,omitempty"`
	KeyringPut
}

// Invitation is one as its makers see it. State: open, opened, accepted, expired, withdrawn.
type Invitation struct {
	Invitation InvitationID `json:"invitation"`
	Person     PersonID     `json:"person"`
	Roles      []Role       `json:"roles"`
	Chart      ChartID      `json:"chart,omitempty"`
	Recover    bool         `json:"recover,omitempty"`
	By         PersonID     `json:"by,omitempty"`
	State      string       `json:"state"`
	Created    string       `json:"created"`
	Until      string       `json:"until"`
	Sent       bool         `json:"sent"` // by e-mail
	Hash       string       `json:"hash"` // of the statement, to withdraw it
}

// TokenProof shows the token of an invitation.
type TokenProof struct {
	Token string `json:"token"`
}

// InvitationOpened is the answer to the right token: who is invited and how to make the passkey.
type InvitationOpened struct {
	Org        ClinicInfo      `json:"org"`
	Person     PersonID        `json:"person"`
	Roles      []Role          `json:"roles"`
	Chart      ChartID         `json:"chart,omitempty"`
	Recover    bool            `json:"recover,omitempty"`
	Founding   bool            `json:"founding,omitempty"`
	Until      string          `json:"until"`
	Welcome    []byte          `json:"welcome,omitempty"`
	ClinicText string          `json:"clinicText,omitempty"` // absent when founding
	Membership MembershipPage  `json:"membership"`           // the roster's first page
	Thread     []string        `json:"thread,omitempty"`     // of who is or becomes a patient or proxy
	CardText   string          `json:"cardText,omitempty"`   // when Recover: the card that is current
	Locks      []LockSummary   `json:"locks,omitempty"`      // the clinic's four, to grant the new chart to and to check
	Ceremony   string          `json:"ceremony"`
	PublicKey  json.RawMessage `json:"publicKey"` // PublicKeyCredentialCreationOptionsJSON (WebAuthn level 3)
}

// Acceptance makes a person: passkey, keyring, card, and the locks that begin with them.
type Acceptance struct {
	Token           string          `json:"token"`
	Ceremony        string          `json:"ceremony"`
	Credential      json.RawMessage `json:"credential"` // RegistrationResponseJSON, PRF results removed
	Passkey         PasskeyID       `json:"passkey"`
	CardText        string          `json:"cardText"`
	Recipient       string          `json:"recipient"`
	BrowserText     string          `json:"browserText"`
	Keyring         []byte          `json:"keyring"`
	RecoveryKeyring []byte          `json:"recoveryKeyring"`
	Recovery        RecoveryKey     `json:"recovery"`
	ClinicText      string          `json:"clinicText,omitempty"` // founding only
	Locks           []NewLock       `json:"locks,omitempty"`      // patient: her chart's two; founder: the clinic's four
	Grants          []NewGrant      `json:"grants,omitempty"`     // of the staff lock, to oneself, with the welcome's identity
}

// RecoveryKey is what the server keeps of a recovery code.
type RecoveryKey struct {
	Lookup    string `json:"lookup"`    // b64, 16 bytes
	TokenHash string `json:"tokenHash"` // b64 SHA-256 of the token
}

// Session is the answer to a sign-in. Token is opaque and of use only with proofs by the browser's key.
type Session struct {
	Session  SessionID `json:"session"`
	Token    string    `json:"token"`
	Person   PersonID  `json:"person"`
	Org      OrgID     `json:"org"`
	Roles    []Role    `json:"roles"`
	Idle     int64     `json:"idle"`  // seconds without a request until it ends
	Until    string    `json:"until"` // when it ends in any case
	Share    string    `json:"share"` // b64, 32 bytes: the server's half of the key that lets a reload unlock
	Keyring  []byte    `json:"keyring,omitempty"`
	Version  int64     `json:"version"` // of the keyring
	CardText string    `json:"cardText"`
}

// Ceremony starts a WebAuthn ceremony: PublicKey is creation or request options as JSON.
type Ceremony struct {
	Ceremony  string          `json:"ceremony"`
	PublicKey json.RawMessage `json:"publicKey"`
}

// SignIn finishes a sign-in with AuthenticationResponseJSON, PRF results removed.
type SignIn struct {
	Ceremony   string          `json:"ceremony"`
	Credential json.RawMessage `json:"credential"`
}

// RecoveryProof shows the two values made from a recovery code.
type RecoveryProof struct {
	Lookup string `json:"lookup"`
	Token  string `json:"token"`
}

// RecoveryOpened is the answer to the right code: the sealed keyring, and how to make a new passkey.
type RecoveryOpened struct {
	Org             ClinicInfo      `json:"org"`
	Person          PersonID        `json:"person"`
	Roles           []Role          `json:"roles"`
	RecoveryKeyring []byte          `json:"recoveryKeyring"`
	Version         int64           `json:"version"`
	CardText        string          `json:"cardText"`
	Ceremony        string          `json:"ceremony"`
	PublicKey       json.RawMessage `json:"publicKey"`
}

// RecoveryFinish registers the new passkey. A new code is optional; the old keeps working without it.
type RecoveryFinish struct {
	RecoveryProof
	Ceremony        string          `json:"ceremony"`
	Credential      json.RawMessage `json:"credential"`
	Passkey         PasskeyID       `json:"passkey"`
	BrowserText     string          `json:"browserText"`
	Version         int64           `json:"version"` // one more than opened
	Keyring         []byte          `json:"keyring"`
	RecoveryKeyring []byte          `json:"recoveryKeyring,omitempty"`
	Recovery        *RecoveryKey    `json:"recovery,omitempty"`
}

// KeyringPut replaces the sealed keyring; Version must be one more than the stored one, else Conflict.
type KeyringPut struct {
	Version         int64        `json:"version"`
	Keyring         []byte       `json:"keyring"`
	RecoveryKeyring []byte       `json:"recoveryKeyring,omitempty"`
	Recovery        *RecoveryKey `json:"recovery,omitempty"`
}

// Keyring is the stored one.
type Keyring struct {
	Version         int64  `json:"version"`
	Keyring         []byte `json:"keyring"`
	RecoveryKeyring []byte `json:"recoveryKeyring"`
}

// PasskeyAdd registers another passkey and the keyring sealed to it too.
type PasskeyAdd struct {
	Ceremony   string          `json:"ceremony"`
	Credential json.RawMessage `json:"credential"`
	Passkey    PasskeyID       `json:"passkey"`
	KeyringPut
}

// Passkey is one of a person's own; its name is in the keyring only.
type Passkey struct {
	Passkey PasskeyID `json:"passkey"`
	Created string    `json:"created"`
	Used    string    `json:"used,omitempty"`
	Synced  bool      `json:"synced"` // backed up by its maker (WebAuthn flag BS)
}

// SessionInfo is one of a person's own sessions.
type SessionInfo struct {
	Session SessionID `json:"session"`
	Browser string    `json:"browser"`
	Agent   string    `json:"agent"` // coarse: "Chromium on Android"
	Started string    `json:"started"`
	Used    string    `json:"used"`
	Until   string    `json:"until"`
	Current bool      `json:"current"`
}

// Me is who the caller is.
type Me struct {
	Org        ClinicInfo  `json:"org"`
	Person     PersonID    `json:"person"`
	Roles      []Role      `json:"roles"`
	CardText   string      `json:"cardText"`
	Pending    bool        `json:"pending"` // this session's card does not count yet: it waits for a second person, or for the time of a veto
	ClinicText string      `json:"clinicText"`
	Charts     []ChartID   `json:"charts"` // one's own
	Session    SessionInfo `json:"session"`
	Idle       int64       `json:"idle"`
	Share      string      `json:"share"`
	Version    int64       `json:"version"` // of the keyring
}

// BrowserPut certifies this browser's key.
type BrowserPut struct {
	BrowserText string `json:"browserText"`
}

// PersonSummary is a person as others in the clinic see them: a hint, since who is who is in the chains of membership.
type PersonSummary struct {
	Person PersonID `json:"person"`
	Roles  []Role   `json:"roles"`
	State  string   `json:"state"`          // active, pending, ended
	Card   string   `json:"card,omitempty"` // hash of the current one
}

// PersonCards is what belongs to a person's cards, which are in the roster or in the person's own thread.
type PersonCards struct {
	Person     PersonID `json:"person"`
	State      string   `json:"state"`            // active, pending, ended: a hint
	Thread     []string `json:"thread,omitempty"` // the whole chain of a patient or proxy
	Recipients []string `json:"recipients"`       // of the cards, oldest first
	Browsers   []string `json:"browsers"`         // certificates
}

// GuestHost is who invites a guest: the card that the guest's link pins, and what belongs to it.
type GuestHost struct {
	Person    PersonID `json:"person"`
	CardText  string   `json:"cardText"`
	Recipient string   `json:"recipient"`
	Browsers  []string `json:"browsers"`
}

// NewGrant is a grant statement with its sealed file.
type NewGrant struct {
	Text   string `json:"text"`
	Sealed []byte `json:"sealed"`
}

// NewLock starts a lock: its first epoch and the grants of it.
type NewLock struct {
	Epoch  string     `json:"epoch"`
	Grants []NewGrant `json:"grants"`
}

// NewEpoch turns a lock: granted to exactly those who remain.
type NewEpoch struct {
	Epoch   string     `json:"epoch"`
	History []byte     `json:"history"`
	Grants  []NewGrant `json:"grants"`
}

// LockSummary is enough of a lock to write to it.
type LockSummary struct {
	Lock        LockID   `json:"lock"`
	Kind        string   `json:"kind"`
	Chart       ChartID  `json:"chart,omitempty"`
	Compartment string   `json:"compartment,omitempty"`
	Epochs      []string `json:"epochs"` // texts of all epochs, so that a writer can check the line of keys
	Seq         int64    `json:"seq"`
	Chain       string   `json:"chain"`
	Due         bool     `json:"due"`      // a new epoch is due
	Readable    bool     `json:"readable"` // the caller holds it, by policy's view
}

// Lock is a lock whole, as its reader needs it.
type Lock struct {
	LockSummary
	Histories [][]byte    `json:"histories"`          // the sealed history of epochs 2, 3, …
	Grants    []HeldGrant `json:"grants"`             // those that lead to the caller, of any epoch, live
	Snapshot  int64       `json:"snapshot,omitempty"` // sequence of the latest snapshot entry
}

// HeldGrant is a grant with its file.
type HeldGrant struct {
	Text   string `json:"text"`
	Sealed []byte `json:"sealed"`
}

// Member is a grant as the share screen lists it. State: live, expired, removed.
type Member struct {
	Text  string   `json:"text"`
	State string   `json:"state"`
	Ended string   `json:"ended,omitempty"`
	By    PersonID `json:"by,omitempty"` // who removed it
}

// NewEntry is an entry to store: sealed inline (at most MaxInline) or already uploaded.
type NewEntry struct {
	Text   string   `json:"text"`
	Sealed []byte   `json:"sealed,omitempty"`
	Upload UploadID `json:"upload,omitempty"`
}

// EntriesPosted answers a batch: all of it is stored.
type EntriesPosted struct {
	Entries []EntrySeq `json:"entries"`
	Seq     int64      `json:"seq"`
	Chain   string     `json:"chain"`
}

// EntrySeq is the place an entry got. An entry sent again gets the place it had.
type EntrySeq struct {
	Entry EntryID `json:"entry"`
	Seq   int64   `json:"seq"`
}

// StoredEntry is one entry in order. Sealed is absent when it is an object: fetch it by its id.
type StoredEntry struct {
	Seq    int64  `json:"seq"`
	Text   string `json:"text"`
	Sealed []byte `json:"sealed,omitempty"`
}

// Entries is a page of a lock, with the lock's head now.
type Entries struct {
	Entries []StoredEntry `json:"entries"`
	More    bool          `json:"more"`
	Seq     int64         `json:"seq"`
	Chain   string        `json:"chain"`
}

// Upload says how far an upload is.
type Upload struct {
	Upload UploadID `json:"upload"`
	Parts  int64    `json:"parts"`
	Size   int64    `json:"size"`
}

// Chart is a chart's outside.
type Chart struct {
	Chart  ChartID       `json:"chart"`
	Person PersonID      `json:"person"` // whose it is
	Locks  []LockSummary `json:"locks"`

	// Emergencies are those in which it was opened lately, newest first: for the patient and who reads it. Others are
	// told of their own only.
	Emergencies []Emergency `json:"emergencies,omitempty"`
}

// Emergency is one breaking of the glass. What happened is in the chart.
type Emergency struct {
	Chart  ChartID  `json:"chart"`
	Owner  PersonID `json:"owner"`
	Person PersonID `json:"person"` // who broke the glass
	Code   string   `json:"code"`   // life-threatening, unconscious, other
	Began  string   `json:"began"`
	Until  string   `json:"until"` // also of one that was ended sooner
}

// BreakGlass asks for a chart in an emergency. The reason is sealed into the chart; the server gets only a code.
type BreakGlass struct {
	Code string `json:"code"` // life-threatening, unconscious, other
}

// Event is one event of the audit record. What it is about is named by ids only.
type Event struct {
	Event    EventID  `json:"event"`
	Seq      int64    `json:"seq"`
	Time     string   `json:"time"`
	Person   PersonID `json:"person,omitempty"`
	Roles    []Role   `json:"roles,omitempty"`
	Action   string   `json:"action"`
	About    string   `json:"about,omitempty"` // "lock:<id>", "person:<id>", …
	Chart    ChartID  `json:"chart,omitempty"`
	Decision string   `json:"decision"` // allow, deny, or done for what is not a decision
	Policies []string `json:"policies,omitempty"`
	Outcome  string   `json:"outcome,omitempty"` // the kind of error, if one followed
	Count    int64    `json:"count,omitempty"`
	Previous string   `json:"previous,omitempty"` // the commitment of the event before, b64
	Number   int64    `json:"number,omitempty"`   // among those that name the chart, without a gap …
	Before   string   `json:"before,omitempty"`   // … and the commitment of the one before there

	// Of the first of the record, and of the first that names a chart: the hash of the key of the marks of those that follow.
	RecordKey string `json:"recordKey,omitempty"`
	ChartKey  string `json:"chartKey,omitempty"`
}

// Events is a page of the record.
type Events struct {
	Events []Event `json:"events"`
	More   bool    `json:"more"`
}

// RecordState is what a check of the whole record found: whether all that is kept is what the organisation's log commits
// to, and whether that log extends what the chain agreed.
type RecordState struct {
	Events   int64           `json:"events"`
	Leaves   int64           `json:"leaves"`           // of the log: events, entries, grants, keys
	Erased   int64           `json:"erased,omitempty"` // of which speak of nothing any more
	Root     string          `json:"root"`             // of the log, b64
	Agreed   *LogHead        `json:"agreed,omitempty"` // the newest that the chain agreed
	Checked  string          `json:"checked"`          // when this check began
	Whole    bool            `json:"whole"`            // there is no problem
	Problems []RecordProblem `json:"problems,omitempty"`
}

// RecordProblem is one way in which the record does not fit together. Kind: altered, missing, unlogged (it is kept and no
// leaf speaks of it), emptied (a leaf without its salt that no erasure accounts for), of About: event, entry, grant,
// epoch, card, browser, clinic; tree (the log itself does not fit), forked (the log is not what the chain agreed), shorter
// (it ends before what the chain agreed), line (a person's keys are not those that the chain agreed).
type RecordProblem struct {
	Kind  string `json:"kind"`
	About string `json:"about,omitempty"`
	Count int64  `json:"count"`
	First int64  `json:"first"`         // place of the first: of an event its sequence, else of its leaf; -1 if it has none
	Ref   string `json:"ref,omitempty"` // the id of the first, if it is known
	Text  string `json:"text"`          // in words
}

// LogHead is a size of a log and the root of its tree then.
type LogHead struct {
	Size int64  `json:"size"`
	Root string `json:"root"` // b64
}

// Ledger is what a person needs to know of the chain that agrees on their clinic's log. Without a chain, nothing is ever
// final, and only Origin and Salt are given.
type Ledger struct {
	Chain      string       `json:"chain,omitempty"`
	Validators []Validator  `json:"validators,omitempty"` // in the chain's order
	Height     int64        `json:"height,omitempty"`
	Origin     string       `json:"origin"`           // the key that signs this clinic's checkpoints, b64
	Salt       string       `json:"salt"`             // of its people's labels, b64
	Final      *LedgerFinal `json:"final,omitempty"`  // the newest
	Before     []LogBefore  `json:"before,omitempty"` // logs that this one continues after losses, oldest first
}

// LogBefore is a log that was lost in part and begun again: how far the chain had agreed on it, and what is missing.
type LogBefore struct {
	Origin string  `json:"origin"` // b64
	Size   int64   `json:"size"`
	Root   string  `json:"root"` // b64
	Time   string  `json:"time"` // when the log was begun again
	Lost   int64   `json:"lost"` // leaves that are missing at its end, at the least
	Event  EventID `json:"event"`
}

// LedgerFinal is a head of a log that is agreed, and the block that says so.
type LedgerFinal struct {
	LogHead
	Block json.RawMessage `json:"block"` // ledger/receipt.Block
}

// Validator is who signs blocks. Kind: ed25519, ml-dsa-65.
type Validator struct {
	Name  string `json:"name"`
	Key   string `json:"key"` // b64
	Power int64  `json:"power"`
	Kind  string `json:"kind"`
}

// ChainStatus is how the chain is, as this member sees it.
type ChainStatus struct {
	Chain   string        `json:"chain"`
	Height  int64         `json:"height"`
	Time    string        `json:"time,omitempty"`   // of the newest block
	Halted  string        `json:"halted,omitempty"` // since when something waits and no block comes
	Reason  string        `json:"reason,omitempty"` // why, if it is this member itself that stopped
	Members []ChainMember `json:"members"`
	Votes   []ChainVote   `json:"votes,omitempty"` // open ones
	Faults  []ChainFault  `json:"faults,omitempty"`

	Releases    []ChainRelease `json:"releases,omitempty"`    // the newest of each kind
	ReleaseKeys *ReleaseKeys   `json:"releaseKeys,omitempty"` // that sign the next
}

// ChainRelease is a program that is given out, as members recorded it. Kind: server, app, firmware. The sum is that of
// the program's file; of the app that of the list of its files, /files.txt.
type ChainRelease struct {
	Kind   string `json:"kind"`
	Number int64  `json:"number"` // grows; 0 of what runs here and is not recorded
	Sum    string `json:"sum"`    // SHA-256 in hex
}

// ReleaseKeys are who signs releases, and how many must.
type ReleaseKeys struct {
	Needed int64    `json:"needed"`
	Keys   []string `json:"keys"` // Ed25519, b64
}

// AppRelease shows with which number a release of the app is recorded, or that it is not.
type AppRelease struct {
	Proof json.RawMessage `json:"proof,omitempty"` // ledger/receipt.StateProof; absent: this clinic has no chain
}

// ChainMember is an organisation that runs a validator.
type ChainMember struct {
	Validator
	Operator  string `json:"operator"` // the key that votes, b64
	Node      string `json:"node"`     // CometBFT's id of it
	Address   string `json:"address,omitempty"`
	Self      bool   `json:"self,omitempty"`
	Connected bool   `json:"connected"`
	ClockOff  int64  `json:"clockOff,omitempty"` // seconds that its clock is ahead of the others'; less than 0: behind, which a Ward finds out of its own clock alone
}

// ChainVote is something that members decide together. Kind: join, leave, power, upgrade, releases.
type ChainVote struct {
	Subject  string       `json:"subject"` // names it, b64
	Kind     string       `json:"kind"`
	Member   *ChainMember `json:"member,omitempty"`   // who would join, leave or change
	Height   int64        `json:"height,omitempty"`   // of an upgrade
	Version  int64        `json:"version,omitempty"`  // of an upgrade
	Releases *ReleaseKeys `json:"releases,omitempty"` // who would sign them
	Yes      []string     `json:"yes"`                // names of members
	Power    int64        `json:"power"`              // theirs
	Needed   int64        `json:"needed"`             // the power that decides
	Mine     bool         `json:"mine,omitempty"`     // this member has voted
}

// ChainFault is a validator that was caught. Kind: equivocation (it signed two blocks of one height).
type ChainFault struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Height int64  `json:"height"`
}

// LedgerStatus is what an officer sees: the chain, how far it is behind this clinic's log, and what is wrong.
type LedgerStatus struct {
	Chain    *ChainStatus  `json:"chain,omitempty"` // absent: this clinic has no chain
	Log      LogHead       `json:"log"`             // as it is kept here
	Agreed   *LogHead      `json:"agreed,omitempty"`
	AgreedAt string        `json:"agreedAt,omitempty"` // when that was
	Waiting  int64         `json:"waiting"`            // leaves that are not final
	Since    string        `json:"since,omitempty"`    // when the oldest of them was written, at the earliest
	Links    int64         `json:"links"`              // cards that wait for the chain
	ReadOnly bool          `json:"readOnly,omitempty"` // nothing is sent to the chain: the log is not what it agreed
	Alarms   []LedgerAlarm `json:"alarms"`             // open ones, newest first
	Record   *RecordState  `json:"record,omitempty"`   // the newest check

	Running []ChainRelease `json:"running,omitempty"` // the server and the app that are running
}

// LedgerAlarm is something that the security officer must know. Kind: record (a check found problems), forked, shorter,
// line (as RecordProblem), halted, fault, clock.
type LedgerAlarm struct {
	Kind  string `json:"kind"`
	Since string `json:"since"`
	Text  string `json:"text"` // in words
}

// LedgerVote is an officer's vote, or a proposal taken back.
type LedgerVote struct {
	Subject string `json:"subject"`
	Yes     bool   `json:"yes"`
}

// Consistency shows that the log grew from one size to the newest agreed one and nothing else changed.
type Consistency struct {
	From  int64       `json:"from"`
	Final LedgerFinal `json:"final"`
	Proof []string    `json:"proof"` // RFC 6962, b64
}

// LedgerChanges are changes of the set of validators after a height.
type LedgerChanges struct {
	Changes []json.RawMessage `json:"changes"` // ledger/receipt.Change
}

// Receipts are proofs of what was asked for, in that order. What is not there is left out.
type Receipts struct {
	Receipts []Receipt `json:"receipts"`
}

// Receipt is a leaf of the log, what it commits to, and the proof that it is agreed, unless that is still to come.
type Receipt struct {
	Ref     string          `json:"ref"`  // the id that was asked for
	Leaf    int64           `json:"leaf"` // its index
	Kind    string          `json:"kind"` // as docs/formats.md, The ledger
	Salt    string          `json:"salt"` // what opens it, b64
	Text    string          `json:"text"`
	Receipt json.RawMessage `json:"receipt,omitempty"` // ledger/receipt.Receipt
	Pending bool            `json:"pending,omitempty"`
}

// Accesses is a page of the events of a line, oldest first: of all that name a chart, or of the whole record; with what opens
// their leaves, and the key of the line's marks (docs/formats.md, The ledger).
type Accesses struct {
	Key      string   `json:"key"` // b64
	Accesses []Access `json:"accesses"`
	More     bool     `json:"more,omitempty"`
}

// Access is one of them.
type Access struct {
	Salt string `json:"salt"` // b64
	Text string `json:"text"` // the event as kept
}

// LedgerEntries are entries of the organisation's log, from a place on: 48 bytes each, one after the other.
type LedgerEntries struct {
	From    int64  `json:"from"`
	Entries string `json:"entries"` // b64
}

// CardProof shows what the chain holds of a person's line of cards. Cards that nobody vouched for are not on it.
type CardProof struct {
	Label   string          `json:"label"`             // b64
	Proof   json.RawMessage `json:"proof,omitempty"`   // ledger/receipt.StateProof
	Pending bool            `json:"pending,omitempty"` // the newest cards are on their way there
}

// NewVisit books a consultation by video. What it is about is in the chart.
type NewVisit struct {
	Visit  VisitID  `json:"visit"`
	Chart  ChartID  `json:"chart"`
	Host   PersonID `json:"host"` // the clinician who runs it
	Starts string   `json:"starts"`
	Ends   string   `json:"ends"`
}

// Booking books a visit, or a series of them.
type Booking struct {
	NewVisit
	Repeat  *Repeat `json:"repeat,omitempty"`
	Skip    []int64 `json:"skip,omitempty"`    // of a series: which are left out, from 0
	Overlap bool    `json:"overlap,omitempty"` // staff: although its clinician or patient has another visit then
}

// Repeat makes a series of a visit: at the same time by the clock on the wall in the clinician's time zone, or in this
// one if they have not said theirs. Every: week, fortnight, or month, which is the same weekday of the month, such as
// the second Tuesday; a fifth is the last.
type Repeat struct {
	Every    string `json:"every"`
	Times    int64  `json:"times"`
	TimeZone string `json:"timeZone,omitempty"`
}

// VisitPlan is when the visits of a booking would be.
type VisitPlan struct {
	Times []PlannedVisit `json:"times"`
}

// PlannedVisit is one of them. Clash is what is in its way: the clinician (host) or the patient has another visit then, or
// the clock on the wall skips this time (skipped).
type PlannedVisit struct {
	Starts string `json:"starts"`
	Ends   string `json:"ends"`
	Clash  string `json:"clash,omitempty"`
}

// Availability is when a clinician sees people by video, in their own time zone, and what the clinic lets patients do by
// themselves. Staff may book outside it.
type Availability struct {
	TimeZone string   `json:"timeZone"` // IANA, such as Europe/Madrid
	Weekly   []Window `json:"weekly"`
	Length   int64    `json:"length"`  // minutes of a visit
	Notice   int64    `json:"notice"`  // minutes before which patients must book, move or cancel
	Horizon  int64    `json:"horizon"` // days ahead that patients may book; 0: patients book through the clinic
}

// Window is a part of a day of the week, by the clock on the wall.
type Window struct {
	Day  int64  `json:"day"`  // 0 is Sunday
	From string `json:"from"` // 09:00
	To   string `json:"to"`
}

// Slots are free times of a clinician that a patient may book.
type Slots struct {
	Length int64    `json:"length"` // minutes
	Starts []string `json:"starts"`
}

// Visit is one as those concerned see it. State: booked, open (the host is there), ended, cancelled.
type Visit struct {
	NewVisit
	Patient PersonID      `json:"patient"`
	State   string        `json:"state"`
	Late    int64         `json:"late,omitempty"`    // minutes that the host is late, as they say
	Series  VisitID       `json:"series,omitempty"`  // the first of those that were booked together
	Waits   string        `json:"waits,omitempty"`   // since when someone waits at the door, for its host
	Me      string        `json:"me,omitempty"`      // the caller's own state there
	Epoch   int64         `json:"epoch"`             // of the MLS group, -1 before there is one
	Seq     int64         `json:"seq"`               // of its last message
	Members []VisitMember `json:"members,omitempty"` // for its host, and for who was admitted
	Guests  []VisitGuest  `json:"guests,omitempty"`  // links: for its host all, for others those that they made
	Names   []byte        `json:"names,omitempty"`   // the key of members' names, sealed to the caller

	GroupInfo []byte `json:"groupInfo,omitempty"` // of the current epoch, for who was admitted and asked for it
}

// VisitMember is someone who came to a visit's door. State: waiting, admitted, left, removed.
type VisitMember struct {
	Member        PersonID `json:"member"`
	State         string   `json:"state"`
	Since         string   `json:"since"`
	AdmissionText string   `json:"admissionText,omitempty"`
	Name          []byte   `json:"name,omitempty"` // sealed for those in the visit; its hash is in the admission
}

// NewVisitGuest makes a link by which a guest may come to a visit.
type NewVisitGuest struct {
	GuestText string `json:"guestText"` // ward/guest/1
	Welcome   []byte `json:"welcome"`   // who invites to what, sealed to the link
}

// VisitGuest is a link, and who came with it. State: open, used, withdrawn.
type VisitGuest struct {
	GuestText   string `json:"guestText"`
	State       string `json:"state"`
	ArrivalText string `json:"arrivalText,omitempty"`
	Hello       []byte `json:"hello,omitempty"` // the guest's name, sealed to the host; for the host
}

// GuestOpened is what whoever holds a guest's link sees.
type GuestOpened struct {
	Org     ClinicInfo `json:"org"`
	Visit   Visit      `json:"visit"` // without its chart; me tells whether they were taken out
	Welcome []byte     `json:"welcome"`
	Used    bool       `json:"used"` // by the guest, or by somebody else
	Host    GuestHost  `json:"host"`
}

// GuestArrival is a guest at the door.
type GuestArrival struct {
	ArrivalText string `json:"arrivalText"` // ward/arrival/1
	Hello       []byte `json:"hello"`
}

// GuestSession lets a guest attend, in the browser that asked for it.
type GuestSession struct {
	Token string   `json:"token"`
	Org   OrgID    `json:"org"`
	Visit VisitID  `json:"visit"`
	Guest PersonID `json:"guest"`
	Until string   `json:"until"`
}

// VisitPeople are the keys of those in a visit who have an account.
type VisitPeople struct {
	People []PersonCards `json:"people"`
}

// VisitChange moves or cancels a visit, or says that its host is late.
type VisitChange struct {
	Starts  string `json:"starts,omitempty"`
	Ends    string `json:"ends,omitempty"`
	Overlap bool   `json:"overlap,omitempty"` // as in Booking
	State   string `json:"state,omitempty"`   // cancelled
	Series  bool   `json:"series,omitempty"`  // cancel also what follows it in its series
	Late    *int64 `json:"late,omitempty"`    // minutes
}

// Reminders is how a person wants to be told of their visits, with the browser that asks among it. The words are neutral.
type Reminders struct {
	Language string  `json:"language"`           // en, es, ar
	TimeZone string  `json:"timeZone"`           // IANA
	Leads    []int64 `json:"leads"`              // minutes before: 1440, 60
	Email    string  `json:"email,omitempty"`    // kept, sealed, until it is taken away
	Mail     bool    `json:"mail,omitempty"`     // to read: this clinic sends e-mail
	PushKey  string  `json:"pushKey,omitempty"`  // to read: for PushManager.subscribe (RFC 8292)
	Here     bool    `json:"here,omitempty"`     // to read: this browser shows them
	Browsers int64   `json:"browsers,omitempty"` // to read: how many do
	Feed     bool    `json:"feed,omitempty"`     // to read: their calendar has an address
}

// PushSubscription is what a browser gives of itself (W3C Push API).
type PushSubscription struct {
	Endpoint string `json:"endpoint"`
	P256DH   string `json:"p256dh"` // b64
	Auth     string `json:"auth"`   // b64
}

// VisitAdmission lets someone in.
type VisitAdmission struct {
	AdmissionText string `json:"admissionText"`   // ward/admission/1
	Name          []byte `json:"name,omitempty"`  // their name, sealed for those in the visit
	Names         []byte `json:"names,omitempty"` // the key of all names, sealed to them
}

// NewVisitMessage is something for the members' group. A commit comes with the group's state after it, by which others
// join.
type NewVisitMessage struct {
	Body      []byte `json:"body"`                // an MLSMessage: commit or application; or, to begin, a group info
	GroupInfo []byte `json:"groupInfo,omitempty"` // an MLSMessage
	Again     bool   `json:"again,omitempty"`     // with a group info: the host begins the group again
}

// VisitMessage is one in its place. Kind: commit, application; group when the host began the group again.
type VisitMessage struct {
	Seq    int64    `json:"seq"`
	Epoch  int64    `json:"epoch"` // that it was made in
	Kind   string   `json:"kind"`
	Sender PersonID `json:"sender"`
	Body   []byte   `json:"body"`
}

// VisitMessages is a page of a visit's messages.
type VisitMessages struct {
	Messages []VisitMessage `json:"messages"`
	More     bool           `json:"more"`
	Epoch    int64          `json:"epoch"`
}

// VisitRoom opens the media server's door: its signalling is a WebSocket at URL.
type VisitRoom struct {
	URL     string       `json:"url"`
	Token   string       `json:"token"`
	Outside bool         `json:"outside,omitempty"` // not in Ward: it names its relays itself
	Relays  []VisitRelay `json:"relays,omitempty"`  // Ward's own
}

// VisitEntry is all that who was admitted needs to be in a visit: it, with its group's state, and the way of the media.
type VisitEntry struct {
	Visit Visit     `json:"visit"`
	Room  VisitRoom `json:"room"`
}

// VisitRelay is a TURN server, as browsers take it (RTCIceServer).
type VisitRelay struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// Notice is an event of the live stream (GET /api/events). Kind: entry, grant, epoch, lock, invitation, person, session,
// visit; ledger, to officers, when there is or was an alarm.
type Notice struct {
	Kind   string   `json:"kind"`
	Lock   LockID   `json:"lock,omitempty"`
	Chart  ChartID  `json:"chart,omitempty"`
	Seq    int64    `json:"seq,omitempty"`
	Person PersonID `json:"person,omitempty"`
	Visit  VisitID  `json:"visit,omitempty"`
}

// Audience is whom a notice concerns: people, and everyone with one of the roles. It is never sent.
type Audience struct {
	People []PersonID
	Roles  []Role
}

// Limits that both sides know.
const (
	MaxInline     = 64 << 10          // bytes of a sealed entry kept in the database; larger ones are objects
	MaxPart       = 8 << 20           // bytes of one part of an upload: a lost connection costs at most this
	MaxFile       = 1<<30 + 64<<20    // bytes of a sealed entry: a 1 GB file with padding and age's overhead
	MaxBatch      = 64                // entries in one request
	MaxBody       = 8 << 20           // bytes of a JSON body: a full batch of inline entries in base64 is under it
	MaxPage       = 4 << 20           // bytes of sealed entries in one page
	MaxPageCount  = 500               // entries in one page
	MaxGrants     = 200               // live grants of one lock; beyond it use a team
	MaxKeyring    = 256 << 10         // bytes of a sealed keyring: 32 passkeys take 80 KB
	MaxPasskeys   = 32                // of one person
	MaxInvitation = 14 * 24 * 60 * 60 // seconds an invitation may stay open
	MaxHeldGrant  = 16 << 10          // bytes of a sealed grant or history
	MaxVisit      = 12 * 60 * 60      // seconds a visit may be planned to last
	MaxWindows    = 28                // in a week of availability: four a day
	MaxSeries     = 26                // visits in a series: half a year of weeks
	MaxMembers    = 12                // in a visit: a family, an interpreter and a care team; more is a lecture
	MaxGuests     = 8                 // links of a visit that are open or in use
	MaxSealedName = 8 << 10           // bytes of a welcome, a sealed name or a sealed key of names: a recipient is inside
	MaxMLS        = 128 << 10         // bytes of one MLS message: the state of a full visit is about 60 KB
)
