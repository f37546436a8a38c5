package receipt

import (
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// All accesses to a chart, and all events of the record, are numbered without a gap, each names the commitment of the one
// before, and each leaf's entry in the log bears a mark of its number (docs/decisions/0013-accesses.md). So whoever knows the
// key of a line and reads the entries of a log up to a head that was agreed knows how many events it has there, where
// they are and what they commit to, and finds out which of them are not shown.

// A Scan reads a log from its beginning and finds the events of one line by their marks.
type Scan struct {
	key   Key
	chart string
	line  int
	first Mark
	next  Mark
	marks map[Mark]int64 // of numbers that were found
	log   frontier

	Found []Found // number 1 first
	Twice []int64 // numbers that stand in the log more than once
}

// Found is where the log has an event of a line, and what it commits to.
type Found struct {
	Index      int64
	Commitment Hash
}

// NewScan begins to read a log of an organisation with a salt, for a chart, or for the record if there is none. The key is as
// it was told; CheckShown finds out if it is another.
func NewScan(salt Key, chart string, key Key) *Scan {
	s := &Scan{key: key, chart: chart, line: LineChart, first: FirstMark(salt, chart), marks: map[Mark]int64{}}
	if chart == "" {
		s.line = LineRecord
	}
	s.next = s.first
	return s
}

func (s *Scan) mark(n int64) Mark {
	if n == 1 {
		return s.first
	}
	return MarkOf(s.key, n)
}

// Add reads the next entry.
func (s *Scan) Add(e Entry) {
	switch mark := e.Mark(s.line); {
	case mark == s.next:
		s.Found = append(s.Found, Found{s.log.size, e.Commitment()})
		s.marks[mark] = int64(len(s.Found))
		s.next = s.mark(int64(len(s.Found)) + 1)
	case s.marks[mark] > 0:
		s.Twice = append(s.Twice, s.marks[mark])
	}
	s.log.add(Hash(tlog.RecordHash(e[:])))
}

// Head is that of all entries that were read.
func (s *Scan) Head() Seen { return Seen{s.log.size, s.log.root()} }

// Opened is an event as it is shown, with what opens its leaf.
type Opened struct {
	Salt Salt   `json:"salt"`
	Text string `json:"text"`
}

// A Gap is an event that the log has and that is not shown as it was written.
type Gap struct {
	Number int64
	Why    string // missing, altered, order, twice
}

func (g Gap) Error() string {
	return fmt.Sprintf("event %d of those that the organisations agreed on is %s", g.Number, map[string]string{
		"missing": "not shown", "altered": "not shown as it was written", "order": "not shown in its place", "twice": "in the log more than once",
	}[g.Why])
}

// CheckShown compares what is shown of a line, in its order, with what a scan found, and gives what does not fit. What is
// shown beyond it waits to be agreed; it must still follow on.
func (s *Scan) CheckShown(shown []Opened) []Gap {
	var gaps []Gap
	for _, n := range s.Twice {
		gaps = append(gaps, Gap{n, "twice"})
	}
	at := int64(0) // the number that was shown last
	var before *Hash
	for _, o := range shown {
		var e struct {
			Seq, Number                                  int64
			Chart, Previous, Before, ChartKey, RecordKey string
		}
		number, follows, key := int64(0), "", ""
		if json.Unmarshal([]byte(o.Text), &e) == nil {
			number, follows, key = e.Number, e.Before, e.ChartKey
			if s.line == LineRecord {
				number, follows, key = e.Seq, e.Previous, e.RecordKey
			} else if e.Chart != s.chart {
				number = 0
			}
		}
		if number <= at {
			gaps = append(gaps, Gap{at + 1, "order"})
			continue
		}
		for ; at+1 < number; at++ {
			gaps = append(gaps, Gap{at + 1, "missing"})
			before = nil
			if len(gaps) > maxGaps {
				return gaps
			}
		}
		at = number
		entry := Commitment(LeafEvent, o.Salt, []byte(o.Text))
		commitment := entry.Commitment()
		switch {
		case number <= int64(len(s.Found)) && s.Found[number-1].Commitment != commitment,
			entry.Mark(s.line) != s.mark(number),
			before != nil && follows != before.String(),
			number == 1 && (follows != "" || key != KeyHash(s.key).String()):
			gaps = append(gaps, Gap{number, "altered"})
		}
		before = &commitment
	}
	for ; at < int64(len(s.Found)) && len(gaps) <= maxGaps; at++ {
		gaps = append(gaps, Gap{at + 1, "missing"})
	}
	return gaps
}

// maxGaps is how many gaps are named: more say no more.
const maxGaps = 1000
