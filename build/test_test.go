package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOfAStepThatFailedOnlyWhatWentWrongIsPrinted(t *testing.T) {
	got := wentWrong(`go test ./...: exit status 1
ok  	ward/charts	2.0s
?   	ward/bus	[no test files]
--- FAIL: TestFour (1.5s)
    four_test.go:9: it did not come
FAIL
FAIL	ward/ledger	4.1s
ok   visit: both see each other (2.9 s)
     amina: 10 pictures a second
FAIL visit: both see the same code
     Error: no code
1 passed, 1 failed
`)
	want := `go test ./...: exit status 1
--- FAIL: TestFour (1.5s)
    four_test.go:9: it did not come
FAIL
FAIL	ward/ledger	4.1s
FAIL visit: both see the same code
     Error: no code
1 passed, 1 failed
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAProgramSaysBesideIsNoPartOfItsAnswer(t *testing.T) {
	out, err := printed(exec.Command("sh", "-c", "echo go: downloading something >&2; echo a.go"))
	if err != nil || string(out) != "a.go\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := printed(exec.Command("sh", "-c", "echo broken >&2; exit 1")); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("of a program that failed: %v", err)
	}
}
