package domain

import (
	"fmt"
	"maps"
	"slices"
)

// Kind says what a caller can do about an [Error].
type Kind uint8

// Kinds of rejection.
const (
	KindMalformed Kind = iota + 1 // the request is not a command at all
	KindInvalid                   // the request can never succeed; fix it
	KindConflict                  // the aggregate's state forbids it
	KindForbidden                 // the actor may not do it
	KindNotFound                  // there is no such aggregate
)

// Error is a broken rule. Every other error is a fault of the system. An
// Error is a value: its methods return changed copies, so that a sentinel is
// safe to share.
type Error struct {
	Kind   Kind   `json:"kind"`
	Code   string `json:"code"`             // stable, kebab-case; the last segment of the problem type
	Detail string `json:"detail"`           // for people; carries no personal data and no secrets
	Rule   string `json:"rule,omitempty"`   // the rule that refused, such as "C4"
	WhoMay []Role `json:"whoMay,omitempty"` // who could do what was refused; see [WhoSelf]
	// Instead is the command that is allowed instead, if there is one.
	Instead   string `json:"instead,omitempty"`
	InsteadBy []Role `json:"insteadBy,omitempty"` // who may do that
	Pointer   string `json:"pointer,omitempty"`   // JSON pointer of the input that is wrong
	// Facts are what the caller may know to act on the refusal, such as the
	// ID of the card that is already there.
	Facts map[string]any `json:"facts,omitempty"`
	// Causes are the broken rules that this error sums up.
	Causes []*Error `json:"causes,omitempty"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

// Is matches by code, so a sentinel matches whatever its detail says. An
// error that sums up others matches each of them.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && (t.Code == e.Code || slices.ContainsFunc(e.Causes, func(c *Error) bool { return c.Is(t) }))
}

// Malformed returns an [Error] of [KindMalformed].
func Malformed(code, format string, args ...any) *Error {
	return &Error{Kind: KindMalformed, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid returns an [Error] of [KindInvalid].
func Invalid(code, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Conflict returns an [Error] of [KindConflict].
func Conflict(code, format string, args ...any) *Error {
	return &Error{Kind: KindConflict, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Forbidden returns an [Error] of [KindForbidden].
func Forbidden(code, format string, args ...any) *Error {
	return &Error{Kind: KindForbidden, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// NotFound returns an [Error] of [KindNotFound].
func NotFound(code, format string, args ...any) *Error {
	return &Error{Kind: KindNotFound, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// ByRule names the rule that refused.
func (e *Error) ByRule(id string) *Error {
	c := *e
	c.Rule = id
	return &c
}

// Allowed says which command is allowed instead, and to whom. If there is none,
// it says who could do what was refused, as For does.
func (e *Error) Allowed(instead string, who ...Role) *Error {
	if instead == "" {
		return e.For(who...)
	}
	c := *e
	c.Instead, c.InsteadBy = instead, who
	return &c
}

// For says who could do what was refused.
func (e *Error) For(who ...Role) *Error {
	c := *e
	c.WhoMay = who
	return &c
}

// At points at the input that is wrong.
func (e *Error) At(pointer string) *Error {
	c := *e
	c.Pointer = pointer
	return &c
}

// With adds a fact for the caller.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Facts = maps.Clone(e.Facts)
	if c.Facts == nil {
		c.Facts = map[string]any{}
	}
	c.Facts[key] = value
	return &c
}

// All sums up what is wrong, so that a caller hears of everything at once.
// Nil errors do not count: All returns nil for none, the error itself for one,
// and for more an error of the gravest kind among them: who fixes the others
// is still refused by it. The sum says of the rule, of who may and of what is
// allowed instead what all its causes say, and no more.
func All(errs ...*Error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(e *Error) bool { return e == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return Sum(Invalid("several-problems", "%d things are wrong", len(errs)), errs)
}

// Sum returns e as the sum of causes, of which there is one or more; see [All].
func Sum(e *Error, causes []*Error) *Error {
	c, first := *e, causes[0]
	sum := &c
	sum.Causes = causes
	sum.Rule, sum.WhoMay, sum.Instead, sum.InsteadBy = first.Rule, first.WhoMay, first.Instead, first.InsteadBy
	for _, e := range causes {
		if e.Kind.graver(sum.Kind) {
			sum.Kind = e.Kind
		}
		if e.Rule != first.Rule {
			sum.Rule = ""
		}
		if !slices.Equal(e.WhoMay, first.WhoMay) {
			sum.WhoMay = nil
		}
		if e.Instead != first.Instead || !slices.Equal(e.InsteadBy, first.InsteadBy) {
			sum.Instead, sum.InsteadBy = "", nil
		}
	}
	return sum
}

// graver reports whether k is harder to do something about than than.
func (k Kind) graver(than Kind) bool {
	order := []Kind{KindMalformed, KindInvalid, KindConflict, KindForbidden, KindNotFound}
	return slices.Index(order, k) > slices.Index(order, than)
}

// Rules returns the rules that refused, each once, in the order of the causes.
func (e *Error) Rules() []string {
	var ids []string
	for _, c := range append([]*Error{e}, e.Causes...) {
		if c.Rule != "" && !slices.Contains(ids, c.Rule) {
			ids = append(ids, c.Rule)
		}
	}
	return ids
}
