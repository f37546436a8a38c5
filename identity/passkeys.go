package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"ward"
	"ward/store"
)

// ceremonyTime is how long a person may take for one touch, with finding the security key.
const ceremonyTime = 10 * time.Minute

// PRFSalt is what every passkey's pseudo-random function is evaluated over (docs/formats.md).
func PRFSalt() [32]byte { return sha256.Sum256([]byte("ward/passkey-prf/1")) }

// user is a person as go-webauthn sees them. Its names are the clinic's, not the person's: the server knows no names.
// The browser puts the person's own in their place before it asks the authenticator.
type user struct {
	org         ward.OrgID
	person      ward.PersonID
	clinic      string
	credentials []webauthn.Credential
}

// WebAuthnID is the user handle: who signs in, found without a name.
func (u user) WebAuthnID() []byte { return []byte(string(u.org) + string(u.person)) }

func (u user) WebAuthnName() string                       { return u.clinic }
func (u user) WebAuthnDisplayName() string                { return u.clinic }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// beginPasskey starts the making of a passkey.
func (i *Identity) beginPasskey(ctx context.Context, tx *store.Tx, purpose string, org ward.OrgID, person ward.PersonID) (ward.Ceremony, error) {
	u, err := i.user(ctx, tx, org, person)
	if err != nil {
		return ward.Ceremony{}, err
	}
	if len(u.credentials) >= ward.MaxPasskeys {
		return ward.Ceremony{}, ward.Errorf(ward.Invalid, "you have %d passkeys already", ward.MaxPasskeys).WithHint("Remove one first.")
	}
	exclude := make([]protocol.CredentialDescriptor, len(u.credentials))
	for n, c := range u.credentials {
		exclude[n] = c.Descriptor()
	}
	creation, session, err := i.webauthn.BeginRegistration(u,
		webauthn.WithExclusions(exclude),
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementRequired),
		webauthn.WithExtensions(webauthn.WithExtensionPRF(prfInput()), webauthn.WithExtensionCredProps()))
	if err != nil {
		return ward.Ceremony{}, err
	}
	return i.keepCeremony(ctx, tx, purpose, org, person, creation.Response, session)
}

func prfInput() protocol.PRFValues {
	salt := PRFSalt()
	return protocol.PRFValues{First: salt[:]}
}

// keepCeremony stores what finishing a ceremony needs. It is taken once.
func (i *Identity) keepCeremony(ctx context.Context, tx *store.Tx, purpose string, org ward.OrgID, person ward.PersonID, options any, session *webauthn.SessionData) (ward.Ceremony, error) {
	public, err := json.Marshal(options)
	if err != nil {
		return ward.Ceremony{}, err
	}
	kept, err := json.Marshal(session)
	if err != nil {
		return ward.Ceremony{}, err
	}
	c := ward.Ceremony{Ceremony: ward.NewID[string](), PublicKey: public}
	return c, insertCeremony(ctx, tx, c.Ceremony, purpose, org, person, kept, i.Now().Add(ceremonyTime))
}

// takeCeremony gives back what keepCeremony stored, once.
func (i *Identity) takeCeremony(ctx context.Context, tx *store.Tx, id, purpose string) (ward.OrgID, ward.PersonID, webauthn.SessionData, error) {
	org, person, kept, err := takeCeremony(ctx, tx, id, purpose, i.Now())
	var session webauthn.SessionData
	if errors.Is(err, store.ErrNoRow) {
		return "", "", session, ward.Errorf(ward.Gone, "this took too long, or was done already").WithHint("Begin again.")
	}
	if err == nil {
		err = json.Unmarshal(kept, &session)
	}
	return org, person, session, err
}

// finishPasskey checks a new passkey and stores it.
func (i *Identity) finishPasskey(ctx context.Context, tx *store.Tx, purpose, ceremony string, org ward.OrgID, person ward.PersonID, card string, id ward.PasskeyID, credential json.RawMessage) error {
	if !ward.IsID(id) {
		return ward.Errorf(ward.Invalid, "the passkey's id is not an id")
	}
	forOrg, forPerson, session, err := i.takeCeremony(ctx, tx, ceremony, purpose)
	if err != nil {
		return err
	}
	if forOrg != org || forPerson != person {
		return ward.Errorf(ward.Invalid, "this passkey was begun for someone else")
	}
	parsed, err := parseMade(credential)
	if err != nil {
		return err
	}
	u, err := i.user(ctx, tx, org, person)
	if err != nil {
		return err
	}
	made, err := i.webauthn.CreateCredential(u, session, parsed)
	if err != nil {
		return badPasskey(err)
	}
	if !made.Flags.UserVerified {
		return badPasskey(errors.New("user verification is missing"))
	}
	made.Authenticator.AAGUID = nil // the model of someone's device is not ours to know
	made.Attestation = webauthn.CredentialAttestation{}
	record, err := json.Marshal(made)
	if err != nil {
		return err
	}
	err = insertPasskey(ctx, tx, org, id, person, card, ward.B64.EncodeToString(made.ID), record, i.Now())
	if store.IsDuplicate(err) {
		return ward.Errorf(ward.Conflict, "this passkey is registered already").WithHint("Use another device or security key.")
	}
	return err
}

// parseMade reads a RegistrationResponseJSON.
func parseMade(credential json.RawMessage) (*protocol.ParsedCredentialCreationData, error) {
	if err := refuseSecrets(credential); err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return nil, badPasskey(err)
	}
	return parsed, nil
}

// parseUsed reads an AuthenticationResponseJSON.
func parseUsed(credential json.RawMessage) (*protocol.ParsedCredentialAssertionData, error) {
	if err := refuseSecrets(credential); err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(credential)
	if err != nil {
		return nil, badPasskey(err)
	}
	return parsed, nil
}

func badPasskey(err error) error {
	return &ward.Error{Kind: ward.Invalid, Message: "the passkey could not be checked", Hint: "Try again, with this device or another.", Err: err}
}

// refuseSecrets keeps a client's mistake from becoming the server's knowledge: PRF results open the keyring.
func refuseSecrets(credential json.RawMessage) error {
	var given struct {
		Results struct {
			PRF struct {
				Results json.RawMessage `json:"results"`
			} `json:"prf"`
		} `json:"clientExtensionResults"`
	}
	if err := json.Unmarshal(credential, &given); err != nil {
		return badPasskey(err)
	}
	if results := bytes.TrimSpace(given.Results.PRF.Results); len(results) > 0 && !bytes.Equal(results, []byte("null")) {
		return ward.Errorf(ward.Invalid, "the passkey came with its secret results, which must stay in the browser")
	}
	return nil
}

// beginSignIn starts a sign-in by whoever touches their passkey.
func (i *Identity) beginSignIn(ctx context.Context, tx *store.Tx) (ward.Ceremony, error) {
	assertion, session, err := i.webauthn.BeginDiscoverableLogin(
		webauthn.WithUserVerification(protocol.VerificationRequired),
		webauthn.WithAssertionExtensions(webauthn.WithExtensionPRF(prfInput())))
	if err != nil {
		return ward.Ceremony{}, err
	}
	return i.keepCeremony(ctx, tx, "sign-in", "", "", assertion.Response, session)
}

// finishSignIn checks a passkey's answer and tells whose it is, and which of their cards' keyrings it opens.
func (i *Identity) finishSignIn(ctx context.Context, tx *store.Tx, body ward.SignIn) (ward.OrgID, ward.PersonID, string, error) {
	_, _, session, err := i.takeCeremony(ctx, tx, body.Ceremony, "sign-in")
	if err != nil {
		return "", "", "", err
	}
	parsed, err := parseUsed(body.Credential)
	if err != nil {
		return "", "", "", err
	}
	var found user
	_, used, err := i.webauthn.ValidatePasskeyLogin(func(rawID, handle []byte) (webauthn.User, error) {
		if len(handle) != 52 {
			return nil, errors.New("the user handle is not ours")
		}
		found, err = i.user(ctx, tx, ward.OrgID(handle[:26]), ward.PersonID(handle[26:]))
		return found, err
	}, session, parsed)
	if err != nil {
		return "", "", "", &ward.Error{
			Kind: ward.Unauthenticated, Message: "this passkey does not open an account here",
			Hint: "Try another passkey, or use your recovery code.", Err: err,
		}
	}
	p, err := getPerson(ctx, tx, found.org, found.person)
	if err != nil {
		return "", "", "", err
	}
	if p.ended != 0 {
		return "", "", "", ward.Errorf(ward.Gone, "this account has ended").WithHint("Ask the clinic.")
	}
	record, err := json.Marshal(used)
	if err != nil {
		return "", "", "", err
	}
	card, err := usePasskey(ctx, tx, ward.B64.EncodeToString(used.ID), record, i.Now())
	return found.org, found.person, card, err
}

// beginTouch asks someone who is signed in to show by a passkey that it is they.
func (i *Identity) beginTouch(ctx context.Context, tx *store.Tx, who ward.Caller) (ward.Ceremony, error) {
	u, err := i.user(ctx, tx, who.Org, who.Person)
	if err != nil {
		return ward.Ceremony{}, err
	}
	assertion, session, err := i.webauthn.BeginLogin(u, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return ward.Ceremony{}, err
	}
	return i.keepCeremony(ctx, tx, "touch", who.Org, who.Person, assertion.Response, session)
}

// finishTouch checks the passkey's answer, and notes it of the session that asked.
func (i *Identity) finishTouch(ctx context.Context, tx *store.Tx, who ward.Caller, body ward.SignIn) error {
	org, person, session, err := i.takeCeremony(ctx, tx, body.Ceremony, "touch")
	if err != nil {
		return err
	}
	if org != who.Org || person != who.Person {
		return ward.Errorf(ward.Invalid, "this was begun for someone else")
	}
	parsed, err := parseUsed(body.Credential)
	if err != nil {
		return err
	}
	u, err := i.user(ctx, tx, who.Org, who.Person)
	if err != nil {
		return err
	}
	used, err := i.webauthn.ValidateLogin(u, session, parsed)
	if err != nil {
		return badPasskey(err)
	}
	if !used.Flags.UserVerified {
		return badPasskey(errors.New("user verification is missing"))
	}
	record, err := json.Marshal(used)
	if err != nil {
		return err
	}
	if _, err := usePasskey(ctx, tx, ward.B64.EncodeToString(used.ID), record, i.Now()); err != nil {
		return err
	}
	return setTouched(ctx, tx, who.Org, who.Session, i.Now())
}

func (i *Identity) user(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (user, error) {
	o, err := getOrg(ctx, tx, org)
	if err != nil {
		return user{}, err
	}
	u := user{org: org, person: person, clinic: o.name}
	keys, err := passkeysOf(ctx, tx, org, person)
	if err != nil {
		return user{}, err
	}
	for _, k := range keys {
		var c webauthn.Credential
		if err := json.Unmarshal(k.record, &c); err != nil {
			return user{}, err
		}
		u.credentials = append(u.credentials, c)
	}
	return u, nil
}
