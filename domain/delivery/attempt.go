package delivery

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"konto/domain"
)

// Outcome is how an attempt went, in one word.
type Outcome string

// The outcomes. Only [Accepted] is a success; [Gone] and [Inactive] end the
// delivery, and after the others it is tried again.
const (
	Accepted    Outcome = "accepted"    // 2xx
	Redirected  Outcome = "redirected"  // 3xx: calls follow no redirect
	Refused     Outcome = "refused"     // 4xx
	Gone        Outcome = "gone"        // 410 (RFC 9110 section 15.5.11)
	Failed      Outcome = "failed"      // 5xx, or no status that HTTP knows
	TimedOut    Outcome = "timed-out"   // no answer in time
	Unreachable Outcome = "unreachable" // no connection, or it broke
	Untrusted   Outcome = "untrusted"   // TLS: not who it says, or not safe enough
	Forbidden   Outcome = "not-public"  // its name stands for an address that is not public
	Inactive    Outcome = "not-called"  // the endpoint was disabled or removed meanwhile
)

var outcomes = []Outcome{Accepted, Redirected, Refused, Gone, Failed, TimedOut, Unreachable, Untrusted, Forbidden, Inactive}

// Why a delivery was given up.
const (
	WhyGone     = "gone"         // the endpoint says that it is gone
	WhyInactive = "not-called"   // the endpoint was disabled or removed
	WhyUsedUp   = "retries-used" // all attempts failed
)

// RetryPolicy says when a failed delivery is tried again.
var RetryPolicy = domain.Policy[RetryTerms]{
	Name: "webhook-retries",
	// What the Standard Webhooks specification proposes: ten attempts in
	// about three days.
	First: RetryTerms{AfterSeconds: []int{5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600}},
}

// OneDay is what Kill Bill does with push notifications that fail.
func OneDay() RetryTerms {
	return RetryTerms{AfterSeconds: []int{15 * 60, 30 * 60, 2 * 3600, 12 * 3600, 24 * 3600}}
}

// RetryTerms are the pauses between attempts.
type RetryTerms struct {
	// AfterSeconds are the seconds between an attempt and the next, 0 to 20 of
	// them, each 1 to 604,800 (a week) and none shorter than the one before.
	AfterSeconds []int `json:"afterSeconds"`
}

// Validate says which pause is out of its range.
func (t RetryTerms) Validate() error {
	const most, week = 20, 7 * 24 * 3600
	switch {
	case t.AfterSeconds == nil:
		return errors.New("afterSeconds must be a list; an empty one means no second attempt")
	case len(t.AfterSeconds) > most:
		return fmt.Errorf("afterSeconds has %d pauses, want at most %d", len(t.AfterSeconds), most)
	case !slices.IsSorted(t.AfterSeconds):
		return errors.New("afterSeconds must not become shorter")
	}
	for _, s := range t.AfterSeconds {
		if s < 1 || s > week {
			return fmt.Errorf("afterSeconds has %d, want 1 to %d", s, week)
		}
	}
	return nil
}

// RecordAttempt notes how an attempt went. It is asked for without an outcome;
// who carries it out makes the call and adds that. An attempt that is not the
// one to come does nothing.
type RecordAttempt struct {
	Round    int       `json:"round"`
	Attempt  int       `json:"attempt"` // in the round, from 1
	Outcome  Outcome   `json:"outcome,omitempty"`
	Status   int       `json:"status,omitempty"`  // of the answer (RFC 9110 section 15); 0 if there was none
	CalledAt time.Time `json:"calledAt,omitzero"` // when the call began
	TookMS   int64     `json:"tookMs,omitempty"`  // milliseconds until the answer, or until it was clear that there is none
	// RetryAfterSeconds is how long the receiver asks to be left alone (RFC 9110
	// section 10.2.3); 0 if it does not. It waits for at least as long, but never
	// longer than the longest pause.
	RetryAfterSeconds int64 `json:"retryAfterSeconds,omitempty"`
}

// Needs implements [domain.Needer].
func (RecordAttempt) Needs(Meta) []domain.Need { return []domain.Need{RetryPolicy.Need()} }

// Decide implements [domain.Command].
func (c RecordAttempt) Decide(d Delivery, m Meta) ([]Event, error) {
	switch {
	case !d.Exists():
		return nil, ErrNotFound
	case !d.Due(c.Round, c.Attempt):
		return nil, nil
	case !slices.Contains(outcomes, c.Outcome):
		return nil, ErrOutcome
	}
	a := Attempt{
		EndpointID: d.EndpointID, Round: c.Round, Number: c.Attempt, Outcome: c.Outcome, Status: c.Status,
		CalledAt: c.CalledAt.UTC().Truncate(time.Microsecond), TookMS: c.TookMS, RetryAfterSeconds: max(0, c.RetryAfterSeconds),
	}
	pauses := RetryPolicy.In(m).AfterSeconds
	switch {
	case c.Outcome == Accepted:
		return []Event{DeliverySucceeded{Attempt: a, At: m.At}}, nil
	case c.Outcome == Gone:
		return []Event{DeliveryAbandoned{Attempt: a, Type: d.Type, Why: WhyGone, At: m.At}}, nil
	case c.Outcome == Inactive:
		return []Event{DeliveryAbandoned{Attempt: a, Type: d.Type, Why: WhyInactive, At: m.At}}, nil
	case c.Attempt > len(pauses):
		return []Event{DeliveryAbandoned{Attempt: a, Type: d.Type, Why: WhyUsedUp, At: m.At}}, nil
	}
	return []Event{DeliveryAttemptFailed{Attempt: a, RetryAt: m.At.Add(pause(pauses, c.Attempt, a.RetryAfterSeconds)), At: m.At}}, nil
}

// pause is how long to wait after an attempt: what the policy says, or longer if
// the receiver asks for it. The policy's longest pause bounds that, so that no
// receiver puts a delivery off for ever. Pauses do not become shorter, so the
// longest is the last.
func pause(pauses []int, attempt int, asked int64) time.Duration {
	longest := int64(pauses[len(pauses)-1])
	return time.Duration(max(int64(pauses[attempt-1]), min(asked, longest))) * time.Second
}

// Attempt is one call and how it went.
type Attempt struct {
	EndpointID string    `json:"endpointId"`
	Round      int       `json:"round"`
	Number     int       `json:"attempt"` // in the round, from 1
	Outcome    Outcome   `json:"outcome"`
	Status     int       `json:"status,omitempty"`
	CalledAt   time.Time `json:"calledAt"`
	TookMS     int64     `json:"tookMs"`
	// RetryAfterSeconds is how long the receiver asked to be left alone.
	RetryAfterSeconds int64 `json:"retryAfterSeconds,omitempty"`
}

// DeliverySucceeded records that the endpoint took the call.
type DeliverySucceeded struct {
	Attempt
	At time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e DeliverySucceeded) Evolve(d *Delivery) { d.Status, d.Attempts = Delivered, e.Number }

// DeliveryAttemptFailed records that the endpoint did not take the call, and
// when it is tried again.
type DeliveryAttemptFailed struct {
	Attempt
	RetryAt time.Time `json:"retryAt"`
	At      time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e DeliveryAttemptFailed) Evolve(d *Delivery) { d.Attempts = e.Number }

// DeliveryAbandoned records that the endpoint is not told of the event, unless
// somebody asks for it again.
type DeliveryAbandoned struct {
	Attempt
	Type string    `json:"type"` // what it would have told of
	Why  string    `json:"why"`  // WhyGone, WhyInactive or WhyUsedUp
	At   time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e DeliveryAbandoned) Evolve(d *Delivery) { d.Status, d.Attempts = Abandoned, e.Number }
