// Package domain is the modelling kit: what an aggregate, a command and an
// event are. It imports only the standard library and does no I/O, so that
// the same events give the same state for ever.
//
// An aggregate is a folder. <aggregate>.go holds its contract, its state and
// the rules' sentinel errors; every other file is one use case: the command,
// the rule ([Command].Decide), the event and its fold ([Event].Evolve).
//
// # Why commands decide and events evolve
//
// In Go a switch over message types compiles with a case missing. Here the
// rule and the fold are methods that an interface demands, so a forgotten one
// does not compile, and a use case is one file plus two lines in the
// aggregate's contract. Routes, API descriptions, command-line verbs and
// codecs are derived from the contract.
//
// # What a decision may know
//
// Its aggregate's state, the command, and [Meta]: who asks, when, and the
// facts that the command declared with [Needer]. A decision draws no random
// number and reads no clock; one-time codes are a keyed function of an
// identifier ([Meta.Code]), so that no event ever holds one.
package domain

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"time"
)

// An Event is a fact about an aggregate whose state is S.
type Event[S any] interface {
	// Evolve folds the fact into s. It must not fail, block or read a clock,
	// and it must not need a [Personal] value to keep the rules working: an
	// erased one reads as the zero value.
	Evolve(s *S)
}

// A Command asks an aggregate whose state is S to change.
type Command[S any] interface {
	// Decide returns the events that carry the command out. No events and no
	// error means that there is nothing to do. A rejection is an [*Error];
	// one that must be remembered, such as a wrong code, comes with the events
	// that remember it. Decide must not change what s refers to.
	Decide(s S, m Meta) ([]Event[S], error)
}

// Meta is what a decision may know besides the state and the command.
type Meta struct {
	ID      string    // of the aggregate that decides
	Tenant  string    // that owns the aggregate
	Actor   Actor     // who asks
	At      time.Time // when the command was accepted; UTC, microseconds
	Command string    // the command's own ID, unique for ever; base of derived IDs
	// Code returns the one-time code (six decimal digits) of a verification.
	// It is a keyed pure function: the same id gives the same code, and
	// without the key nothing but guessing finds it.
	Code func(verification string) string
	// MAC returns a keyed hash of value, 32 hex digits, the same for ever
	// within the tenant. It makes values comparable that must not be stored.
	// Purpose keeps the hashes of one kind of value apart from another's.
	MAC   func(purpose, value string) string
	Facts Facts
}

// Raw is a command or an event in its wire form.
type Raw struct {
	Type string
	Data json.RawMessage
}

// ErrUnknownType reports a wire type that no contract has registered.
var ErrUnknownType = errors.New("unknown type")

// Aggregate is the contract of one kind of aggregate: the commands it accepts
// and the events it records. It is immutable, safe to share, and implements
// [Contract].
type Aggregate[S any] struct {
	category   string
	collection string
	commands   []CommandInfo
	events     []EventInfo
	decide     map[string]func(json.RawMessage) (Command[S], error)
	evolve     map[string]func(json.RawMessage) (Event[S], error)
	names      map[reflect.Type]string // wire name of each command and event type
}

// A Part is one line of an aggregate's contract; see [Accepts] and [Records].
type Part[S any] func(*Aggregate[S])

// NewAggregate returns the contract of the aggregates whose streams are named
// category-ID and whose resources live under /v1/collection/ID. It panics if
// two parts claim one wire name, since that is a mistake in the program.
func NewAggregate[S any](category, collection string, parts ...Part[S]) *Aggregate[S] {
	a := &Aggregate[S]{
		category:   category,
		collection: collection,
		decide:     map[string]func(json.RawMessage) (Command[S], error){},
		evolve:     map[string]func(json.RawMessage) (Event[S], error){},
		names:      map[reflect.Type]string{},
	}
	for _, p := range parts {
		p(a)
	}
	return a
}

// Accepts registers command C under its wire name, an imperative.
func Accepts[C Command[S], S any](name string, options ...Option) Part[S] {
	return func(a *Aggregate[S]) {
		info := CommandInfo{Name: name, Type: reflect.TypeFor[C]()}
		for _, o := range options {
			o(&info)
		}
		a.commands = append(a.commands, info)
		put(a.decide, name, func(b json.RawMessage) (Command[S], error) { return strict[C](b) })
		a.names[info.Type] = name
	}
}

// Option is a property of a command.
type Option func(*CommandInfo)

// Summary is the one line that describes a command in the API page and in the
// command-line help.
func Summary(s string) Option { return func(c *CommandInfo) { c.Summary = s } }

// CallerSaw says that the caller must name the revision that it saw
// (If-Match), because the command replaces what a person has looked at.
func CallerSaw() Option { return func(c *CommandInfo) { c.CallerSaw = true } }

// Approves says that the command consents to what its caller has looked at, so
// that the caller must name the revision that it saw, as for [CallerSaw]. What
// has changed since in the same object is in its way, whichever field it is:
// nobody approves what they have not seen.
func Approves() Option {
	return func(c *CommandInfo) { c.CallerSaw, c.Approves = true, true }
}

// NotKept says that the command's body is not kept for back-tests: it holds a
// secret, such as a one-time code, or no policy has a say in it.
func NotKept() Option { return func(c *CommandInfo) { c.NotKept = true } }

// Guessable says that the answer tells whether a guess was right, and that
// wrong ones are counted: it has no dry run, which would count nothing.
func Guessable() Option { return func(c *CommandInfo) { c.Guessable = true } }

// Internal says that only Konto itself sends the command: it has no route.
func Internal() Option { return func(c *CommandInfo) { c.Internal = true } }

// NoRoute says that the command has no route of its own: Konto sends it for a
// person, as a part of another request, such as reading.
func NoRoute() Option { return func(c *CommandInfo) { c.NoRoute = true } }

// Records registers event E under its wire name, a past participle, which is
// for ever: to change the shape of E, give it a new name (CardReplaced.v2)
// and keep the old one with [Was].
func Records[E Event[S], S any](name string, old ...Old[E]) Part[S] {
	return func(a *Aggregate[S]) {
		a.events = append(a.events, EventInfo{Name: name, Type: reflect.TypeFor[E]()})
		put(a.evolve, name, func(b json.RawMessage) (Event[S], error) { return lenient[E](b) })
		for _, o := range old {
			put(a.evolve, o.name, func(b json.RawMessage) (Event[S], error) { return o.up(b) })
		}
		a.names[reflect.TypeFor[E]()] = name
	}
}

// Old is an earlier wire form of event E.
type Old[E any] struct {
	name string
	up   func(json.RawMessage) (E, error)
}

// Was says that events stored under name have shape V and that up, the
// upcaster, turns one into today's E.
func Was[V, E any](name string, up func(V) E) Old[E] {
	return Old[E]{name, func(b json.RawMessage) (E, error) {
		v, err := lenient[V](b)
		return up(v), err
	}}
}

// Execute folds history, decides cmd and returns the new events, which may
// come with a rejection; see [Command].
func (a *Aggregate[S]) Execute(history iter.Seq2[Raw, error], cmd Raw, m Meta) ([]Raw, error) {
	s, err := a.Fold(history)
	if err != nil {
		return nil, err
	}
	c, err := a.DecodeCommand(cmd)
	if err != nil {
		return nil, err
	}
	events, refused := a.Decide(&s, c, m)
	raws := make([]Raw, len(events))
	for i, e := range events {
		if raws[i], err = a.Encode(e); err != nil {
			return nil, err
		}
	}
	return raws, refused
}

// Fold returns the state that history leads to.
func (a *Aggregate[S]) Fold(history iter.Seq2[Raw, error]) (S, error) {
	var s S
	for raw, err := range history {
		if err != nil {
			return s, err
		}
		e, err := a.DecodeEvent(raw)
		if err != nil {
			return s, err
		}
		e.(Event[S]).Evolve(&s)
	}
	return s, nil
}

func put[V any](m map[string]V, name string, v V) {
	if _, dup := m[name]; dup {
		panic("domain: " + name + " registered twice")
	}
	m[name] = v
}

func (a *Aggregate[S]) command(c any) (Command[S], error) {
	v, ok := c.(Command[S])
	if !ok {
		return nil, fmt.Errorf("%T is no command of %s: %w", c, a.category, ErrUnknownType)
	}
	return v, nil
}
