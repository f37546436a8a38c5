package ward_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ward"
)

type inner struct {
	Name string `json:"name"`
}

type body struct {
	Text  string           `json:"text"`
	Bytes []byte           `json:"bytes,omitempty"`
	Inner *inner           `json:"inner,omitempty"`
	List  []inner          `json:"list,omitempty"`
	Map   map[string]inner `json:"map,omitempty"`
	Any   json.RawMessage  `json:"any,omitempty"`
}

func TestDecodeTakesOneWritingOnly(t *testing.T) {
	good := []string{
		`{}`, `{"text":"a","bytes":"AAECAw==","inner":{"name":"x"},"list":[{"name":"y"},{"name":"z"}],"map":{"A":{"name":"a"},"a":{"name":"b"}},"any":{"Text":1,"text":1e999}}`,
		` {"text" : "a"} `,
	}
	for _, text := range good {
		if _, err := ward.Decode[body](strings.NewReader(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for wrong, text := range map[string]string{
		"another case":              `{"Text":"a"}`,
		"twice":                     `{"text":"a","text":"a"}`,
		"twice, once escaped":       `{"text":"a","\u0074ext":"a"}`,
		"another case inside":       `{"inner":{"NAME":"x"}}`,
		"twice inside":              `{"inner":{"name":"x","name":"x"}}`,
		"another case in a list":    `{"list":[{"name":"x"},{"Name":"x"}]}`,
		"another case in a map":     `{"map":{"a":{"Name":"x"}}}`,
		"twice in a map":            `{"map":{"a":{"name":"x"},"a":{"name":"x"}}}`,
		"twice in what is not read": `{"any":{"x":1,"x":2}}`,
		"unknown":                   `{"texts":"a"}`,
		"something after":           `{}{}`,
		"bytes with a line break":   `{"bytes":"AAEC\nAwQF"}`,
		"bytes with stray bits":     `{"bytes":"AAECAx=="}`,
		"no UTF-8":                  "{\"text\":\"\xff\"}",
	} {
		if v, err := ward.Decode[body](strings.NewReader(text)); err == nil {
			t.Errorf("%s: %s was taken for %+v", wrong, text, v)
		} else if ward.KindOf(err) != ward.Invalid {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"text":"a","bytes":"AAECAw==","inner":{"name":"x"},"list":[{"name":"y"}],"map":{"a":{"name":"b"}},"any":{"x":1}}`)
	f.Add(`{"Text":"a","text":"b"}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ward.Decode[body](strings.NewReader(text))
		if err != nil {
			return
		}
		written, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ward.Decode[body](strings.NewReader(string(written)))
		if err != nil {
			t.Fatalf("%s was taken, and what it says is not: %s: %v", text, written, err)
		}
		if twice, err := json.Marshal(again); err != nil || string(twice) != string(written) {
			t.Fatalf("%s, then %s (%v)", written, twice, err)
		}
	})
}

func FuzzBase64(f *testing.F) {
	for _, text := range []string{"", "AAEC\nAwQF", "AAECAw", "AAECAw==", "AAECAx", "-_-_", "+/+/"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, encoding := range []ward.Base64{ward.B64, ward.StdB64} {
			if b, err := encoding.DecodeString(text); err == nil && encoding.EncodeToString(b) != text {
				t.Errorf("%q is a second writing of %q", text, encoding.EncodeToString(b))
			}
		}
	})
}
