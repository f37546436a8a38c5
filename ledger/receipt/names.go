package receipt

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Names shows what members agreed that they are called, and what logs are registered as: parts of the state that one block
// signs. Told names alone are nobody's word.
type Names struct {
	Signed  Signed        `json:"signed"` // knows fields 7 and 10
	Logs    []NamedLog    `json:"logs"`
	Members []NamedMember `json:"members"`
}

// NamedLog is how a log is registered, and its newest head.
type NamedLog struct {
	Origin   Key    `json:"origin"`
	Operator Key    `json:"operator"` // who writes it
	SaltHash Hash   `json:"saltHash"`
	Size     int64  `json:"size"`
	Root     Hash   `json:"root"`
	Name     string `json:"name"` // the organisation's
	Path     []Hash `json:"path"` // as StateProof's
}

// NamedMember is a member, also one that left.
type NamedMember struct {
	Member Bytes  `json:"member"` // Member's bytes
	Counts Bytes  `json:"counts"` // number 8 | faults 8 | height of the newest fault 8
	Path   []Hash `json:"path"`
}

// LogKey and MemberKey are where the state holds these.
func LogKey(origin Key) Key { return StateKey("log", origin[:]) }

// MemberKey is where the state holds a member.
func MemberKey(operator Key) Key { return StateKey("member", operator[:]) }

// StateSum is the value of something in the state, by its parts.
func StateSum(tag string, parts ...[]byte) Hash {
	h := sha256.New()
	h.Write(append([]byte("ward/state/"+tag), 0))
	for _, p := range parts {
		h.Write(p)
	}
	return Hash(h.Sum(nil))
}

// value is what the state holds of it.
func (l NamedLog) value() Hash {
	return StateSum("log", l.Operator[:], l.SaltHash[:], binary.BigEndian.AppendUint64(nil, uint64(l.Size)), l.Root[:], []byte(l.Name))
}

// Called is what a block shows of names: of validators, by their keys, and of logs, by their origins.
type Called struct {
	Validators map[string]string // by the text of Bytes
	Logs       map[Key]NamedLog
	Agreed     Agreed
}

// CheckNames tells what those that are trusted signed of names.
func (t Trust) CheckNames(n Names) (Called, error) {
	if len(n.Logs) > maxNamed || len(n.Members) > maxNamed {
		return Called{}, errors.New("more names than any chain has")
	}
	c := Called{Validators: map[string]string{}, Logs: map[Key]NamedLog{}}
	var roots []Hash
	note := func(key Key, value Hash, path []Hash) error {
		if len(path) > maxStatePath {
			return errors.New("this is no proof of a state")
		}
		roots = append(roots, stateRoot(key, StateLeaf(key, value), path))
		return nil
	}
	for _, l := range n.Logs {
		if err := note(LogKey(l.Origin), l.value(), l.Path); err != nil {
			return Called{}, err
		}
		c.Logs[l.Origin] = l
	}
	for _, m := range n.Members {
		member, err := ParseMember(m.Member)
		if err != nil {
			return Called{}, err
		}
		if len(m.Counts) != 24 {
			return Called{}, errors.New("a member's counts have a wrong form")
		}
		if err := note(MemberKey(member.Operator), StateSum("member", m.Member, m.Counts), m.Path); err != nil {
			return Called{}, err
		}
		c.Validators[b64.EncodeToString(member.Key)] = member.Name
	}
	if len(roots) == 0 {
		return Called{}, errors.New("nothing is named")
	}
	for _, r := range roots {
		if r != roots[0] {
			return Called{}, errors.New("the names are of different states")
		}
	}
	var err error
	if c.Agreed, err = t.check(n.Signed, map[int]Hash{fieldApp: roots[0]}); err != nil {
		return Called{}, fmt.Errorf("names: %w", err)
	}
	return c, nil
}

// maxNamed is how many members, who left included, and logs of one clinic there may be.
const maxNamed = 1000
