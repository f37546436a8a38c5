package seal

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"ward"
	"ward/seal/envelope"
)

// A lock is a key pair that turns in epochs: a chart's compartment, a team, the directory. This file makes locks,
// turns them and grants them; and checks, for a reader, that a lock's line of epochs is one line and that a grant
// opens exactly what it says.

const lockType = "ward/lock/1"

// maxLockFile is the size of a lock file: its JSON has three short fields.
const maxLockFile = 1 << 10

// A LockKey is a lock's identity in one epoch. Who has it reads what is sealed to that epoch and, through the
// history, all epochs before.
type LockKey struct {
	Org      ward.OrgID
	Lock     ward.LockID
	Epoch    int64
	Identity Identity
}

type lockLine struct {
	Org   ward.OrgID  `json:"org"`
	Lock  ward.LockID `json:"lock"`
	Epoch int64       `json:"epoch"`
}

// Signing is the lock's own signing key in this epoch, made from its identity: so exactly those who read can grant
// and can turn the lock.
func (k LockKey) Signing() SigningKey {
	return SigningKeyOf([32]byte(derive([]byte(k.Identity.Secret()), "ward/lock-signing/1", 32)))
}

// File is the lock file: an age identity file.
func (k LockKey) File() ([]byte, error) {
	return identityFile(lockType, lockLine{k.Org, k.Lock, k.Epoch}, k.Identity)
}

// ParseLockFile reads a lock file.
func ParseLockFile(text []byte) (LockKey, error) {
	var line lockLine
	identity, err := parseIdentityFile(text, lockType, maxLockFile, &line)
	if err != nil {
		return LockKey{}, err
	}
	return line.key(identity)
}

func (l lockLine) key(identity Identity) (LockKey, error) {
	if !ward.IsID(l.Org) || !ward.IsID(l.Lock) || l.Epoch < 1 {
		return LockKey{}, fmt.Errorf("%s: its org, lock or epoch is none", lockType)
	}
	return LockKey{l.Org, l.Lock, l.Epoch, identity}, nil
}

// Called is what a welcome says beside the key: who invites, and how they call the invited, with what opens the
// commitment to that name in the invitation (b64).
type Called struct {
	From string `json:"from,omitempty"`
	Name string `json:"name,omitempty"`
	Salt string `json:"salt,omitempty"`
}

// A welcomeLine is that of a lock file which also says who gives it to whom.
type welcomeLine struct {
	lockLine
	Called
}

// nameRoom is what a name takes up in a welcome, in bytes, so that the size of a welcome tells nothing of it.
const nameRoom = 128

// Welcome is the lock file with the names of whoever invites and of the invited; a name that has no room in it is left out.
func (k LockKey) Welcome(c Called) ([]byte, error) {
	return identityFile(lockType, welcomeLine{lockLine{k.Org, k.Lock, k.Epoch}, Called{inRoom(c.From), inRoom(c.Name), c.Salt}}, k.Identity)
}

func inRoom(name string) string {
	if len(name) > nameRoom {
		name = ""
	}
	return name + strings.Repeat(" ", nameRoom-len(name))
}

// ParseWelcome reads a welcome: the key, and the names, which may be empty.
func ParseWelcome(text []byte) (LockKey, Called, error) {
	var line welcomeLine
	identity, err := parseIdentityFile(text, lockType, maxLockFile, &line)
	if err != nil {
		return LockKey{}, Called{}, err
	}
	key, err := line.key(identity)
	return key, Called{strings.TrimSpace(line.From), strings.TrimSpace(line.Name), line.Salt}, err
}

// Check makes sure that the key is the one of an epoch's statement.
func (k LockKey) Check(e envelope.Epoch) error {
	switch {
	case k.Org != e.Org || k.Lock != e.Lock || k.Epoch != e.Epoch:
		return errors.New("the lock file is of another lock or epoch")
	case k.Identity.Recipient() != e.Recipient || k.Signing().Public() != e.Verify:
		return errors.New("the lock file's keys are not those of the epoch")
	}
	return nil
}

// A Hand is someone who signs: a person with their keyring's signing key.
type Hand struct {
	Org     ward.OrgID
	Person  ward.PersonID
	Signing SigningKey
}

// Hand is the keyring's person, ready to sign.
func (k *Keyring) Hand() Hand { return Hand{k.Org, k.Person, k.Signing} }

// NewLock makes a lock. Chart and compartment are for kind chart only.
func (h Hand) NewLock(kind string, chart ward.ChartID, compartment string, now time.Time) (LockKey, *envelope.Statement[envelope.Epoch], error) {
	identity, err := NewIdentity()
	if err != nil {
		return LockKey{}, nil, err
	}
	return h.lockOf(identity, kind, chart, compartment, now)
}

func (h Hand) lockOf(identity Identity, kind string, chart ward.ChartID, compartment string, now time.Time) (LockKey, *envelope.Statement[envelope.Epoch], error) {
	key := LockKey{Org: h.Org, Epoch: 1, Identity: identity}
	recipient, verify := identity.Recipient(), key.Signing().Public()
	key.Lock = envelope.LockIDOf(recipient, verify)
	s, err := envelope.Write(envelope.Epoch{
		Org: h.Org, Lock: key.Lock, Kind: kind, Chart: chart, Compartment: compartment, Epoch: 1,
		Recipient: recipient, Verify: verify, Author: h.Person, Time: ward.FormatTime(now),
	}, h.Signing.Sign, key.Signing().Sign)
	return key, s, err
}

// Turn makes a lock's next epoch. The older key is sealed to the newer, so that who reads on reads back too.
func (h Hand) Turn(old LockKey, current *envelope.Statement[envelope.Epoch], now time.Time) (LockKey, *envelope.Statement[envelope.Epoch], []byte, error) {
	identity, err := NewIdentity()
	if err != nil {
		return LockKey{}, nil, nil, err
	}
	return h.turnTo(identity, old, current, now)
}

func (h Hand) turnTo(identity Identity, old LockKey, current *envelope.Statement[envelope.Epoch], now time.Time) (LockKey, *envelope.Statement[envelope.Epoch], []byte, error) {
	if err := old.Check(current.Body); err != nil {
		return LockKey{}, nil, nil, fmt.Errorf("turn lock: %w", err)
	}
	key := LockKey{Org: old.Org, Lock: old.Lock, Epoch: old.Epoch + 1, Identity: identity}
	file, err := old.File()
	if err != nil {
		return LockKey{}, nil, nil, err
	}
	history, err := key.SealRecomputable(identity.Recipient(), file)
	if err != nil {
		return LockKey{}, nil, nil, err
	}
	b := current.Body
	s, err := envelope.Write(envelope.Epoch{
		Org: b.Org, Lock: b.Lock, Kind: b.Kind, Chart: b.Chart, Compartment: b.Compartment, Epoch: key.Epoch,
		Recipient: identity.Recipient(), Verify: key.Signing().Public(), Previous: current.Hash(), History: Hash(history),
		Author: h.Person, Time: ward.FormatTime(now),
	}, h.Signing.Sign, old.Signing().Sign)
	return key, s, history, err
}

// A Grantee is whom a grant is to: a person by their card, or a lock by its epoch.
type Grantee struct {
	Person      ward.PersonID
	Card        string
	Holder      ward.LockID
	HolderEpoch int64
	Recipient   string
}

// ToPerson grants to a person's current card.
func ToPerson(p *Person) Grantee {
	return Grantee{Person: p.ID, Card: p.Current().Hash, Recipient: p.Current().Recipient}
}

// ToSelf grants to one's own keys, whose card may not count yet.
func (k *Keyring) ToSelf() Grantee {
	return Grantee{Person: k.Person, Card: k.Card, Recipient: k.Identity.Recipient()}
}

// ToLock grants to whoever holds a lock. Check its line first: CheckLine.
func ToLock(epoch *envelope.Statement[envelope.Epoch]) Grantee {
	return Grantee{Holder: epoch.Body.Lock, HolderEpoch: epoch.Body.Epoch, Recipient: epoch.Body.Recipient}
}

// Grant seals a lock's key to someone. Until may be empty.
func (h Hand) Grant(key LockKey, to Grantee, purpose, until string, now time.Time) (ward.NewGrant, error) {
	file, err := key.File()
	if err != nil {
		return ward.NewGrant{}, err
	}
	sealed, err := key.SealRecomputable(to.Recipient, file)
	if err != nil {
		return ward.NewGrant{}, err
	}
	s, err := envelope.Write(envelope.Grant{
		Org: key.Org, Lock: key.Lock, Epoch: key.Epoch, Grant: ward.NewID[ward.GrantID](),
		Person: to.Person, Card: to.Card, Holder: to.Holder, HolderEpoch: to.HolderEpoch,
		Purpose: purpose, Until: until, Granter: h.Person, Time: ward.FormatTime(now), SHA256: Hash(sealed),
	}, h.Signing.Sign, key.Signing().Sign)
	if err != nil {
		return ward.NewGrant{}, err
	}
	return ward.NewGrant{Text: string(s.Text), Sealed: sealed}, nil
}

// CheckSealed tells whether what a grant of this key was sealed as is what the key gives for its recipient, which is
// that of the card or the epoch that the grant names: whether it opens, for whoever else it is to.
func (k LockKey) CheckSealed(g envelope.Grant, recipient string) error {
	if g.Org != k.Org || g.Lock != k.Lock || g.Epoch != k.Epoch {
		return errors.New("grant: it is of another lock or epoch")
	}
	file, err := k.File()
	if err != nil {
		return err
	}
	return k.checkSealed(file, recipient, g.SHA256)
}

// CheckHistory tells the same of an epoch's history, with the keys of both epochs.
func (k LockKey) CheckHistory(e envelope.Epoch, before LockKey) error {
	if e.Org != k.Org || e.Lock != k.Lock || e.Epoch != k.Epoch || before.Lock != k.Lock || before.Epoch != k.Epoch-1 {
		return errors.New("history: the keys are not those of this epoch and the one before")
	}
	file, err := before.File()
	if err != nil {
		return err
	}
	return k.checkSealed(file, e.Recipient, e.History)
}

func (k LockKey) checkSealed(file []byte, recipient, want string) error {
	sealed, err := k.SealRecomputable(recipient, file)
	if err == nil && Hash(sealed) != want {
		err = errors.New("what was sealed is not what the key gives, so it may not open")
	}
	return err
}

// CheckGrant checks a grant's statement: that it is of this epoch, signed with the lock's key and, if granter is
// given, by them.
func CheckGrant(text []byte, epoch envelope.Epoch, granter *Person) (*envelope.Statement[envelope.Grant], error) {
	s, err := envelope.Parse[envelope.Grant](text)
	if err != nil {
		return nil, err
	}
	b := s.Body
	if b.Org != epoch.Org || b.Lock != epoch.Lock || b.Epoch != epoch.Epoch {
		return nil, errors.New("grant: it is of another lock or epoch")
	}
	if len(s.Sigs) != 2 {
		return nil, errors.New("grant: it must have two signatures")
	}
	if err := s.VerifyNth(1, epoch.Verify); err != nil {
		return nil, err
	}
	if granter != nil {
		if b.Granter != granter.ID {
			return nil, errors.New("grant: it is by someone else")
		}
		return s, signedBy(s, 0, granter)
	}
	return s, nil
}

// OpenGrant opens a grant with the identity of whom it is to: a person's, or a lock's.
func OpenGrant(g ward.HeldGrant, epoch envelope.Epoch, granter *Person, identity Identity) (LockKey, error) {
	s, err := CheckGrant([]byte(g.Text), epoch, granter)
	if err != nil {
		return LockKey{}, err
	}
	if Hash(g.Sealed) != s.Body.SHA256 {
		return LockKey{}, errors.New("grant: the sealed file does not have the hash that its statement says")
	}
	key, err := openLockFile(g.Sealed, identity, epoch)
	if err != nil {
		return LockKey{}, fmt.Errorf("grant: %w", err)
	}
	return key, nil
}

// OpenHistory opens, with an epoch's key, the key of the epoch before.
func OpenHistory(sealed []byte, newer LockKey, line []*envelope.Statement[envelope.Epoch]) (LockKey, error) {
	if newer.Epoch < 2 || newer.Epoch > int64(len(line)) {
		return LockKey{}, errors.New("history: there is no epoch before")
	}
	epoch := line[newer.Epoch-1].Body
	if Hash(sealed) != epoch.History {
		return LockKey{}, errors.New("history: it does not have the hash that its epoch says")
	}
	key, err := openLockFile(sealed, newer.Identity, line[newer.Epoch-2].Body)
	if err != nil {
		return LockKey{}, fmt.Errorf("history: %w", err)
	}
	return key, nil
}

func openLockFile(sealed []byte, identity Identity, epoch envelope.Epoch) (LockKey, error) {
	if err := envelope.CheckSealed(sealed); err != nil {
		return LockKey{}, err
	}
	file, err := Open(sealed, identity, maxLockFile)
	if err != nil {
		return LockKey{}, err
	}
	key, err := ParseLockFile(file)
	if err != nil {
		return LockKey{}, err
	}
	return key, key.Check(epoch)
}

// CheckLine checks a lock's epochs, from the first to the current: the id fixes the first keys, and each epoch is
// signed with the lock's key of the one before. Authors, if given, finds who made each, whose signature is then
// checked too; without it the line is whole all the same, since only holders have the lock's keys. So an author whose
// keys were erased with them (ErrErased) does not break the line.
func CheckLine(org ward.OrgID, lock ward.LockID, texts []string, authors func(ward.PersonID) (*Person, error)) ([]*envelope.Statement[envelope.Epoch], error) {
	if len(texts) == 0 {
		return nil, fmt.Errorf("lock %s: there is no epoch", lock)
	}
	line := make([]*envelope.Statement[envelope.Epoch], len(texts))
	for i, text := range texts {
		s, err := envelope.Parse[envelope.Epoch]([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", lock, err)
		}
		if err := checkEpoch(s, org, lock, line[:i]); err != nil {
			return nil, fmt.Errorf("lock %s, epoch %d: %w", lock, i+1, err)
		}
		if authors != nil {
			author, err := authors(s.Body.Author)
			if err == nil {
				err = signedBy(s, 0, author)
			}
			if err != nil && !errors.Is(err, ErrErased) {
				return nil, fmt.Errorf("lock %s, epoch %d: %w", lock, i+1, err)
			}
		}
		line[i] = s
	}
	return line, nil
}

func checkEpoch(s *envelope.Statement[envelope.Epoch], org ward.OrgID, lock ward.LockID, before []*envelope.Statement[envelope.Epoch]) error {
	b := s.Body
	switch {
	case b.Org != org || b.Lock != lock:
		return errors.New("it is of another lock")
	case b.Epoch != int64(len(before))+1:
		return fmt.Errorf("it says epoch %d", b.Epoch)
	case len(s.Sigs) != 2:
		return errors.New("it must have two signatures")
	case b.Epoch == 1:
		return s.VerifyNth(1, b.Verify)
	}
	last := before[len(before)-1]
	if b.Previous != last.Hash() {
		return errors.New("it does not name the epoch before it")
	}
	if b.Kind != last.Body.Kind || b.Chart != last.Body.Chart || b.Compartment != last.Body.Compartment {
		return errors.New("it changes what the lock is")
	}
	return s.VerifyNth(1, last.Body.Verify)
}
