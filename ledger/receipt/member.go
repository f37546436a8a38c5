package receipt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of what members say of themselves.
const (
	maxName    = 100     // bytes; a name fits a line
	maxAddress = 260     // bytes; a host's name has 253, and a port follows
	maxVoice   = 1 << 20 // of one member: so that 150 stay far below what sums hold
	maxKeys    = 32      // release keys
)

// Ballot is an operator's vote: number 8 | yes 1 | subject. Numbers of an operator's transactions only grow, so none
// counts twice, also after what it was about has been undone.
type Ballot struct {
	Number  uint64
	Yes     bool // no takes an earlier yes back
	Subject Subject
}

// Subject is what members vote on: one of its kinds is set. Its bytes are kind 1 | body, as below.
type Subject struct {
	Member   *Member
	Upgrade  *Upgrade
	Releases *ReleaseKeys
}

// Kinds of subjects: the first byte.
const (
	subjectMember   = 1
	subjectUpgrade  = 2
	subjectReleases = 3
)

// Member is an organisation that runs a validator, or would. A power of 0 means that it leaves:
// operator 32 | power 8 | node 20 | key kind 1 | key 32 or 1952 | address length 2 | address | name length 2 | name.
type Member struct {
	Operator Key
	Power    int64
	Node     [20]byte // the id of its node: the beginning of the SHA-256 of the node's key
	Kind     string   // of the key that signs blocks
	Key      Bytes    // that key
	Address  string   // host:port that other members' nodes connect to; empty for one that only connects to others
	Name     string   // what it calls itself
}

// Upgrade has all members follow the rules of a version from a height on: height 8 | version 8.
type Upgrade struct {
	Height  int64
	Version int64
}

// ReleaseKeys are who signs releases, and how many must: needed 1 | n 1 | n × 32.
type ReleaseKeys struct {
	Needed int
	Keys   []Key
}

// Log says that an operator writes a log: number 8 | origin 32 | salt hash 32 | name length 2 | name.
type Log struct {
	Number   uint64
	Origin   Key
	SaltHash Hash
	Name     string // the organisation's
}

// Release is a new version of a program that is given out: kind 1 | number 8 | SHA-256 32 | n 1 | n × (place of the key 1 |
// signature 64), places ascending. Numbers of a kind only grow.
type Release struct {
	Kind   byte
	Number uint64
	Sum    Hash
	Signed []ReleaseSignature
}

// ReleaseSignature is by one of the release keys, over Release.Message.
type ReleaseSignature struct {
	Place     byte
	Signature [64]byte
}

// Kinds of releases.
const (
	ReleaseServer   = 1
	ReleaseApp      = 2
	ReleaseFirmware = 3
)

// Keys' kinds in bytes.
var keyKinds = map[byte]struct {
	kind string
	size int
}{1: {Ed25519, 32}, 2: {MLDSA65, 1952}}

// Body writes it.
func (b Ballot) Body() []byte {
	out := binary.BigEndian.AppendUint64(nil, b.Number)
	if b.Yes {
		out = append(out, 1)
	} else {
		out = append(out, 0)
	}
	return append(out, b.Subject.Bytes()...)
}

// ParseBallot reads it.
func ParseBallot(body []byte) (Ballot, error) {
	if len(body) < 9 || body[8] > 1 {
		return Ballot{}, errors.New("the vote is cut off, or neither yes nor no")
	}
	s, err := ParseSubject(body[9:])
	return Ballot{binary.BigEndian.Uint64(body), body[8] == 1, s}, err
}

// ID names a subject.
func (s Subject) ID() Hash { return hash("ward/subject/1\n", s.Bytes()) }

// Bytes writes it.
func (s Subject) Bytes() []byte {
	switch {
	case s.Member != nil:
		return append([]byte{subjectMember}, s.Member.Bytes()...)
	case s.Upgrade != nil:
		b := binary.BigEndian.AppendUint64([]byte{subjectUpgrade}, uint64(s.Upgrade.Height))
		return binary.BigEndian.AppendUint64(b, uint64(s.Upgrade.Version))
	case s.Releases != nil:
		b := []byte{subjectReleases, byte(s.Releases.Needed), byte(len(s.Releases.Keys))}
		for _, k := range s.Releases.Keys {
			b = append(b, k[:]...)
		}
		return b
	}
	return nil
}

// ParseSubject reads it. There is one way to write each.
func ParseSubject(b []byte) (Subject, error) {
	if len(b) == 0 {
		return Subject{}, errors.New("the vote is about nothing")
	}
	body := b[1:]
	switch b[0] {
	case subjectMember:
		m, err := ParseMember(body)
		return Subject{Member: &m}, err
	case subjectUpgrade:
		if len(body) != 16 {
			return Subject{}, fmt.Errorf("an upgrade has 16 bytes, not %d", len(body))
		}
		u := Upgrade{int64(binary.BigEndian.Uint64(body)), int64(binary.BigEndian.Uint64(body[8:]))}
		if u.Height < 1 || u.Height > maxSize || u.Version < 1 || u.Version > maxSize {
			return Subject{}, errors.New("an upgrade's numbers cannot be")
		}
		return Subject{Upgrade: &u}, nil
	case subjectReleases:
		if len(body) < 2 || body[1] > maxKeys || len(body) != 2+32*int(body[1]) || body[0] < 1 || body[0] > body[1] {
			return Subject{}, errors.New("release keys have a wrong form")
		}
		r := ReleaseKeys{Needed: int(body[0])}
		for i := range int(body[1]) {
			k := Key(body[2+32*i:])
			for _, before := range r.Keys {
				if before == k {
					return Subject{}, errors.New("a release key is there twice")
				}
			}
			r.Keys = append(r.Keys, k)
		}
		return Subject{Releases: &r}, nil
	}
	return Subject{}, fmt.Errorf("there is no subject of kind %d", b[0])
}

// Bytes writes it.
func (m Member) Bytes() []byte {
	b := append([]byte{}, m.Operator[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(m.Power))
	b = append(b, m.Node[:]...)
	for code, k := range keyKinds {
		if k.kind == m.Kind {
			b = append(b, code)
		}
	}
	b = append(b, m.Key...)
	b = appendText(b, m.Address)
	return appendText(b, m.Name)
}

// ParseMember reads it.
func ParseMember(b []byte) (Member, error) {
	const head = 32 + 8 + 20 + 1
	if len(b) < head {
		return Member{}, errors.New("the member is cut off")
	}
	m := Member{Operator: Key(b), Power: int64(binary.BigEndian.Uint64(b[32:])), Node: [20]byte(b[40:])}
	kind, ok := keyKinds[b[60]]
	if rest := b[head:]; !ok || len(rest) < kind.size {
		return Member{}, errors.New("the member's key is of no kind that a validator has, or cut off")
	}
	m.Kind, m.Key = kind.kind, append(Bytes{}, b[head:head+kind.size]...)
	rest := b[head+kind.size:]
	var err error
	if m.Address, rest, err = takeText(rest, maxAddress); err != nil {
		return Member{}, err
	}
	if m.Name, rest, err = takeText(rest, maxName); err != nil {
		return Member{}, err
	}
	if len(rest) > 0 {
		return Member{}, errors.New("something follows the member")
	}
	return m, m.Valid()
}

// Valid refuses what no member is.
func (m Member) Valid() error {
	if m.Power < 0 || m.Power > maxVoice {
		return fmt.Errorf("a member's power is 0 to %d", maxVoice)
	}
	if m.Address != "" && !validAddress(m.Address) {
		return fmt.Errorf("a member's address has the form host:port, not %.60q", m.Address)
	}
	return validName(m.Name)
}

// Body writes it.
func (l Log) Body() []byte {
	b := binary.BigEndian.AppendUint64(nil, l.Number)
	b = append(append(b, l.Origin[:]...), l.SaltHash[:]...)
	return appendText(b, l.Name)
}

// ParseLog reads it.
func ParseLog(body []byte) (Log, error) {
	if len(body) < 72 {
		return Log{}, errors.New("the log's registration is cut off")
	}
	l := Log{Number: binary.BigEndian.Uint64(body), Origin: Key(body[8:]), SaltHash: Hash(body[40:])}
	name, rest, err := takeText(body[72:], maxName)
	if err != nil || len(rest) > 0 {
		return Log{}, errors.New("the log's name has a wrong form")
	}
	l.Name = name
	return l, validName(name)
}

// Message is what release keys sign.
func (r Release) Message(chain string) []byte {
	b := append([]byte("ward/release/v1\x00"+chain), 0, r.Kind)
	b = binary.BigEndian.AppendUint64(b, r.Number)
	return append(b, r.Sum[:]...)
}

// Body writes it.
func (r Release) Body() []byte {
	b := binary.BigEndian.AppendUint64([]byte{r.Kind}, r.Number)
	b = append(append(b, r.Sum[:]...), byte(len(r.Signed)))
	for _, s := range r.Signed {
		b = append(append(b, s.Place), s.Signature[:]...)
	}
	return b
}

// ParseRelease reads it. It does not check the signatures.
func ParseRelease(body []byte) (Release, error) {
	const head = 1 + 8 + 32 + 1
	if len(body) < head {
		return Release{}, errors.New("the release is cut off")
	}
	r := Release{Kind: body[0], Number: binary.BigEndian.Uint64(body[1:]), Sum: Hash(body[9:])}
	n := int(body[41])
	if r.Kind < ReleaseServer || r.Kind > ReleaseFirmware || n > maxKeys || len(body) != head+65*n {
		return Release{}, errors.New("the release has a wrong form")
	}
	for i := range n {
		s := ReleaseSignature{body[head+65*i], [64]byte(body[head+65*i+1:])}
		if i > 0 && s.Place <= r.Signed[i-1].Place {
			return Release{}, errors.New("a release's signatures are out of order, or counted twice")
		}
		r.Signed = append(r.Signed, s)
	}
	return r, nil
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

func takeText(b []byte, most int) (string, []byte, error) {
	if len(b) < 2 {
		return "", nil, errors.New("a text is cut off")
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > most || len(b) < 2+n {
		return "", nil, fmt.Errorf("a text is cut off, or longer than %d bytes", most)
	}
	return string(b[2 : 2+n]), b[2+n:], nil
}

// validAddress and validName are rules that all members must apply alike, whatever tables their programs are built with:
// so they say it all themselves.
func validAddress(address string) bool {
	colon := strings.LastIndexByte(address, ':')
	if colon < 1 || len(address) > maxAddress || len(address)-colon < 2 || len(address)-colon > 6 {
		return false
	}
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c > '~' || c == '@' || c == ',' || i > colon && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// validName refuses a name that would not show as it is on a line: with controls, or marks that turn the line around.
func validName(name string) error {
	bad := func(r rune) bool {
		return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff
	}
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || name[0] == ' ' || name[len(name)-1] == ' ' || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("a name has 1 to %d bytes of printable text", maxName)
	}
	return nil
}

// ErrRefused is why a transaction is not in a block: it does not hold, and never will.
var ErrRefused = errors.New("the chain refuses it")
