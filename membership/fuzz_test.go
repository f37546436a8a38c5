package membership

import (
	"testing"
	"time"
)

// FuzzAppend gives a reader any bytes as the next statement of a good history: it must refuse them or go on, and what it
// refuses changes nothing.
func FuzzAppend(f *testing.F) {
	m := newMaker(f)
	clinic(m)
	m.joins("ada", "carl", "frontdesk")
	last := len(m.roster.texts) - 1
	f.Add(m.roster.texts[last])
	f.Add(m.roster.texts[0])
	f.Add([]byte("ward/invite/1\n{}\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := NewRoster(m.clinic)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Read(m.roster.texts[:last], m.latest); err != nil {
			t.Fatal(err)
		}
		head, members, waiting := h.Head(), len(h.Members(h.Head().Seq)), len(h.Pending())
		if err := h.Append(text, m.latest.Add(time.Minute)); err == nil {
			return
		}
		if h.Head() != head || len(h.Members(head.Seq)) != members || len(h.Pending()) != waiting {
			t.Fatal("a statement that was refused changed the history")
		}
	})
}
