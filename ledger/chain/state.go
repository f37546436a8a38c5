package chain

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ward/ledger/receipt"
)

// The state machine: what the members agree on, and the one function that changes it. apply depends on the state and the
// transaction alone, so all members that take the same transactions in the same order have the same state. What it
// refuses, no honest member signs a block with.

// Limits of the state, which every member keeps in memory.
const (
	maxMembers  = receipt.MaxValidators
	maxOpen     = 64   // votes that are open, of all members together …
	maxOpenEach = 8    // … and begun by one
	maxLogs     = 1000 // of one member: clinics that share one Ward
	maxVersion  = 1    // the newest rules that this program knows
	voteLasts   = 30 * 24 * time.Hour
)

// agreed is everything that is agreed: the state. Links of cards and releases of before are in the trie alone; all else is in the maps, and its hash in the
// trie. Maps are copied by clone and what is in them is never changed in place.
type agreed struct {
	Height   int64                     `json:"height"`
	Time     time.Time                 `json:"time"` // of the newest block
	Version  int64                     `json:"version"`
	Upgrade  *receipt.Upgrade          `json:"upgrade,omitempty"` // decided, still to come
	Members  map[receipt.Key]member    `json:"members"`           // by operator; also who left
	Logs     map[receipt.Key]logHead   `json:"logs"`              // by origin
	Open     map[receipt.Hash]openVote `json:"open"`              // by the subject's id
	Releases map[byte]release          `json:"releases"`          // by kind
	Signers  *receipt.ReleaseKeys      `json:"signers,omitempty"`
	Signing  []receipt.Validator       `json:"signing"` // the set that signs the next block
	trie     trie
	writes   map[receipt.Key]*receipt.Hash // of the trie, since clone; nil is a drop
}

type member struct {
	receipt.Member
	Number  uint64 `json:"number"`            // of its newest vote or registration
	Faults  uint64 `json:"faults,omitempty"`  // how often it was seen to sign two blocks of one height
	FaultAt int64  `json:"faultAt,omitempty"` // the newest such height
}

type logHead struct {
	Operator receipt.Key  `json:"operator"`
	SaltHash receipt.Hash `json:"saltHash"`
	Name     string       `json:"name"`
	Size     int64        `json:"size"`
	Root     receipt.Hash `json:"root"`
	Height   int64        `json:"height"` // of the block with the newest checkpoint; each member's own note, not agreed on
	Place    int64        `json:"place"`  // of it in that block
}

type openVote struct {
	Subject receipt.Bytes `json:"subject"`
	By      receipt.Key   `json:"by"`
	Opened  int64         `json:"opened"` // when, in Unix seconds of a block's time
	Yes     []receipt.Key `json:"yes"`    // operators, ascending
}

type release struct {
	Number uint64       `json:"number"`
	Sum    receipt.Hash `json:"sum"`
}

func newState() *agreed {
	return &agreed{
		Version: 1, Members: map[receipt.Key]member{}, Logs: map[receipt.Key]logHead{}, Open: map[receipt.Hash]openVote{}, Releases: map[byte]release{},
		writes: map[receipt.Key]*receipt.Hash{},
	}
}

// clone is where a block begins.
func (s *agreed) clone() *agreed {
	c := *s
	c.Members, c.Logs, c.Open, c.Releases = maps.Clone(s.Members), maps.Clone(s.Logs), maps.Clone(s.Open), maps.Clone(s.Releases)
	c.writes = map[receipt.Key]*receipt.Hash{}
	return &c
}

// begin starts a block: votes that nobody decided end, who signed twice is noted, and an upgrade takes effect.
func (s *agreed) begin(height int64, at time.Time, equivocators []fault) error {
	s.Height, s.Time = height, at.UTC()
	if s.Upgrade != nil && height >= s.Upgrade.Height {
		if s.Upgrade.Version > maxVersion {
			return fmt.Errorf("the members follow version %d of the rules from block %d on, and this program knows them up to %d: install a newer Ward", s.Upgrade.Version, s.Upgrade.Height, maxVersion)
		}
		s.setVersion(s.Upgrade.Version)
		s.setUpgrade(nil)
	}
	for _, id := range slices.SortedFunc(maps.Keys(s.Open), compare) {
		if at.Unix()-s.Open[id].Opened > int64(voteLasts/time.Second) {
			s.setOpen(id, nil)
		}
	}
	for _, f := range equivocators {
		for operator, m := range s.Members {
			if (receipt.Validator{Key: m.Key}).Address() == f.address { // one at most: no two members have one key
				m.Faults++
				m.FaultAt = f.height
				s.setMember(operator, m)
			}
		}
	}
	return nil
}

// fault is a validator that signed two blocks of one height.
type fault struct {
	address [20]byte
	height  int64
}

// apply changes the state by one transaction whose signature is good, or says why it does not hold.
func (s *agreed) apply(tx receipt.Tx, chain string) error {
	switch tx.Kind {
	case receipt.KindCheckpoint:
		return s.checkpoint(tx)
	case receipt.KindLink:
		return s.link(tx)
	case receipt.KindVote:
		return s.vote(tx)
	case receipt.KindLog:
		return s.register(tx)
	case receipt.KindRelease:
		return s.release(tx, chain)
	}
	return fmt.Errorf("there is no transaction of kind %d", tx.Kind)
}

// checkpoint grows a log. What it grew from must be what was agreed.
func (s *agreed) checkpoint(tx receipt.Tx) error {
	c, err := receipt.ParseCheckpoint(tx.Body)
	if err != nil {
		return err
	}
	head, err := s.writable(tx.Signer)
	if err != nil {
		return err
	}
	if c.Old != head.Size {
		return fmt.Errorf("the log has %d agreed leaves, not %d", head.Size, c.Old)
	}
	if c.Old == 0 && len(c.Proof) > 0 {
		return errors.New("an empty log needs no proof")
	}
	if c.Old > 0 {
		proof := make(tlog.TreeProof, len(c.Proof))
		for i, h := range c.Proof {
			proof[i] = tlog.Hash(h)
		}
		if err := tlog.CheckTree(proof, c.New, tlog.Hash(c.Root), c.Old, tlog.Hash(head.Root)); err != nil {
			return errors.New("the log does not continue what was agreed")
		}
	}
	head.Size, head.Root = c.New, c.Root
	s.setLog(tx.Signer, head)
	return nil
}

// link moves a line of cards on.
func (s *agreed) link(tx receipt.Tx) error {
	l, err := receipt.ParseLink(tx.Body)
	if err != nil {
		return err
	}
	if _, err := s.writable(tx.Signer); err != nil {
		return err
	}
	key := receipt.LinkKey(tx.Signer, l.Label)
	if now, _ := s.trie.get(key); now != l.Previous {
		return errors.New("the line of cards goes on from elsewhere")
	}
	if l.Value == (receipt.Hash{}) {
		return errors.New("a line of cards does not end")
	}
	s.write(key, &l.Value)
	return nil
}

// writable is a log of someone who is a member now.
func (s *agreed) writable(origin receipt.Key) (logHead, error) {
	head, ok := s.Logs[origin]
	if !ok {
		return logHead{}, errors.New("no member has said that it writes this log")
	}
	if s.Members[head.Operator].Power == 0 {
		return logHead{}, errors.New("whoever writes this log is no longer a member")
	}
	return head, nil
}

// numbered is a member, if its transaction is newer than those before.
func (s *agreed) numbered(operator receipt.Key, number uint64) (member, error) {
	m, ok := s.Members[operator]
	if !ok || m.Power == 0 {
		return member{}, errors.New("only members may")
	}
	if number <= m.Number {
		return member{}, errors.New("this has had its turn")
	}
	m.Number = number
	return m, nil
}

// register has a member say that it writes a log.
func (s *agreed) register(tx receipt.Tx) error {
	l, err := receipt.ParseLog(tx.Body)
	if err != nil {
		return err
	}
	m, err := s.numbered(tx.Signer, l.Number)
	if err != nil {
		return err
	}
	head, known := s.Logs[l.Origin]
	switch {
	case known && (head.Operator != tx.Signer || head.SaltHash != l.SaltHash):
		return errors.New("this log is another's, or has another salt")
	case !known:
		logs := 0
		for _, other := range s.Logs {
			if other.Operator == tx.Signer {
				logs++
			}
		}
		if logs >= maxLogs {
			return fmt.Errorf("a member writes %d logs at most", maxLogs)
		}
		head = logHead{Operator: tx.Signer, SaltHash: l.SaltHash}
	}
	head.Name = l.Name
	s.setMember(tx.Signer, m)
	s.setLog(l.Origin, head)
	return nil
}

// vote counts a member's yes, or takes it back. What more than two thirds of the power wants happens at once.
func (s *agreed) vote(tx receipt.Tx) error {
	ballot, err := receipt.ParseBallot(tx.Body)
	if err != nil {
		return err
	}
	m, err := s.numbered(tx.Signer, ballot.Number)
	if err != nil {
		return err
	}
	id := ballot.Subject.ID()
	open, isOpen := s.Open[id]
	at, voted := slices.BinarySearchFunc(open.Yes, tx.Signer, compare)
	switch {
	case !ballot.Yes && !voted:
		return errors.New("there is no vote to take back")
	case !ballot.Yes:
		open.Yes = slices.Delete(slices.Clone(open.Yes), at, at+1)
	case voted:
		return errors.New("this member has voted for it")
	default:
		if err := s.possible(ballot.Subject); err != nil {
			return err
		}
		if !isOpen {
			if err := s.mayOpen(tx.Signer); err != nil {
				return err
			}
			open = openVote{Subject: ballot.Subject.Bytes(), By: tx.Signer, Opened: s.Time.Unix()}
		}
		open.Yes = slices.Insert(slices.Clone(open.Yes), at, tx.Signer)
	}
	s.setMember(tx.Signer, m)
	if len(open.Yes) == 0 {
		s.setOpen(id, nil)
		return nil
	}
	s.setOpen(id, &open)
	s.decide()
	return nil
}

func (s *agreed) mayOpen(by receipt.Key) error {
	mine := 0
	for _, o := range s.Open {
		if o.By == by {
			mine++
		}
	}
	if len(s.Open) >= maxOpen || mine >= maxOpenEach {
		return fmt.Errorf("too many votes are open: %d at most, %d of one member", maxOpen, maxOpenEach)
	}
	return nil
}

// decide does what has more than two thirds of the members' power, again after each change: with a member gone, those who
// are left may suffice for something else. What has become impossible is dropped. The order is the ids'.
func (s *agreed) decide() {
	for again := true; again; {
		again = false
		for _, id := range slices.SortedFunc(maps.Keys(s.Open), compare) {
			open := s.Open[id]
			subject, err := receipt.ParseSubject(open.Subject)
			if err != nil || s.possible(subject) != nil {
				s.setOpen(id, nil)
				continue
			}
			yes, all := s.tally(open)
			if yes*3 <= all*2 {
				continue
			}
			s.setOpen(id, nil)
			s.enact(subject)
			again = true
			break
		}
	}
}

// tally is the power of a subject's friends who are members now, and that of all.
func (s *agreed) tally(open openVote) (yes, all int64) {
	for _, m := range s.Members {
		all += m.Power
	}
	for _, operator := range open.Yes {
		yes += s.Members[operator].Power
	}
	return yes, all
}

// possible tells why a subject could not be done now.
func (s *agreed) possible(subject receipt.Subject) error {
	switch {
	case subject.Member != nil:
		return s.possibleMember(*subject.Member)
	case subject.Upgrade != nil:
		if subject.Upgrade.Version <= s.Version || s.Upgrade != nil {
			return errors.New("these rules are followed already, or an upgrade is decided")
		}
		if subject.Upgrade.Height <= s.Height {
			return errors.New("the block of the upgrade has been")
		}
	}
	return nil
}

func (s *agreed) possibleMember(m receipt.Member) error {
	now, known := s.Members[m.Operator]
	if known && now.Member.Power == m.Power && bytes.Equal(now.Member.Bytes(), m.Bytes()) {
		return errors.New("it is so already")
	}
	if m.Power == 0 {
		if now.Power == 0 {
			return errors.New("it is no member")
		}
		if !bytes.Equal(now.Key, m.Key) {
			return errors.New("who leaves has the key that it has")
		}
	}
	members := 0
	for operator, other := range s.Members {
		if operator == m.Operator {
			continue
		}
		if other.Power > 0 {
			members++
		}
		if bytes.Equal(other.Key, m.Key) || other.Power > 0 && other.Node == m.Node {
			return errors.New("another member has this key or node")
		}
	}
	if m.Power == 0 && members == 0 {
		return errors.New("the last member cannot leave")
	}
	if m.Power > 0 && now.Power == 0 && members >= maxMembers {
		return fmt.Errorf("there are %d members at most", maxMembers)
	}
	return nil
}

func (s *agreed) enact(subject receipt.Subject) {
	switch {
	case subject.Member != nil:
		m := s.Members[subject.Member.Operator]
		m.Member = *subject.Member
		s.setMember(m.Operator, m)
	case subject.Upgrade != nil:
		s.setUpgrade(subject.Upgrade)
	case subject.Releases != nil:
		s.setSigners(subject.Releases)
	}
}

// release notes what version is given out, if enough release keys say so.
func (s *agreed) release(tx receipt.Tx, chain string) error {
	r, err := receipt.ParseRelease(tx.Body)
	if err != nil {
		return err
	}
	if s.Signers == nil {
		return errors.New("the members have not said who signs releases")
	}
	if r.Number <= s.Releases[r.Kind].Number {
		return errors.New("a newer release is known")
	}
	message := r.Message(chain)
	for _, sig := range r.Signed {
		if int(sig.Place) >= len(s.Signers.Keys) || !ed25519.Verify(s.Signers.Keys[sig.Place][:], message, sig.Signature[:]) {
			return errors.New("a release's signature is not good")
		}
	}
	if len(r.Signed) < s.Signers.Needed {
		return errors.New("too few release keys signed")
	}
	s.setRelease(r.Kind, release{r.Number, r.Sum})
	recorded := receipt.ReleasedValue(r.Number)
	s.write(receipt.ReleasedKey(r.Kind, r.Sum), &recorded)
	return nil
}

// Where things are in the trie, and what is there: hashes of all that was agreed of them. releases has the form of
// receipt.StateKey's tags, so that a reader can ask for a proof of each.

func (s *agreed) setMember(operator receipt.Key, m member) {
	s.Members[operator] = m
	s.write(memberKey(operator), m.sum())
}

func (s *agreed) setLog(origin receipt.Key, l logHead) {
	s.Logs[origin] = l
	s.write(logKey(origin), l.sum())
}

func (s *agreed) setOpen(id receipt.Hash, o *openVote) {
	if o == nil {
		delete(s.Open, id)
		s.write(openKey(id), nil)
		return
	}
	s.Open[id] = *o
	s.write(openKey(id), o.sum())
}

func (s *agreed) setRelease(kind byte, r release) {
	s.Releases[kind] = r
	s.write(releaseKey(kind), r.sum())
}

func (s *agreed) setVersion(v int64) { s.Version = v; s.write(versionKey, sumOf("version", number(v))) }

func (s *agreed) setUpgrade(u *receipt.Upgrade) {
	s.Upgrade = u
	if u == nil {
		s.write(upgradeKey, nil)
		return
	}
	s.write(upgradeKey, sumOf("upgrade", receipt.Subject{Upgrade: u}.Bytes()))
}

func (s *agreed) setSigners(r *receipt.ReleaseKeys) {
	s.Signers = r
	s.write(signersKey, sumOf("signers", receipt.Subject{Releases: r}.Bytes()))
}

// write puts a value into the trie, or takes it out.
func (s *agreed) write(key receipt.Key, value *receipt.Hash) {
	if value == nil {
		s.trie = s.trie.drop(key)
	} else {
		s.trie = s.trie.set(key, *value)
	}
	s.writes[key] = value
}

// leaves are what the trie must hold of everything but links, by key.
func (s *agreed) leaves() map[receipt.Key]receipt.Hash {
	all := map[receipt.Key]receipt.Hash{versionKey: *sumOf("version", number(s.Version))}
	for operator, m := range s.Members {
		all[memberKey(operator)] = *m.sum()
	}
	for origin, l := range s.Logs {
		all[logKey(origin)] = *l.sum()
	}
	for id, o := range s.Open {
		all[openKey(id)] = *o.sum()
	}
	for kind, r := range s.Releases {
		all[releaseKey(kind)] = *r.sum()
	}
	if s.Upgrade != nil {
		all[upgradeKey] = *sumOf("upgrade", receipt.Subject{Upgrade: s.Upgrade}.Bytes())
	}
	if s.Signers != nil {
		all[signersKey] = *sumOf("signers", receipt.Subject{Releases: s.Signers}.Bytes())
	}
	return all
}

var (
	versionKey = receipt.StateKey("param", []byte("version"))
	upgradeKey = receipt.StateKey("param", []byte("upgrade"))
	signersKey = receipt.StateKey("param", []byte("signers"))
)

func memberKey(operator receipt.Key) receipt.Key { return receipt.MemberKey(operator) }
func logKey(origin receipt.Key) receipt.Key      { return receipt.LogKey(origin) }
func openKey(id receipt.Hash) receipt.Key        { return receipt.StateKey("vote", id[:]) }
func releaseKey(kind byte) receipt.Key           { return receipt.StateKey("release", []byte{kind}) }

func (m member) sum() *receipt.Hash { return sumOf("member", m.Member.Bytes(), m.counts()) }

// counts is what the state holds of a member beside what it is.
func (m member) counts() []byte {
	return slices.Concat(number(m.Number), number(m.Faults), number(m.FaultAt))
}

func (l logHead) sum() *receipt.Hash {
	return sumOf("log", l.Operator[:], l.SaltHash[:], number(l.Size), l.Root[:], []byte(l.Name))
}

func (o openVote) sum() *receipt.Hash {
	parts := [][]byte{o.By[:], number(o.Opened), number(len(o.Yes))}
	for _, y := range o.Yes {
		parts = append(parts, y[:])
	}
	return sumOf("vote", append(parts, o.Subject)...)
}

func (r release) sum() *receipt.Hash { return sumOf("release", number(r.Number), r.Sum[:]) }

func sumOf(tag string, parts ...[]byte) *receipt.Hash {
	sum := receipt.StateSum(tag, parts...)
	return &sum
}

func number[T int | int64 | uint64](n T) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func compare(a, b receipt.Bytes32) int { return bytes.Compare(a[:], b[:]) }

// genesis is what a chain begins with, as its genesis file says.
type genesis struct {
	Members []receipt.Bytes `json:"members"` // receipt.Member
}

// founded is the state before the first block.
func founded(appState []byte) (*agreed, error) {
	var g genesis
	d := json.NewDecoder(bytes.NewReader(appState))
	d.DisallowUnknownFields()
	if err := d.Decode(&g); err != nil {
		return nil, fmt.Errorf("read what the chain begins with: %w", err)
	}
	s := newState()
	s.setVersion(1)
	for _, raw := range g.Members {
		m, err := receipt.ParseMember(raw)
		if err != nil {
			return nil, err
		}
		if err := s.possibleMember(m); err != nil || m.Power == 0 {
			return nil, fmt.Errorf("%s cannot be among those who found a chain: %v", m.Name, err)
		}
		s.setMember(m.Operator, member{Member: m})
	}
	if len(s.Members) == 0 {
		return nil, errors.New("a chain begins with a member")
	}
	return s, nil
}

// stored is how a state is kept between blocks, beside the trie's leaves.
type stored struct {
	agreed
	Root receipt.Hash `json:"root"`
}

func (s *agreed) encode() ([]byte, error) { return json.Marshal(stored{*s, s.trie.hash()}) }

// restore reads a state and the trie's leaves, and refuses both if they do not fit each other: a disk that changed what was
// agreed must not vote.
func restore(raw []byte, leaves func(func(key receipt.Key, value receipt.Hash)) error) (*agreed, error) {
	kept := stored{agreed: *newState()}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&kept); err != nil {
		return nil, fmt.Errorf("read the chain's state: %w", err)
	}
	s := &kept.agreed
	if s.Members == nil || s.Logs == nil || s.Open == nil || s.Releases == nil || len(s.Members) == 0 {
		return nil, errors.New("the chain's state is cut off")
	}
	for operator, m := range s.Members {
		if parsed, err := receipt.ParseMember(m.Member.Bytes()); err != nil || parsed.Operator != operator {
			return nil, errors.New("the chain's state holds a member that cannot be")
		}
	}
	if err := leaves(func(key receipt.Key, value receipt.Hash) { s.trie = s.trie.set(key, value) }); err != nil {
		return nil, err
	}
	for key, want := range s.leaves() {
		if have, _ := s.trie.get(key); have != want {
			return nil, errors.New("the chain's state is not what was agreed: its parts do not fit")
		}
	}
	if s.trie.hash() != kept.Root {
		return nil, errors.New("the chain's state is not what was agreed: it has another root")
	}
	return s, nil
}
