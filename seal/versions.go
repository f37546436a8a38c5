package seal

import (
	"ward"
)

// An entry may be corrected or withdrawn by a later one. Which version counts is decided here, for everyone alike
// (docs/formats.md, Versions), from what is signed: nothing of a server's word is in it.

// A Version is what of an entry decides which of several counts.
type Version struct {
	Lock      ward.LockID
	Seq       int64
	Entry     ward.EntryID
	Kind      string
	Author    ward.PersonID
	Clinician bool // whether the author was one at the entry's place
	Amends    ward.EntryID
	Retracts  ward.EntryID
}

// A Thread is an entry with what corrected it. The numbers are indices of the entries that were given.
type Thread struct {
	Versions  []int // oldest first; the last counts
	Withdrawn int   // the entry that withdrew it, or -1
}

// Now is the version that counts, unless the thread was withdrawn.
func (t Thread) Now() int { return t.Versions[len(t.Versions)-1] }

// Threads sorts the entries of any locks into threads, in order of their first versions. Entries of one lock come in order of their
// Seq. A change is honoured if what it changes came before it in the same lock, and is by its own author or the change by
// a clinician. An amendment that is not honoured, or comes after its thread was withdrawn, hides nothing: it is a thread of
// its own. A retraction that is not honoured changes nothing. Snapshots are in no thread.
func Threads(entries []Version) []Thread {
	type place struct {
		lock  ward.LockID
		entry ward.EntryID
	}
	var threads []Thread
	first, threadOf := map[place]int{}, map[int]int{} // an id that is used twice is its first entry's
	target := func(e Version, of ward.EntryID) (int, bool) {
		i, ok := first[place{e.Lock, of}]
		if !ok || of == "" || entries[i].Seq >= e.Seq {
			return 0, false
		}
		in, ok := threadOf[i]
		return in, ok && (entries[i].Author == e.Author || e.Clinician)
	}
	for i, e := range entries {
		if e.Kind == "snapshot" {
			continue
		}
		if e.Retracts != "" {
			if in, ok := target(e, e.Retracts); ok && threads[in].Withdrawn < 0 {
				threads[in].Withdrawn = i
			}
			continue
		}
		in, ok := target(e, e.Amends)
		if !ok || threads[in].Withdrawn >= 0 {
			in, threads = len(threads), append(threads, Thread{Withdrawn: -1})
		}
		threads[in].Versions = append(threads[in].Versions, i)
		threadOf[i] = in
		if _, used := first[place{e.Lock, e.Entry}]; !used {
			first[place{e.Lock, e.Entry}] = i
		}
	}
	return threads
}
