package seal

import (
	"errors"
	"fmt"

	"ward"
	"ward/seal/envelope"
)

// A Person is someone whose line of cards has been checked: each card signed by itself and by the one before or,
// where a key was lost, by the colleague who vouched.
type Person struct {
	Org      ward.OrgID
	ID       ward.PersonID
	Roles    []ward.Role // as the server says
	Cards    []*envelope.Statement[envelope.Card]
	Browsers map[string]string // a browser's key to the hash of the card that certified it
}

// ErrErased is said of a person whose cards are gone because they were erased.
var ErrErased = errors.New("this person was erased")

// Vouchers finds people who vouched for others.
type Vouchers func(ward.PersonID) (*Person, error)

// CheckPerson checks a person's cards and browsers as the server gives them.
func CheckPerson(org ward.OrgID, given ward.PersonCards, vouchers Vouchers) (*Person, error) {
	p := &Person{Org: org, ID: given.Person, Roles: given.Roles, Browsers: map[string]string{}}
	for i, text := range given.Cards {
		card, err := envelope.Parse[envelope.Card]([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("person %s: %w", given.Person, err)
		}
		if err := p.checkNext(card, vouchers); err != nil {
			return nil, fmt.Errorf("person %s, card %d: %w", given.Person, i+1, err)
		}
		p.Cards = append(p.Cards, card)
	}
	if len(p.Cards) == 0 {
		return nil, fmt.Errorf("person %s: there is no card", given.Person)
	}
	for _, text := range given.Browsers {
		browser, err := envelope.Parse[envelope.Browser]([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("person %s: %w", given.Person, err)
		}
		if err := p.AddBrowser(browser); err != nil {
			return nil, fmt.Errorf("person %s: %w", given.Person, err)
		}
	}
	return p, nil
}

func (p *Person) checkNext(card *envelope.Statement[envelope.Card], vouchers Vouchers) error {
	b := card.Body
	if b.Org != p.Org || b.Person != p.ID {
		return fmt.Errorf("it is for someone else")
	}
	if b.Serial != int64(len(p.Cards))+1 {
		return fmt.Errorf("it has serial %d in place %d", b.Serial, len(p.Cards)+1)
	}
	if b.Serial == 1 {
		return card.Verify(b.Signing)
	}
	before := p.Cards[len(p.Cards)-1]
	if b.Previous != before.Hash() {
		return fmt.Errorf("it does not name the card before it")
	}
	if IsPending(before) {
		return fmt.Errorf("it follows a card that nobody vouched for")
	}
	switch {
	case IsPending(card):
		return card.Verify(b.Signing)
	case b.Voucher == "":
		return card.Verify(b.Signing, before.Body.Signing)
	}
	return verifyVouched(card, p.ID, vouchers)
}

// verifyVouched checks that one of the voucher's keys gave the second signature.
func verifyVouched(card *envelope.Statement[envelope.Card], of ward.PersonID, vouchers Vouchers) error {
	if card.Body.Voucher == of {
		return fmt.Errorf("a person cannot vouch for themselves")
	}
	if vouchers == nil {
		return fmt.Errorf("its voucher is not known here")
	}
	voucher, err := vouchers(card.Body.Voucher)
	if err != nil {
		return fmt.Errorf("voucher: %w", err)
	}
	if err := card.VerifyNth(0, card.Body.Signing); err != nil {
		return err
	}
	for _, c := range voucher.Cards {
		if !IsPending(c) && card.VerifyNth(1, c.Body.Signing) == nil {
			return nil
		}
	}
	return fmt.Errorf("the voucher's signature does not match")
}

// IsPending tells whether a card after the first waits for someone to vouch for it.
func IsPending(card *envelope.Statement[envelope.Card]) bool {
	return card.Body.Serial > 1 && len(card.Sigs) == 1
}

// AddBrowser checks a browser's certificate and remembers it. One by a card that is not in the line, or waits for
// someone to vouch for it, certifies nothing and is passed over.
func (p *Person) AddBrowser(browser *envelope.Statement[envelope.Browser]) error {
	b := browser.Body
	if b.Org != p.Org || b.Person != p.ID {
		return fmt.Errorf("browser: it is certified for someone else")
	}
	card := p.CardBy(b.Card)
	if card == nil {
		return nil
	}
	if err := browser.Verify(card.Body.Signing); err != nil {
		return err
	}
	p.Browsers[b.Key] = b.Card
	return nil
}

// CardBy finds one of the person's cards by the hash of its text, or nil. A pending card is not found: nothing by
// it counts until someone vouches.
func (p *Person) CardBy(hash string) *envelope.Statement[envelope.Card] {
	for _, c := range p.Cards {
		if c.Hash() == hash && !IsPending(c) {
			return c
		}
	}
	return nil
}

// Current is the person's latest card that is not pending.
func (p *Person) Current() *envelope.Statement[envelope.Card] {
	last := p.Cards[len(p.Cards)-1]
	if IsPending(last) {
		return p.Cards[len(p.Cards)-2]
	}
	return last
}

// signedBy checks that one of the person's cards made the i-th signature of a statement.
func signedBy[B envelope.Body](s *envelope.Statement[B], i int, p *Person) error {
	for _, c := range p.Cards {
		if !IsPending(c) && s.VerifyNth(i, c.Body.Signing) == nil {
			return nil
		}
	}
	return fmt.Errorf("%s: it is not signed by person %s", s.Body.Type(), p.ID)
}

// CheckClinic checks a clinic's statement: that it is the one pinned, if hash is given, and its founder's.
func CheckClinic(text []byte, hash string) (*envelope.Statement[envelope.Clinic], error) {
	s, err := envelope.Parse[envelope.Clinic](text)
	if err != nil {
		return nil, err
	}
	if hash != "" && s.Hash() != hash {
		return nil, fmt.Errorf("%s: it is not the one that was pinned", s.Body.Type())
	}
	return s, s.Verify(s.Body.Signing)
}
