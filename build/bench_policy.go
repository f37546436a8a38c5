package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"ward"
	"ward/policy"
)

// The clinic of the policy benchmark: a large hospital, in memory, since the question is what a decision costs without
// the database. A tenth of the grants are to teams.
const (
	policyUsers     = 10_000
	policyGrants    = 100_000
	policyLocks     = 20_000 // two for each of ten thousand charts
	policyTeams     = 100
	policyDecisions = 200_000
	policyRuns      = 5
)

func benchPolicy(ctx context.Context, b *bencher) error {
	engine, err := policy.New()
	if err != nil {
		return err
	}
	h := newHospital(rand.New(rand.NewPCG(1, 2)))
	var p50s, p99s []float64
	for range policyRuns {
		times := make([]float64, 0, policyDecisions)
		allowed := 0
		for range policyDecisions {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			lock, person := h.question()
			start := time.Now()
			d := engine.Decide(h.request(lock, person))
			times = append(times, float64(time.Since(start).Nanoseconds())/1000)
			if d.Allow != h.mayRead(lock, person) {
				return fmt.Errorf("lock %d, person %d: decided %+v", lock, person, d)
			}
			if d.Allow {
				allowed++
			}
		}
		if allowed == 0 || allowed == policyDecisions {
			return errors.New("the questions do not have both answers")
		}
		p50s, p99s = append(p50s, quantile(times, 0.5)), append(p99s, quantile(times, 0.99))
	}
	scale := fmt.Sprintf("policy decision, %d users, %d grants: ", policyUsers, policyGrants)
	b.print(scale+"p50", median(p50s), "µs", noGoal)
	b.print(scale+"p99", median(p99s), "µs", atMost(100))
	return nil
}

type hospital struct {
	random *rand.Rand
	people []ward.Caller
	teams  [][]ward.LockID       // that a person holds
	locks  []policy.Resource     // with their readers
	team   []map[int]bool        // members of each team
	reads  []map[int]bool        // persons granted each lock directly
	held   []map[ward.LockID]int // teams granted each lock, by id
}

func newHospital(random *rand.Rand) *hospital {
	const org = "clinic"
	h := &hospital{random: random}
	for range policyUsers {
		role := ward.Patient
		if random.IntN(10) == 0 {
			role = ward.Clinician
		}
		h.people = append(h.people, ward.Caller{Org: org, Person: ward.NewID[ward.PersonID](), Roles: []ward.Role{role}})
	}
	h.teams = make([][]ward.LockID, policyUsers)
	teams := make([]ward.LockID, policyTeams)
	h.team = make([]map[int]bool, policyTeams)
	for i := range teams {
		teams[i], h.team[i] = ward.NewID[ward.LockID](), map[int]bool{}
	}
	for person, caller := range h.people {
		if caller.Has(ward.Clinician) {
			i := random.IntN(policyTeams)
			h.team[i][person] = true
			h.teams[person] = append(h.teams[person], teams[i])
		}
	}
	for i := range policyLocks {
		compartment := []string{"general", "restricted"}[i%2]
		h.locks = append(h.locks, policy.Resource{
			Type: "Lock", ID: string(ward.NewID[ward.LockID]()), Org: org, Kind: "chart", Compartment: compartment,
			Owner: h.people[i/2%policyUsers].Person,
		})
		h.reads, h.held = append(h.reads, map[int]bool{}), append(h.held, map[ward.LockID]int{})
	}
	for i := range policyGrants {
		lock := random.IntN(policyLocks)
		if i%10 == 0 {
			team := random.IntN(policyTeams)
			h.held[lock][teams[team]] = team
			h.locks[lock].ReaderLocks = append(h.locks[lock].ReaderLocks, teams[team])
			continue
		}
		person := random.IntN(policyUsers)
		h.reads[lock][person] = true
		h.locks[lock].Readers = append(h.locks[lock].Readers, h.people[person].Person)
	}
	return h
}

// question picks a lock and, half of the time, someone who was granted it.
func (h *hospital) question() (lock, person int) {
	lock = h.random.IntN(policyLocks)
	if h.random.IntN(2) == 0 {
		for reader := range h.reads[lock] {
			return lock, reader
		}
	}
	return lock, h.random.IntN(policyUsers)
}

func (h *hospital) request(lock, person int) policy.Request {
	return policy.Request{Caller: h.people[person], Teams: h.teams[person], Action: "readEntries", About: h.locks[lock]}
}

func (h *hospital) mayRead(lock, person int) bool {
	if h.reads[lock][person] {
		return true
	}
	for _, team := range h.held[lock] {
		if h.team[team][person] {
			return true
		}
	}
	return false
}
