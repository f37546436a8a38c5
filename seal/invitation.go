package seal

import (
	"crypto/rand"
	"errors"
	"strings"

	"ward"
)

// An Invitation is what a link carries in its fragment, which browsers do not send to servers. From its secret come
// a token, for the server to open it; a signing key, whose public half is in the signed invitation, so that only a card
// made with this very link can follow it; and an identity, to which a welcome is sealed.
type Invitation struct {
	ID     ward.InvitationID
	Secret [16]byte
	Clinic string // hash of the clinic's statement; empty in the founding link
}

// NewInvitation makes an invitation to a clinic.
func NewInvitation(clinic string) Invitation {
	i := Invitation{ID: ward.NewID[ward.InvitationID](), Clinic: clinic}
	rand.Read(i.Secret[:])
	return i
}

// errLink is what a person sees who pasted half a link.
var errLink = errors.New("this is not an invitation link: copy the whole of it")

// ParseLink reads a link, or only what follows its #.
func ParseLink(link string) (Invitation, error) {
	if _, fragment, found := strings.Cut(link, "#"); found {
		link = fragment
	}
	parts := strings.Split(strings.TrimSpace(link), ".")
	if len(parts) < 2 || len(parts) > 3 || !ward.IsID(ward.InvitationID(parts[0])) {
		return Invitation{}, errLink
	}
	secret, err := ward.B64.DecodeString(parts[1])
	if err != nil || len(secret) != 16 {
		return Invitation{}, errLink
	}
	i := Invitation{ID: ward.InvitationID(parts[0]), Secret: [16]byte(secret)}
	if len(parts) == 3 {
		if !is32Bytes(parts[2]) {
			return Invitation{}, errLink
		}
		i.Clinic = parts[2]
	}
	return i, nil
}

// SigningKey signs the first card of whoever has the link. Its public half, the verifier, is in the signed invitation.
func (i Invitation) SigningKey() SigningKey {
	return SigningKeyOf([32]byte(derive(i.Secret[:], "ward/invitation/signing/1", 32)))
}

// Link is the whole link.
func (i Invitation) Link(origin string) string {
	link := origin + "/join#" + i.Value()
	if i.Clinic != "" {
		link += "." + i.Clinic
	}
	return link
}

// Value is id and secret.
func (i Invitation) Value() string {
	return string(i.ID) + "." + ward.B64.EncodeToString(i.Secret[:])
}

// Token opens the invitation on the server, b64.
func (i Invitation) Token() string {
	return ward.B64.EncodeToString(derive(i.Secret[:], "ward/invitation/token/1", 32))
}

// TokenHash is what the server keeps of the token.
func (i Invitation) TokenHash() string {
	return Hash(derive(i.Secret[:], "ward/invitation/token/1", 32))
}

// Identity opens the welcome.
func (i Invitation) Identity() (Identity, error) {
	return IdentityOf(derive(i.Secret[:], "ward/invitation/identity/1", 32))
}

func (Invitation) String() string   { return "[redacted]" }
func (Invitation) GoString() string { return "[redacted]" }
