package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"ward"
	"ward/seal"
	"ward/seal/envelope"
)

// admissionLife is how long an admission is good for after it was given: the server ends a visit before.
const admissionLife = 24 * time.Hour

// InviteGuest makes a link with which a guest may come to a visit, as an interpreter, family, a clinician or other.
func (c *Client) InviteGuest(ctx context.Context, visit ward.VisitID, hostName, as string) (link string, guest ward.PersonID, err error) {
	pen, err := c.pen()
	if err != nil {
		return "", "", err
	}
	of, err := get[ward.Visit](ctx, c, path("visits", string(visit)))
	if err != nil {
		return "", "", err
	}
	host, err := c.person(ctx, of.Host)
	if err != nil {
		return "", "", err
	}
	l := seal.NewGuestLink()
	welcome, err := l.Welcome(seal.GuestWelcome{
		Place: seal.Place{Org: c.Org(), Visit: visit, Member: l.Guest}, Host: of.Host, Card: host.Current().Hash, HostName: hostName, Inviter: c.Person(), From: pen.Name, As: as,
	})
	if err != nil {
		return "", "", err
	}
	s, err := envelope.Write(envelope.Guest{
		Org: c.Org(), Visit: visit, Guest: l.Guest, Link: l.Key().Public(), Inviter: c.Person(), Time: ward.FormatTime(c.now()),
	}, c.browser.Sign)
	if err != nil {
		return "", "", err
	}
	err = do(ctx, c, http.MethodPost, path("visits", string(visit), "guests"), ward.NewVisitGuest{GuestText: string(s.Text), Welcome: welcome})
	return l.Link(c.origin), l.Guest, err
}

// ArriveAsGuest comes to a visit's door with a guest's link, as someone without an account in a browser of their own.
func ArriveAsGuest(ctx context.Context, config Config, link, name string) (*Client, error) {
	l, err := seal.ParseGuestLink(link)
	if err != nil {
		return nil, err
	}
	c := New(config)
	opened, err := call[ward.GuestOpened](ctx, c, http.MethodPost, path("guests", string(l.Guest), "open"), struct{}{})
	if err != nil {
		return nil, err
	}
	w, err := l.OpenWelcome(opened.Welcome)
	if err != nil {
		return nil, err
	}
	card, err := envelope.Parse[envelope.MemberCard]([]byte(opened.Host.CardText))
	if err != nil {
		return nil, err
	}
	if card.Body.Person != w.Host || card.Hash() != w.Card || card.Body.RecipientHash != seal.Hash([]byte(opened.Host.Recipient)) {
		return nil, errors.New("the clinician's keys are not those that the link names")
	}
	identity, err := seal.NewIdentity()
	if err != nil {
		return nil, err
	}
	hello, err := seal.SealHello(opened.Host.Recipient, seal.GuestHello{Place: w.Place, Name: name, As: w.As, Recipient: identity.Recipient()})
	if err != nil {
		return nil, err
	}
	s, err := envelope.Write(envelope.Arrival{
		Org: w.Org, Visit: w.Visit, Guest: l.Guest, Key: c.browser.Public(), Time: ward.FormatTime(c.now()), SHA256: seal.Hash(hello),
	}, l.Key().Sign, c.browser.Sign)
	if err != nil {
		return nil, err
	}
	began, err := call[ward.GuestSession](ctx, c, http.MethodPost, path("guests", string(l.Guest), "arrive"), ward.GuestArrival{ArrivalText: string(s.Text), Hello: hello})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.session = ward.Session{Token: began.Token, Person: began.Guest, Org: began.Org, Roles: []ward.Role{ward.Guest}}
	c.mu.Unlock()
	return c, do(ctx, c, http.MethodPost, path("visits", string(w.Visit), "arrive"), struct{}{})
}

// AdmitGuest lets a guest in, as the visit's host, and tells their name, which it checks first: the link was made by
// someone of the visit, and used by who waits.
func (c *Client) AdmitGuest(ctx context.Context, visit ward.VisitID, guest ward.PersonID) (name string, err error) {
	pen, err := c.pen()
	if err != nil {
		return "", err
	}
	of, err := get[ward.Visit](ctx, c, path("visits", string(visit)))
	if err != nil {
		return "", err
	}
	for _, g := range of.Guests {
		link, err := envelope.Parse[envelope.Guest]([]byte(g.GuestText))
		if err != nil {
			return "", err
		}
		if link.Body.Guest != guest {
			continue
		}
		arrival, hello, err := c.readGuest(ctx, link, g)
		if err != nil {
			return "", err
		}
		at, key := hello.Place, seal.NamesKey(c.state().keyring.Identity, visit)
		called, err := seal.SealName(key, at, seal.MemberName{Name: hello.Name, As: hello.As, Inviter: link.Body.Inviter})
		if err != nil {
			return "", err
		}
		names, err := seal.SealNamesKey(hello.Recipient, at, key)
		if err != nil {
			return "", err
		}
		s, err := envelope.Write(envelope.Admission{
			Org: at.Org, Visit: visit, Member: guest, Guest: arrival.Key, Called: seal.Hash(called), Role: envelope.AsGuest, Admitter: c.Person(),
			Time: ward.FormatTime(c.now()), Until: ward.FormatTime(c.now().Add(admissionLife)),
		}, pen.Browser.Sign)
		if err != nil {
			return "", err
		}
		return hello.Name, do(ctx, c, http.MethodPost, path("visits", string(visit), "admit"), ward.VisitAdmission{AdmissionText: string(s.Text), Name: called, Names: names})
	}
	return "", fmt.Errorf("guest %s is not at the door", guest)
}

func (c *Client) readGuest(ctx context.Context, link *envelope.Statement[envelope.Guest], g ward.VisitGuest) (envelope.Arrival, seal.GuestHello, error) {
	arrival, err := envelope.Parse[envelope.Arrival]([]byte(g.ArrivalText))
	if err != nil {
		return envelope.Arrival{}, seal.GuestHello{}, err
	}
	inviter, err := c.person(ctx, link.Body.Inviter)
	if err != nil {
		return arrival.Body, seal.GuestHello{}, err
	}
	made := false
	for key := range inviter.Browsers {
		made = made || link.Verify(key) == nil
	}
	a, l := arrival.Body, link.Body
	switch {
	case !made:
		return a, seal.GuestHello{}, errors.New("nobody of this visit made the link")
	case a.Org != l.Org || a.Visit != l.Visit || a.Guest != l.Guest || arrival.Verify(l.Link, a.Key) != nil:
		return a, seal.GuestHello{}, errors.New("the arrival is not signed with the link")
	case seal.Hash(g.Hello) != a.SHA256:
		return a, seal.GuestHello{}, errors.New("the name is not the one that the guest signed")
	}
	hello, err := seal.OpenHello(g.Hello, c.state().keyring.Identity, seal.Place{Org: l.Org, Visit: l.Visit, Member: l.Guest})
	return a, hello, err
}
