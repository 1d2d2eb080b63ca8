package command

import (
	"cmp"
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"konto/domain"
)

// errFieldRequired: a field is not in the body that has a meaning whatever it
// says: what is not there would be taken for false, none or nothing.
var errFieldRequired = domain.Invalid("field-required", "the field is required: say what it is to be")

// field is a field that a body must have.
type field struct {
	name string
	list bool // null is an empty one
}

// requiredOf returns the fields that a body of type t must have: all that its
// JSON always has, as its schema says.
func requiredOf(t reflect.Type) []field {
	var fields []field
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			fields = append(fields, requiredOf(f.Type)...)
		case !f.IsExported():
		case name != "-" && options == "" && f.Type.Kind() != reflect.Pointer:
			fields = append(fields, field{cmp.Or(name, f.Name), f.Type.Kind() == reflect.Slice && f.Type != reflect.TypeFor[json.RawMessage]()})
		}
	}
	return fields
}

// complete refuses a body that a caller sent without a field that it must have.
// What Konto itself sends may have been written before there was the field.
func (h *Handler) complete(t task) error {
	required := h.required[t.info.Type]
	if len(required) == 0 || t.Actor.Kind == domain.KindSystem {
		return nil
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(t.Body, &body); err != nil {
		return err // it was decoded before
	}
	var missing []*domain.Error
	for _, f := range required {
		if value, ok := body[f.name]; !ok || string(value) == "null" && !f.list {
			missing = append(missing, errFieldRequired.At("/"+f.name))
		}
	}
	return domain.All(missing...)
}

// shut reports whether refused is to anything that the actor may say, so that it
// tells nobody who is not to know what there is.
func shut(refused error) bool {
	rule, ok := errors.AsType[*domain.Error](refused)
	return ok && (rule.Kind == domain.KindNotFound || rule.Kind == domain.KindForbidden)
}

// indexRequired returns the required fields of every command that callers send.
func indexRequired(infos map[string]map[string]domain.CommandInfo) map[reflect.Type][]field {
	index := map[reflect.Type][]field{}
	for _, commands := range infos {
		for _, info := range commands {
			if !info.Internal && !info.NoRoute {
				index[info.Type] = requiredOf(info.Type)
			}
		}
	}
	return index
}
