package names

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/vectors/names anew")

const vectorFolder = "../testdata/vectors/names"

// A vector is a name, or two that are compared (testdata/vectors/README.md).
type vector struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	Good   bool   `json:"good"`
	Wrong  string `json:"wrong,omitempty"`
	Input  input  `json:"input"`
	Output output `json:"output"`
}

type input struct {
	Name  string `json:"name"`
	Other string `json:"other,omitempty"`
}

type output struct {
	Fault    Fault  `json:"fault,omitempty"`
	Skeleton string `json:"skeleton"`
	Shown    string `json:"shown"`
	Alike    bool   `json:"alike,omitempty"`
}

func TestVectors(t *testing.T) {
	cases := allCases()
	if *update {
		write(t, cases)
	}
	files, err := filepath.Glob(filepath.Join(vectorFolder, "*.json"))
	if err != nil || len(files) != len(cases) {
		t.Fatalf("%d vectors in %s, and %d here: %v", len(files), vectorFolder, len(cases), err)
	}
	for _, file := range files {
		var v vector
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		t.Run(v.Name, func(t *testing.T) {
			if diff := cmp.Diff(v.Output, run(v.Input)); diff != "" {
				t.Errorf("(-vector +here)\n%s", diff)
			}
			if v.Format == "name" && v.Good != (v.Output.Fault == "") {
				t.Errorf("good: %v, and its fault is %q", v.Good, v.Output.Fault)
			}
			if v.Format == "name-alike" && v.Good != v.Output.Alike {
				t.Errorf("good: %v, and alike: %v", v.Good, v.Output.Alike)
			}
			if v.Good && v.Format == "name" && v.Output.Shown != v.Input.Name {
				t.Errorf("a good name is shown as %q", v.Output.Shown)
			}
		})
	}
}

func run(in input) output {
	out := output{Skeleton: Skeleton(in.Name), Shown: Shown(in.Name)}
	if in.Other != "" {
		out.Alike = Alike(in.Name, in.Other)
		return out
	}
	errors.As(Check(in.Name), &out.Fault)
	return out
}

func write(t *testing.T, cases []vector) {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(vectorFolder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range cases {
		v.Output = run(v.Input)
		var written bytes.Buffer
		e := json.NewEncoder(&written)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		text := written.Bytes()
		if !strings.HasPrefix(v.Name, "real-") {
			text = ascii(text)
		}
		if err := os.WriteFile(filepath.Join(vectorFolder, v.Name+".json"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// ascii escapes what a reader of a vector could not see, or would take for something else.
func ascii(text []byte) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(string(text))) {
		if unit < utf8.RuneSelf {
			out = append(out, byte(unit))
		} else {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}

// names that people have, or are called in a clinic.
var realNames = map[string]string{
	"apostrophe":     "Ada O’Connor-Nwosu",
	"vietnamese":     "Nguyễn Thị Minh",
	"umlaut":         "Müller",
	"arabic":         "آمنة يوسف",
	"cyrillic":       "Ирина Петрова",
	"kanji":          "山田花子",
	"hangul":         "김민준",
	"devanagari":     "अमित",
	"spanish":        "José María de la Cruz",
	"thorn":          "Þór",
	"in-brackets":    "Mary Ann (Polly) Smith",
	"title":          "Dr. Chidi Okafor",
	"letter":         "Y",
	"typewriter":     "Ada O'Connor",
	"japanese-mixed": "山田 はなこ",
	"japanese-dot":   "マリア・ロペス",
	"japanese-latin": "Maria 山田",
	"chinese":        "欧阳娜娜",
	"bopomofo":       "ㄨㄤ 王",
	"korean-hanja":   "金 민준",
	"greek":          "Ελένη Παπαδοπούλου",
	"armenian":       "Արամ Խաչատրյան",
	"georgian":       "ნინო ბერიძე",
	"hebrew":         "שרה כהן",
	"hebrew-geresh":  "ג׳ורג׳",
	"persian":        "علی\u200cرضا حسینی",
	"urdu":           "عائشہ خان",
	"amharic":        "አበበ በቂላ",
	"thai":           "สมชาย สำราญ",
	"lao":            "ສົມຊາຍ",
	"khmer":          "សុខ ចាន់",
	"burmese":        "အောင်ဆန်း",
	"sinhala":        "ශ්\u200dරී ලංකා",
	"tamil":          "முருகன்",
	"telugu":         "రాముడు",
	"malayalam":      "രാജൻ",
	"bengali":        "রহিম",
	"gurmukhi":       "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
	"tibetan":        "བསྟན",
	"yoruba":         "Ṣọlá Adébáyọ\u0300",
	"azeri":          "Əli",
	"turkish":        "Işıl İnan",
	"polish":         "Łukasz Żółw",
	"catalan":        "Gal·la",
	"okina":          "Kaʻiulani",
	"initials":       "J. R. Smith, Jr.",
	"number":         "Mary Smith 2",
	"arabic-number":  "سارة ٢",
	"slash":          "Maria s/o Raj",
	"hyphen":         "Anne‐Marie",
	"dhivehi":        "އަލީ",
	"ukrainian":      "Дар’я Їжак",
	"long":           strings.Repeat("Wolfeschle", 10),
	"arabic-vowels":  "مُحَمَّد",
}

// names that nobody has, and why.
var bad = map[string][2]string{
	"empty":                  {"", "it is empty"},
	"blank":                  {" ", "it is a space"},
	"no-letter":              {"- .", "it has no letter"},
	"digits-alone":           {"1234", "it has no letter"},
	"too-long":               {strings.Repeat("Wolfeschle", 10) + "r", "it is of 101 characters"},
	"space-before":           {" Ada", "it begins with a space"},
	"space-after":            {"Ada ", "it ends with a space"},
	"spaces":                 {"Ada  Okafor", "two spaces"},
	"no-break-space":         {"Ada\u00a0Okafor", "a space of another width"},
	"wide-space":             {"山田\u3000花子", "a space of another width"},
	"hair-space":             {"Ada\u200aOkafor", "a space of another width"},
	"tab":                    {"Ada\tOkafor", "a control character"},
	"line":                   {"Ada\nOkafor", "a second line"},
	"carriage-return":        {"Ada\rEve", "a control character"},
	"line-separator":         {"Ada\u2028Okafor", "a second line"},
	"null":                   {"Ada\x00", "a control character"},
	"escape":                 {"Ada\x1b[2K", "a terminal would act on it"},
	"delete":                 {"Ada\x7f", "a control character"},
	"next-line":              {"Ada\u0085", "a control character"},
	"zero-width-space":       {"Dr Oka\u200bfor", "what cannot be seen"},
	"zero-width-no-break":    {"Dr Okafor\ufeff", "what cannot be seen"},
	"word-joiner":            {"Dr\u2060 Okafor", "what cannot be seen"},
	"soft-hyphen":            {"Oka\u00adfor", "what cannot be seen"},
	"invisible-plus":         {"Ada\u2064", "what cannot be seen"},
	"joiner":                 {"Oka\u200dfor", "a joiner that joins nothing"},
	"non-joiner":             {"Oka\u200cfor", "a non-joiner that parts nothing"},
	"non-joiner-unseen":      {"دا\u200cر", "a non-joiner after a letter that joins nothing"},
	"joiner-arabic":          {"عل\u200dی", "a joiner where letters join anyway"},
	"joiner-end":             {"ශ්\u200d", "a joiner at the end"},
	"joiner-twice":           {"علی\u200c\u200cرضا", "two non-joiners"},
	"right-to-left-override": {"Ada\u202erofakO", "it turns what follows"},
	"left-to-right-override": {"\u202dAda", "it turns what follows"},
	"embedding":              {"\u202bAda\u202c", "it turns what it holds"},
	"isolate":                {"\u2067Ada\u2069", "it turns what it holds"},
	"isolate-end":            {"Ada\u2069 (clinician)", "it ends what keeps it apart"},
	"right-to-left-mark":     {"Ada\u200f", "it turns what is beside it"},
	"left-to-right-mark":     {"\u200eAda", "what cannot be seen"},
	"arabic-letter-mark":     {"آمنة\u061c", "what cannot be seen"},
	"combining-joiner":       {"A\u034fda", "what cannot be seen"},
	"hangul-filler":          {"\u3164", "a letter that is not drawn"},
	"hangul-filler-half":     {"Ada\uffa0", "a letter that is not drawn"},
	"braille-blank":          {"Ada\u2800", "a symbol that is not drawn"},
	"khmer-vowel":            {"ស\u17b4", "a vowel that is not drawn"},
	"mongolian-vowel":        {"Ada\u180e", "what cannot be seen"},
	"variation":              {"Ada\ufe0f", "what cannot be seen"},
	"variation-more":         {"山\U000e0100田", "what cannot be seen"},
	"tag":                    {"Ada\U000e0041\U000e007f", "tags, which hide a text"},
	"private":                {"Ada\ue000", "a character that means what one likes"},
	"not-a-character":        {"Ada\ufffe", "no character"},
	"replacement":            {"Ada\ufffd", "what once was something else"},
	"unassigned":             {"Ada\u0378", "no character"},
	"decomposed":             {"Jose\u0301", "it is not NFC"},
	"order-of-marks":         {"q\u0307\u0323", "it is not NFC"},
	"angstrom":               {"\u212bsa", "it is not NFC"},
	"fullwidth":              {"Ａｄａ", "letters of another width"},
	"mathematical":           {"\U0001d400\U0001d41d\U0001d41a", "letters of formulas"},
	"ligature":               {"Oﬃce", "two letters in one sign"},
	"circled":                {"Ⓐda", "a letter in a circle"},
	"small-capitals":         {"ᴀᴅᴀ", "phonetic letters"},
	"presentation":           {"ﺁمنة", "a form that Arabic letters are not typed in"},
	"kashida":                {"آمنـة", "a line that stretches a word"},
	"cyrillic-a":             {"\u0410da Okafor", "one letter is Cyrillic"},
	"cyrillic-o":             {"\u041ekaf\u043er", "letters are Cyrillic"},
	"greek-capital":          {"\u0391da", "one letter is Greek"},
	"greek-omicron":          {"Okaf\u03bfr", "one letter is Greek"},
	"armenian-o":             {"Okaf\u0585r", "one letter is Armenian"},
	"cherokee":               {"\u13aad\u13aa", "Cherokee letters"},
	"lisu":                   {"\ua4ee\ua4d3\ua4ee", "letters of a script of few"},
	"arabic-latin":           {"Ada آمنة", "two scripts, in two directions"},
	"hebrew-latin":           {"Ada שרה", "two scripts, in two directions"},
	"hangul-kana":            {"김はな", "two scripts"},
	"devanagari-latin":       {"अमित Kumar", "two scripts"},
	"cyrillic-greek":         {"Ирιна", "two scripts"},
	"bopomofo-kana":          {"ㄨㄤはな", "two scripts"},
	"digits-mixed":           {"Ali 2٢", "digits of two systems"},
	"digits-fullwidth":       {"Ada ２", "a digit of another width"},
	"arabic-digit-latin":     {"Ada ٥", "a digit of another script"},
	"mark-first":             {"\u0301Ada", "a mark without a letter"},
	"mark-on-space":          {"Ada \u0301Okafor", "a mark without a letter"},
	"mark-on-digit":          {"Ada 2\u0308", "a mark on a digit"},
	"mark-twice":             {"Ad\u0308\u0308a", "one mark twice"},
	"marks-many":             {"a\u0316\u0317\u0318d", "marks that no name has"},
	"marks-five":             {"b\u0323\u0331\u0307\u0308\u030ca", "five marks on one letter"},
	"strike":                 {"A\u0338da", "a letter that is struck through"},
	"enclosing":              {"A\u20dd", "a letter in a circle"},
	"html":                   {"<b>Ada</b>", "markup"},
	"ampersand":              {"Ada &amp; Co", "markup"},
	"quotes":                 {"\"Ada\"", "quotation marks"},
	"at":                     {"ada@example.org", "an address"},
	"link":                   {"https://example.org", "an address"},
	"under":                  {"ada_okafor", "a sign that names do not have"},
	"star":                   {"Ada ★", "a symbol"},
	"emoji":                  {"Ada 👩\u200d⚕\ufe0f", "a picture"},
	"tick":                   {"Dr Okafor ✓", "a sign that says that somebody checked"},
	"pipe":                   {"A|i", "a sign that looks like a letter"},
	"click":                  {"A\u01c0i", "a letter that looks like a stroke"},
	"newline-role":           {"Eve\nclinician", "a second line"},
	"middle-dot-wide":        {"Ada\u2027Okafor", "a sign that names do not have"},
	"slash-wide":             {"Ada\u2215Okafor", "a sign that looks like another"},
	"dash":                   {"Ada—Okafor", "a sign that names do not have"},
	"emoji-alone":            {"🙂", "a picture"},
}

// pairs of names that are compared.
var pairs = map[string]struct {
	a, b  string
	alike bool
}{
	"case":           {"Ada Okafor", "ADA OKAFOR", true},
	"case-cyrillic":  {"Ирина Петрова", "ИРИНА ПЕТРОВА", true},
	"case-sigma":     {"Νίκος", "ΝΙΚΟΣ", true},
	"accents":        {"José", "Jose", true},
	"decomposed":     {"José", "Jose\u0301", true},
	"space":          {"Ada Okafor", "AdaOkafor", true},
	"punctuation":    {"Ada O’Connor-Nwosu", "Ada OConnor Nwosu", true},
	"apostrophes":    {"Ada O’Connor", "Ada O\u02bcConnor", true},
	"zero-width":     {"Chidi Okafor", "Chidi Oka\u200bfor", true},
	"override":       {"Chidi Okafor", "Chidi\u202e Okafor", true},
	"tags":           {"Chidi Okafor", "Chidi Okafor\U000e0041", true},
	"fillers":        {"Chidi Okafor", "Chidi\u3164Okafor", true},
	"cyrillic":       {"Okafor", "\u041e\u043a\u0430f\u043er", true},
	"cyrillic-whole": {"Coco", "\u0421\u043e\u0441\u043e", true},
	"greek":          {"Anna", "\u0391nn\u03b1", true},
	"fullwidth":      {"Ada", "Ａｄａ", true},
	"mathematical":   {"Ada", "\U0001d400\U0001d41d\U0001d41a", true},
	"cherokee":       {"Ada", "\u13aad\u13aa", true},
	"armenian":       {"Hugo", "Hug\u0585", true},
	"one":            {"Ali", "A1i", true},
	"capital-i":      {"Bill", "BiII", true},
	"pipe":           {"Ali", "A|i", true},
	"zero":           {"Okafor", "0kaf0r", true},
	"rn":             {"Ramona", "Rarnona", true},
	"stroke":         {"Łukasz", "Lukasz", true},
	"dotless":        {"Işıl", "Isil", true},
	"arabic-yeh":     {"علي", "علی", true},
	"arabic-vowels":  {"مُحَمَّد", "محمد", true},
	"arabic-hamza":   {"أحمد", "احمد", true},
	"non-joiner":     {"علی\u200cرضا", "علیرضا", true},
	"title":          {"Dr Chidi Okafor", "Chidi Okafor", true},
	"order":          {"Okafor, Chidi", "Chidi Okafor", true},
	"middle":         {"Ada Grace Okafor", "Ada Okafor", true},
	"hangul":         {"김민준", "김 민준", true},
	"other":          {"Ada Okafor", "Ada Okoro", false},
	"other-one-word": {"Ada", "Ada Okafor", false},
	"other-arabic":   {"آمنة يوسف", "أمينة يوسف", false},
	"other-dots":     {"شريف", "سريف", false},
	"other-kanji":    {"山田花子", "山田華子", false},
	"other-hangul":   {"김민준", "김민중", false},
	"other-kana":     {"かき", "かぎ", false},
	"other-empty":    {"\u200b", "\u200c", false},
	"other-letter":   {"Anna", "Ana", false},
}

func allCases() []vector {
	var out []vector
	for name, text := range realNames {
		out = append(out, vector{Name: "real-" + name, Format: "name", Good: true, Input: input{Name: text}})
	}
	for name, v := range bad {
		out = append(out, vector{Name: "bad-" + name, Format: "name", Wrong: v[1], Input: input{Name: v[0]}})
	}
	for name, p := range pairs {
		out = append(out, vector{Name: "alike-" + name, Format: "name-alike", Good: p.alike, Input: input{Name: p.a, Other: p.b}})
	}
	return out
}
