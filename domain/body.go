package domain

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lenient decodes what was stored: an unknown field is a newer writer's.
func lenient[T any](b json.RawMessage) (T, error) {
	var v T
	err := json.Unmarshal(b, &v)
	return v, err
}

// strict decodes what a caller sent: an unknown field is a mistake to report.
func strict[T any](b json.RawMessage) (T, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one JSON value")
		}
	}
	return v, malformed(err, b, reflect.TypeFor[T]())
}

// malformed says what is wrong with a body, without repeating what is in it:
// what stands where a number should may be somebody's name.
func malformed(err error, body json.RawMessage, t reflect.Type) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return ofAnotherType(e, t)
	}
	if _, ok := errors.AsType[*time.ParseError](err); ok {
		return Malformed("malformed-command", "the body is not the JSON of this command: a time is not written as in RFC 3339")
	}
	if strings.HasPrefix(err.Error(), "json: unknown field ") {
		return unknownField(body, t)
	}
	return Malformed("malformed-command", "the body is not the JSON of this command")
}

// ofAnotherType says what a field must be, and what it is.
func ofAnotherType(e *json.UnmarshalTypeError, body reflect.Type) *Error {
	found, _, _ := strings.Cut(e.Value, " ") // "number 12" is a number
	must, not := wanted(e.Type), "not "+kinds[found]
	if found == "number" && strings.HasSuffix(must, "number") {
		not = "and in range"
	}
	if is := typeAt(body, e.Field); is != nil && is.Kind() == reflect.Slice && e.Type == is.Elem() {
		must, not = wanted(is), not+" in it" // the list's items have no path of their own
	}
	return Malformed("malformed-command", "%s must be %s, %s", e.Field, must, not).At("/" + strings.ReplaceAll(e.Field, ".", "/"))
}

// typeAt returns the type of a field by its path, with dots between levels; nil
// if there is none.
func typeAt(t reflect.Type, path string) reflect.Type {
	for name := range strings.SplitSeq(path, ".") {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		fields := fieldsOf(t)
		i := slices.IndexFunc(fields, func(f member) bool { return f.name == name })
		if i < 0 {
			return nil
		}
		t = fields[i].is
	}
	return t
}

// kinds are the kinds of JSON values, as encoding/json calls them, in words.
var kinds = map[string]string{
	"string": "a text", "number": "a number", "bool": "true or false", "array": "a list", "object": "an object",
}

// wanted says in words what the JSON of t is.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number that is not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.String:
			return "a list of texts"
		case reflect.Struct, reflect.Map:
			return "a list of objects"
		default:
			return "a list"
		}
	default:
		return "an object"
	}
}

// unknownField says which object of a body has a field that it should not have,
// and which it may have. The field is not named: it may be anything.
func unknownField(body json.RawMessage, t reflect.Type) *Error {
	pointer, in, ok := stray(body, t, "")
	var names []string
	for _, f := range fieldsOf(in) {
		names = append(names, f.name)
	}
	switch {
	case !ok || pointer == "" && len(names) == 0:
		return Malformed("malformed-command", "the body has an unknown field; this command has none")
	case pointer == "":
		return Malformed("malformed-command", "the body has an unknown field; this command has %s", strings.Join(names, ", "))
	}
	path := strings.ReplaceAll(pointer[1:], "/", ".")
	return Malformed("malformed-command", "%s has an unknown field; it has %s", path, strings.Join(names, ", ")).At(pointer)
}

// stray finds the object in b, the JSON of a t, that has a field that its type
// has not: its JSON pointer and its type.
func stray(b json.RawMessage, t reflect.Type, pointer string) (at string, in reflect.Type, found bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return "", t, false
	case t.Kind() == reflect.Slice:
		var items []json.RawMessage
		_ = json.Unmarshal(b, &items) // what is no list has no items
		for i, item := range items {
			if at, in, found = stray(item, t.Elem(), pointer+"/"+strconv.Itoa(i)); found {
				return at, in, true
			}
		}
	case t.Kind() == reflect.Struct:
		var members map[string]json.RawMessage
		_ = json.Unmarshal(b, &members)
		fields := fieldsOf(t)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			i := slices.IndexFunc(fields, func(f member) bool { return f.name == name })
			if i < 0 {
				return pointer, t, true
			}
			if at, in, found = stray(members[name], fields[i].is, pointer+"/"+name); found {
				return at, in, true
			}
		}
	}
	return "", t, false
}

// member is a field of an object.
type member struct {
	name string
	is   reflect.Type
}

// fieldsOf returns the fields of a struct as its JSON has them.
func fieldsOf(t reflect.Type) []member {
	if t.Kind() != reflect.Struct {
		return nil
	}
	var fields []member
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			fields = append(fields, member{name, f.Type})
		}
	}
	return fields
}
