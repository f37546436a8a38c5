// Package simulator plays the people of a clinic: it founds one, invites its staff and patients, imports their records,
// books, writes and shares, all through package client, so that nothing here can do what a person could not. The demo
// is filled by it, and the story (story.go) is played by it with a check at each step.
package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"ward"
	"ward/client"
	"ward/seal"
	"ward/seal/envelope"
)

// atOnce is how many patients join and import at the same time: enough to keep two cores busy.
const atOnce = 3

// Config is a clinic to fill.
type Config struct {
	Origin   string
	Link     string // of the founding
	Patients fs.FS  // FHIR bundles, *.json, one patient each
	Progress func(step string, done, total int)
}

// Person is someone of the clinic, signed in, with the code that opens their account elsewhere.
type Person struct {
	*client.Client
	Name string
	Role ward.Role
	Code seal.Code
}

// Clinic is who is in it.
type Clinic struct {
	Founder, Second, Desk, Security, Privacy *Person
	Amina                                    *Person
	Patients                                 []*Person

	config Config
}

// Found founds the clinic and lets its staff join.
func Found(ctx context.Context, config Config) (*Clinic, error) {
	c := &Clinic{config: config}
	founder := client.New(client.Config{Origin: config.Origin})
	about := client.About{Given: "Ada", Family: "Okafor", PasskeyName: "Laptop", Language: "en"}
	code, err := founder.Accept(ctx, config.Link, about)
	if err != nil {
		return nil, fmt.Errorf("found the clinic: %w", err)
	}
	c.Founder = &Person{founder, "Dr " + about.Name(), ward.Clinician, code}
	for i, m := range []struct {
		into          **Person
		given, family string
		role          ward.Role
	}{
		{&c.Second, "Tomás", "Reyes", ward.Clinician},
		{&c.Desk, "Farid", "Nasser", ward.FrontDesk},
		{&c.Security, "Sonia", "Lindqvist", ward.Security},
		{&c.Privacy, "Priya", "Raman", ward.Privacy},
	} {
		if *m.into, err = c.Join(ctx, c.Founder, client.About{Given: m.given, Family: m.family, Language: "en"}, m.role); err != nil {
			return nil, err
		}
		c.progress("staff join", i+2, 5)
	}
	return c, nil
}

// Join invites someone and lets them join; the inviter's housekeeping then shares what their role needs.
func (c *Clinic) Join(ctx context.Context, by *Person, about client.About, role ward.Role) (*Person, error) {
	about.PasskeyName = "Phone"
	invited, err := by.Invite(ctx, about, false, role)
	if err != nil {
		return nil, fmt.Errorf("invite %s: %w", role, err)
	}
	joined := client.New(client.Config{Origin: c.config.Origin})
	code, err := joined.Accept(ctx, invited.Link, about)
	if err != nil {
		return nil, fmt.Errorf("join as %s: %w", role, err)
	}
	if err := by.Housekeep(ctx); err != nil {
		return nil, fmt.Errorf("welcome a %s: %w", role, err)
	}
	return &Person{joined, about.Name(), role, code}, nil
}

func (c *Clinic) progress(step string, done, total int) {
	if c.config.Progress != nil {
		c.config.Progress(step, done, total)
	}
}

// consentText is what the demo's patients agree to.
const consentText = "The clinic keeps my record sealed so that only I and the care team I share it with can read it."

// Fill lets every patient of the bundles join, with their records, and brings the clinic to life.
func (c *Clinic) Fill(ctx context.Context) error {
	var err error
	if c.Amina, err = c.Join(ctx, c.Desk, client.About{Given: "Amina", Family: "Haddad", BirthDate: "1961-04-02", Phone: "+44 20 7946 0018", Language: "en", Consent: consentText}, ward.Patient); err != nil {
		return err
	}
	names, err := fs.Glob(c.config.Patients, "*.json")
	if err != nil || len(names) == 0 {
		return errors.Join(err, errors.New("there are no FHIR bundles (*.json) in the patients' folder"))
	}
	var mu sync.Mutex
	var failed error
	done := 0
	turns := make(chan struct{}, atOnce)
	var joining sync.WaitGroup
	for _, name := range names {
		joining.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			p, err := c.patient(ctx, name, &mu)
			mu.Lock()
			defer mu.Unlock()
			done++
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", path.Base(name), err))
				return
			}
			c.Patients = append(c.Patients, p)
			c.progress("patients join, their records sealed", done, len(names))
		})
	}
	joining.Wait()
	if failed != nil {
		return failed
	}
	slices.SortFunc(c.Patients, func(a, b *Person) int { return strings.Compare(a.Name, b.Name) })
	if err := c.importInto(ctx, c.Amina, names[len(names)-1]); err != nil {
		return err
	}
	return c.enliven(ctx)
}

// patient lets one patient join, as their bundle says who they are. Invitations are made one at a time: the desk is one
// person.
func (c *Clinic) patient(ctx context.Context, name string, desk *sync.Mutex) (*Person, error) {
	text, err := fs.ReadFile(c.config.Patients, name)
	if err != nil {
		return nil, err
	}
	about, err := whoIs(text)
	if err != nil {
		return nil, err
	}
	desk.Lock()
	p, err := c.Join(ctx, c.Desk, about, ward.Patient)
	desk.Unlock()
	if err != nil {
		return nil, err
	}
	chart, err := p.Chart(ctx)
	if err != nil {
		return nil, err
	}
	_, err = p.Import(ctx, chart, envelope.General, bytes.NewReader(text))
	return p, err
}

// Chart is a patient's own.
func (p *Person) Chart(ctx context.Context) (ward.ChartID, error) {
	me, err := p.Me(ctx)
	if err != nil {
		return "", err
	}
	if len(me.Charts) == 0 {
		return "", fmt.Errorf("%s has no chart", p.Role)
	}
	return me.Charts[0], nil
}

func (c *Clinic) importInto(ctx context.Context, p *Person, name string) error {
	text, err := fs.ReadFile(c.config.Patients, name)
	if err != nil {
		return err
	}
	chart, err := p.Chart(ctx)
	if err != nil {
		return err
	}
	_, err = p.Import(ctx, chart, envelope.General, bytes.NewReader(text))
	return err
}

// whoIs reads who a bundle is about.
func whoIs(text []byte) (client.About, error) {
	resources, err := client.ReadFHIR(text)
	if err != nil {
		return client.About{}, err
	}
	for _, r := range resources {
		var p struct {
			ResourceType string `json:"resourceType"`
			BirthDate    string `json:"birthDate"`
			Name         []struct {
				Family string
				Given  []string
				Text   string
			}
		}
		if json.Unmarshal(r, &p) != nil || p.ResourceType != "Patient" {
			continue
		}
		about := client.About{Given: "Unnamed", Family: "Patient", BirthDate: p.BirthDate, Language: "en", Consent: consentText}
		if len(p.Name) > 0 {
			about.Given, about.Family = strings.Join(p.Name[0].Given, " "), p.Name[0].Family
			if about.Given+about.Family == "" {
				about.Given = p.Name[0].Text
			}
		}
		return about, nil
	}
	return client.About{}, errors.New("the bundle has no Patient")
}

// enliven books, writes and shares, so that each screen has something to show.
func (c *Clinic) enliven(ctx context.Context) error {
	for _, clinician := range []*Person{c.Founder, c.Second} {
		if err := clinician.SetAvailability(ctx, clinician.Person(), ward.Availability{
			TimeZone: "Europe/Madrid", Weekly: weekdays(), Length: 20, Notice: 60, Horizon: 60,
		}); err != nil {
			return fmt.Errorf("set when %s may be booked: %w", clinician.Name, err)
		}
	}
	next := time.Now().Truncate(10 * time.Minute).Add(10 * time.Minute)
	everyone := append([]*Person{c.Amina}, c.Patients...)
	for i, p := range everyone {
		chart, err := p.Chart(ctx)
		if err != nil {
			return err
		}
		with := c.Founder
		if i%2 == 1 {
			with = c.Second
		}
		soon := next.Add(time.Duration(i) * 30 * time.Minute)
		for _, start := range []time.Time{soon, soon.Add(25 * time.Hour)} { // today, and tomorrow
			a := client.Appointment{
				Start: start, End: start.Add(20 * time.Minute), Patient: p.Person(), PatientName: p.Name, Chart: chart, With: with.Person(), WithName: with.Name,
			}
			if _, err := c.Desk.Book(ctx, a); err != nil {
				return fmt.Errorf("book: %w", err)
			}
		}
		c.progress("appointments", i+1, len(everyone))
	}
	chart, err := c.Amina.Chart(ctx)
	if err != nil {
		return err
	}
	return c.talk(ctx, chart)
}

// weekdays are the hours of a practice.
func weekdays() []ward.Window {
	var all []ward.Window
	for day := int64(time.Monday); day <= int64(time.Friday); day++ {
		all = append(all, ward.Window{Day: day, From: "09:00", To: "13:00"}, ward.Window{Day: day, From: "15:00", To: "18:00"})
	}
	return all
}

// talk is a short exchange between Amina and her doctor, and a second opinion.
func (c *Clinic) talk(ctx context.Context, chart ward.ChartID) error {
	for i, say := range []struct {
		by   *Person
		text string
	}{
		{c.Amina, "Good morning. Since the new tablets I feel a little dizzy when I stand up. Is that to be expected?"},
		{c.Founder, "Thank you for telling me. It can happen in the first week. Please stand up slowly, drink enough, and note your blood pressure in the morning and evening. We will look at it together."},
		{c.Amina, "I will. It was 118 over 74 this morning."},
	} {
		if _, err := say.by.Write(ctx, chart, envelope.General, say.by.Message(chart, say.text, "")); err != nil {
			return fmt.Errorf("message: %w", err)
		}
		c.progress("messages and notes", i+1, 5)
	}
	note := c.Founder.Note(chart, "Phone call: dizziness", "Subjective\nDizzy on standing since the dose was raised.\n\nObjective\n118/74 at home this morning, pulse regular.\n\nAssessment\nLikely orthostatic, mild.\n\nPlan\nKeep the dose, rise slowly, diary of readings, review in a week.")
	if _, err := c.Founder.Write(ctx, chart, envelope.General, note); err != nil {
		return fmt.Errorf("note: %w", err)
	}
	c.progress("messages and notes", 4, 5)
	if len(c.Patients) > 0 {
		carer := c.Patients[0]
		if _, err := c.Amina.Write(ctx, chart, envelope.General, c.Amina.RelatedPerson(chart, carer.Person(), carer.Name)); err != nil {
			return fmt.Errorf("introduce a carer: %w", err)
		}
		if err := c.Amina.Share(ctx, chart, carer.Person(), "", envelope.ForProxy, time.Now().AddDate(0, 3, 0), envelope.General); err != nil {
			return fmt.Errorf("share with a carer: %w", err)
		}
	}
	c.progress("messages and notes", 5, 5)
	return nil
}
