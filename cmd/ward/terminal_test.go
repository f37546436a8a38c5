package main

import (
	"errors"
	"testing"
)

func TestWhatOthersWroteCannotBeTakenForTheCommandsWords(t *testing.T) {
	for _, test := range []struct{ name, written, shown string }{
		{"words of any script", "Arztbrief – تقرير 報告.pdf", "Arztbrief – تقرير 報告.pdf"},
		{"a line that claims success", "x\n\n12 entries, all signed by their authors and complete.", `x\u{a}\u{a}12 entries, all signed by their authors and complete.`},
		{"colours and cursor", "\x1b[2J\x1b[31mgone", `\u{1b}[2J\u{1b}[31mgone`},
		{"one byte that begins a sequence", "\u009b2J", `\u{9b}2J`},
		{"carriage return", "evil\rgood", `evil\u{d}good`},
		{"turned direction", "\u202egpj.exe", `\u{202e}gpj.exe`},
		{"invisible", "Oka\u200bfor", `Oka\u{200b}for`},
		{"line separator", "a\u2028b", `a\u{2028}b`},
		{"broken bytes", "a\xffb", `a\u{fffd}b`},
	} {
		if got := plain(test.written); got != test.shown {
			t.Errorf("%s: %q is shown as %q", test.name, test.written, got)
		}
	}
	if got := plainLines(errors.Join(errors.New("one"), errors.New("two\x1b"))); got != "one\n  two\\u{1b}" {
		t.Errorf("lines: %q", got)
	}
}
