// Package policy answers one question: may they? The answer comes from Cedar policies, which a security officer can
// read: ward.cedarschema says what people, things and actions there are, and each *.cedar file holds the policies of
// one subject, each with an id and a sentence. Nothing is allowed unless a policy permits it, and one forbid outweighs
// every permit. decisions.md is a table of who does what to what with which answer; the tests run it.
//
// Policy is one of two locks on a door. The other is mathematics: who does not hold a key reads nothing, whatever
// policy says. So a wrong policy may give away ciphertext, times and sizes, or let someone write or remove what they
// should not; it never gives away what a chart says.
//
// Decide looks nothing up. Who asks loads what the decision needs and says it in a Request; if something is left out,
// fewer policies permit, never more, with one exception: Resource.Org, which every caller must fill in.
package policy

import "ward"

// Resource is what a request is about. Type says which of the fields count; ward.cedarschema has the same in Cedar.
//
//	Clinic      Org
//	Person      ID, Org, Roles; Statement for state
//	Invitation  ID, Org, Roles (those it invites to)
//	Lock        ID, Org, Kind, Owner and Compartment (of a chart's lock), Readers, ReaderLocks, Emergency;
//	            EntryKind for writeEntry; Purpose, Grantee, Roles (the grantee's), Holder and Renewal for grant and revoke
//	Chart       ID, Org, Owner, Readers, ReaderLocks, Emergency: of its locks together
//	Visit       ID, Org, Host, Owner (the patient), Readers (of the patient's chart), Members
type Resource struct {
	Type        string
	ID          string
	Org         ward.OrgID
	Chart       ward.ChartID  // that it belongs to, for the record; policies do not look at it
	Owner       ward.PersonID // the patient whose chart it is
	Kind        string        // of the lock: envelope.LockChart, …
	Compartment string
	Readers     []ward.PersonID // with a live grant of any epoch; leaving out others than the caller changes nothing
	ReaderLocks []ward.LockID   // the same of locks, which may leave out those that the caller does not hold; and the emergency lock, which opens only by breaking the glass
	Emergency   []ward.PersonID // who broke the glass, until their hour is over
	Host        ward.PersonID   // the clinician who runs the visit
	Members     []ward.PersonID // who were admitted to the visit, guests too; leaving out others than the caller changes nothing
	Roles       []ward.Role
	EntryKind   string
	Statement   string        // of membership, that is to be made of the person: confirm, roles, …
	Purpose     string        // of the grant
	Grantee     ward.PersonID // whom the grant is to, unless it is to a lock
	Holder      string        // the kind of the lock that the grant is to
	Renewal     bool          // the grantee holds a live grant of this lock already: a new card, a new epoch

	// Also lists further things that the same request is about, such as each grant or kind of entry of a batch. Each is
	// decided, and all must be allowed.
	Also []Resource
}

// Request is a question: may the caller do this to that?
type Request struct {
	Caller ward.Caller   // nobody in particular if Person is empty
	Teams  []ward.LockID // locks that the caller holds live
	Action string
	About  Resource
}

// Decision is the answer, with the ids of the policies that made it. A refusal that no policy names is the default.
type Decision struct {
	Allow    bool
	Policies []string
}
