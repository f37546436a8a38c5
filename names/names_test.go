package names

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTablesAreThoseOfTheBrowser(t *testing.T) {
	text, err := os.ReadFile("../web/src/seal/nametables.ts")
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range map[string]string{"scriptTable": scriptTable, "stopTable": stopTable, "lookTable": lookTable} {
		if !strings.Contains(string(text), name+" = '"+table+"'\n") {
			t.Errorf("%s differs: make both with names/tables", name)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, v := range allCases() {
		f.Add(v.Input.Name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		shown := Shown(name)
		if !utf8.ValidString(shown) || utf8.RuneCountInString(shown) > MaxLength {
			t.Errorf("%q is shown as %q", name, shown)
		}
		if again := Shown(shown); again != shown {
			t.Errorf("%q is shown as %q, and that as %q", name, shown, again)
		}
		if Check(name) == nil && shown != name {
			t.Errorf("%q is a name, and shown as %q", name, shown)
		}
		if own := Skeleton(name); Skeleton(own) != own {
			t.Errorf("%q has the skeleton %q, and that %q", name, own, Skeleton(own))
		}
	})
}
