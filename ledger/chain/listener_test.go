package chain

import (
	"bytes"
	"io"
	"log/slog"
	"testing"
)

func TestALineThatDoesNotEndFillsNoMemory(t *testing.T) {
	l := &listener{log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for range 2 * keepLines {
		if _, err := l.Write(bytes.Repeat([]byte("x"), longestLine)); err != nil {
			t.Fatal(err)
		}
		if len(l.part) > longestLine {
			t.Fatalf("%d bytes wait for the end of their line", len(l.part))
		}
	}
	if len(l.lines) != keepLines {
		t.Errorf("%d lines are kept", len(l.lines))
	}
	l.Write([]byte("\npanic: at last\n"))
	if len(l.part) > 0 {
		t.Errorf("%q waits though its line ended", l.part)
	}
}
