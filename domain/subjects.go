package domain

import (
	"reflect"
	"slices"
)

// personalValue is a [Personal] of any type.
type personalValue interface{ subject() string }

func (p Personal[T]) subject() string { return p.Subject }

// Subjects returns whom the personal values in vs are about, each once, in the
// order in which they come. It looks into structs, slices, maps and pointers;
// of a sealed value it does not know whom it is about.
func Subjects(vs ...any) []string {
	var found []string
	for _, v := range vs {
		found = subjects(found, reflect.ValueOf(v))
	}
	return found
}

func subjects(found []string, v reflect.Value) []string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return subjects(found, v.Elem())
		}
	case reflect.Struct:
		if p, ok := reflect.TypeAssert[personalValue](v); ok {
			return once(found, p.subject())
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				found = subjects(found, v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Len() > 0 && holdsMore(v.Type().Elem()) {
			for i := range v.Len() {
				found = subjects(found, v.Index(i))
			}
		}
	case reflect.Map:
		if v.Len() > 0 && holdsMore(v.Type().Elem()) {
			for _, key := range v.MapKeys() {
				found = subjects(found, v.MapIndex(key))
			}
		}
	default:
	}
	return found
}

// holdsMore reports whether there may be anything inside a value of type t.
func holdsMore(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return true
	default:
		return false
	}
}

func once(found []string, subject string) []string {
	if subject == "" {
		return found
	}
	if slices.Contains(found, subject) {
		return found
	}
	return append(found, subject)
}
