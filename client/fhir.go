package client

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ward"
	"ward/seal"
)

// The FHIR R4 that Ward itself writes. Inside a chart the patient is named by the chart's id, people by theirs.

const (
	systemChart  = "urn:ward:chart"
	systemPerson = "urn:ward:person"
	systemName   = "urn:ward:name" // 32 bytes, b64, that open the commitment to a name
	systemEntry  = "urn:ward:entry"
	systemVisit  = "urn:ward:visit"

	typeFHIR = "application/fhir+json"
	// bundleSize is about how much JSON goes into one entry of an import: enough that a chart of 600 resources is a
	// few dozen entries, and little enough that one entry is nothing to wait for.
	bundleSize = 100 << 10
)

type object = map[string]any

func byPerson(id ward.PersonID, name string) object {
	o := object{"identifier": object{"system": systemPerson, "value": id}}
	if name != "" {
		o["display"] = name
	}
	return o
}

func byChart(id ward.ChartID) object {
	return object{"identifier": object{"system": systemChart, "value": id}}
}

func named(resourceType string, about About, identifiers ...object) object {
	name := object{"use": "official", "text": about.Name()}
	if about.Family != "" {
		name["family"] = about.Family
	}
	if about.Given != "" {
		name["given"] = strings.Fields(about.Given)
	}
	if about.opening != "" {
		identifiers = append(identifiers, identifier(systemName, about.opening))
	}
	who := object{"resourceType": resourceType, "identifier": identifiers, "name": []object{name}}
	var telecom []object
	if about.Phone != "" {
		telecom = append(telecom, object{"system": "phone", "value": about.Phone})
	}
	if about.Email != "" {
		telecom = append(telecom, object{"system": "email", "value": about.Email})
	}
	if telecom != nil {
		who["telecom"] = telecom
	}
	if about.BirthDate != "" {
		who["birthDate"] = about.BirthDate
	}
	return who
}

func identifier(system, value string) object { return object{"system": system, "value": value} }

func patient(id ward.PersonID, chart ward.ChartID, about About) object {
	who := named("Patient", about, identifier(systemPerson, string(id)), identifier(systemChart, string(chart)))
	if about.Language != "" {
		who["communication"] = []object{{"language": object{"coding": []object{{"system": "urn:ietf:bcp:47", "code": about.Language}}}, "preferred": true}}
	}
	return who
}

func practitioner(id ward.PersonID, about About) object {
	return named("Practitioner", about, identifier(systemPerson, string(id)))
}

func related(id ward.PersonID, about About) object {
	return named("Person", about, identifier(systemPerson, string(id)))
}

func consent(chart ward.ChartID, text string, now time.Time) object {
	return object{
		"resourceType": "Consent", "status": "active",
		"scope":    object{"coding": []object{{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}}},
		"category": []object{{"coding": []object{{"system": "http://loinc.org", "code": "59284-0", "display": "Patient Consent"}}}},
		"patient":  byChart(chart), "dateTime": ward.FormatTime(now), "policyRule": object{"text": text},
	}
}

// An Item is something to write: what it is, and its bytes.
type Item struct {
	seal.Draft
	Body []byte
}

// resource makes an item of FHIR.
func resource(kind string, value any) Item {
	return Item{seal.Draft{Kind: kind, Type: typeFHIR, Encoding: "gzip"}, compress(marshalJSON(value))}
}

// Resource makes an item of FHIR JSON that is written elsewhere.
func Resource(kind string, text []byte) (Item, error) {
	if resourceType(text) == "" {
		return Item{}, &ward.Error{Kind: ward.Invalid, Message: "this is not a FHIR resource"}
	}
	return Item{seal.Draft{Kind: kind, Type: typeFHIR, Encoding: "gzip"}, compress(text)}, nil
}

// Note makes an item of a clinical note.
func (c *Client) Note(chart ward.ChartID, title, text string) Item {
	if title == "" {
		title = "Note"
	}
	item := resource("note", object{
		"resourceType": "DocumentReference", "status": "current",
		"type":    object{"coding": []object{{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}}, "text": title},
		"subject": byChart(chart), "author": []object{byPerson(c.Person(), c.Name())}, "date": ward.FormatTime(c.now()),
		"content": []object{{"attachment": object{"contentType": "text/plain;charset=utf-8", "data": []byte(text), "title": title}}},
	})
	item.Title = title
	return item
}

// RelatedPerson makes an item that says in a chart who someone is with whom its patient shares it: a carer, whom the
// clinic does not name to patients.
func (c *Client) RelatedPerson(chart ward.ChartID, person ward.PersonID, name string) Item {
	return resource("person", object{
		"resourceType": "RelatedPerson", "identifier": []object{identifier(systemPerson, string(person))}, "active": true,
		"patient": byChart(chart), "name": []object{{"text": name}},
	})
}

// Message makes an item of a message; inReplyTo may be empty.
func (c *Client) Message(chart ward.ChartID, text string, inReplyTo ward.EntryID) Item {
	message := object{
		"resourceType": "Communication", "status": "completed", "subject": byChart(chart), "sender": byPerson(c.Person(), c.Name()),
		"sent": ward.FormatTime(c.now()), "payload": []object{{"contentString": text}},
	}
	if inReplyTo != "" {
		message["inResponseTo"] = []object{{"identifier": identifier(systemEntry, string(inReplyTo))}}
	}
	return resource("message", message)
}

// Retraction makes an item that says why an earlier one is not to be relied on.
func (c *Client) Retraction(chart ward.ChartID, of Entry, reason string) Item {
	if reason == "" {
		reason = "Withdrawn by its author"
	}
	item := resource(of.Header.Kind, object{
		"resourceType": "Communication", "status": "entered-in-error", "statusReason": object{"text": reason}, "subject": byChart(chart),
		"sender": byPerson(c.Person(), c.Name()), "sent": ward.FormatTime(c.now()), "payload": []object{{"contentString": reason}},
	})
	item.Retracts = of.Header.Entry
	return item
}

// An Appointment is a visit as it is planned. What it is about is in the chart and nowhere else.
type Appointment struct {
	Visit       ward.VisitID
	Start, End  time.Time
	Patient     ward.PersonID
	PatientName string
	Chart       ward.ChartID
	With        ward.PersonID
	WithName    string
	Reason      string
}

// resource is what a chart says of the visit. Status is FHIR's: booked, cancelled.
func (a Appointment) resource(status string) object {
	r := object{
		"resourceType": "Appointment", "identifier": []object{{"system": systemVisit, "value": string(a.Visit)}}, "status": status,
		"start": ward.FormatTime(a.Start), "end": ward.FormatTime(a.End),
		"participant": []object{
			{"actor": byPerson(a.Patient, a.PatientName), "status": "accepted"}, {"actor": byPerson(a.With, a.WithName), "status": "accepted"},
		},
		"supportingInformation": []object{byChart(a.Chart)},
	}
	if a.Reason != "" {
		r["reasonCode"] = []object{{"text": a.Reason}}
	}
	return r
}

// ReadAppointment tells which visit an Appointment of Ward's in a chart names, and what it is about.
func ReadAppointment(text []byte) (visit ward.VisitID, reason string, err error) {
	var r struct {
		ResourceType string
		Identifier   []struct{ System, Value string }
		ReasonCode   []struct{ Text string }
	}
	if err := json.Unmarshal(text, &r); err != nil || r.ResourceType != "Appointment" {
		return "", "", fmt.Errorf("read appointment: it is none: %w", err)
	}
	for _, id := range r.Identifier {
		if id.System == systemVisit {
			visit = ward.VisitID(id.Value)
		}
	}
	if len(r.ReasonCode) > 0 {
		reason = r.ReasonCode[0].Text
	}
	return visit, reason, nil
}

// A Listing is what a person entry says of someone.
type Listing struct {
	Person    ward.PersonID
	Chart     ward.ChartID
	Name      string
	Given     string
	Family    string
	BirthDate string
	Phone     string
	Email     string
	Author    ward.PersonID // who wrote it
	byStaff   bool
	opening   string // of the commitment to the name
}

func readListing(text []byte) (Listing, error) {
	var r struct {
		ResourceType string
		BirthDate    string
		Identifier   []struct{ System, Value string }
		Name         []struct {
			Text, Family string
			Given        []string
		}
		Telecom []struct{ System, Value string }
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return Listing{}, fmt.Errorf("read person: %w", err)
	}
	switch r.ResourceType {
	case "Patient", "Practitioner", "Person", "RelatedPerson":
	default:
		return Listing{}, errors.New("read person: it is none")
	}
	l := Listing{BirthDate: r.BirthDate}
	for _, i := range r.Identifier {
		switch i.System {
		case systemPerson:
			l.Person = ward.PersonID(i.Value)
		case systemChart:
			l.Chart = ward.ChartID(i.Value)
		case systemName:
			l.opening = i.Value
		}
	}
	for _, t := range r.Telecom {
		switch t.System {
		case "phone":
			l.Phone = t.Value
		case "email":
			l.Email = t.Value
		}
	}
	if len(r.Name) > 0 {
		l.Given, l.Family, l.Name = strings.Join(r.Name[0].Given, " "), r.Name[0].Family, r.Name[0].Text
		if l.Name == "" {
			l.Name = About{Given: l.Given, Family: l.Family}.Name()
		}
	}
	return l, nil
}

// compress gzips.
func compress(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(data) // a buffer takes everything
	w.Close()
	return out.Bytes()
}

// expand is a body as it was before its encoding.
func expand(encoding string, body []byte) ([]byte, error) {
	if encoding == "" {
		return body, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(r, seal.MaxFHIR+1))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	if len(data) > seal.MaxFHIR {
		return nil, fmt.Errorf("gunzip: it holds more than %d bytes", seal.MaxFHIR)
	}
	return data, nil
}

// ReadFHIR reads the resources of a file: a Bundle of any type, or one resource.
func ReadFHIR(text []byte) ([]json.RawMessage, error) {
	var r struct {
		Entry []struct {
			FullURL  string          `json:"fullUrl"`
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	kind := resourceType(text)
	if kind != "Bundle" && kind != "" {
		return []json.RawMessage{text}, nil
	}
	if err := json.Unmarshal(text, &r); err != nil || kind == "" {
		return nil, &ward.Error{Kind: ward.Invalid, Message: "this is not FHIR", Hint: "Choose a file of FHIR R4 in JSON.", Err: err}
	}
	var all []json.RawMessage
	for _, e := range r.Entry {
		var fields map[string]json.RawMessage
		if resourceType(e.Resource) == "" || json.Unmarshal(e.Resource, &fields) != nil {
			continue
		}
		// A resource without an id of its own is known by its place in the bundle, which references use.
		if urn, ok := strings.CutPrefix(e.FullURL, "urn:uuid:"); ok && fields["id"] == nil {
			fields["id"] = marshalJSON(urn)
			e.Resource = marshalJSON(fields)
		}
		all = append(all, e.Resource)
	}
	return all, nil
}

// resourceType is a resource's own, or nothing if it is none.
func resourceType(text []byte) string {
	var r struct {
		ResourceType string `json:"resourceType"`
	}
	if json.Unmarshal(text, &r) != nil {
		return ""
	}
	return r.ResourceType
}

// bundles puts resources into collections of about bundleSize, each an item.
func bundles(resources []json.RawMessage) []Item {
	type place struct {
		FullURL  string          `json:"fullUrl,omitempty"`
		Resource json.RawMessage `json:"resource"`
	}
	var items []Item
	var entries []place
	size := 0
	flush := func() {
		if len(entries) > 0 {
			items = append(items, resource("record", object{"resourceType": "Bundle", "type": "collection", "entry": entries}))
		}
		entries, size = nil, 0
	}
	for _, r := range resources {
		if size+len(r) > bundleSize {
			flush()
		}
		var id struct {
			ID string `json:"id"`
		}
		e := place{Resource: r}
		if json.Unmarshal(r, &id) == nil && id.ID != "" {
			e.FullURL = "urn:uuid:" + id.ID
		}
		entries, size = append(entries, e), size+len(r)
	}
	flush()
	return items
}
