package domain

import "time"

// Attempt is a command that somebody asks for, before anybody looks at the
// rules of the aggregate: what an authorization table decides on.
type Attempt struct {
	Category string // of the aggregate
	Command  string // wire name
	ID       string // of the aggregate
	Owner    string // the tenant that owns the aggregate, or would
	Exists   bool   // the aggregate has a history
	// Concern is what the aggregate would be about, if the command makes it and
	// is a [Concerner]. Owner is the other's then, and empty if there is none.
	Concern *Concern
	Actor   Actor
	At      time.Time // when the command was accepted
	Facts   Facts
}

// Ruling is one step of an authorization: what was checked, and how it went.
type Ruling struct {
	Check  string `json:"check"`
	Passed bool   `json:"passed"`
	Why    string `json:"why,omitempty"`
}

// Authorization says who may ask for what. It is a policy: events name the
// version that let their command pass. All methods are pure.
type Authorization interface {
	Versioned
	// Owner returns the tenant that would own the aggregate if the actor made
	// it, but for what a [Concerner] makes.
	Owner(category, id string, actor Actor) string
	// Needs returns the facts that Rule asks for; see [Needer].
	Needs(a Attempt) []Need
	// Rule decides a, and says how it got there. A refusal is an [*Error]: of
	// [KindNotFound] where the actor may not even know that the aggregate
	// exists, of [KindForbidden] otherwise.
	Rule(a Attempt) ([]Ruling, error)
	// Explain adds to what the aggregate refused who could send the command,
	// unless the refusal is stricter and says so itself, and who may send the
	// one that it names instead. It knows the facts of the decision.
	Explain(a Attempt, refused *Error) *Error
}

// Look is a wish to read what is kept about an aggregate.
type Look struct {
	Category string
	ID       string
	Owner    string // the tenant that owns the aggregate
	// Past says that its history is asked for, and not just what is so now.
	Past bool
	// Case is the stream of the support case for which somebody reads, if any.
	Case  string
	Actor Actor
	At    time.Time // when; zero where no right depends on it
	Facts Facts
}

// Sight is how much a reader may see.
type Sight struct {
	Personal bool // personal values are shown, not just that there are some
	// Session is the ID of the audit session that alone lets the reader see so
	// much; empty if none is needed. Who answers such a reading records it first.
	Session string
	Until   time.Time // when the session ends
	// Messages are the templates of the messages that a list of them shows; nil
	// for all.
	Messages []string
}

// Reading says who may read what. All methods are pure.
type Reading interface {
	// ReadNeeds returns the facts that Read asks for; see [Needer].
	ReadNeeds(l Look) []Need
	// Read decides l. A refusal is an [*Error] of [KindNotFound], so that
	// nobody learns of aggregates that they may not read, or of [KindForbidden]
	// for those who may once an audit session covers it.
	Read(l Look) (Sight, error)
}
