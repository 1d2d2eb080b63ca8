package domain

import (
	"reflect"
	"time"
)

// Recorded is an event of type E as a projection or a reaction is told of it.
// Personal values in Data are sealed.
type Recorded[E any] struct {
	Data     E
	ID       string // of the aggregate
	Category string // of the aggregate
	Tenant   string // that owns the aggregate
	EventID  string
	Type     string // wire name, as stored
	Revision int64
	Position uint64 // commit position in $all: order, with gaps
	At       time.Time
	Actor    Actor
	// Correlation is the same for all that one request led to.
	Correlation string
	// PolicyVersions are the versions of the policies that the event's command
	// was decided under, by the policies' names.
	PolicyVersions map[string]int
}

// Effect is what a reaction wants done: a [Dispatch] or a [Notice].
type Effect interface{ effect() }

// Dispatch asks for a command to be sent, after a while. The command runs as
// Konto itself, for the tenant of the event that caused it. A refusal is
// final; a fault is tried again.
type Dispatch struct {
	To      string // aggregate ID
	Command any    // of a registered command type
	After   time.Duration
	// Tenant owns the aggregate, if that is not the event's tenant, as when a
	// partner's system is called about its customer.
	Tenant string
	// Line, if not empty, says that carrying the command out waits for somebody
	// else's system, and for which: commands of one line are carried out one
	// after the other, those of different lines beside each other, and nothing
	// else waits for them.
	Line string
}

// Notice asks for one person to be told something, once for each channel.
type Notice struct {
	// To is the person, an admin's ID, whose verified addresses and language
	// are looked up when the message leaves.
	To string
	// Tenant is To's, if it is not the event's, as when a partner's person is
	// told of what they did for a customer.
	Tenant string
	// Address, if not zero, is where the message goes instead: a contact that
	// is not or no longer To's.
	Address Personal[string]
	Channel Channel
	// Without, if not zero, is an address of To's that the message does not go
	// to, as one that became To's by what is told.
	Without Personal[string]
	// Template names the message; see package notify.
	Template string
	// Data is what the template shows, marshalled to JSON. Personal values in
	// it are sealed while they wait.
	Data any
	// Besides are the people who get the same message because of the same
	// event. An address that is one of theirs does not get it again.
	Besides []string
}

// What [Notice.To] may be instead of a person: an address that the
// organization's profile has when the message leaves.
const (
	OrganizationContact = "organization-contact"
	TechnicalContact    = "technical-contact"
)

// Channel is how a message travels.
type Channel string

// The channels.
const (
	Mail  Channel = "mail"
	SMS   Channel = "sms"
	Voice Channel = "voice"
)

func (Dispatch) effect() {}
func (Notice) effect()   {}

// Reaction is a policy or a process: what happens because something else did.
// It is pure, so that a replay asks for the same effects in the same order;
// the reactor gives each effect an ID made of the reaction's name, the event's
// ID and the effect's index, and carries out each ID once.
type Reaction struct {
	Name  string // for ever: names the checkpoint and the effect IDs
	Steps map[reflect.Type]ReactionStep
}

// ReactionStep is what a reaction does on one type of event. State is nil for
// a key without memory, and JSON-marshallable.
type ReactionStep struct {
	Key  func(e Recorded[any]) string
	New  func() any
	Then func(state any, e Recorded[any]) []Effect
}

// Whenever is a policy: one event type and no memory.
func Whenever[E any](name string, then func(Recorded[E]) []Effect) Reaction {
	return Process(name, On(func(Recorded[E]) string { return "" },
		func(_ *struct{}, e Recorded[E]) []Effect { return then(e) }))
}

// Step is one line of a [Process].
type Step[P any] func(map[reflect.Type]ReactionStep)

// Process is a policy with a memory P, one for each key that its steps
// return. P is stored as JSON beside the checkpoint.
func Process[P any](name string, steps ...Step[P]) Reaction {
	r := Reaction{name, map[reflect.Type]ReactionStep{}}
	for _, s := range steps {
		s(r.Steps)
	}
	return r
}

// On is the step that an event of type E takes. A step whose key is empty has
// no memory.
func On[E, P any](key func(Recorded[E]) string, then func(*P, Recorded[E]) []Effect) Step[P] {
	return func(m map[reflect.Type]ReactionStep) {
		m[reflect.TypeFor[E]()] = ReactionStep{
			Key:  func(e Recorded[any]) string { return key(As[E](e)) },
			New:  func() any { return new(P) },
			Then: func(state any, e Recorded[any]) []Effect { return then(state.(*P), As[E](e)) },
		}
	}
}

// As returns e with its data as an E. It panics if the data is something else.
func As[E any](e Recorded[any]) Recorded[E] {
	return Recorded[E]{
		Data: e.Data.(E), ID: e.ID, Category: e.Category, Tenant: e.Tenant,
		EventID: e.EventID, Type: e.Type, Revision: e.Revision, Position: e.Position,
		At: e.At, Actor: e.Actor, Correlation: e.Correlation,
	}
}
