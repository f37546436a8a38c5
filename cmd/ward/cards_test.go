package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"ward"
	"ward/client"
	"ward/seal/envelope"
	"ward/store"
	"ward/store/storetest"
)

// shown is a way to the server on which someone changes the history of who is who that it shows.
type shown func(*ward.MembershipPage)

func (with shown) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || r.URL.Path != "/api/membership" || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	defer answer.Body.Close()
	var page ward.MembershipPage
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil {
		return nil, err
	}
	with(&page)
	text, err := json.Marshal(page)
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(text)), -1
	return answer, err
}

// kept is a way to the server on which somebody keeps statements back, and says that they were taken.
type kept struct{ text string }

func (k *kept) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/membership") {
		return http.DefaultTransport.RoundTrip(r)
	}
	var put ward.StatementPut
	if err := json.NewDecoder(r.Body).Decode(&put); err != nil {
		return nil, err
	}
	k.text = put.Text
	w := httptest.NewRecorder()
	w.WriteHeader(http.StatusNoContent)
	return w.Result(), nil
}

// servedClinic is a clinic with its chain that answers, and its founder.
func servedClinic(t *testing.T) (here *running, org ward.OrgID, founder *client.Client) {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	config := &Config{Dir: filepath.Join(t.TempDir(), "data"), Origin: "http://localhost:" + port, LogLevel: "error", Database: storetest.Database(t)}
	if here, err = clinic(t.Context(), config, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- here.server.Serve(serving, listener) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, here.close()); err != nil {
			t.Error(err)
		}
	})
	link, err := here.found(t.Context(), "Hillside")
	if err != nil {
		t.Fatal(err)
	}
	founder = client.New(client.Config{Origin: here.origin})
	if _, err := founder.Accept(t.Context(), link, client.About{Given: "Ada", Family: "Founder", PasskeyName: "Laptop"}); err != nil {
		t.Fatal(err)
	}
	return here, founder.Org(), founder
}

// linesAgree waits until every statement is on its line.
func linesAgree(t *testing.T, here *running, org ward.OrgID) {
	t.Helper()
	waitFor(t, "all statements to be agreed", func() bool {
		var all, agreed int64
		rows(t, here, `SELECT count(*), count(CASE WHEN state = 'agreed' THEN 1 END) FROM ledger_links WHERE org = $1`, org, func(r *store.Rows) error { return r.Scan(&all, &agreed) })
		return all > 0 && all == agreed
	})
}

func TestTheGoClientRefusesAHistoryThatIsNotTheOneAgreedOn(t *testing.T) {
	here, org, founder := servedClinic(t)
	invited, err := founder.Invite(t.Context(), client.About{Given: "Chidi", Family: "Okafor"}, false, ward.FrontDesk)
	if err != nil {
		t.Fatal(err)
	}
	desk := client.New(client.Config{Origin: here.origin})
	if _, err := desk.Accept(t.Context(), invited.Link, client.About{Given: "Chidi", Family: "Okafor", PasskeyName: "Laptop"}); err != nil {
		t.Fatal(err)
	}
	// The administrator states two things at one place: one that all see and agree on, and one that only some are shown.
	var secret kept
	other := client.New(client.Config{Origin: here.origin, Authenticator: founder.Authenticator(), HTTP: &http.Client{Transport: &secret}})
	if err := other.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.SetRoles(t.Context(), desk.Person(), ward.FrontDesk, ward.Security); err != nil || secret.text == "" {
		t.Fatal(err)
	}
	if err := founder.SetRoles(t.Context(), desk.Person(), ward.FrontDesk, ward.Privacy); err != nil {
		t.Fatal(err)
	}
	linesAgree(t, here, org)

	lie := func(page *ward.MembershipPage) {
		where, _ := envelope.PlaceOf([]byte(secret.text))
		for i, text := range page.Statements {
			switch at, _ := envelope.PlaceOf([]byte(text)); {
			case at.Seq == where.Seq:
				page.Statements = append(page.Statements[:i], secret.text)
				return
			case at.Seq > where.Seq:
				page.Statements = nil
				return
			}
		}
	}
	elsewhere := client.New(client.Config{Origin: here.origin, Authenticator: founder.Authenticator(), HTTP: &http.Client{Transport: shown(lie)}})
	if err := elsewhere.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.InviteAgain(t.Context(), desk.Person(), false); !errors.Is(err, client.ErrOtherKeys) {
		t.Errorf("another history: %v", err)
	}
	honest := client.New(client.Config{Origin: here.origin, Authenticator: founder.Authenticator()})
	if err := honest.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := honest.InviteAgain(t.Context(), desk.Person(), false); err != nil {
		t.Errorf("the history of all: %v", err)
	}
	ownLies := client.New(client.Config{Origin: here.origin, Authenticator: desk.Authenticator(), HTTP: &http.Client{Transport: shown(lie)}})
	if err := ownLies.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := ownLies.CheckLedger(t.Context()); !errors.Is(err, client.ErrOtherKeys) {
		t.Errorf("of oneself: %v", err)
	}
}

// withoutChain is a way to a server whose chain is halted: what it proves by a block cannot be had.
type withoutChain struct{}

func (withoutChain) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/card-proof") || r.URL.Path == "/api/membership/proof" || r.URL.Path == "/api/ledger/names" {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"error":{"kind":"unavailable","message":"the chain is halted"}}`)
		return w.Result(), nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestTheGoClientWorksWhileTheChainIsHalted(t *testing.T) {
	here, _, founder := servedClinic(t)
	elsewhere := client.New(client.Config{Origin: here.origin, Authenticator: founder.Authenticator(), HTTP: &http.Client{Transport: withoutChain{}}})
	if err := elsewhere.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.Invite(t.Context(), client.About{Given: "Chidi", Family: "Okafor"}, false, ward.Clinician); err != nil {
		t.Errorf("keys that cannot be compared now: %v", err)
	}
}

func TestTwoDevicesOfOnePersonTrustTheSame(t *testing.T) {
	here, org, one := servedClinic(t)
	agrees(t, here, org)
	version := func() (n int64) {
		rows(t, here, `SELECT version FROM keyrings WHERE org = $1`, org, func(r *store.Rows) error { return r.Scan(&n) })
		return n
	}
	other := client.New(client.Config{Origin: here.origin, Authenticator: one.Authenticator()})
	if err := other.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, err := one.CheckLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := version()
	second, err := other.CheckLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if version() != before {
		t.Error("the second device pinned again what the first had pinned")
	}
	if second.Pinned.Chain != first.Pinned.Chain || second.Pinned.Height != first.Pinned.Height {
		t.Errorf("one device pinned height %d of %s, the other %d of %s", first.Pinned.Height, first.Pinned.Chain, second.Pinned.Height, second.Pinned.Chain)
	}
	keys, _, err := one.Passkeys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	for _, device := range []*client.Client{other, one, other} { // each changes what the other had last
		if err := device.RenamePasskey(t.Context(), keys[0].Passkey, "Desk"); err != nil {
			t.Errorf("a device that was behind: %v", err)
		}
	}
}

func TestTheGoClientIsToldOfALogThatWasBegunAgain(t *testing.T) {
	here, org, founder := servedClinic(t)
	agrees(t, here, org)
	var size, events int64
	var frontier []byte
	rows(t, here, `SELECT size, events, frontier FROM ledger_logs WHERE org = $1`, org, func(r *store.Rows) error { return r.Scan(&size, &events, &frontier) })
	happens(t, here, org, "one", "two", "three")
	agrees(t, here, org)
	seen, err := founder.CheckLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	agrees(t, here, org) // also that she looked and pinned, or the loss would still grow while it is told
	// All since is lost, for good.
	err = here.db.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for statement, about := range map[string]int64{
			`DELETE FROM ledger_leaves WHERE org = $1 AND idx >= $2`:  size,
			`DELETE FROM record_events WHERE org = $1 AND seq > $2`:   events,
			`DELETE FROM ledger_finals WHERE org = $1 AND size > $2`:  size,
			`UPDATE ledger_logs SET size = $2 WHERE org = $1`:         size,
			`UPDATE ledger_logs SET events = $2 WHERE org = $1`:       events,
			`DELETE FROM ledger_links WHERE org = $1 AND serial > $2`: 1,
		} {
			if _, err := tx.Exec(ctx, statement, string(org), about); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE ledger_logs SET frontier = $1 WHERE org = $2`, frontier, string(org))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the loss to be found", func() bool {
		_, err := here.keeper.Lost(t.Context(), org)
		return err == nil
	})
	lost, err := here.keeper.Lost(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := founder.CheckLedger(t.Context()); err == nil || errors.Is(err, client.ErrBegunAgain) {
		t.Errorf("before it was begun again: %v", err)
	}
	if _, err := here.keeper.BeginAgain(t.Context(), org, lost.Lost); err != nil {
		t.Fatal(err)
	}
	agrees(t, here, org)
	if _, err := founder.CheckLedger(t.Context()); !errors.Is(err, client.ErrBegunAgain) {
		t.Errorf("it was begun again, and that is told as %v", err)
	}
	now, err := founder.AcceptLedger(t.Context())
	if err != nil || now.Pinned.Origin == seen.Pinned.Origin {
		t.Fatalf("the new log: %+v, %v", now, err)
	}
	// Another device of hers, which knows the old log from the keyring of before, hears of it there.
	other := client.New(client.Config{Origin: here.origin, Authenticator: founder.Authenticator()})
	if err := other.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.CheckLedger(t.Context()); err != nil {
		t.Error(err)
	}
}
