package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ward"
	"ward/bus"
	"ward/charts"
	"ward/client"
	"ward/identity"
	"ward/ledger"
	"ward/policy"
	"ward/seal"
	"ward/seal/envelope"
	"ward/store"
	"ward/store/storetest"
	"ward/visits"
)

// walk says who is let through at each route, by letters: p the patient whose chart it is, o another patient, x a
// carer, c a clinician of the care team, f front desk, s security officer, d data protection officer, a administrator,
// g a guest who was let into the visit; * is everyone, signed in or not. A route that is missing here fails the test.
var walk = map[string]string{
	"GET /api/clinic":                               "*",
	"POST /api/invitations/{invitation}/open":       "*",
	"POST /api/invitations/{invitation}/membership": "*",
	"POST /api/invitations/{invitation}/accept":     "*",
	"POST /api/sign-in/options":                     "*",
	"POST /api/sign-in":                             "*",
	"POST /api/recovery/open":                       "*",
	"POST /api/recovery/finish":                     "*",
	"GET /api/me":                                   "poxcfsda",
	"DELETE /api/me":                                "pox",
	"GET /api/keyring":                              "poxcfsda",
	"PUT /api/keyring":                              "poxcfsda",
	"PUT /api/browser":                              "poxcfsda",
	"GET /api/passkeys":                             "poxcfsda",
	"POST /api/passkeys/options":                    "poxcfsda",
	"POST /api/passkeys":                            "poxcfsda",
	"DELETE /api/passkeys/{passkey}":                "poxcfsda",
	"POST /api/touch/options":                       "poxcfsda",
	"POST /api/touch":                               "poxcfsda",
	"GET /api/sessions":                             "poxcfsda",
	"DELETE /api/sessions":                          "poxcfsda",
	"DELETE /api/sessions/{session}":                "poxcfsda",
	"GET /api/events":                               "poxcfsdag",
	"GET /api/invitations":                          "cfsda",
	"POST /api/invitations":                         "cf",
	"DELETE /api/invitations/{invitation}":          "cf",
	"GET /api/people":                               "poxcfsda",
	"GET /api/people/{person}/cards":                "poxcfsda",
	"POST /api/people/{person}/membership":          "psa", // that the patient is deactivated; decisions.md has the others
	"GET /api/membership":                           "poxcfsdag",
	"GET /api/membership/proof":                     "poxcfsdag",
	"POST /api/keys":                                "poxcfsda",
	"GET /api/locks":                                "poxcfsda",
	"POST /api/locks":                               "c",
	"GET /api/locks/{lock}":                         "pc",
	"GET /api/locks/{lock}/keys":                    "",
	"GET /api/locks/{lock}/members":                 "pcsd",
	"POST /api/locks/{lock}/grants":                 "pc",
	"DELETE /api/locks/{lock}/grants/{grant}":       "pc",
	"POST /api/locks/{lock}/opened":                 "p",
	"POST /api/locks/{lock}/epochs":                 "pc",
	"GET /api/locks/{lock}/entries":                 "pc",
	"POST /api/locks/{lock}/entries":                "pcf",
	"GET /api/locks/{lock}/entries/{entry}/sealed":  "pc",
	"GET /api/locks/{lock}/uploads/{upload}":        "pcf",
	"PUT /api/locks/{lock}/uploads/{upload}/{part}": "pcf",
	"GET /api/charts":                               "poxcfsda",
	"GET /api/charts/{chart}":                       "pcf",
	"GET /api/charts/{chart}/looks":                 "psd",
	"POST /api/charts/{chart}/break-glass":          "c",
	"DELETE /api/charts/{chart}/break-glass":        "", // nobody here broke the glass
	"GET /api/emergencies":                          "sd",
	"DELETE /api/charts/{chart}":                    "p",
	"GET /api/visits":                               "poxcfsda",
	"POST /api/visits":                              "pcf",
	"POST /api/visits/plan":                         "pcf",
	"GET /api/people/{person}/availability":         "", // the person here is no clinician
	"PUT /api/people/{person}/availability":         "",
	"GET /api/people/{person}/slots":                "",
	"GET /api/visits/{visit}":                       "pcfg",
	"PUT /api/visits/{visit}":                       "pcf",
	"POST /api/visits/{visit}/arrive":               "pcg",
	"POST /api/visits/{visit}/leave":                "pcg",
	"POST /api/visits/{visit}/admit":                "c",
	"DELETE /api/visits/{visit}/members/{member}":   "c",
	"POST /api/visits/{visit}/end":                  "c",
	"POST /api/visits/{visit}/enter":                "cg",
	"POST /api/visits/{visit}/room":                 "cg", // who came, and the host is in
	"GET /api/visits/{visit}/messages":              "cg",
	"POST /api/visits/{visit}/messages":             "cg",
	"GET /api/visits/{visit}/people":                "pcfg",
	"POST /api/visits/{visit}/guests":               "pc",
	"DELETE /api/visits/{visit}/guests/{guest}":     "pc",
	"POST /api/guests/{guest}/open":                 "*",
	"POST /api/guests/{guest}/arrive":               "*",
	"GET /api/reminders":                            "poxcfsda",
	"PUT /api/reminders":                            "poxcfsda",
	"DELETE /api/reminders":                         "poxcfsda",
	"PUT /api/reminders/push":                       "poxcfsda",
	"DELETE /api/reminders/push":                    "poxcfsda",
	"POST /api/calendar-feed":                       "poxcfsda",
	"DELETE /api/calendar-feed":                     "poxcfsda",
	"GET /api/calendar-feed/{file}":                 "*",
	"GET /rtc/":                                     "*",
	"GET /api/record":                               "sd",
	"GET /api/record/state":                         "sd",
	"GET /api/record/receipts":                      "sd",
	"GET /api/record/accesses":                      "sd",
	"GET /api/ledger":                               "poxcfsda",
	"GET /api/ledger/consistency":                   "poxcfsda",
	"GET /api/ledger/entries":                       "poxcfsda",
	"GET /api/ledger/changes":                       "poxcfsda",
	"GET /api/ledger/names":                         "poxcfsda",
	"GET /api/ledger/app":                           "poxcfsda",
	"GET /api/ledger/status":                        "sd",
	"POST /api/ledger/votes":                        "s",
	"GET /api/charts/{chart}/receipts":              "psd",
	"GET /api/charts/{chart}/accesses":              "psd",
	"GET /api/locks/{lock}/receipts":                "pc",
	"GET /api/people/{person}/card-proof":           "poxcfsda",
	"GET /ledger/{org}/checkpoint":                  "*",
	"GET /ledger/{org}/tile/{tile...}":              "*",
}

// A town is one server with two clinics, and everyone in each.
type town struct {
	t      *testing.T
	config Config
	server *Server
	origin string
	here   map[byte]*client.Client
	there  map[byte]*client.Client
	chart  ward.ChartID
	lock   ward.LockID
	grant  ward.GrantID
	entry  ward.EntryID
	person ward.PersonID
	invite ward.InvitationID
	visit  ward.VisitID
}

func TestEveryRouteAsEveryRole(t *testing.T) {
	town := newTown(t)
	guest, _ := town.letGuestIn("Ines")
	inTable := map[string]bool{}
	for _, route := range town.server.routes() {
		inTable[route.Pattern] = true
		allowed, ok := walk[route.Pattern]
		if !ok {
			t.Errorf("%s is missing from the table of this test", route.Pattern)
			continue
		}
		town.asNobody(route, allowed == "*")
		if allowed == "*" {
			continue
		}
		for who, person := range town.here {
			town.asPerson(route, who, person, strings.ContainsRune(allowed, rune(who)))
		}
		for who, person := range town.there {
			town.asStranger(route, who, person)
		}
		town.asPerson(route, 'g', guest, strings.ContainsRune(allowed, 'g'))
	}
	for pattern := range walk {
		if !inTable[pattern] {
			t.Errorf("%s is in the table and is no route", pattern)
		}
	}
}

// asNobody walks a route without a session and without a proof, which some public routes want.
func (w *town) asNobody(route Route, public bool) {
	method, path := w.request(route.Pattern)
	answer := httptest.NewRecorder()
	w.server.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader("{}")))
	if refused := answer.Code == http.StatusUnauthorized; refused == (public && !route.Proven) && route.Pattern != "GET /rtc/" {
		w.t.Errorf("%s as nobody: %d", route.Pattern, answer.Code)
	}
}

// asPerson walks a route as someone of the clinic, and compares with the table: who is not allowed gets 403 and the
// reason, and nothing else says 403.
func (w *town) asPerson(route Route, who byte, person *client.Client, allowed bool) {
	if isLasting(route.Pattern) && allowed {
		return // would end the walker; policy's tests and identity's have it
	}
	status, kind := w.send(route.Pattern, person)
	switch {
	case status == http.StatusUnauthorized:
		w.t.Errorf("%s as %c: not signed in", route.Pattern, who)
	case allowed && status == http.StatusForbidden:
		w.t.Errorf("%s as %c: refused", route.Pattern, who)
	case !allowed && (status != http.StatusForbidden || kind != ward.Refused):
		w.t.Errorf("%s as %c: %d %s, want refused", route.Pattern, who, status, kind)
	}
}

// asStranger walks a route as the same role of another clinic: whatever has an id of this one is missing there.
func (w *town) asStranger(route Route, who byte, person *client.Client) {
	about := strings.Contains(route.Pattern, "{lock}") || strings.Contains(route.Pattern, "{chart}") || strings.Contains(route.Pattern, "{person}") ||
		strings.Contains(route.Pattern, "{visit}") || route.Pattern == "DELETE /api/invitations/{invitation}"
	if !about {
		return // about the stranger's own clinic
	}
	if status, kind := w.send(route.Pattern, person); status != http.StatusNotFound || kind != ward.Missing {
		w.t.Errorf("%s as %c of another clinic: %d %s, want missing", route.Pattern, who, status, kind)
	}
}

// isLasting tells which routes would change what the rest of the walk needs, if they were let through.
func isLasting(pattern string) bool {
	switch pattern {
	case "DELETE /api/me", "DELETE /api/sessions", "DELETE /api/charts/{chart}", "DELETE /api/locks/{lock}/grants/{grant}",
		"DELETE /api/invitations/{invitation}", "GET /api/events", "POST /api/charts/{chart}/break-glass",
		"POST /api/visits/{visit}/end":
		return true
	}
	return false
}

func (w *town) request(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	for name, value := range map[string]string{
		"{lock}": string(w.lock), "{chart}": string(w.chart), "{grant}": string(w.grant), "{entry}": string(w.entry), "{person}": string(w.person),
		"{invitation}": string(w.invite), "{upload}": ward.NewID[string](), "{part}": "1", "{session}": ward.NewID[string](), "{passkey}": ward.NewID[string](),
		"{org}": string(w.here['p'].Org()), "{tile...}": "0/000.p/1", "{visit}": string(w.visit), "{member}": ward.NewID[string](), "{guest}": ward.NewID[string](),
	} {
		path = strings.ReplaceAll(path, name, value)
	}
	return method, path
}

func (w *town) send(pattern string, person *client.Client) (int, ward.Kind) {
	w.t.Helper()
	method, path := w.request(pattern)
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	answer, err := person.Send(ctx, method, path, w.body(pattern, person))
	if err != nil {
		w.t.Fatalf("%s: %v", pattern, err)
	}
	defer answer.Body.Close()
	var problem ward.Problem
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	json.Unmarshal(text, &problem)
	return answer.StatusCode, problem.Error.Kind
}

// body is what a route needs to come as far as a decision: no more, so most are refused after it as incomplete.
func (w *town) body(pattern string, person *client.Client) []byte {
	now := ward.FormatTime(time.Now())
	hash := envelope.Hash(nil)
	unsigned := func([]byte) ([]byte, error) { return make([]byte, 64), nil }
	switch pattern {
	case "POST /api/invitations":
		invited := ward.NewID[ward.PersonID]()
		s, err := envelope.Write(envelope.Invite{
			Place:      envelope.Place{Org: person.Org(), Chain: string(invited), Seq: 1, RosterSeq: 1, RosterHash: hash},
			Invitation: ward.NewID[ward.InvitationID](), Person: invited, Verifier: hash, Roles: string(ward.Patient), Name: hash, Until: now,
			Author: envelope.Author{By: person.Person(), Card: hash, Time: now},
		}, unsigned)
		w.must(err)
		return w.json(ward.NewInvitation{InviteText: string(s.Text)})
	case "POST /api/people/{person}/membership":
		return w.json(ward.StatementPut{Text: envelope.Deactivate{}.Type() + "\n"})
	case "POST /api/visits", "POST /api/visits/plan":
		return w.json(w.visitOf(ward.NewID[ward.VisitID]()))
	case "POST /api/locks/{lock}/entries":
		s, err := envelope.Write(envelope.Entry{
			Org: person.Org(), Lock: w.lock, Epoch: 1, Entry: ward.NewID[ward.EntryID](), Kind: "message", Author: person.Person(), Browser: hash, Time: now,
			Seen: envelope.Start(w.lock), Size: 1, SHA256: hash,
		}, unsigned)
		w.must(err)
		return w.json(map[string]any{"entries": []ward.NewEntry{{Text: string(s.Text)}}})
	case "POST /api/locks/{lock}/grants":
		s, err := envelope.Write(envelope.Grant{
			Org: w.here['c'].Org(), Lock: w.lock, Epoch: 1, Grant: ward.NewID[ward.GrantID](), Person: w.here['c'].Person(), Card: hash, Purpose: envelope.ForCare,
			Granter: person.Person(), Time: now, SHA256: hash,
		}, unsigned, unsigned)
		w.must(err)
		return w.json(map[string]any{"grants": []ward.NewGrant{{Text: string(s.Text)}}})
	}
	if strings.HasPrefix(pattern, "GET ") {
		return nil
	}
	return []byte("{}")
}

// visitOf is a visit of the patient with the clinician, about now.
func (w *town) visitOf(id ward.VisitID) ward.NewVisit {
	return ward.NewVisit{Visit: id, Chart: w.chart, Host: w.here['c'].Person(), Starts: ward.FormatTime(time.Now()), Ends: ward.FormatTime(time.Now().Add(time.Hour))}
}

func (w *town) json(v any) []byte {
	text, err := json.Marshal(v)
	w.must(err)
	return text
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

type knownPeople struct{ *identity.Identity }

func (p *knownPeople) Card(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) (charts.Card, error) {
	card, err := p.CardOf(ctx, tx, org, person)
	return charts.Card(card), err
}

func (p *knownPeople) RolesOf(ctx context.Context, tx *store.Tx, org ward.OrgID, person ward.PersonID) ([]ward.Role, error) {
	card, err := p.CardOf(ctx, tx, org, person)
	return card.Roles, err
}

// newTown starts a server, founds two clinics, and lets everyone join.
func newTown(t *testing.T) *town {
	t.Helper()
	t.Parallel()
	ctx := t.Context()
	w := &town{t: t}
	listener := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.server.ServeHTTP(rw, r) }))
	t.Cleanup(listener.Close)
	w.origin = strings.Replace(listener.URL, "127.0.0.1", "localhost", 1)
	db := storetest.Open(t, storetest.Database(t))
	events, err := bus.Open(bus.Config{})
	w.must(err)
	t.Cleanup(func() { events.Close() })
	sealer, err := store.NewSealer(bytes.Repeat([]byte{7}, 32))
	w.must(err)
	decide, err := policy.New()
	w.must(err)
	record, known := ledger.New(time.Now), &knownPeople{}
	records := charts.New(charts.Config{DB: db, Ledger: record, People: known, Notices: events, Now: time.Now})
	known.Identity, err = identity.New(ctx, identity.Config{
		DB: db, Ledger: record, Charts: records, Notices: events, Sealer: sealer, Origin: w.origin, Version: "test", Now: time.Now,
	})
	w.must(err)
	consultations, err := visits.New(visits.Config{DB: db, Ledger: record, Charts: records, People: known, Sessions: known, Notices: events, Sealer: sealer, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	w.must(err)
	records.Visits = consultations
	t.Cleanup(func() { consultations.Close() })
	keeper, err := ledger.NewKeeper(ctx, ledger.Config{
		DB: db, Ledger: record, Sealer: sealer, Sources: []ledger.Source{records, known.Identity}, Locks: records, Clinics: known.Identity,
		Notices: events, Host: "clinic.example", Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	w.must(err)
	w.config = Config{
		Keeper: keeper, DB: db, Identity: known.Identity, Charts: records, Visits: consultations, Policy: decide, Ledger: record, Bus: events,
		App: fstest.MapFS{"index.html": {Data: []byte("app")}}, Log: slog.New(slog.DiscardHandler), Origin: w.origin,
	}
	w.server, err = New(w.config)
	w.must(err)
	w.here, w.there = w.everyone(known, "Hillside"), w.everyone(known, "Riverside")

	patient := w.here['p']
	me, err := patient.Me(ctx)
	w.must(err)
	w.chart, w.person = me.Charts[0], patient.Person()
	ids, err := patient.Write(ctx, w.chart, envelope.General, patient.Message(w.chart, "hello", ""))
	w.must(err)
	w.entry = ids[0]
	charts, err := patient.Charts(ctx)
	w.must(err)
	for _, l := range charts[0].Locks {
		if l.Compartment == envelope.General {
			w.lock = l.Lock
		}
	}
	w.must(db.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.Row(ctx, `SELECT id FROM grants WHERE lock = $1 AND purpose = 'care'`, string(w.lock)).Scan((*string)(&w.grant))
	}))
	invited, err := w.here['f'].Invite(ctx, client.About{Given: "New", Family: "Patient"}, false, ward.Patient)
	w.must(err)
	w.invite = invited.Invitation
	w.visit = ward.NewID[ward.VisitID]()
	answer, err := w.here['f'].Send(ctx, http.MethodPost, "/api/visits", w.json(w.visitOf(w.visit)))
	w.must(err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("book a visit: %s", answer.Status)
	}
	return w
}

func (w *town) everyone(known *knownPeople, name string) map[byte]*client.Client {
	ctx := w.t.Context()
	invitation := seal.NewInvitation("")
	_, id, err := known.Found(ctx, name, invitation.TokenHash())
	w.must(err)
	invitation.ID = id
	founder := client.New(client.Config{Origin: w.origin})
	_, err = founder.Accept(ctx, invitation.Link(w.origin), client.About{Given: "Found", Family: "Er", PasskeyName: "x"})
	w.must(err)
	people := map[byte]*client.Client{}
	for who, role := range map[byte]ward.Role{
		'c': ward.Clinician, 'f': ward.FrontDesk, 's': ward.Security, 'd': ward.Privacy, 'a': ward.Admin, 'p': ward.Patient, 'o': ward.Patient, 'x': ward.Proxy,
	} {
		about := client.About{Given: "Some", Family: fmt.Sprintf("One %c", who), PasskeyName: "x", Consent: "yes"}
		invited, err := founder.Invite(ctx, about, false, role)
		w.must(err)
		people[who] = client.New(client.Config{Origin: w.origin})
		_, err = people[who].Accept(ctx, invited.Link, about)
		w.must(err)
	}
	w.must(founder.Housekeep(ctx))
	return people
}
