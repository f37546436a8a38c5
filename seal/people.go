package seal

import (
	"errors"
	"fmt"
	"slices"

	"ward"
	"ward/membership"
	"ward/seal/envelope"
)

// A Person is someone as the signed history of the clinic has them, with the keys that belong to their cards: what the
// server sent beside it was checked against it.
type Person struct {
	Org      ward.OrgID
	ID       ward.PersonID
	Member   membership.Member // as of the newest statement
	Cards    []Card            // all that ever counted, oldest first
	Browsers map[string]string // a browser's key to the hash of the card that certified it
}

// A Card is the public half of a person's keys.
type Card struct {
	membership.Card
	Recipient string // what is sealed to them
	Since     int64  // the seq of their chain from which it counts
}

// ErrErased is said of a person whose chain is gone because they were erased.
var ErrErased = errors.New("this person was erased")

// ErrNoMember is said of who is in no history: nobody joined by this id, or a second person has yet to confirm them.
var ErrNoMember = errors.New("the clinic's history has no such person")

// CheckPerson finds a person in a chain, the roster or their own thread, and checks the recipients and browsers that
// were sent with it: each is by one of the cards that the chain has.
func CheckPerson(org ward.OrgID, chain *membership.History, given ward.PersonCards) (*Person, error) {
	member, ok := chain.Member(given.Person)
	if !ok {
		return nil, fmt.Errorf("person %s: %w", given.Person, ErrNoMember)
	}
	p := &Person{Org: org, ID: given.Person, Member: member, Browsers: map[string]string{}}
	recipients := map[string]string{}
	for _, r := range given.Recipients {
		recipients[Hash([]byte(r))] = r
	}
	for _, m := range chain.Cards(given.Person) {
		c := Card{Card: m.Card, Recipient: recipients[m.Card.RecipientHash], Since: m.Since}
		if c.Recipient == "" {
			return nil, fmt.Errorf("person %s: the recipient of card %d is not shown", given.Person, m.Card.Serial)
		}
		if err := envelope.CheckRecipient(c.Recipient); err != nil {
			return nil, fmt.Errorf("person %s, card %d: %w", given.Person, m.Card.Serial, err)
		}
		p.Cards = append(p.Cards, c)
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

// AddBrowser checks a browser's certificate and remembers it. One by a card that never counted certifies nothing and is
// passed over.
func (p *Person) AddBrowser(browser *envelope.Statement[envelope.Browser]) error {
	b := browser.Body
	if b.Org != p.Org || b.Person != p.ID {
		return errors.New("browser: it is certified for someone else")
	}
	card := p.CardBy(b.Card)
	if card == nil {
		return nil
	}
	if err := browser.Verify(card.Signing); err != nil {
		return err
	}
	p.Browsers[b.Key] = b.Card
	return nil
}

// Roles are the person's, as of the newest statement.
func (p *Person) Roles() []ward.Role { return p.Member.Roles }

// CardBy finds one of the person's cards by the hash of its text, or nil.
func (p *Person) CardBy(hash string) *Card {
	i := slices.IndexFunc(p.Cards, func(c Card) bool { return c.Hash == hash })
	if i < 0 {
		return nil
	}
	return &p.Cards[i]
}

// Current is the person's newest card that counts.
func (p *Person) Current() *Card { return p.CardBy(p.Member.Card.Hash) }

// signedBy checks that one of the person's cards made the i-th signature of a statement.
func signedBy[B envelope.Body](s *envelope.Statement[B], i int, p *Person) error {
	for _, c := range p.Cards {
		if s.VerifyNth(i, c.Signing) == nil {
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
