package visits

import (
	"context"
	"time"

	"ward"
	"ward/store"
)

// The delivery service of MLS (RFC 9750, section 5): it puts a group's messages in order and accepts one commit for each
// epoch. It sees which epoch a message is for and of what kind it is; whether it is right is for the members, each of
// whom checks everything again.

// Each member has a budget of their own, for as long as the visit lasts, and commits have one apart from what is said: so
// whoever floods a visit silences themselves and nobody else, and whom the host takes out is out. All of what members may
// send is what a member who joins again may be made to fetch.
const (
	// maxSaid and maxSaidBytes are hours of chat, of one member.
	maxSaid      = 2_000
	maxSaidBytes = 2 << 20
	// saidBurst is how many messages may come at once, and saidEvery how long each further one takes to be earned: faster
	// than people write, slower than it hurts.
	saidBurst = 60
	saidEvery = 500 * time.Millisecond
	// maxCommits and maxCommitBytes are how often a member may join again: some hundred lost connections.
	maxCommits     = 300
	maxCommitBytes = 8 << 20
	// The host's commits also take others out and begin new epochs, and nothing may be in their way.
	maxHostCommits     = 10_000
	maxHostCommitBytes = 64 << 20
)

// spend takes a message out of its sender's budget.
func (v *Visits) spend(ctx context.Context, tx *store.Tx, who ward.Caller, of visit, kind string, size int64) error {
	b, err := budgetOf(ctx, tx, who.Org, of.id, who.Person)
	if err != nil {
		return err
	}
	if kind != kindApplication {
		most, mostBytes := int64(maxCommits), int64(maxCommitBytes)
		if of.host == who.Person {
			most, mostBytes = maxHostCommits, maxHostCommitBytes
		}
		b.commits, b.commitBytes = b.commits+1, b.commitBytes+size
		if b.commits > most || b.commitBytes > mostBytes {
			return ward.Errorf(ward.TooMany, "you joined this visit too often").WithHint("Ask the clinic for another visit.")
		}
		return setBudget(ctx, tx, who.Org, of.id, who.Person, b)
	}
	now := v.Now().UnixMilli()
	b.said, b.saidBytes = b.said+1, b.saidBytes+size
	b.earned = max(b.earned, now-saidBurst*saidEvery.Milliseconds()) + saidEvery.Milliseconds()
	switch {
	case b.said > maxSaid || b.saidBytes > maxSaidBytes:
		return ward.Errorf(ward.TooMany, "you have written as much as a visit keeps").WithHint("Write a message in the chart.")
	case b.earned > now:
		return ward.Errorf(ward.TooMany, "that was too fast").WithHint("Wait a moment, and send it again.")
	}
	return setBudget(ctx, tx, who.Org, of.id, who.Person, b)
}

// deliver puts a message at the end of a visit's, for who was admitted.
func (v *Visits) deliver(ctx context.Context, tx *store.Tx, who ward.Caller, id ward.VisitID, n ward.NewVisitMessage) (any, error) {
	for _, data := range [][]byte{n.Body, n.GroupInfo} {
		if len(data) > ward.MaxMLS {
			return nil, ward.Errorf(ward.TooLarge, "a message is larger than %d bytes", ward.MaxMLS)
		}
	}
	m, err := parseMessage(n.Body)
	if err != nil {
		return nil, ward.Errorf(ward.Invalid, "body: %w", err)
	}
	of, err := holdVisit(ctx, tx, who, id)
	if err != nil {
		return nil, err
	}
	switch {
	case of.state != open || of.me != admitted:
		return nil, ward.Errorf(ward.Conflict, "this visit is not open to you")
	case m.group != string(id):
		return nil, ward.Errorf(ward.Invalid, "the message is for another group")
	case m.kind == kindCommit && !m.external && of.host != who.Person:
		return nil, ward.Errorf(ward.Refused, "only the clinician whose visit it is changes its group").WithHint("Join it once more.")
	}
	switch {
	case m.kind == kindGroupInfo:
		return v.begin(ctx, tx, who, of, m, n)
	case m.kind != kindCommit && n.GroupInfo != nil:
		return nil, ward.Errorf(ward.Invalid, "only a commit comes with a group info")
	case m.kind == kindApplication && of.epoch > 0 && int64(m.epoch) == of.epoch-1:
		// Written while a commit was on its way: the members still read it.
	case of.epoch < 0 || int64(m.epoch) != of.epoch:
		return nil, ward.Errorf(ward.Conflict, "the message is for epoch %d and the group is in epoch %d", m.epoch, of.epoch).
			WithHint("Take the messages that came first, and make it again.")
	}
	if err := v.spend(ctx, tx, who, of, m.kind, int64(len(n.Body))); err != nil {
		return nil, err
	}
	of.seq++
	placed := ward.VisitMessage{Seq: of.seq, Epoch: int64(m.epoch), Kind: m.kind, Sender: who.Person, Body: n.Body}
	if err := insertMessage(ctx, tx, who.Org, id, placed); err != nil {
		return nil, err
	}
	if m.kind == kindCommit {
		info, err := parseMessage(n.GroupInfo)
		if err != nil || info.kind != kindGroupInfo || info.group != m.group || info.epoch != m.epoch+1 {
			return nil, ward.Errorf(ward.Invalid, "a commit comes with the group info of the epoch that it begins")
		}
		of.epoch++
		if err := setGroup(ctx, tx, who.Org, id, of.epoch, n.GroupInfo); err != nil {
			return nil, err
		}
	}
	placed.Body = []byte{} // its sender has it
	answer := ward.VisitMessages{Messages: []ward.VisitMessage{placed}, Epoch: of.epoch}
	v.tell(tx, who.Org, of, of.seq)
	return answer, nil
}

// begin takes the host's new group, at epoch 0. When someone admitted spoiled the old one with a commit that the others
// refuse, the host begins again: that is a message in its place too, and whoever was admitted joins the new group.
func (v *Visits) begin(ctx context.Context, tx *store.Tx, who ward.Caller, of visit, m message, n ward.NewVisitMessage) (any, error) {
	switch {
	case of.host != who.Person:
		return nil, ward.Errorf(ward.Refused, "only the clinician whose visit it is begins its group")
	case m.epoch != 0 || n.GroupInfo != nil:
		return nil, ward.Errorf(ward.Invalid, "a group begins with the group info of its epoch 0, and nothing else")
	case of.epoch >= 0 && !n.Again:
		return nil, ward.Errorf(ward.Conflict, "this visit has its group").WithHint("Join it.")
	}
	answer := ward.VisitMessages{Messages: []ward.VisitMessage{}, Epoch: 0}
	if of.epoch >= 0 {
		if err := v.spend(ctx, tx, who, of, kindCommit, int64(len(n.Body))); err != nil {
			return nil, err
		}
		of.seq++
		placed := ward.VisitMessage{Seq: of.seq, Epoch: 0, Kind: "group", Sender: who.Person, Body: n.Body}
		if err := insertMessage(ctx, tx, who.Org, of.id, placed); err != nil {
			return nil, err
		}
		placed.Body = []byte{}
		answer.Messages = append(answer.Messages, placed)
	}
	if err := setGroup(ctx, tx, who.Org, of.id, 0, n.Body); err != nil {
		return nil, err
	}
	v.tell(tx, who.Org, of, of.seq)
	return answer, nil
}
