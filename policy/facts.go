package policy

import (
	"slices"

	"github.com/cedar-policy/cedar-go"

	"ward"
)

// facts are the entities of one decision: who asks, what it is about, and whom a grant is to. They carry only what can
// change the answer. Of a lock's readers that is the caller or nobody; of its reader locks, those that the caller
// holds. So a decision costs the same for a lock with two readers and with two hundred.
type facts struct {
	request  cedar.Request
	entities []cedar.Entity
}

// Get finds an entity, as cedar.Authorize asks for it.
func (f *facts) Get(uid cedar.EntityUID) (cedar.Entity, bool) {
	for _, e := range f.entities {
		if e.UID == uid {
			return e, true
		}
	}
	return cedar.Entity{}, false
}

func newFacts(r Request, about *Resource) *facts {
	f := &facts{entities: make([]cedar.Entity, 0, 3)}
	caller := uid("Visitor", "nobody")
	switch {
	case r.Caller.Visit != "":
		caller = uid("Guest", r.Caller.Person)
	case r.Caller.Person != "":
		caller = uid("Person", r.Caller.Person)
	}
	f.addCaller(caller, r, about)
	resource := f.addResource(caller, r, about)
	f.request = cedar.Request{
		Principal: caller,
		Action:    uid("Action", r.Action),
		Resource:  resource,
		Context:   f.context(r.Action, about),
	}
	return f
}

func (f *facts) addCaller(caller cedar.EntityUID, r Request, about *Resource) {
	if r.Caller.Person == "" {
		f.entities = append(f.entities, cedar.Entity{UID: caller})
		return
	}
	if r.Caller.Visit != "" {
		visit := cedar.NewRecord(cedar.RecordMap{"visit": uid("Visit", r.Caller.Visit)})
		f.entities = append(f.entities, cedar.Entity{UID: caller, Attributes: visit})
		return
	}
	parents := roles(r.Caller.Roles)
	for _, lock := range r.Teams {
		if slices.Contains(about.ReaderLocks, lock) {
			parents = append(parents, uid("Lock", lock))
		}
	}
	f.entities = append(f.entities, person(caller, r.Caller.Org, r.Caller.Pending, parents))
}

func (f *facts) addResource(caller cedar.EntityUID, r Request, about *Resource) cedar.EntityUID {
	if about.Type == "" || about.Type == "Clinic" {
		return uid("Clinic", about.Org)
	}
	resource := uid(cedar.EntityType(about.Type), about.ID)
	if resource == caller {
		return resource
	}
	if about.Type == "Person" {
		f.entities = append(f.entities, person(resource, about.Org, false, roles(about.Roles)))
		return resource
	}
	f.entities = append(f.entities, cedar.Entity{
		UID:        resource,
		Parents:    cedar.NewEntityUIDSet(uid("Clinic", about.Org)),
		Attributes: cedar.NewRecord(attributes(caller, r, about)),
	})
	return resource
}

func attributes(caller cedar.EntityUID, r Request, about *Resource) cedar.RecordMap {
	if about.Type == "Invitation" {
		return cedar.RecordMap{"roles": set(roles(about.Roles))}
	}
	onlyCaller := func(people []ward.PersonID) cedar.Set {
		if r.Caller.Person != "" && slices.Contains(people, r.Caller.Person) {
			return cedar.NewSet(caller)
		}
		return cedar.NewSet()
	}
	if about.Type == "Visit" {
		a := cedar.RecordMap{
			"host": uid("Person", about.Host), "owner": uid("Person", about.Owner),
			"readers": onlyCaller(about.Readers), "members": onlyCaller(about.Members), "guests": cedar.NewSet(),
		}
		if r.Caller.Visit != "" {
			a["readers"], a["members"], a["guests"] = cedar.NewSet(), cedar.NewSet(), onlyCaller(about.Members)
		}
		return a
	}
	var held []cedar.EntityUID
	for _, lock := range about.ReaderLocks {
		if slices.Contains(r.Teams, lock) {
			held = append(held, uid("Lock", lock))
		}
	}
	a := cedar.RecordMap{"readers": onlyCaller(about.Readers), "readerLocks": set(held)}
	if about.Owner != "" {
		a["owner"] = uid("Person", about.Owner)
	}
	if about.Type == "Lock" || about.Type == "Chart" {
		a["emergency"] = onlyCaller(about.Emergency)
	}
	if about.Type == "Lock" {
		a["kind"] = uid("Kind", about.Kind)
		if about.Compartment != "" {
			a["compartment"] = uid("Compartment", about.Compartment)
		}
	}
	return a
}

// context is what the schema lists for the action, and for a grant it adds the grantee to the facts.
func (f *facts) context(action string, about *Resource) cedar.Record {
	switch action {
	case "writeEntry":
		return cedar.NewRecord(cedar.RecordMap{"kind": uid("EntryKind", about.EntryKind)})
	case "state":
		return cedar.NewRecord(cedar.RecordMap{"statement": uid("Statement", about.Statement)})
	case "grant", "revoke":
		c := cedar.RecordMap{"purpose": uid("Purpose", about.Purpose)}
		if action == "grant" {
			c["renewal"] = cedar.Boolean(about.Renewal)
		}
		if about.Holder != "" {
			c["lock"] = uid("Kind", about.Holder)
		}
		if about.Grantee != "" {
			grantee := uid("Person", about.Grantee)
			c["person"] = grantee
			if _, known := f.Get(grantee); !known {
				f.entities = append(f.entities, person(grantee, about.Org, false, roles(about.Roles)))
			}
		}
		return cedar.NewRecord(c)
	}
	return cedar.Record{}
}

func person(id cedar.EntityUID, org ward.OrgID, pending bool, parents []cedar.EntityUID) cedar.Entity {
	clinic := uid("Clinic", org)
	return cedar.Entity{
		UID:        id,
		Parents:    cedar.NewEntityUIDSet(append(parents, clinic)...),
		Attributes: cedar.NewRecord(cedar.RecordMap{"clinic": clinic, "pending": cedar.Boolean(pending)}),
	}
}

func roles(list []ward.Role) []cedar.EntityUID {
	uids := make([]cedar.EntityUID, 0, len(list)+2)
	for _, role := range list {
		uids = append(uids, uid("Role", role))
	}
	return uids
}

func set(uids []cedar.EntityUID) cedar.Set {
	values := make([]cedar.Value, len(uids))
	for i, u := range uids {
		values[i] = u
	}
	return cedar.NewSet(values...)
}

func uid[T ~string](kind cedar.EntityType, id T) cedar.EntityUID {
	return cedar.EntityUID{Type: kind, ID: cedar.String(id)}
}
