package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// plain shows what somebody else wrote on one line of a terminal: what would move the cursor, change colours, begin a
// line or turn the direction of text is written as its escape, so that nothing of it can be taken for the command's own
// words.
func plain(v any) string {
	var b strings.Builder
	for _, r := range fmt.Sprint(v) {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, `\u{%x}`, r)
	}
	return b.String()
}

// plainLines is plain for what may have several lines, such as errors that were joined. All but the first are set in.
func plainLines(v any) string {
	lines := strings.Split(fmt.Sprint(v), "\n")
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return strings.Join(lines, "\n  ")
}
