package domain

import (
	"fmt"
	"maps"
	"reflect"
	"time"
)

// Needer is a command whose decision needs more than its aggregate's state: a
// fact from another aggregate's stream, or what a library says of its input.
// Aggregates do not know each other, so a fact is a type of the package that
// needs it; package policy says where it comes from.
type Needer interface {
	// Needs returns the facts that Decide asks for. It is called again with
	// the facts that it named before, until it names no new one, so that one
	// fact (the account's country) may lead to another (a phone number read
	// in that country). It must be pure.
	Needs(m Meta) []Need
}

// Need names a fact: its type, and which one of that type.
type Need struct {
	Type reflect.Type
	Key  string
}

// Of is the need for the fact F of key.
func Of[F any](key string) Need { return Need{reflect.TypeFor[F](), key} }

// Facts are what a decision was given to know. The zero value is empty.
type Facts struct{ known map[Need]any }

// Knows returns f with one more fact.
func (f Facts) Knows(n Need, fact any) Facts {
	known := make(map[Need]any, len(f.known)+1)
	maps.Copy(known, f.known)
	known[n] = fact
	return Facts{known}
}

// Has reports whether f holds what n names.
func (f Facts) Has(n Need) bool {
	_, ok := f.known[n]
	return ok
}

// Versioned is a fact that is one version of something: what gathers facts for
// a decision records with its events which version it was. [Terms] are.
type Versioned interface {
	// InForce returns the name of the policy and the number of the version in
	// force at a time.
	InForce(at time.Time) (name string, version int)
}

// Versions returns which version of each policy that needs name is in force at
// a time, or nil if they name none. What they name and f does not hold is left
// out.
func (f Facts) Versions(needs []Need, at time.Time) map[string]int {
	var versions map[string]int
	for _, n := range needs {
		v, ok := f.known[n].(Versioned)
		if !ok {
			continue
		}
		if versions == nil {
			versions = map[string]int{}
		}
		name, version := v.InForce(at)
		versions[name] = version
	}
	return versions
}

// Fact returns the fact F of key. It panics if the command did not declare it,
// since that is a mistake in the program which any test of the command finds.
func Fact[F any](m Meta, key string) F {
	v, ok := m.Facts.known[Of[F](key)]
	if !ok {
		panic(fmt.Sprintf("domain: fact %v %q was not declared", reflect.TypeFor[F](), key))
	}
	return v.(F)
}

// Source says where facts of one type come from. See [FromState] and [FromInput].
type Source struct {
	Type     reflect.Type
	Contract Contract                       // whose state answers, or nil
	State    func(id string, state any) any // of Contract; must copy what it keeps
	Input    func(key string) any           // if Contract is nil: a pure function
}

// FromState says that the fact F of key is what view sees of the state of the
// aggregate a whose ID is key. View must copy slices and maps that it keeps.
// An aggregate without history has its zero state.
func FromState[F, S any](a *Aggregate[S], view func(id string, s S) F) Source {
	return Source{
		Type:     reflect.TypeFor[F](),
		Contract: a,
		State:    func(id string, state any) any { return view(id, *state.(*S)) },
	}
}

// FromInput says that the fact F of key is f(key), for rules that live in a
// library, such as the numbering plan of a country.
func FromInput[F any](f func(key string) F) Source {
	return Source{Type: reflect.TypeFor[F](), Input: func(key string) any { return f(key) }}
}

// Reserver is a command that must be the only one of its kind across
// aggregates. Before its events are appended, each key is reserved for the
// aggregate that decides; a key that another holds refuses the command.
type Reserver interface {
	Reserves(m Meta) []Reservation
}

// Reservation is a key that one aggregate alone may hold.
type Reservation struct {
	Kind  string // such as "card-token"
	Scope string // a tenant's ID, or empty for all tenants
	Key   string // not personal data: a keyed hash or a token
	// Else are keys that do as well, tried in this order if Key is another's: one
	// of so many places. Each aggregate has one of them.
	Else []string
	// Taken returns the refusal when another aggregate holds the key.
	Taken func(holder string) *Error
}
