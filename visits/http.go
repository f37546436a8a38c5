package visits

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"ward"
	"ward/policy"
	"ward/seal/envelope"
	"ward/store"
)

// AboutVisit loads the visit in the path.
func (v *Visits) AboutVisit(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (policy.Resource, error) {
	of, err := getVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return policy.Resource{}, err
	}
	return v.about(ctx, tx, who, of)
}

func idOf(r *http.Request) ward.VisitID { return ward.VisitID(r.PathValue("visit")) }

// Get answers GET /api/visits/{visit}[?group=1]. Its host sees who is at the door; who was admitted sees who else was, and
// may have the group's state, to be ready before they go in.
func (v *Visits) Get(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := getVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	return shown(ctx, tx, who, of, r.FormValue("group") == "1")
}

// shown is a visit as the caller sees it, perhaps with the group's state.
func shown(ctx context.Context, tx *store.Tx, who ward.Caller, of visit, withGroup bool) (ward.Visit, error) {
	answer, isHost := of.wire(), of.host == who.Person
	if who.Visit != "" {
		answer.Chart = "" // a guest sees nothing but the visit
	}
	links, err := guestsOf(ctx, tx, who.Org, of.id)
	if err != nil {
		return answer, err
	}
	for _, g := range links {
		if isHost || g.inviter == who.Person {
			answer.Guests = append(answer.Guests, g.wire(isHost))
		}
	}
	if !isHost && of.me != admitted {
		return answer, nil
	}
	all, err := membersOf(ctx, tx, who.Org, of.id)
	if err != nil {
		return answer, err
	}
	for _, m := range all {
		if m.id == who.Person {
			answer.Names = m.names
		}
		if m.state == admitted || isHost {
			answer.Members = append(answer.Members, ward.VisitMember{
				Member: m.id, State: m.state, Since: formatMilli(m.since), AdmissionText: string(m.admission), Name: m.name,
			})
		}
	}
	if withGroup && of.state == open {
		answer.GroupInfo, err = groupInfo(ctx, tx, who.Org, of.id)
	}
	return answer, err
}

// Arrive answers POST /api/visits/{visit}/arrive: someone comes to the door, or comes back. The host opens the visit by
// coming. Who was admitted once stays so, through a reload or another network.
func (v *Visits) Arrive(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := holdVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	now := v.Now()
	switch {
	case of.over(now):
		return nil, ward.Errorf(ward.Gone, "this visit is over")
	case now.Before(time.UnixMilli(of.starts).Add(-opensEarly)):
		return nil, ward.Errorf(ward.Conflict, "this visit is not yet").WithHint("Come back up to two hours before it starts.")
	case of.me == removed:
		return nil, ward.Errorf(ward.Refused, "you were taken out of this visit").WithHint("Ask the clinic.")
	}
	m := member{id: who.Person, state: waiting, since: now.UnixMilli()}
	if of.host == who.Person {
		m.state, of.state = admitted, open
		if err := setVisit(ctx, tx, who.Org, of); err != nil {
			return nil, err
		}
	}
	all, err := membersOf(ctx, tx, who.Org, of.id)
	if err != nil {
		return nil, err
	}
	for _, known := range all {
		if known.id == who.Person && known.state == admitted {
			m = known
		}
		if known.id == who.Person && known.state == waiting {
			m.since = known.since
		}
	}
	if err := putMember(ctx, tx, who.Org, of.id, m); err != nil {
		return nil, err
	}
	of.me = m.state
	v.tell(tx, who.Org, of, of.seq)
	return shown(ctx, tx, who, of, false)
}

// Admit answers POST /api/visits/{visit}/admit: the host lets someone in who waits.
func (v *Visits) Admit(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.VisitAdmission](r.Body)
	if err != nil {
		return nil, err
	}
	s, err := envelope.Parse[envelope.Admission]([]byte(body.AdmissionText))
	if err != nil {
		return nil, ward.Errorf(ward.Invalid, "the admission is not valid: %w", err)
	}
	of, err := holdVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	b := s.Body
	if b.Org != who.Org || b.Visit != of.id || b.Admitter != who.Person {
		return nil, ward.Errorf(ward.Invalid, "the admission is to another visit, or by someone else")
	}
	if err := s.Verify(who.Browser); err != nil {
		return nil, ward.Errorf(ward.Invalid, "the admission is not signed by this browser: %w", err)
	}
	m, err := v.member(ctx, tx, who.Org, of.id, ward.PersonID(b.Member))
	if err != nil {
		return nil, err
	}
	if m.state != waiting && m.state != admitted {
		return nil, ward.Errorf(ward.Conflict, "this person is not at the door any more")
	}
	if err := v.isAdmissible(ctx, tx, who.Org, of, m, b); err != nil {
		return nil, err
	}
	if len(body.Name) > ward.MaxSealedName || (b.Called != "") != (len(body.Name) > 0) || b.Called != "" && envelope.Hash(body.Name) != b.Called {
		return nil, ward.Errorf(ward.Invalid, "the name is not the one that the admission is for")
	}
	if len(body.Names) > ward.MaxSealedName || len(body.Names) > 0 && envelope.CheckSealed(body.Names) != nil {
		return nil, ward.Errorf(ward.Invalid, "the key of names is not sealed")
	}
	all, err := membersOf(ctx, tx, who.Org, of.id)
	if err != nil {
		return nil, err
	}
	inside := 0
	for _, other := range all {
		if other.state == admitted && other.id != m.id {
			inside++
		}
	}
	if inside >= ward.MaxMembers {
		return nil, ward.Errorf(ward.Conflict, "a visit has room for %d", ward.MaxMembers)
	}
	m.state, m.since, m.admission, m.name, m.names = admitted, v.Now().UnixMilli(), s.Text, body.Name, body.Names
	if err := putMember(ctx, tx, who.Org, of.id, m); err != nil {
		return nil, err
	}
	v.tell(tx, who.Org, of, of.seq)
	return nil, v.record(ctx, tx, who, of, "admitted", m.id)
}

// member finds someone at a visit's door.
func (v *Visits) member(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.VisitID, who ward.PersonID) (member, error) {
	all, err := membersOf(ctx, tx, org, id)
	if err != nil {
		return member{}, err
	}
	for _, m := range all {
		if m.id == who {
			return m, nil
		}
	}
	return member{}, ward.Errorf(ward.Missing, "this person did not come to the door")
}

func (v *Visits) record(ctx context.Context, tx *store.Tx, who ward.Caller, of visit, action string, about ward.PersonID) error {
	kind := "person:"
	if _, err := getGuest(ctx, tx, about); err == nil {
		kind = "guest:"
	} else if ward.KindOf(err) != ward.Missing {
		return err
	}
	return v.Ledger.Append(ctx, tx, who.Org, ward.Event{
		Person: who.Person, Roles: who.Roles, Action: action, About: kind + string(about), Chart: of.chart, Decision: "allow",
	})
}

// Remove answers DELETE /api/visits/{visit}/members/{member}: the host takes someone out, at once and for good. Their
// group removes them too, so that they decode nothing that was on its way.
func (v *Visits) Remove(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := holdVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	m, err := v.member(ctx, tx, who.Org, of.id, ward.PersonID(r.PathValue("member")))
	if err != nil {
		return nil, err
	}
	if m.id == of.host {
		return nil, ward.Errorf(ward.Invalid, "you run this visit").WithHint("End it instead.")
	}
	m.state, m.since, m.admission, m.name, m.names = removed, v.Now().UnixMilli(), nil, nil, nil
	if err := putMember(ctx, tx, who.Org, of.id, m); err != nil {
		return nil, err
	}
	if err := v.Sessions.EndGuests(ctx, tx, who.Org, of.id, m.id); err != nil {
		return nil, err
	}
	v.tell(tx, who.Org, of, of.seq)
	tx.AfterCommit(func() { v.media.Remove(context.WithoutCancel(ctx), of.id, string(m.id)) })
	return nil, v.record(ctx, tx, who, of, "removed-from-visit", m.id)
}

// Leave answers POST /api/visits/{visit}/leave. Who was admitted may come back without being admitted again.
func (v *Visits) Leave(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := holdVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	if of.me == waiting {
		if err := putMember(ctx, tx, who.Org, of.id, member{id: who.Person, state: left, since: v.Now().UnixMilli()}); err != nil {
			return nil, err
		}
	}
	v.tell(tx, who.Org, of, of.seq)
	tx.AfterCommit(func() { v.media.Remove(context.WithoutCancel(ctx), of.id, string(who.Person)) })
	return nil, nil
}

// End answers POST /api/visits/{visit}/end: for everyone. What the group said goes.
func (v *Visits) End(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := holdVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	if of.state != open {
		return nil, ward.Errorf(ward.Conflict, "this visit is not open")
	}
	of.state = ended
	if err := setVisit(ctx, tx, who.Org, of); err != nil {
		return nil, err
	}
	if err := v.forget(ctx, tx, who.Org, of.id); err != nil {
		return nil, err
	}
	v.tell(tx, who.Org, of, 0)
	tx.AfterCommit(func() { v.media.End(context.WithoutCancel(ctx), of.id) })
	return nil, nil
}

// Enter answers POST /api/visits/{visit}/enter: all that who was admitted needs to be in the visit, at once, since each
// answer that they wait for is time until they see someone.
func (v *Visits) Enter(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := getVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	room, err := v.pass(who, of)
	if err != nil {
		return nil, err
	}
	seen, err := shown(ctx, tx, who, of, true)
	return ward.VisitEntry{Visit: seen, Room: room}, err
}

// Room answers POST /api/visits/{visit}/room: the way into the media server again, for who was admitted.
func (v *Visits) Room(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	of, err := getVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	return v.pass(who, of)
}

func (v *Visits) pass(who ward.Caller, of visit) (ward.VisitRoom, error) {
	if of.state != open {
		return ward.VisitRoom{}, ward.Errorf(ward.Conflict, "this visit is not open")
	}
	token, err := v.media.Token(of.id, string(who.Person))
	if err != nil {
		return ward.VisitRoom{}, err
	}
	return ward.VisitRoom{URL: v.media.url, Token: token, Outside: v.media.outside != nil, Relays: v.media.relay.pass(v.Now(), of.id, string(who.Person))}, nil
}

// Signal answers GET /rtc and below: the media server's signalling. It asks for the token that Room gave, so who comes
// here was decided there; but the token is good for longer than who was taken out may use it, and the media server gives
// newer ones to who is connected.
func (v *Visits) Signal(_ context.Context, _ ward.Caller, w http.ResponseWriter, r *http.Request) error {
	if visit, member, ok := v.media.holder(r); ok && !v.isIn(visit, member) {
		return ward.Errorf(ward.Refused, "you are not in this visit")
	}
	v.media.ServeHTTP(w, r)
	return nil
}

// Post answers POST /api/visits/{visit}/messages.
func (v *Visits) Post(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	body, err := ward.Decode[ward.NewVisitMessage](r.Body)
	if err != nil {
		return nil, err
	}
	return v.deliver(ctx, tx, who, idOf(r), body)
}

// Messages answers GET /api/visits/{visit}/messages?after=N.
func (v *Visits) Messages(ctx context.Context, tx *store.Tx, who ward.Caller, r *http.Request) (any, error) {
	after, err := strconv.ParseInt(r.FormValue("after"), 10, 64)
	if err != nil || after < 0 {
		return nil, ward.Errorf(ward.Invalid, "after must be a number from 0")
	}
	of, err := getVisit(ctx, tx, who, idOf(r))
	if err != nil {
		return nil, err
	}
	page, err := messagesAfter(ctx, tx, who.Org, of.id, after)
	if err != nil {
		return nil, err
	}
	page.Epoch = of.epoch
	return page, nil
}
