// Package diff compares two JSON documents field by field.
package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Change is a field that differs between two documents.
type Change struct {
	Field  string          `json:"field"` // JSON pointer (RFC 6901)
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Between returns the fields whose values differ between the documents a and
// b, sorted by field. Objects are compared member by member, arrays element by
// element; a field that one side lacks has no value there.
func Between(a, b []byte) ([]Change, error) {
	before, err := parse(a)
	if err != nil {
		return nil, err
	}
	after, err := parse(b)
	if err != nil {
		return nil, err
	}
	return walk(nil, "", before, after)
}

func parse(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	return v, nil
}

// absent stands for a member or an element that one side lacks.
type absent struct{}

func walk(out []Change, at string, a, b any) ([]Change, error) {
	x, y := members(a), members(b)
	if x == nil || y == nil {
		return leaf(out, at, a, b)
	}
	keys := slices.Collect(maps.Keys(x))
	for k := range y {
		if _, ok := x[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var err error
	for _, k := range keys {
		if out, err = walk(out, at+"/"+escape.Replace(k), value(x, k), value(y, k)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// members returns v's parts by key, or nil if v has none to look into.
func members(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		m := make(map[string]any, len(v))
		for i, e := range v {
			m[strconv.Itoa(i)] = e
		}
		return m
	}
	return nil
}

func value(m map[string]any, k string) any {
	if v, ok := m[k]; ok {
		return v
	}
	return absent{}
}

func leaf(out []Change, at string, a, b any) ([]Change, error) {
	before, err := text(a)
	if err != nil {
		return nil, err
	}
	after, err := text(b)
	if err != nil || bytes.Equal(before, after) {
		return out, err
	}
	return append(out, Change{at, before, after}), nil
}

func text(v any) (json.RawMessage, error) {
	if _, ok := v.(absent); ok {
		return nil, nil
	}
	return json.Marshal(v)
}
