package ward

import (
	"strings"
	"testing"
	"time"
)

func TestIDsOfOneMomentBeginAlike(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 4, 31, 0, time.UTC)
	first, second := NewIDAt[EntryID](at), NewIDAt[EntryID](at)
	if !IsID(first) || first == second || first[:9] != second[:9] {
		t.Errorf("%s and %s", first, second)
	}
	const begins = "agrbff6yt" // as the app's do: web/test/entries.test.ts
	if !strings.HasPrefix(string(first), begins) {
		t.Errorf("%s does not begin with %s", first, begins)
	}
}
