package client

import (
	"slices"
	"testing"

	"ward"
	"ward/seal/envelope"
)

func TestWhoLosesARoleLosesItsKeys(t *testing.T) {
	c, ctx := founded(t), t.Context()
	okaforClient, _, invited := c.join(c.founder, okafor, ward.Clinician)
	patient, _, amina := c.join(c.founder, amina, ward.Patient)
	clinic, err := c.founder.clinicLocks()
	c.must(err)
	holds := func(lock ward.LockID) bool {
		l, err := c.founder.OpenLock(ctx, lock)
		c.must(err)
		members, err := c.founder.Members(ctx, l)
		c.must(err)
		return slices.ContainsFunc(members, func(m Member) bool { return m.Grant.Person == invited.Person && m.State == "live" })
	}
	epoch := func(lock ward.LockID) int64 {
		l, err := c.founder.OpenLock(ctx, lock)
		c.must(err)
		return l.Current().Epoch
	}
	chart, err := okaforClient.OpenChart(ctx, amina.Chart)
	c.must(err)
	of := func(compartment string) ward.LockID {
		at := slices.IndexFunc(chart.Locks, func(l *Lock) bool { return l.Compartment == compartment })
		return chart.Locks[at].Lock
	}
	general := of(envelope.General)
	before := map[ward.LockID]int64{clinic.Clinicians: epoch(clinic.Clinicians), clinic.Emergency: epoch(clinic.Emergency), general: epoch(general)}

	c.must(c.founder.SetRoles(ctx, invited.Person, ward.FrontDesk))
	if holds(clinic.Clinicians) || holds(clinic.Emergency) {
		t.Error("who is no clinician any more still holds the clinicians' keys")
	}
	if !holds(clinic.Directory) || !holds(clinic.Staff) {
		t.Error("the front desk lost the directory or the list of staff")
	}
	c.must(c.founder.Housekeep(ctx))
	for lock, was := range before {
		if now := epoch(lock); now != was+1 {
			t.Errorf("lock %s is in epoch %d; want %d, which the leaver has no key of", lock, now, was+1)
		}
	}
	_, err = patient.Write(ctx, amina.Chart, envelope.General, patient.Message(amina.Chart, "After the change.", ""))
	c.must(err)

	c.must(c.founder.SetRoles(ctx, invited.Person, ward.Admin))
	if holds(clinic.Directory) {
		t.Error("an administrator holds the directory of names")
	}
	c.must(c.founder.SetRoles(ctx, invited.Person, ward.Clinician))
	c.must(c.founder.Housekeep(ctx))
	if !holds(clinic.Clinicians) || !holds(clinic.Directory) {
		t.Error("a clinician again, and not given the keys again")
	}
}
