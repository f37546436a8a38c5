// Package names says what may be a person's name, and which names look alike.
//
// A name stands where people decide whom to trust: at the door of a visit, over a message, in a list of staff. So no name may
// hold what cannot be seen, what turns the text around it, or letters of one script that pass for another's. Check refuses
// those, after UTS 39 (Highly Restrictive) and UAX 9. Names that are there already, or come from strangers, are shown by Shown,
// in which nothing acts on the text around it. Skeleton and Alike tell that one name would be taken for another.
//
// What may be in a name, and what looks like what, is in tables of Unicode 15.0.0, which web/src/seal/names.ts has too
// (names/tables makes both), so that browsers and servers of any age agree. testdata/vectors/names holds the two together.
//
// It does not tell who somebody is. Two people may have one name, and a name that is unlike all others may still be untrue.
package names

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxLength is the longest name, in characters: longer ones fill a screen and push away what stands beside them.
const MaxLength = 100

// maxMarks is how many marks may follow one letter, as in UTS 39: Burmese has up to four, and more cover the line above.
const maxMarks = 4

// A Fault is what is wrong with a name.
type Fault string

const (
	Empty     Fault = "empty"     // it has no letter
	Long      Fault = "long"      // it has more than MaxLength characters
	Character Fault = "character" // it has one that no name has, or that cannot be seen
	Form      Fault = "form"      // it is not in Unicode's form NFC
	Space     Fault = "space"     // it begins or ends with one, or has two together
	Mark      Fault = "mark"      // marks stand alone, twice, or too many together
	Script    Fault = "script"    // its letters or digits are of scripts that are not written together
)

var sentences = map[Fault]string{
	Empty:     "a name has at least one letter",
	Long:      "a name has at most " + strconv.Itoa(MaxLength) + " characters",
	Character: "a name has letters, digits, spaces and the signs ' ’ - . , · ( ) / only, and nothing that cannot be seen",
	Form:      "the name is not in Unicode's form NFC",
	Space:     "a name begins and ends with no space and has no two together",
	Mark:      "the name has accents without a letter, or too many on one",
	Script:    "the name mixes letters or digits of scripts that are not written together",
}

func (f Fault) Error() string { return sentences[f] }

// signs are the punctuation of names: apostrophes, hyphens, initials, commas, the dots of Catalan and of Japanese, brackets
// around another name, and s/o; the Hebrew ones. Wider and longer forms of the same are left out: they only look like these.
const signs = "'’-‐.,·()/־׳״・"

const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

// viramas are the marks after which Indic scripts write a joiner, to choose how two consonants are joined.
const viramas = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"

// zeros are the first digits of the systems of digits that names may have. Each has ten in a row.
const zeros = "0٠۰०০੦૦୦௦౦೦൦෦๐໐༠၀႐០꧰"

// together are the scripts that one name may mix (UTS 39, Highly Restrictive); any other is written alone.
var together = [][]string{{"Latn", "Hani", "Hira", "Kana"}, {"Latn", "Hani", "Bopo"}, {"Latn", "Hani", "Hang"}}

// Check tells what is wrong with a name, with a Fault, or nil.
func Check(name string) error {
	letters := []rune(strings.ToValidUTF8(name, "\ufffd"))
	if len(letters) > MaxLength {
		return Long
	}
	for i, r := range letters {
		if r != ' ' && !strings.ContainsRune(signs, r) && !isJoiner(letters, i) && scriptsOf(r) == 0 {
			return Character
		}
	}
	switch {
	case !norm.NFC.IsNormalString(name):
		return Form
	case strings.HasPrefix(name, " ") || strings.HasSuffix(name, " ") || strings.Contains(name, "  "):
		return Space
	case !marksAreRight(letters):
		return Mark
	case !slices.ContainsFunc(letters, unicode.IsLetter):
		return Empty
	case !scriptsAreOne(letters) || !digitsAreOne(letters):
		return Script
	}
	return nil
}

// isJoiner tells whether a joiner or non-joiner stands where it changes how letters are joined.
func isJoiner(letters []rune, i int) bool {
	if letters[i] != nonJoiner && letters[i] != joiner || i == 0 || i == len(letters)-1 {
		return false
	}
	before, after := letters[i-1], letters[i+1]
	if !unicode.IsLetter(after) {
		return false
	}
	if strings.ContainsRune(viramas, before) {
		return scriptsOf(before)&scriptsOf(after) != 0
	}
	arabic := tables().bits["Arab"]
	return letters[i] == nonJoiner && unicode.IsLetter(before) && scriptsOf(before)&arabic != 0 && scriptsOf(after)&arabic != 0 && !tables().isStop(before)
}

// marksAreRight tells that marks follow letters, no one twice in a row and no more than maxMarks. They are counted as they
// are drawn, each apart from its letter.
func marksAreRight(letters []rune) bool {
	marks, last := maxMarks+1, rune(0) // nothing to stand on yet
	for _, r := range norm.NFD.String(string(letters)) {
		switch {
		case unicode.IsMark(r):
			if marks++; marks > maxMarks || r == last {
				return false
			}
		case unicode.IsLetter(r):
			marks = 0
		default:
			marks = maxMarks + 1
		}
		last = r
	}
	return true
}

func scriptsAreOne(letters []rune) bool {
	t := tables()
	return slices.ContainsFunc(t.sets, func(set uint32) bool {
		return !slices.ContainsFunc(letters, func(r rune) bool {
			of := scriptsOf(r)
			return of != 0 && of&(set|t.bits["Zyyy"]) == 0
		})
	})
}

func digitsAreOne(letters []rune) bool {
	first := rune(0)
	for _, r := range letters {
		for _, zero := range zeros {
			if r < zero || r > zero+9 {
				continue
			}
			if first != 0 && first != zero {
				return false
			}
			first = zero
		}
	}
	return true
}

// Skeleton is what a name looks like: names that look alike have the same one, whatever their case, accents, spaces and signs. It
// is for comparing, never for showing.
//
// It is coarser than UTS 39's: I, l, i and 1 are one, so are O and 0, and é and e. Who is wrongly told of a likeness looks
// twice, who is not told is deceived.
func Skeleton(name string) string {
	var out strings.Builder
	looks := tables().looks
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(name, "")) {
		if isAccent(r) {
			continue
		}
		look, ok := looks[r]
		if !ok {
			r = unicode.ToLower(r)
			if look, ok = looks[r]; !ok {
				look = string(r)
			}
		}
		for _, r := range look {
			if unicode.In(r, unicode.L, unicode.N, unicode.M) && !isInvisible(r) {
				out.WriteRune(r)
			}
		}
	}
	return out.String()
}

// isAccent tells of marks that comparing leaves out; those of Indic scripts are vowels, and those of kana make another letter.
func isAccent(r rune) bool {
	const voiced, halfVoiced = 0x3099, 0x309a
	if 0x02b0 <= r && r <= 0x02ff {
		return true // modifier letters, and apostrophes among them
	}
	return r != voiced && r != halfVoiced && unicode.IsMark(r) && unicode.In(r, unicode.Inherited, unicode.Arabic, unicode.Hebrew, unicode.Cyrillic)
}

// Alike tells that one name would be taken for the other: they look alike, or one has all the words of the other, which are two
// or more, in whatever order: Chidi Okafor and Dr Okafor, Chidi.
func Alike(a, b string) bool {
	if own := Skeleton(a); own != "" && own == Skeleton(b) {
		return true
	}
	few, many := words(a), words(b)
	if len(few) > len(many) {
		few, many = many, few
	}
	return len(few) > 1 && !slices.ContainsFunc(few, func(w string) bool { return !slices.Contains(many, w) })
}

// words are the skeletons of a name's words, each once.
func words(name string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(norm.NFKD.String(name), func(r rune) bool { return unicode.In(r, unicode.Z, unicode.P) || r == 0x02bb || r == 0x02bc }) {
		if w = Skeleton(w); w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// Unseen stands in a shown name for what cannot be seen.
const Unseen = '␣'

// Shown is a name as it may be shown though it breaks the rule: what cannot be seen, or acts on the text around it, is one ␣,
// spaces are single, marks are no more than a letter can carry, and what is too long is cut with an ellipsis. A name that Check
// takes stays as it is.
func Shown(name string) string {
	var out []rune
	marks := 0
	letters := []rune(norm.NFC.String(strings.ToValidUTF8(name, "\ufffd")))
	for i, r := range letters {
		switch {
		case unicode.Is(unicode.Zs, r):
			r = ' '
		case (isInvisible(r) || !unicode.IsGraphic(r)) && !isJoiner(letters, i):
			r = Unseen
		}
		if unicode.IsMark(r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		if (r == ' ' || r == Unseen) && len(out) > 0 && out[len(out)-1] == r || r == ' ' && len(out) == 0 {
			continue
		}
		out = append(out, r)
	}
	if len(out) > 0 && out[len(out)-1] == ' ' {
		out = out[:len(out)-1]
	}
	if len(out) > MaxLength {
		out = append(out[:MaxLength-1], '…')
	}
	return string(out)
}

// blanks are characters of other kinds that are drawn as nothing.
const blanks = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"

// isInvisible tells of characters that Unicode does not draw although it counts them as letters, marks or symbols.
func isInvisible(r rune) bool {
	return strings.ContainsRune(blanks, r) || 0xfe00 <= r && r <= 0xfe0f || r == 0x1d159 || 0xe0000 <= r && r <= 0xe0fff
}

// The tables.

type span struct {
	from, to rune
	script   uint32
}

type tableSet struct {
	bits  map[string]uint32 // of each script
	spans []span
	sets  []uint32 // of scripts that one name may have
	stops []span
	looks map[rune]string
}

func (t *tableSet) isStop(r rune) bool {
	return slices.ContainsFunc(t.stops, func(s span) bool { return s.from <= r && r <= s.to })
}

// scriptsOf are those that a letter, mark or digit of names is written in, or none.
func scriptsOf(r rune) uint32 {
	var of uint32
	for _, s := range tables().spans {
		if s.from <= r && r <= s.to {
			of |= s.script
		}
	}
	return of
}

var tables = sync.OnceValue(func() *tableSet {
	t := &tableSet{bits: map[string]uint32{}, looks: map[rune]string{}}
	for i, text := range strings.Split(scriptTable, ";") {
		script, list, _ := strings.Cut(text, " ")
		t.bits[script] = 1 << i
		t.spans = append(t.spans, readSpans(list, 1<<i)...)
		t.sets = append(t.sets, 1<<i)
	}
	for _, scripts := range together {
		var set uint32
		for _, script := range scripts {
			set |= t.bits[script]
		}
		t.sets = append(t.sets, set)
	}
	t.stops = readSpans(stopTable, 0)
	for _, text := range strings.Split(lookTable, ";") {
		to, from, _ := strings.Cut(text, "=")
		var look strings.Builder
		for _, c := range strings.Split(to, "+") {
			look.WriteRune(number(c))
		}
		r := rune(0)
		for _, gap := range strings.Fields(from) {
			r += number(gap)
			t.looks[r] = look.String()
		}
	}
	return t
})

func readSpans(list string, script uint32) []span {
	var out []span
	end := rune(0)
	for _, text := range strings.Fields(list) {
		gap, count, several := strings.Cut(text, "+")
		s := span{from: end + number(gap), script: script}
		s.to = s.from
		if several {
			s.to += number(count) - 1
		}
		end = s.to + 1
		out = append(out, s)
	}
	return out
}

// number reads one of a table, which the tests read whole.
func number(text string) rune {
	n, _ := strconv.ParseInt(text, 36, 32)
	return rune(n)
}
