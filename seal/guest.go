package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"ward"
	"ward/seal/envelope"
)

// A GuestLink is what the link of a visit's guest carries in its fragment, which browsers do not send to servers. From
// its secret come a key, with which whoever has the link signs, and an identity, to which the welcome is sealed.
type GuestLink struct {
	Guest  ward.PersonID
	Secret [16]byte
}

// NewGuestLink makes a link.
func NewGuestLink() GuestLink {
	l := GuestLink{Guest: ward.NewID[ward.PersonID]()}
	rand.Read(l.Secret[:])
	return l
}

var errGuestLink = errors.New("this is not a guest's link: copy the whole of it")

// ParseGuestLink reads a link, or only what follows its #.
func ParseGuestLink(link string) (GuestLink, error) {
	if _, fragment, found := strings.Cut(link, "#"); found {
		link = fragment
	}
	guest, secret, _ := strings.Cut(strings.TrimSpace(link), ".")
	raw, err := ward.B64.DecodeString(secret)
	if err != nil || len(raw) != 16 || !ward.IsID(guest) {
		return GuestLink{}, errGuestLink
	}
	return GuestLink{Guest: ward.PersonID(guest), Secret: [16]byte(raw)}, nil
}

// Link is the whole link.
func (l GuestLink) Link(origin string) string {
	return origin + "/guest#" + string(l.Guest) + "." + ward.B64.EncodeToString(l.Secret[:])
}

// Key signs for whoever has the link.
func (l GuestLink) Key() SigningKey {
	return SigningKeyOf([32]byte(derive(l.Secret[:], "ward/guest/signing/1", 32)))
}

// Identity opens the welcome.
func (l GuestLink) Identity() (Identity, error) {
	return IdentityOf(derive(l.Secret[:], "ward/guest/identity/1", 32))
}

func (GuestLink) String() string   { return "[redacted]" }
func (GuestLink) GoString() string { return "[redacted]" }

// As what a guest comes.
var guestRoles = []string{"interpreter", "family", "clinician", "other"}

// Place is whom something in a visit is about.
type Place struct {
	Org    ward.OrgID    `json:"org"`
	Visit  ward.VisitID  `json:"visit"`
	Member ward.PersonID `json:"member"`
}

// GuestWelcome says who invites to what, for whoever has the link. Card is the host's, by which the guest knows them.
type GuestWelcome struct {
	Place
	Host     ward.PersonID `json:"host"`
	Card     string        `json:"card"`
	HostName string        `json:"hostName"`
	Inviter  ward.PersonID `json:"inviter"`
	From     string        `json:"from"`
	As       string        `json:"as"`
}

// GuestHello is a guest's name, and what the key of names is sealed to, for the host.
type GuestHello struct {
	Place
	Name      string `json:"name"`
	As        string `json:"as"`
	Recipient string `json:"recipient"`
}

// MemberName is what everyone in a visit may know of a member. By is the name of who invited a guest.
type MemberName struct {
	Name    string        `json:"name"`
	As      string        `json:"as,omitempty"`
	Inviter ward.PersonID `json:"inviter,omitempty"`
	By      string        `json:"by,omitempty"`
}

type namesKey struct {
	Place
	Key string `json:"key"`
}

const (
	maxGuestName = 100 // characters
	// Texts are filled up with spaces to these sizes, which then say nothing of a name.
	guestText  = 1024
	guestHello = 3072
	memberName = 512
)

func filled(kind string, body any, size int) ([]byte, error) {
	var line bytes.Buffer
	line.WriteString(kind + "\n")
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // as JSON.stringify writes
	if err := encoder.Encode(body); err != nil {
		return nil, err
	}
	if line.Len() > size {
		return nil, fmt.Errorf("%s is too long", kind)
	}
	return append(line.Bytes(), bytes.Repeat([]byte(" "), size-line.Len())...), nil
}

// openFilled opens what must be sealed to this identity alone, and reads the text.
func openFilled[T any](kind string, sealed []byte, identity Identity, limit int64) (T, error) {
	var none T
	if err := envelope.CheckSealed(sealed); err != nil {
		return none, err
	}
	text, err := Open(sealed, identity, limit)
	if err != nil {
		return none, err
	}
	return readFilled[T](kind, text)
}

// readFilled reads such a text: its fields are all texts, and none is unknown.
func readFilled[T any](kind string, text []byte) (T, error) {
	var body T
	lines := strings.Split(string(text), "\n")
	if len(lines) != 3 || lines[0] != kind || strings.Trim(lines[2], " ") != "" || !utf8.Valid(text) {
		return body, fmt.Errorf("this is no %s", kind)
	}
	body, err := ward.Decode[T](strings.NewReader(lines[1]))
	if err != nil {
		return body, fmt.Errorf("%s: %w", kind, err)
	}
	return body, nil
}

func checkName(name, as string, optional bool) error {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxGuestName {
		return errors.New("the name is empty or too long")
	}
	if as == "" && optional {
		return nil
	}
	return checkAs(as)
}

func checkAs(as string) error {
	for _, role := range guestRoles {
		if as == role {
			return nil
		}
	}
	return fmt.Errorf("%.20q is no role of guests", as)
}

// Welcome seals a welcome to the link.
func (l GuestLink) Welcome(w GuestWelcome) ([]byte, error) {
	identity, err := l.Identity()
	if err != nil {
		return nil, err
	}
	text, err := filled("ward/guest-welcome/1", w, guestText)
	if err != nil {
		return nil, err
	}
	return Seal(text, identity.Recipient())
}

// OpenWelcome opens it.
func (l GuestLink) OpenWelcome(sealed []byte) (GuestWelcome, error) {
	identity, err := l.Identity()
	if err != nil {
		return GuestWelcome{}, err
	}
	w, err := openFilled[GuestWelcome]("ward/guest-welcome/1", sealed, identity, guestText)
	switch {
	case err != nil:
		return w, err
	case w.Member != l.Guest || !ward.IsID(w.Org) || !ward.IsID(w.Visit) || !ward.IsID(w.Host) || !ward.IsID(w.Inviter) || !is32Bytes(w.Card):
		return w, errors.New("the welcome is for another link")
	}
	return w, checkAs(w.As)
}

// SealHello seals a guest's name to the host.
func SealHello(host string, h GuestHello) ([]byte, error) {
	text, err := filled("ward/guest-hello/1", h, guestHello)
	if err != nil {
		return nil, err
	}
	return Seal(text, host)
}

// OpenHello opens it, as the host.
func OpenHello(sealed []byte, host Identity, want Place) (GuestHello, error) {
	h, err := openFilled[GuestHello]("ward/guest-hello/1", sealed, host, guestHello)
	if err == nil && (h.Place != want || h.Recipient == "") {
		err = errors.New("the name is sealed for another place")
	}
	if err == nil {
		err = checkName(h.Name, h.As, false)
	}
	return h, err
}

// NamesKey is the key of a visit's names, which its host has from their own identity, on every device.
func NamesKey(host Identity, visit ward.VisitID) [32]byte {
	return [32]byte(derive([]byte(host.Secret()), "ward/visit-names/1\n"+string(visit), 32))
}

// SealNamesKey seals it to a member.
func SealNamesKey(recipient string, at Place, key [32]byte) ([]byte, error) {
	text, err := filled("ward/visit-names/1", namesKey{at, ward.B64.EncodeToString(key[:])}, guestText)
	if err != nil {
		return nil, err
	}
	return Seal(text, recipient)
}

// OpenNamesKey opens it, as a member.
func OpenNamesKey(sealed []byte, identity Identity, want Place) ([32]byte, error) {
	found, err := openFilled[namesKey]("ward/visit-names/1", sealed, identity, guestText)
	if err != nil {
		return [32]byte{}, err
	}
	if found.Place != want || !is32Bytes(found.Key) {
		return [32]byte{}, errors.New("the key of names is sealed for another place")
	}
	key, err := ward.B64.DecodeString(found.Key)
	return [32]byte(key), err
}

func namesCipher(key [32]byte, at Place) (cipher.AEAD, []byte, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCM(block)
	return gcm, []byte("ward/visit-name/1\n" + string(at.Org) + "\n" + string(at.Visit) + "\n" + string(at.Member)), err
}

// SealName seals a member's name for all who have the key of names. The nonce is random: a visit has few names.
func SealName(key [32]byte, at Place, n MemberName) ([]byte, error) {
	gcm, about, err := namesCipher(key, at)
	if err != nil {
		return nil, err
	}
	text, err := filled("ward/visit-name/1", n, memberName)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	rand.Read(nonce)
	return gcm.Seal(nonce, nonce, text, about), nil
}

// OpenName opens it.
func OpenName(key [32]byte, at Place, sealed []byte) (MemberName, error) {
	gcm, about, err := namesCipher(key, at)
	if err != nil {
		return MemberName{}, err
	}
	if len(sealed) < gcm.NonceSize() {
		return MemberName{}, errors.New("the name is too short")
	}
	text, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], about)
	if err != nil {
		return MemberName{}, errors.New("the name does not open")
	}
	n, err := readFilled[MemberName]("ward/visit-name/1", text)
	if err == nil {
		err = checkName(n.Name, n.As, true)
	}
	return n, err
}
