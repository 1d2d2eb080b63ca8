package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain/policy"
)

var update = flag.Bool("update", false, "add what is new to testdata; what was there before is never changed")

// golden lists every wire name and every JSON field with its type, one a line.
const golden = "testdata/contract.golden"

// TestWireContract fails when a command, an event or a field is renamed,
// removed or retyped: events of that form are stored, and callers send those
// commands. What is new is added with -update and shows in review. A line is
// taken out by hand, when it is certain that nothing of it was ever stored.
func TestWireContract(t *testing.T) {
	t.Parallel()
	got := contract()
	want := map[string]string{}
	b, err := os.ReadFile(golden)
	if err != nil && (!*update || !errors.Is(err, fs.ErrNotExist)) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		name, form, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = form
	}
	required := func(form string) string { return strings.TrimSuffix(form, " optional") }
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch form, ok := got[name]; {
		case !ok:
			t.Errorf("%s %s: is gone, but what was stored and sent has it", name, want[name])
		case required(form) != required(want[name]):
			t.Errorf("%s: is %s, but what was stored and sent is %s", name, form, want[name])
		}
	}
	if t.Failed() {
		return
	}
	if *update {
		var lines bytes.Buffer
		for _, name := range slices.Sorted(maps.Keys(got)) {
			fmt.Fprintf(&lines, "%s %s\n", name, got[name])
		}
		if err := os.WriteFile(golden, lines.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("new in the contract; add it with go test ./domain -run TestWireContract -update (-golden +got):\n%s", diff)
	}
}

// contract returns the wire contract of all aggregates: a path to a form.
func contract() map[string]string {
	lines := map[string]string{}
	for _, c := range policy.Contracts {
		for _, i := range c.Commands() {
			form := "command"
			if i.CallerSaw {
				form += " caller-saw"
			}
			if i.Approves {
				form += " approves"
			}
			if i.Internal {
				form += " internal"
			}
			name := c.Category() + "." + i.Name
			lines[name] = form
			fields(lines, name, i.Type)
		}
		for _, i := range c.Events() {
			name := c.Category() + "." + i.Name
			lines[name] = "event"
			fields(lines, name, i.Type)
		}
	}
	return lines
}

// fields adds a line for each JSON field of the struct typ, also inside others.
func fields(lines map[string]string, path string, typ reflect.Type) {
	for _, f := range reflect.VisibleFields(typ) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || (f.Anonymous && name == "") || len(f.Index) > 1 && !promoted(typ, f) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		form, inside := describe(f.Type)
		if f.Type.Kind() == reflect.Pointer || strings.Contains(options, "omit") {
			form += " optional"
		}
		lines[path+"."+name] = form
		if inside != nil {
			fields(lines, path+"."+name, inside)
		}
	}
}

// promoted reports whether f of an embedded struct is a field of typ in JSON.
func promoted(typ reflect.Type, f reflect.StructField) bool {
	for i := range len(f.Index) - 1 {
		outer := typ.FieldByIndex(f.Index[:i+1])
		if name, _, _ := strings.Cut(outer.Tag.Get("json"), ","); name != "" {
			return false
		}
	}
	return true
}

// describe returns what typ is in JSON, and the struct that is inside it.
func describe(typ reflect.Type) (form string, inside reflect.Type) {
	if value, ok := personal(typ); ok {
		form, inside = describe(value)
		return "personal " + form, inside
	}
	switch typ {
	case reflect.TypeFor[time.Time]():
		return "time", nil
	case reflect.TypeFor[json.RawMessage]():
		return "json", nil
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return describe(typ.Elem())
	case reflect.Struct:
		return "object", typ
	case reflect.Slice, reflect.Array:
		form, inside = describe(typ.Elem())
		return "list of " + form, inside
	case reflect.Map:
		form, inside = describe(typ.Elem())
		return "map of " + form, inside
	case reflect.Interface:
		return "any", nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "integer", nil
	case reflect.Float32, reflect.Float64:
		return "number", nil
	default:
		return typ.Kind().String(), nil
	}
}

// personal returns the type of the value in a [domain.Personal].
func personal(typ reflect.Type) (reflect.Type, bool) {
	if typ.Kind() != reflect.Struct || typ.PkgPath() != "konto/domain" || !strings.HasPrefix(typ.Name(), "Personal[") {
		return nil, false
	}
	value, _ := typ.FieldByName("Value")
	return value.Type, true
}

// Every command says in one line what it does, for the API page and the
// command-line help, and no two aggregates share a name.
func TestContractsAreDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	once := func(name, by string) {
		if other, ok := seen[name]; ok {
			t.Errorf("%s is of %s and of %s", name, other, by)
		}
		seen[name] = by
	}
	for _, c := range policy.Contracts {
		once("category "+c.Category(), c.Collection())
		once("collection "+c.Collection(), c.Category())
		if strings.Contains(c.Category(), "-") {
			t.Errorf("category %s has a dash, which ends a category in a stream's name", c.Category())
		}
		for _, i := range c.Commands() {
			once(i.Name, c.Category())
			if i.Summary == "" || strings.HasSuffix(i.Summary, ".") || strings.ContainsAny(i.Summary, "\n") {
				t.Errorf("%s of %s: summary %q, want one line without a full stop", i.Name, c.Category(), i.Summary)
			}
		}
		for _, i := range c.Events() {
			once(i.Name, c.Category())
		}
	}
}

// Personal values are in [domain.Personal] and nowhere else: a command may
// carry a name in plain, an event may not.
func TestEventsKeepPersonalValuesApart(t *testing.T) {
	t.Parallel()
	lines := contract()
	for name, form := range lines {
		path := strings.Split(name, ".")
		if lines[path[0]+"."+path[1]] != "event" || len(path) < 3 || strings.HasPrefix(form, "personal") {
			continue
		}
		if path[0] == "resv" { // a reservation's holder is an aggregate
			continue
		}
		inPersonal := slices.ContainsFunc(prefixes(path), func(p string) bool { return strings.HasPrefix(lines[p], "personal") })
		switch path[len(path)-1] {
		case "email", "phone", "firstName", "lastName", "holder", "holderName", "billTo", "address", "contact",
			"displayName", "signInName", "e164", "raw", "line2", "city", "postalCode":
			if !inPersonal {
				t.Errorf("%s is %s, want a personal value", name, form)
			}
		}
	}
}

// prefixes returns the paths of what the field at path is in.
func prefixes(path []string) (outer []string) {
	for i := 3; i < len(path); i++ {
		outer = append(outer, strings.Join(path[:i], "."))
	}
	return outer
}
