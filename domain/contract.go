package domain

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Contract is an [Aggregate] whose state type is not known to the caller: what
// the command handler, the API and the projectors work with. States are
// pointers made by New. All methods are safe for concurrent use; a state is
// not.
type Contract interface {
	// Category is the part of a stream's name before its first dash.
	Category() string
	// Collection is the aggregate's name in URLs, a plural in kebab-case.
	Collection() string
	// Commands returns what the aggregate accepts, in the contract's order.
	Commands() []CommandInfo
	// Events returns what the aggregate records, in the contract's order.
	Events() []EventInfo
	// New returns a state with no history.
	New() any
	// DecodeCommand returns the command that raw stands for. A body that is
	// not the command's JSON is an [*Error]; a type that the aggregate does
	// not accept is an [ErrUnknownType].
	DecodeCommand(raw Raw) (any, error)
	// DecodeEvent returns the event that raw stands for, upcast to its current
	// shape. A type that the aggregate does not record is an [ErrUnknownType].
	DecodeEvent(raw Raw) (any, error)
	// Encode returns the wire form of v, one of the aggregate's commands or events.
	Encode(v any) (Raw, error)
	// Decide runs the rule of cmd. It does not change state. Events may come
	// with a rejection; see [Command].
	Decide(state, cmd any, m Meta) ([]any, error)
	// Evolve folds event into state.
	Evolve(state, event any) error
}

// CommandInfo describes a command.
type CommandInfo struct {
	Name      string
	Type      reflect.Type
	Summary   string
	CallerSaw bool // see [CallerSaw]
	Approves  bool // see [Approves]
	Internal  bool // see [Internal]
	NotKept   bool // see [NotKept]
	Guessable bool // see [Guessable]
	NoRoute   bool // see [NoRoute]
}

// EventInfo describes an event in its current shape.
type EventInfo struct {
	Name string
	Type reflect.Type
}

// Category implements [Contract].
func (a *Aggregate[S]) Category() string { return a.category }

// Collection implements [Contract].
func (a *Aggregate[S]) Collection() string { return a.collection }

// Commands implements [Contract].
func (a *Aggregate[S]) Commands() []CommandInfo { return slices.Clone(a.commands) }

// Events implements [Contract].
func (a *Aggregate[S]) Events() []EventInfo { return slices.Clone(a.events) }

// New implements [Contract].
func (a *Aggregate[S]) New() any { return new(S) }

// DecodeCommand implements [Contract].
func (a *Aggregate[S]) DecodeCommand(raw Raw) (any, error) {
	decode, ok := a.decide[raw.Type]
	if !ok {
		return nil, fmt.Errorf("command %s of %s: %w", raw.Type, a.category, ErrUnknownType)
	}
	return decode(raw.Data)
}

// DecodeEvent implements [Contract].
func (a *Aggregate[S]) DecodeEvent(raw Raw) (any, error) {
	decode, ok := a.evolve[raw.Type]
	if !ok {
		return nil, fmt.Errorf("event %s of %s: %w", raw.Type, a.category, ErrUnknownType)
	}
	e, err := decode(raw.Data)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", raw.Type, err)
	}
	return e, nil
}

// Encode implements [Contract].
func (a *Aggregate[S]) Encode(v any) (Raw, error) {
	name, ok := a.names[reflect.TypeOf(v)]
	if !ok {
		return Raw{}, fmt.Errorf("%T: %w", v, ErrUnknownType)
	}
	b, err := json.Marshal(v)
	return Raw{name, b}, err
}

// Decide implements [Contract].
func (a *Aggregate[S]) Decide(state, cmd any, m Meta) ([]any, error) {
	c, err := a.command(cmd)
	if err != nil {
		return nil, err
	}
	events, refused := c.Decide(*state.(*S), m)
	out := make([]any, len(events))
	for i, e := range events {
		out[i] = e
	}
	return out, refused
}

// Evolve implements [Contract].
func (a *Aggregate[S]) Evolve(state, event any) error {
	e, ok := event.(Event[S])
	if !ok {
		return fmt.Errorf("%T is no event of %s: %w", event, a.category, ErrUnknownType)
	}
	e.Evolve(state.(*S))
	return nil
}
