// Command tables makes the tables of names: names/tables.go and, with the same strings, web/src/seal/nametables.ts.
//
//	go run ./names/tables -ucd /usr/share/unicode -confusables confusables.txt
//
// The first folder is Debian's package unicode-data, 15.0.0. The file is that of UTS 39, 15.0.0, which Debian's source package
// icu 72.1 has in source/data/unidata (https://www.unicode.org/Public/security/15.0.0/confusables.txt). Both are given with
// their versions, and not taken from the Go and the browser that happen to run, so that a name is judged alike everywhere.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// recommended are the scripts of UAX 31, table 5: those in common use today.
var recommended = []string{
	"Arab", "Armn", "Beng", "Bopo", "Cyrl", "Deva", "Ethi", "Geor", "Grek", "Gujr", "Guru", "Hang", "Hani", "Hebr", "Hira", "Kana",
	"Khmr", "Knda", "Laoo", "Latn", "Mlym", "Mymr", "Orya", "Sinh", "Taml", "Telu", "Thaa", "Thai", "Tibt",
}

// left are letters and marks of those scripts that names of today are not written with: phonetic, historic, liturgical.
var left = [][2]rune{
	{0x01c0, 0x01c3},
	{0x0250, 0x0252},
	{0x0255, 0x0255},
	{0x0258, 0x0258},
	{0x025a, 0x025a},
	{0x025c, 0x025f},
	{0x0261, 0x0262},
	{0x0264, 0x0267}, // clicks, phonetic Latin
	{0x026a, 0x0271},
	{0x0273, 0x0274},
	{0x0276, 0x0287},
	{0x028c, 0x0291},
	{0x0293, 0x02af},
	{0x1d00, 0x1dff},
	{0xa700, 0xa7ff},
	{0xab30, 0xab6f},
	{0x2c60, 0x2c7f},
	{0x02b0, 0x02ba},
	{0x02bd, 0x02ff}, // modifier letters, but for two apostrophes
	{0x0363, 0x036f},
	{0x1e9c, 0x1e9d},
	{0x1e9f, 0x1e9f},
	{0x1efa, 0x1eff},
	{0x20d0, 0x218f}, // medieval Latin
	{0x0370, 0x037f},
	{0x03d7, 0x03ff}, // old Greek
	{0x0460, 0x0489},
	{0x1c80, 0x1c8f},
	{0x2de0, 0x2dff},
	{0xa640, 0xa69f},
	{0xfe20, 0xfe2f}, // old Cyrillic
	{0x0591, 0x05af},
	{0x05c4, 0x05c6},
	{0xfb1e, 0xfb1e}, // Hebrew accents
	{0x0610, 0x061a},
	{0x0640, 0x0640},
	{0x0656, 0x065f},
	{0x06d6, 0x06dc},
	{0x06df, 0x06e8},
	{0x06ea, 0x06ed},
	{0x0890, 0x089f},
	{0x08c9, 0x08ff},
	{0xfe70, 0xfeff}, // of the Qur'an, and the line that stretches
	{0x0951, 0x0957},
	{0x1cd0, 0x1cff},
	{0xa8e0, 0xa8ff}, // Vedic
	{0x10a0, 0x10cf},
	{0x2d00, 0x2d2f}, // old Georgian
	{0x1100, 0x11ff},
	{0x302e, 0x302f},
	{0xa960, 0xa97f},
	{0xd7b0, 0xd7ff}, // parts of Hangul: NFC has the syllables whole
	{0x302a, 0x302d},
	{0x3031, 0x303c},
	{0x31f0, 0x31ff},
	{0x16fe0, 0x16fff}, // old signs of Chinese and Japanese
}

// kept are needed though they are not NFKC, or not letters: Thai and Lao vowels and letters, and the Han zero.
var kept = map[rune]string{0x0e33: "Thai", 0x0eb3: "Laoo", 0x0edc: "Laoo", 0x0edd: "Laoo", 0x3007: "Hani"}

// accents are the marks of no one script that today's names in Latin, Greek and Cyrillic have and that do not hide or strike
// through a letter.
var accents = [][2]rune{{0x0300, 0x0304}, {0x0306, 0x030c}, {0x030f, 0x0311}, {0x0313, 0x0314}, {0x031b, 0x031b}, {0x0323, 0x0328}, {0x032d, 0x032e}, {0x0330, 0x0331}, {0x0342, 0x0342}, {0x0345, 0x0345}}

// looks are more pairs than UTS 39 has. A capital I is taken for an l, so i is too, whatever the case in which it is typed. The
// Arabic ones are one letter to who reads, on keyboards of other countries.
var looks = map[rune]string{
	'i': "l", 'ς': "σ", 'ي': "ى", 'ی': "ى", 'ې': "ى", 'ے': "ى", 'ک': "ك", 'ڪ': "ك", 'ہ': "ه", 'ھ': "ه", 'ة': "ه", 'ۃ': "ه", 'ە': "ه", 'ٱ': "ا", 'ø': "o", 'Ø': "o", 'ł': "l", 'Ł': "l", 'đ': "d", 'Đ': "d",
}

// compared are the scripts whose letters are looked up; of others only what looks like their letters.
var compared = []string{"Latn", "Cyrl", "Grek", "Armn", "Cher", "Arab"}

type unicodeData struct {
	category, script map[rune]string
	extensions       map[rune][]string
	continues        map[rune]bool
	ignorable        map[rune]bool
	confusable       map[rune]string
	joining          map[rune]string // how a letter joins those beside it
}

func main() {
	log.SetFlags(0)
	ucd := flag.String("ucd", "/usr/share/unicode", "the folder of Unicode's character database, 15.0.0")
	confusables := flag.String("confusables", "confusables.txt", "the file of UTS 39, 15.0.0")
	flag.Parse()
	if err := run(*ucd, *confusables); err != nil {
		log.Fatal(err)
	}
}

func run(ucd, confusables string) error {
	d, err := read(ucd, confusables)
	if err != nil {
		return err
	}
	scripts, stops, alike := d.letters(), d.stops(), d.lookalikes()
	const note = "made by names/tables from Unicode 15.0.0; do not edit."
	goText := fmt.Sprintf("package names\n\n// Code generated: %s\n\nconst (\n\tscriptTable = %q\n\tstopTable   = %q\n\tlookTable   = %q\n)\n", note, scripts, stops, alike)
	tsText := fmt.Sprintf("// Letters of names, by script, and what looks like what: %s\n\nexport const scriptTable = '%s'\nexport const stopTable = '%s'\nexport const lookTable = '%s'\n", note, scripts, stops, alike)
	if err := os.WriteFile("names/tables.go", []byte(goText), 0o644); err != nil {
		return err
	}
	return os.WriteFile("web/src/seal/nametables.ts", []byte(tsText), 0o644)
}

// letters gives, of each script, its ranges: "Latn 1t+p 6+p;…". Each is how far it begins after the end of the one before, and
// how many it has, if not one, in base 36. What is written in several scripts stands at each.
func (d *unicodeData) letters() string {
	of := map[string][]rune{}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		for _, script := range d.scriptsOf(r) {
			if script == "Zyyy" || slices.Contains(recommended, script) {
				of[script] = append(of[script], r)
			}
		}
	}
	var out []string
	for _, script := range append([]string{"Zyyy"}, recommended...) {
		out = append(out, script+" "+ranges(of[script]))
	}
	return strings.Join(out, ";")
}

// scriptsOf are the scripts of a character that a name may have, or none.
func (d *unicodeData) scriptsOf(r rune) []string {
	if script, ok := kept[r]; ok {
		return []string{script}
	}
	if in(accents, r) {
		return []string{"Cyrl", "Grek", "Latn"}
	}
	category := d.category[r]
	if !strings.HasPrefix(category, "L") && category != "Mn" && category != "Mc" && category != "Nd" {
		return nil
	}
	if r > 0xffff && d.script[r] != "Hani" {
		return nil // historic, or rare
	}
	if !d.continues[r] || d.ignorable[r] || in(left, r) || norm.NFKC.String(string(r)) != string(r) {
		return nil
	}
	if r == 0x02bb || r == 0x02bc || '0' <= r && r <= '9' {
		return []string{"Zyyy"}
	}
	if several := d.extensions[r]; len(several) > 0 {
		return several
	}
	if script := d.script[r]; script != "Zyyy" && script != "Zinh" {
		return []string{script}
	}
	return nil
}

// stops are the ranges of Arabic letters that do not join the next one: after them a non-joiner would not be seen.
func (d *unicodeData) stops() string {
	var list []rune
	for r := rune(0x0600); r <= 0x08ff; r++ {
		if slices.Contains(d.scriptsOf(r), "Arab") && (d.joining[r] == "R" || d.joining[r] == "U") {
			list = append(list, r)
		}
	}
	return ranges(list)
}

// lookalikes gives, of each letter or letters, what looks like it: "o=…;rn=…", each as far after the one before, in base 36. The
// letters are in base 36 too, with + between.
func (d *unicodeData) lookalikes() string {
	of := map[string][]rune{}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if d.category[r] == "" || norm.NFKD.String(string(r)) != string(r) || isDropped(r) {
			continue // what NFKD takes apart is looked up in its parts
		}
		look, lower := d.look(r), unicode.ToLower(r)
		if look == string(lower) || lower != r && look == d.look(lower) || !d.isCompared(r, look) {
			continue
		}
		of[look] = append(of[look], r)
	}
	var out []string
	for look, list := range of {
		var to, from []string
		for _, r := range look {
			to = append(to, strconv.FormatInt(int64(r), 36))
		}
		last := rune(0)
		for _, r := range list {
			from = append(from, strconv.FormatInt(int64(r-last), 36))
			last = r
		}
		out = append(out, strings.Join(to, "+")+"="+strings.Join(from, " "))
	}
	slices.Sort(out)
	return strings.Join(out, ";")
}

func (d *unicodeData) isCompared(r rune, look string) bool {
	for _, to := range look {
		if to > 0x7f && !slices.Contains(compared, d.script[to]) {
			return false
		}
	}
	return look != "" && strings.IndexFunc(look, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) < 0 &&
		(slices.Contains(compared, d.script[r]) || isASCII(look))
}

// look is what a letter is taken for, in lower case. What it looks like counts first, and its case only then, since Ν looks
// like N and ν like v. A letter that itself looks like no letter of ASCII is taken for what its other case looks like: н for h,
// as Н, so that a name is like itself in capitals.
func (d *unicodeData) look(r rune) string {
	own, other := d.image(r), r
	if upper := unicode.ToUpper(r); upper != r && unicode.ToLower(upper) == r {
		other = upper
	} else if lower := unicode.ToLower(r); lower != r && unicode.ToUpper(lower) == r {
		other = lower
	}
	switch {
	case isLetters(own):
		return own
	case isLetters(d.image(other)):
		return d.image(other)
	case isASCII(own):
		return own
	case other == unicode.ToLower(r):
		return d.image(other)
	}
	return own
}

// image is what a character looks like as it stands, in lower case.
func (d *unicodeData) image(r rune) string {
	seen := d.seen(string(r))
	if !isASCII(seen) {
		return strings.ToLower(seen)
	}
	return strings.ToLower(d.seen(strings.ToLower(seen)))
}

// seen replaces what looks like something else, until nothing does.
func (d *unicodeData) seen(s string) string {
	for range 10 {
		var next strings.Builder
		for _, r := range norm.NFKD.String(s) {
			to, ok := d.confusable[r]
			switch {
			case isDropped(r):
			case looks[r] != "":
				next.WriteString(looks[r])
			case ok && !(unicode.Is(unicode.Arabic, r) && strings.ContainsFunc(to, isDropped)): // dots of Arabic are marks there, but are no accents
				next.WriteString(to)
			default:
				next.WriteRune(r)
			}
		}
		if next.String() == s {
			break
		}
		s = next.String()
	}
	return s
}

func isASCII(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

func isLetters(s string) bool {
	return isASCII(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// isDropped tells of accents that comparing names leaves out, as names.Skeleton does.
func isDropped(r rune) bool {
	const voiced, halfVoiced = 0x3099, 0x309a // of kana: they make another letter
	if 0x02b0 <= r && r <= 0x02ff {
		return true // modifier letters, and apostrophes among them
	}
	return r != voiced && r != halfVoiced && unicode.Is(unicode.M, r) && (unicode.Is(unicode.Inherited, r) || unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Cyrillic))
}

func ranges(list []rune) string {
	var out []string
	end := rune(0)
	for i := 0; i < len(list); {
		n := 1
		for i+n < len(list) && list[i+n] == list[i]+rune(n) {
			n++
		}
		text := strconv.FormatInt(int64(list[i]-end), 36)
		if n > 1 {
			text += "+" + strconv.FormatInt(int64(n), 36)
		}
		out = append(out, text)
		end = list[i] + rune(n)
		i += n
	}
	return strings.Join(out, " ")
}

func in(list [][2]rune, r rune) bool {
	return slices.ContainsFunc(list, func(p [2]rune) bool { return p[0] <= r && r <= p[1] })
}

// Reading Unicode's files.

func read(ucd, confusables string) (*unicodeData, error) {
	d := &unicodeData{map[rune]string{}, map[rune]string{}, map[rune][]string{}, map[rune]bool{}, map[rune]bool{}, map[rune]string{}, map[rune]string{}}
	short := map[string]string{}
	file := func(name string) string { return filepath.Join(ucd, name) }
	first := rune(-1)
	steps := []func() error{
		func() error {
			return lines(file("UnicodeData.txt"), func(f []string) error {
				from, to, err := span(f[0])
				if err != nil {
					return err
				}
				if strings.HasSuffix(f[1], ", Last>") {
					from = first
				}
				first = from
				for r := from; r <= to; r++ {
					d.category[r] = f[2]
				}
				return nil
			})
		},
		func() error {
			return lines(file("PropertyValueAliases.txt"), func(f []string) error {
				if f[0] == "sc" {
					short[f[2]] = f[1]
				}
				return nil
			})
		},
		func() error {
			return spans(file("Scripts.txt"), func(r rune, value string) { d.script[r] = short[value] })
		},
		func() error {
			return spans(file("ScriptExtensions.txt"), func(r rune, value string) { d.extensions[r] = strings.Fields(value) })
		},
		func() error {
			return spans(file("DerivedCoreProperties.txt"), func(r rune, value string) {
				switch value {
				case "XID_Continue":
					d.continues[r] = true
				case "Default_Ignorable_Code_Point":
					d.ignorable[r] = true
				}
			})
		},
		func() error {
			return lines(file("ArabicShaping.txt"), func(f []string) error {
				r, _, err := span(f[0])
				d.joining[r] = f[2]
				return err
			})
		},
		func() error {
			return lines(confusables, func(f []string) error {
				from, _, err := span(f[0])
				if err != nil {
					return err
				}
				for _, part := range strings.Fields(f[1]) {
					to, _, err := span(part)
					if err != nil {
						return err
					}
					d.confusable[from] += string(to)
				}
				return nil
			})
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func spans(name string, each func(r rune, value string)) error {
	return lines(name, func(f []string) error {
		from, to, err := span(f[0])
		if err != nil {
			return err
		}
		for r := from; r <= to; r++ {
			each(r, f[1])
		}
		return nil
	})
}

func span(text string) (from, to rune, err error) {
	first, last, ok := strings.Cut(text, "..")
	if !ok {
		last = first
	}
	a, err := strconv.ParseInt(first, 16, 32)
	if err != nil {
		return 0, 0, err
	}
	b, err := strconv.ParseInt(last, 16, 32)
	return rune(a), rune(b), err
}

// lines reads the fields of each line that has some.
func lines(name string, each func(fields []string) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for scanner := bufio.NewScanner(f); ; {
		if !scanner.Scan() {
			return scanner.Err()
		}
		text, _, _ := strings.Cut(strings.TrimPrefix(scanner.Text(), "\ufeff"), "#")
		fields := strings.Split(text, ";")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if len(fields) < 2 {
			continue
		}
		if err := each(fields); err != nil {
			return fmt.Errorf("%s: %q: %w", name, text, err)
		}
	}
}
