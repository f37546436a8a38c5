package visits

import (
	"context"

	"ward"
	"ward/store"
)

// The delivery service of MLS (RFC 9750, section 5): it puts a group's messages in order and accepts one commit for each
// epoch. It sees which epoch a message is for and of what kind it is; whether it is right is for the members, each of
// whom checks everything again.

// maxMessages bounds what one visit keeps: hours of chat, and more commits than people could cause.
const maxMessages = 20_000

const (
	// maxKept bounds the bytes that one visit keeps, which a member who floods it could fill: a visit writes a few MB.
	maxKept = 64 << 20
	// keptUnasked is how many messages may come before their bytes are added up each time: that many fit anyway.
	keptUnasked = maxKept / ward.MaxMLS
)

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
	case of.seq >= maxMessages:
		return nil, ward.Errorf(ward.TooMany, "this visit has had too many messages").WithHint("End it and begin another.")
	}
	if of.seq >= keptUnasked {
		if kept, err := keptBytes(ctx, tx, who.Org, id); err != nil {
			return nil, err
		} else if kept+int64(len(n.Body)) > maxKept {
			return nil, ward.Errorf(ward.TooMany, "this visit has had too much written").WithHint("End it and begin another.")
		}
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
