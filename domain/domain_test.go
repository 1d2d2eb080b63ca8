package domain_test

import (
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
)

// door is a small aggregate: it is hung once, and opened with a key that is
// remembered when it is wrong.
var door = domain.NewAggregate(
	"door", "doors",
	domain.Accepts[hang]("Hang", domain.Summary("Hang a door")),
	domain.Accepts[open]("Open", domain.CallerSaw()),
	domain.Accepts[slam]("Slam", domain.Internal()),
	domain.Records[hung]("DoorHung.v2", domain.Was("DoorHung", hungFromV1)),
	domain.Records[wrongKey]("WrongKeyTried"),
)

type doorState struct {
	WidthMillimetres int
	Tries            int
}

type (
	doorEvent = domain.Event[doorState]
	size      struct {
		WidthMillimetres int `json:"widthMillimetres"`
	}
	hang struct {
		Size size `json:"size"`
	}
	open     struct{ Key string }
	slam     struct{}
	hung     struct{ WidthMillimetres int }
	hungV1   struct{ Width float64 } // metres
	wrongKey struct{}
)

var errWrongKey = domain.Forbidden("wrong-key", "the key does not fit")

func hungFromV1(v hungV1) hung { return hung{int(v.Width * 1000)} }

func (c hang) Decide(s doorState, _ domain.Meta) ([]doorEvent, error) {
	if s.WidthMillimetres == c.Size.WidthMillimetres {
		return nil, nil
	}
	return []doorEvent{hung(c.Size)}, nil
}

func (c open) Decide(doorState, domain.Meta) ([]doorEvent, error) {
	return []doorEvent{wrongKey{}}, errWrongKey
}
func (c slam) Decide(doorState, domain.Meta) ([]doorEvent, error) { return nil, nil }
func (e hung) Evolve(s *doorState)                                { s.WidthMillimetres = e.WidthMillimetres }
func (e wrongKey) Evolve(s *doorState)                            { s.Tries++ }

func raw(name, data string) domain.Raw { return domain.Raw{Type: name, Data: json.RawMessage(data)} }

func history(raws ...domain.Raw) iter.Seq2[domain.Raw, error] {
	return func(yield func(domain.Raw, error) bool) {
		for _, r := range raws {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestCommandsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, data, pointer string
		ok                  bool
	}{
		{name: "as it is", data: `{"size":{"widthMillimetres":900}}`, ok: true},
		{name: "with space after it", data: `{"size":{"widthMillimetres":900}} `, ok: true},
		{name: "nothing in it", data: `{}`, ok: true},
		{name: "unknown field", data: `{"size":{"widthMillimetres":900},"colour":"red"}`},
		{name: "unknown field inside", data: `{"size":{"width":900}}`, pointer: "/size"},
		{name: "two values", data: `{} {}`},
		{name: "rubbish after it", data: `{}x`},
		{name: "no JSON", data: `size=900`},
		{name: "nothing", data: ``},
		{name: "another type", data: `{"size":{"widthMillimetres":"wide"}}`, pointer: "/size/widthMillimetres"},
	} {
		_, err := door.DecodeCommand(raw("Hang", test.data))
		var got *domain.Error
		switch {
		case test.ok && err != nil:
			t.Errorf("%s: DecodeCommand(%s): err = %v, want none", test.name, test.data, err)
		case test.ok:
		case !errors.As(err, &got) || got.Kind != domain.KindMalformed || got.Pointer != test.pointer:
			t.Errorf("%s: DecodeCommand(%s): err = %#v, want a malformed command at %q", test.name, test.data, err, test.pointer)
		}
	}
}

// What is wrong with a body is said without what is in it: a value in the
// wrong place may be somebody's name or number.
func TestMalformedCommandsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, data, says string }{
		{"a field that there is not", `{"colourCode":1}`, "the body has an unknown field; this command has size"},
		{"a field that there is not inside", `{"size":{"Ann Ek":1}}`, "size has an unknown field; it has widthMillimetres"},
		{"what is no field's name", `{"ann@privat.example":1}`, ""},
		{"a number that is none of a width", `{"size":{"widthMillimetres":46701740605.5}}`, "must be a whole number, and in range"},
		{"a name for a width", `{"size":{"widthMillimetres":"Ann Ek"}}`, "must be a whole number, not a text"},
	} {
		_, err := door.DecodeCommand(raw("Hang", test.data))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: err = %v, want it to say %q", test.name, err, test.says)
			continue
		}
		for _, value := range []string{"ann@", "4670", "Ann Ek"} {
			if strings.Contains(err.Error(), value) {
				t.Errorf("%s: %v repeats %s", test.name, err, value)
			}
		}
	}
}

func TestEventsAreReadLeniently(t *testing.T) {
	t.Parallel()
	got, err := door.DecodeEvent(raw("DoorHung.v2", `{"WidthMillimetres":900,"Colour":"red"}`))
	if want := (hung{900}); err != nil || got != want {
		t.Errorf("DecodeEvent with a newer field = %v, %v, want %v", got, err, want)
	}
	if _, err := door.DecodeEvent(raw("DoorHung.v2", `{`)); err == nil || errors.Is(err, domain.ErrUnknownType) {
		t.Errorf("DecodeEvent of half an event: err = %v, want a fault", err)
	}
}

func TestUpcast(t *testing.T) {
	t.Parallel()
	s, err := door.Fold(history(raw("DoorHung", `{"Width":0.9}`)))
	if want := (doorState{WidthMillimetres: 900}); err != nil || s != want {
		t.Errorf("Fold of the first form = %v, %v, want %v", s, err, want)
	}
	got, err := door.Encode(hung{900})
	if err != nil || got.Type != "DoorHung.v2" {
		t.Errorf("Encode = %s, %v, want the second form", got.Type, err)
	}
	for _, e := range door.Events() {
		if e.Name == "DoorHung" {
			t.Error("Events lists an old form")
		}
	}
}

func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	_, command := door.DecodeCommand(raw("Paint", `{}`))
	_, event := door.DecodeEvent(raw("DoorPainted", `{}`))
	_, encode := door.Encode(size{})
	_, decide := door.Decide(door.New(), size{}, domain.Meta{})
	_, fold := door.Fold(history(raw("DoorPainted", `{}`)))
	_, execute := door.Execute(history(), raw("Paint", `{}`), domain.Meta{})
	for name, err := range map[string]error{
		"DecodeCommand": command, "DecodeEvent": event, "Encode": encode, "Decide": decide,
		"Evolve": door.Evolve(door.New(), size{}), "Fold": fold, "Execute": execute,
	} {
		if !errors.Is(err, domain.ErrUnknownType) {
			t.Errorf("%s of an unknown type: err = %v, want %v", name, err, domain.ErrUnknownType)
		}
	}
}

func TestExecute(t *testing.T) {
	t.Parallel()
	got, err := door.Execute(history(), raw("Hang", `{"size":{"widthMillimetres":900}}`), domain.Meta{})
	if want := []domain.Raw{raw("DoorHung.v2", `{"WidthMillimetres":900}`)}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("Execute = %v, %v, want %v", got, err, want)
	}
	got, err = door.Execute(history(got...), raw("Hang", `{"size":{"widthMillimetres":900}}`), domain.Meta{})
	if err != nil || len(got) != 0 {
		t.Errorf("Execute again = %v, %v, want nothing", got, err)
	}
	got, err = door.Execute(history(), raw("Open", `{}`), domain.Meta{})
	if want := []domain.Raw{raw("WrongKeyTried", `{}`)}; !errors.Is(err, errWrongKey) || !cmp.Equal(got, want) {
		t.Errorf("Execute of a refusal to remember = %v, %v, want %v with %v", got, err, want, errWrongKey)
	}
	lost := errors.New("lost")
	_, err = door.Execute(func(yield func(domain.Raw, error) bool) { yield(domain.Raw{}, lost) }, raw("Slam", `{}`), domain.Meta{})
	if !errors.Is(err, lost) {
		t.Errorf("Execute of a history that cannot be read: err = %v, want %v", err, lost)
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	var c domain.Contract = door
	type info struct {
		Name, Summary       string
		CallerSaw, Internal bool
	}
	var got []info
	for _, i := range c.Commands() {
		got = append(got, info{i.Name, i.Summary, i.CallerSaw, i.Internal})
	}
	want := []info{{"Hang", "Hang a door", false, false}, {"Open", "", true, false}, {"Slam", "", false, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Commands (-want +got):\n%s", diff)
	}
	if c.Category() != "door" || c.Collection() != "doors" {
		t.Errorf("named %s, %s, want door, doors", c.Category(), c.Collection())
	}
	c.Commands()[0].Name = "changed"
	if got := c.Commands()[0].Name; got != "Hang" {
		t.Errorf("the contract was changed through Commands to %s", got)
	}
	state := c.New()
	if err := c.Evolve(state, hung{900}); err != nil || state.(*doorState).WidthMillimetres != 900 {
		t.Errorf("Evolve = %v, %v, want a door of 900 mm", state, err)
	}
}

func TestTwoPartsOfOneName(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(){
		"commands": func() { domain.NewAggregate("d", "d", domain.Accepts[slam]("A"), domain.Accepts[open]("A")) },
		"events":   func() { domain.NewAggregate("d", "d", domain.Records[hung]("A"), domain.Records[wrongKey]("A")) },
		"old form": func() { domain.NewAggregate("d", "d", domain.Records[hung]("A", domain.Was("A", hungFromV1))) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of one name: no panic", name)
				}
			}()
			build()
		}()
	}
}

func TestPersonalForms(t *testing.T) {
	t.Parallel()
	type holder struct {
		Name domain.Personal[string] `json:"name,omitzero"`
	}
	for _, test := range []struct {
		name, json string
		want       domain.Personal[string]
		readable   bool
	}{
		{"open", `{"name":{"$personal":{"subject":"s1","value":"Ann"}}}`, domain.About("s1", "Ann"), true},
		{"open and empty", `{"name":{"$personal":{"subject":"s1","value":""}}}`, domain.About("s1", ""), true},
		{"sealed", `{"name":{"$sealed":{"subject":"s1","key":1,"box":"Zm9v"}}}`, domain.Personal[string]{Sealed: json.RawMessage(`{"$sealed":{"subject":"s1","key":1,"box":"Zm9v"}}`)}, false},
		{"erased", `{"name":{"$erased":{"subject":"s1"}}}`, domain.Personal[string]{Subject: "s1", Erased: true}, false},
		{"none", `{}`, domain.Personal[string]{}, false},
	} {
		var got holder
		if err := json.Unmarshal([]byte(test.json), &got); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got.Name); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if got.Name.Readable() != test.readable || got.Name.IsZero() != (test.name == "none") {
			t.Errorf("%s: readable %t, zero %t", test.name, got.Name.Readable(), got.Name.IsZero())
		}
		if back, err := json.Marshal(got); err != nil || string(back) != test.json {
			t.Errorf("%s: written as %s, %v, want %s", test.name, back, err, test.json)
		}
	}
	// The same form in ways that Konto does not write it.
	for _, text := range []string{
		`{ "$personal": {"subject": "s1", "value": "Ann"} }`, `{"$personal":{"value":"Ann","subject":"s1"}}`,
		`{"$personal":{"subject":"s1","value":"Ann","since":{}}}`, `{"$personal":{"subject":"\u00731","value":"Ann"}}`,
		`{"$personal":{"subject":"s1","value":"Ann"},"x":{"y":{}}}`,
	} {
		var got domain.Personal[string]
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Subject != "s1" || got.Value != "Ann" {
			t.Errorf("%s = %+v, %v, want Ann about s1", text, got, err)
		}
	}
	var p domain.Personal[string]
	if err := json.Unmarshal([]byte(`null`), &p); err != nil || !p.IsZero() {
		t.Errorf("null = %v, %v, want no value", p, err)
	}
	if err := json.Unmarshal([]byte(`{"$personal":{"subject":"s1","value":7}}`), &p); err == nil {
		t.Error("a number as a name: no error")
	}
	if b, err := json.Marshal(domain.Personal[string]{}); err != nil || string(b) != "null" {
		t.Errorf("no value is written as %s, %v, want null", b, err)
	}
}

func TestActorHas(t *testing.T) {
	t.Parallel()
	a := domain.Actor{Roles: []domain.Role{domain.Auditor, domain.Operator}}
	if !a.Has(domain.GlobalAdmin, domain.Operator) || a.Has(domain.GlobalAdmin) || a.Has() {
		t.Errorf("Has is wrong for %v", a.Roles)
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(domain.Roles())))); n != len(domain.Roles()) {
		t.Errorf("Roles has %d different roles, want %d", n, len(domain.Roles()))
	}
}

func TestReactions(t *testing.T) {
	t.Parallel()
	type counter struct{ Tries int }
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	r := domain.Process("slam-after-two", domain.On(
		func(e domain.Recorded[wrongKey]) string { return e.ID },
		func(c *counter, e domain.Recorded[wrongKey]) []domain.Effect {
			if c.Tries++; c.Tries < 2 {
				return nil
			}
			return []domain.Effect{domain.Dispatch{To: e.ID, Command: slam{}, After: time.Hour}}
		},
	))
	step := r.Steps[slices.Collect(maps.Keys(r.Steps))[0]]
	e := domain.Recorded[any]{Data: wrongKey{}, ID: "d1", Category: "door", Tenant: "t1", EventID: "e1", Type: "WrongKeyTried", Revision: 4, Position: 9, At: at, Correlation: "c1"}
	state := step.New()
	if got := step.Then(state, e); got != nil {
		t.Errorf("after one try: %v, want nothing", got)
	}
	if got, want := step.Then(state, e), []domain.Effect{domain.Dispatch{To: "d1", Command: slam{}, After: time.Hour}}; !cmp.Equal(got, want) {
		t.Errorf("after two tries: %v, want %v", got, want)
	}
	if key := step.Key(e); key != "d1" {
		t.Errorf("Key = %q, want d1", key)
	}
	typed := domain.Recorded[wrongKey]{ID: "d1", Category: "door", Tenant: "t1", EventID: "e1", Type: "WrongKeyTried", Revision: 4, Position: 9, At: at, Correlation: "c1"}
	if diff := cmp.Diff(typed, domain.As[wrongKey](e)); diff != "" {
		t.Errorf("As (-want +got):\n%s", diff)
	}
	policy := domain.Whenever("tell", func(e domain.Recorded[hung]) []domain.Effect {
		return []domain.Effect{domain.Notice{To: e.Data.name(), Channel: domain.Mail}}
	})
	for _, step := range policy.Steps {
		e.Data = hung{900}
		if got := step.Key(e); got != "" {
			t.Errorf("Key of a policy = %q, want none", got)
		}
		if got, want := step.Then(step.New(), e), []domain.Effect{domain.Notice{To: "wide", Channel: domain.Mail}}; !cmp.Equal(got, want, cmp.AllowUnexported(domain.Notice{})) {
			t.Errorf("policy = %v, want %v", got, want)
		}
	}
}

func (e hung) name() string {
	if e.WidthMillimetres > 800 {
		return "wide"
	}
	return "narrow"
}
