package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"ward"
	"ward/ledger/receipt"
	"ward/seal/envelope"
)

const (
	keyringType = "ward/keyring/1"
	// maxKeyringText is the size of an open keyring: 32 passkeys of 2 KB each and their names are well under it.
	maxKeyringText = 128 << 10
)

// A Keyring is all that makes a person: the identity to which everything of theirs is sealed, and the key they sign
// with. It is kept sealed to each of their passkeys, and once more to their recovery code.
type Keyring struct {
	Identity Identity
	Signing  SigningKey
	KeyringFacts
}

// KeyringFacts is what a keyring says beside the keys.
type KeyringFacts struct {
	Org      ward.OrgID
	Person   ward.PersonID
	Card     string // hash of the person's current card
	Clinic   string // hash of the clinic's statement, pinned when the person joined
	Name     string
	Passkeys []KeyringPasskey
	Code     Code // that the second copy is sealed to, so that both copies always say the same
	Version  int64
	Ledger   *receipt.Trust // whom the person trusts to say what the record was; nil until there was a chain
}

// KeyringPasskey is a passkey that opens the keyring. Its name and recipient are known to its person only.
type KeyringPasskey struct {
	ID        ward.PasskeyID `json:"id"`
	Name      string         `json:"name"`
	Recipient string         `json:"recipient"`
}

// keyringLine is the keyring's line of JSON.
type keyringLine struct {
	Org      ward.OrgID       `json:"org"`
	Person   ward.PersonID    `json:"person"`
	Signing  string           `json:"signing"`
	Card     string           `json:"card"`
	Clinic   string           `json:"clinic"`
	Name     string           `json:"name"`
	Passkeys []KeyringPasskey `json:"passkeys"`
	Recovery struct {
		Code string `json:"code"`
	} `json:"recovery"`
	Version int64          `json:"version"`
	Ledger  *receipt.Trust `json:"ledger,omitempty"`
}

// Text is the open keyring: an age identity file that the stock age command takes with -i.
func (k *Keyring) Text() ([]byte, error) {
	seed := k.Signing.Seed()
	line := keyringLine{
		Org: k.Org, Person: k.Person, Signing: ward.B64.EncodeToString(seed[:]), Card: k.Card, Clinic: k.Clinic,
		Name: k.Name, Passkeys: k.Passkeys, Version: k.Version, Ledger: k.Ledger,
	}
	line.Recovery.Code = k.Code.Text()
	if line.Passkeys == nil {
		line.Passkeys = []KeyringPasskey{}
	}
	return identityFile(keyringType, line, k.Identity)
}

// ParseKeyring reads an open keyring.
func ParseKeyring(text []byte) (*Keyring, error) {
	var line keyringLine
	identity, err := parseIdentityFile(text, keyringType, maxKeyringText, &line)
	if err != nil {
		return nil, err
	}
	seed, err := ward.B64.DecodeString(line.Signing)
	switch {
	case err != nil || len(seed) != 32:
		return nil, errors.New("keyring: the signing key is not 32 bytes of base64url")
	case !ward.IsID(line.Org) || !ward.IsID(line.Person):
		return nil, errors.New("keyring: org or person is not an id")
	case !is32Bytes(line.Card) || !is32Bytes(line.Clinic):
		return nil, errors.New("keyring: card or clinic is not a hash")
	case line.Version < 1:
		return nil, errors.New("keyring: version must be from 1")
	case len(line.Passkeys) > ward.MaxPasskeys:
		return nil, fmt.Errorf("keyring: more than %d passkeys", ward.MaxPasskeys)
	}
	if line.Ledger != nil {
		if err := line.Ledger.Valid(); err != nil {
			return nil, fmt.Errorf("keyring: %w", err)
		}
	}
	code, err := ParseCode(line.Recovery.Code)
	if err != nil || code.Text() != line.Recovery.Code {
		return nil, errors.New("keyring: recovery.code is not a recovery code as it is printed")
	}
	return &Keyring{Identity: identity, Signing: SigningKeyOf([32]byte(seed)), KeyringFacts: KeyringFacts{
		Org: line.Org, Person: line.Person, Card: line.Card, Clinic: line.Clinic, Name: line.Name,
		Passkeys: line.Passkeys, Code: code, Version: line.Version, Ledger: line.Ledger,
	}}, nil
}

// Seal seals the keyring to all its passkeys.
func (k *Keyring) Seal() ([]byte, error) {
	text, err := k.Text()
	if err != nil {
		return nil, err
	}
	var recipients []string
	for _, p := range k.Passkeys {
		recipients = append(recipients, p.Recipient)
	}
	return Seal(text, recipients...)
}

// SealForRecovery seals the keyring's second copy, to its recovery code.
func (k *Keyring) SealForRecovery() ([]byte, error) {
	text, err := k.Text()
	if err != nil {
		return nil, err
	}
	return SealWithCode(text, k.Code)
}

// OpenKeyring opens a sealed keyring with a passkey's identity.
func OpenKeyring(sealed []byte, passkey Identity) (*Keyring, error) {
	text, err := Open(sealed, passkey, maxKeyringText)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return ParseKeyring(text)
}

// OpenKeyringWithCode opens the copy of a keyring that is sealed to the recovery code.
func OpenKeyringWithCode(sealed []byte, code Code) (*Keyring, error) {
	text, err := OpenWithCode(sealed, code, maxKeyringText)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	k, err := ParseKeyring(text)
	if err == nil && k.Code != code {
		err = errors.New("keyring: it names another recovery code than opened it")
	}
	return k, err
}

// Check makes sure that the keyring's keys are those of a card, such as the person's latest.
func (k *Keyring) Check(card envelope.MemberCard) error {
	if card.Org != k.Org || card.Person != k.Person || card.RecipientHash != Hash([]byte(k.Identity.Recipient())) || card.Signing != k.Signing.Public() {
		return errors.New("the keyring's keys are not those of the person's card")
	}
	return nil
}

// PRFSalt is what every passkey's pseudo-random function is evaluated over.
func PRFSalt() [32]byte { return sha256.Sum256([]byte("ward/passkey-prf/1")) }

// PasskeyIdentity is the identity that a passkey's 32 secret bytes make. It opens the keyring.
func PasskeyIdentity(prf []byte) (Identity, error) {
	if len(prf) != 32 {
		return Identity{}, fmt.Errorf("a passkey's secret is 32 bytes, not %d", len(prf))
	}
	return IdentityOf(derive(prf, "ward/passkey-identity/1", 32))
}

// identityFile writes an age identity file: a type and a line of JSON, both as comments, and the identity.
func identityFile(kind string, line any, identity Identity) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString("# " + kind + "\n# ")
	encoder := json.NewEncoder(&text) // ends the line itself
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line); err != nil {
		return nil, fmt.Errorf("write %s: %w", kind, err)
	}
	text.WriteString(identity.Secret() + "\n")
	return text.Bytes(), nil
}

// parseIdentityFile reads what identityFile writes, and nothing else.
func parseIdentityFile(text []byte, kind string, limit int, line any) (Identity, error) {
	if len(text) > limit {
		return Identity{}, fmt.Errorf("%s: it is longer than %d bytes", kind, limit)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[0] != "# "+kind || lines[3] != "" {
		return Identity{}, fmt.Errorf("this is not a file of type %s", kind)
	}
	text1, isComment := strings.CutPrefix(lines[1], "# ")
	if err := ward.DecodeInto([]byte(text1), line); !isComment || err != nil {
		return Identity{}, fmt.Errorf("%s: the second line is not its JSON", kind)
	}
	identity, err := ParseIdentity(lines[2])
	if err != nil {
		return Identity{}, fmt.Errorf("%s: %w", kind, err)
	}
	return identity, nil
}

func is32Bytes(text string) bool {
	b, err := ward.B64.DecodeString(text)
	return err == nil && len(b) == 32
}
