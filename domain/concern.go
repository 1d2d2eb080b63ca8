package domain

// Concerner is a command that makes an aggregate about another one that is
// there already: a case about a subscription. The new aggregate belongs to
// whoever owns the other, so that somebody may open a case for a customer. Who
// that is is read from the other's own history; no sender says it. Whether
// they may make it there is for the [Authorization].
type Concerner interface {
	Concern() Concern
}

// Concern is what a new aggregate is about.
type Concern struct {
	// Fact is what the decision knows of it. Its source is the state of an
	// aggregate (see [FromState]), its key that aggregate's ID.
	Fact Need
	// None is the refusal if there is no such aggregate, or none that the
	// sender may know of: the same, so that nobody can tell which.
	None *Error
}
