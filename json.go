package ward

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Reading JSON so that all who read it read the same. encoding/json takes a name in any letter case, the last of two that
// are the same, and bytes in base64 with line breaks in it: a browser reads something else, or nothing.

// NotTheJSON says of a body that it could not be read.
func NotTheJSON(err error) error {
	return &Error{Kind: Invalid, Message: fmt.Sprintf("the request is not the JSON this route takes: %.200s", err), Hint: "See docs/api.md.", Err: err}
}

// Decode reads one JSON value into T and refuses anything that is not T in every letter: unknown names and those in
// another case, names that come twice, bytes in another base64 than the canonical, and data after the value.
func Decode[T any](r io.Reader) (T, error) {
	var v T
	text, err := io.ReadAll(r)
	if err != nil {
		return v, NotTheJSON(err)
	}
	return v, DecodeInto(text, &v)
}

// DecodeInto is Decode for who has the value already: into points to it.
func DecodeInto(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return NotTheJSON(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return &Error{Kind: Invalid, Message: "the request has something after its JSON value", Hint: "Send one JSON value."}
	}
	if !utf8.Valid(text) {
		return NotTheJSON(errors.New("it is not UTF-8"))
	}
	decoder = json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := checkValue(decoder, reflect.TypeOf(into)); err != nil {
		return NotTheJSON(err)
	}
	return nil
}

// checkValue checks the letters of a value that encoding/json took for a t; nil stands for a value of any type.
func checkValue(d *json.Decoder, t reflect.Type) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	t = plainType(t)
	switch token {
	case json.Delim('{'):
		return checkObject(d, t)
	case json.Delim('['):
		return checkArray(d, t)
	}
	if text, ok := token.(string); ok && t != nil && t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		if _, err := StdB64.DecodeString(text); err != nil {
			return fmt.Errorf("bytes: %w", err)
		}
	}
	return nil
}

func checkObject(d *json.Decoder, t reflect.Type) error {
	names := namesOf(t)
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		inner, known := names[name]
		switch {
		case seen[name]:
			return fmt.Errorf("the name %.40q is there twice", name)
		case names != nil && !known:
			return fmt.Errorf("the name %.40q is not one of its names", name)
		case t != nil && t.Kind() == reflect.Map:
			inner = t.Elem()
		}
		seen[name] = true
		if err := checkValue(d, inner); err != nil {
			return err
		}
	}
	_, err := d.Token() // the closing brace
	return err
}

func checkArray(d *json.Decoder, t reflect.Type) error {
	var inner reflect.Type
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		inner = t.Elem()
	}
	for d.More() {
		if err := checkValue(d, inner); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// plainType is the type behind pointers; nil if it reads itself.
func plainType(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() == reflect.Interface {
		return nil
	}
	if p := reflect.PointerTo(t); p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil
	}
	return t
}

// namesOf has the type of each name of a struct; nil if t is no struct.
func namesOf(t reflect.Type) map[string]reflect.Type {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	names := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "", !f.IsExported(), name == "-":
			continue // the fields of an embedded struct are listed themselves
		case name == "":
			name = f.Name
		}
		names[name] = f.Type
	}
	return names
}
