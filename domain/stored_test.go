package domain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/policy"
)

// TestStoredForms decodes and folds one sample of each form in which an event
// was ever stored. A sample of a current form loses no field on its way. A
// current form without a sample fails; -update writes one, once and for all.
func TestStoredForms(t *testing.T) {
	t.Parallel()
	current, contracts := map[string]reflect.Type{}, map[string]domain.Contract{}
	for _, c := range policy.Contracts {
		contracts[c.Category()] = c
		for _, e := range c.Events() {
			current[c.Category()+"/"+e.Name] = e.Type
		}
	}
	if *update {
		writeSamples(t, current)
	}
	files, err := filepath.Glob("testdata/events/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		category, name := filepath.Base(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".json")
		c, ok := contracts[category]
		if !ok {
			t.Errorf("%s: there is no aggregate %s", file, category)
			continue
		}
		e, err := c.DecodeEvent(domain.Raw{Type: name, Data: data})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if err := c.Evolve(c.New(), e); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if _, ok := current[category+"/"+name]; ok {
			delete(current, category+"/"+name)
			keepsAll(t, file, c, e, data)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(current)) {
		t.Errorf("testdata/events/%s.json: there is no sample; write it with go test ./domain -run TestStoredForms -update", name)
	}
}

// keepsAll fails if what e is written as lacks something of the sample.
func keepsAll(t *testing.T, file string, c domain.Contract, e any, sample []byte) {
	t.Helper()
	raw, err := c.Encode(e)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	var want, got any
	if err := errors.Join(json.Unmarshal(sample, &want), json.Unmarshal(raw.Data, &got)); err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	if lost := missing("", want, got); lost != nil {
		t.Errorf("%s: lost on the way through %T: %s", file, e, strings.Join(lost, ", "))
	}
}

// missing returns the paths of what want has and got has not.
func missing(path string, want, got any) (paths []string) {
	object, ok := want.(map[string]any)
	if !ok {
		if !reflect.DeepEqual(want, got) {
			return []string{path}
		}
		return nil
	}
	others, _ := got.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, ok := others[name]
		if !ok {
			paths = append(paths, path+"/"+name)
			continue
		}
		paths = append(paths, missing(path+"/"+name, object[name], value)...)
	}
	return paths
}

func writeSamples(t *testing.T, current map[string]reflect.Type) {
	t.Helper()
	for name, typ := range current {
		file := filepath.Join("testdata/events", name+".json")
		if _, err := os.Stat(file); err == nil {
			continue
		}
		v := reflect.New(typ).Elem()
		fill(v, "", "")
		b, err := json.MarshalIndent(v.Interface(), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, append(b, '\n'), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// samples are values for fields that folds look into or people read, by field
// name. What ends in Id is an ID, and the rest is "sample".
func samples() map[string]any {
	const id = "01936c2e-0000-7000-8000-0000000000b2"
	return map[string]any{
		"slot": "mobile", "channel": "sms", "roles": "billing-admin", "role": "billing-admin", "country": "SE",
		"issuerCountry": "SE", "locale": "sv-SE", "culture": "sv-SE", "language": "sv", "currency": "SEK", "brand": "visa",
		"last4": "4242", "funding": "credit", "expMonth": 11, "expYear": 2030, "amountMinor": 12500, "class": "funds",
		"retry": "spaced", "whoFixes": "customer", "checklistItem": "bank", "showCode": "code", "code": "insufficient_funds",
		"scope": "all", "line1": "Storgatan 1", "city": "Umeå", "postalCode": "903 26", "domain": "example.com",
		"email": "ann@example.com", "e164": "+46701740605", "phone": "+46701740605", "raw": "070-174 06 05",
		"owner": id, "addedBy": id, "boughtBy": id, "endedBy": id, "old": id, "new": id, "tenant": id, "subscriptions": id,
		"verification": id, "supersedes": id, "withdrawn": id, "person": id, "checks": "pass",
	}
}

// sample is the value of the field name inside the field outer.
func sample(outer, name string) any {
	if v, ok := samples()[outer]; ok && outer == "checks" {
		return v
	}
	if v, ok := samples()[name]; ok {
		return v
	}
	if strings.HasSuffix(name, "Id") {
		return "01936c2e-0000-7000-8000-0000000000c3"
	}
	return "sample " + name
}

// fill sets v, a value of the field name inside outer, and all that is in it.
func fill(v reflect.Value, outer, name string) {
	if value, ok := personal(v.Type()); ok {
		v.FieldByName("Subject").SetString("01936c2e-0000-7000-8000-0000000000a1")
		inside := reflect.New(value).Elem()
		fill(inside, outer, name)
		v.FieldByName("Value").Set(inside)
		return
	}
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 11, 21, 12, 30, 15, 123456000, time.UTC)))
		return
	case reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(`{"sample":true}`))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), outer, name)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && tag != "-" {
				fill(v.Field(i), name, tag)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), outer, name)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, outer, name)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("sample").Convert(v.Type().Key()), value)
	case reflect.String:
		v.SetString(fmt.Sprint(sample(outer, name)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := sample(outer, name).(int)
		if !ok {
			n = 1
		}
		v.SetInt(int64(n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Interface:
		v.Set(reflect.ValueOf("sample"))
	default:
	}
}
