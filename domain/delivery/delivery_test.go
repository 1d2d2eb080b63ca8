package delivery_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/delivery"
	"konto/domain/domaintest"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// A world is what surrounds a decision about a delivery.
type world struct {
	off     bool // the endpoint is not called
	retries []domain.Version[RetryTerms]
}

func pauses(seconds ...int) world {
	return world{retries: []domain.Version[RetryTerms]{{Number: 2, EffectiveAt: start, Rules: RetryTerms{AfterSeconds: seconds}}}}
}

func (w world) meta(cmd any) Meta {
	m := Meta{
		ID: "d", Tenant: "contoso", At: start, Command: "c",
		Actor: domain.Actor{ID: "gina", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.GlobalAdmin}},
	}
	needer, ok := cmd.(domain.Needer)
	for ok {
		before := m.Facts
		for _, n := range needer.Needs(m) {
			switch {
			case m.Facts.Has(n):
				continue
			case n.Type == reflect.TypeFor[Own]():
				m.Facts = m.Facts.Knows(n, Own{EndpointID: "hook"})
			case n.Type == reflect.TypeFor[Endpoint]():
				m.Facts = m.Facts.Knows(n, Endpoint{Active: !w.off})
			default:
				m.Facts = m.Facts.Knows(n, domain.Terms[RetryTerms]{Name: n.Key, Versions: w.retries})
			}
		}
		ok = !reflect.DeepEqual(before, m.Facts)
	}
	return m
}

type row struct {
	name  string
	world world
	given []Event
	when  domain.Command[Delivery]
	then  []Event
	err   error
}

func run(t *testing.T, rows []row) {
	t.Helper()
	t.Parallel()
	var cases []domaintest.Case[Delivery]
	for _, r := range rows {
		cases = append(cases, domaintest.Case[Delivery]{Name: r.name, Given: r.given, When: r.when, Meta: r.world.meta(r.when), Then: r.then, Err: r.err})
	}
	domaintest.Run(t, Aggregate, cases)
}

func then(given []Event, more ...Event) []Event { return append(slices.Clip(given), more...) }

var message = Message{EndpointID: "hook", Type: "card-added", EventID: "e", Stream: "card-1", Revision: 0, At: start}

func requested() []Event { return []Event{DeliveryRequested{Message: message}} }

func attempt(round, n int, o Outcome, status int) Attempt {
	return Attempt{EndpointID: "hook", Round: round, Number: n, Outcome: o, Status: status, CalledAt: start, TookMS: 12}
}

func failed(n int) Event {
	return DeliveryAttemptFailed{Attempt: attempt(1, n, Failed, 503), RetryAt: start.Add(5 * time.Second), At: start}
}

func record(round, n int, o Outcome, status int) RecordAttempt {
	return RecordAttempt{Round: round, Attempt: n, Outcome: o, Status: status, CalledAt: start, TookMS: 12}
}

func abandoned(round, n int, o Outcome, status int, why string) []Event {
	return []Event{DeliveryAbandoned{Attempt: attempt(round, n, o, status), Type: "card-added", Why: why, At: start}}
}

func TestRequest(t *testing.T) {
	without := func(change func(*Message)) RequestDelivery {
		m := message
		change(&m)
		return RequestDelivery{m}
	}
	run(t, []row{
		{name: "P11: an event is to be told of", when: RequestDelivery{message}, then: requested()},
		{name: "P11: asked for twice, it is told of once", given: requested(), when: RequestDelivery{message}},
		{name: "P11: asked for when it was given up, it stays so", given: then(requested(), abandoned(1, 1, Gone, 410, WhyGone)...), when: RequestDelivery{message}},
		{name: "P11: no endpoint", when: without(func(m *Message) { m.EndpointID = "" }), err: ErrIncomplete},
		{name: "P11: no type", when: without(func(m *Message) { m.Type = "" }), err: ErrIncomplete},
		{name: "P11: no event", when: without(func(m *Message) { m.EventID = "" }), err: ErrIncomplete},
		{name: "P11: no account", when: without(func(m *Message) { m.Stream = "" }), err: ErrIncomplete},
		{name: "P11: no time", when: without(func(m *Message) { m.At = time.Time{} }), err: ErrIncomplete},
	})
}

func TestAttempt(t *testing.T) {
	again := func(n int, o Outcome, status int, after time.Duration) []Event {
		return []Event{DeliveryAttemptFailed{Attempt: attempt(1, n, o, status), RetryAt: start.Add(after), At: start}}
	}
	done := []Event{DeliverySucceeded{Attempt: attempt(1, 1, Accepted, 204), At: start}}
	rows := []row{
		{name: "P11: 2xx is a success", given: requested(), when: record(1, 1, Accepted, 204), then: done},
		{name: "P11: the second attempt succeeds", given: then(requested(), failed(1)), when: record(1, 2, Accepted, 200), then: []Event{DeliverySucceeded{Attempt: attempt(1, 2, Accepted, 200), At: start}}},
		{name: "P11: 410 ends it at once", given: requested(), when: record(1, 1, Gone, 410), then: abandoned(1, 1, Gone, 410, WhyGone)},
		{name: "P11: a disabled endpoint ends it", given: requested(), when: record(1, 1, Inactive, 0), then: abandoned(1, 1, Inactive, 0, WhyInactive)},
		{name: "P11: recorded twice counts once", given: then(requested(), done...), when: record(1, 1, Accepted, 204)},
		{name: "P11: a failure recorded twice counts once", given: then(requested(), failed(1)), when: record(1, 1, Failed, 503)},
		{name: "P11: an attempt that is not the next one", given: requested(), when: record(1, 2, Accepted, 200)},
		{name: "P11: an attempt of a round that is over", given: then(requested(), failed(1), RedeliveryRequested{EndpointID: "hook", Round: 2, By: "gina", At: start}), when: record(1, 2, Accepted, 200)},
		{name: "P11: an attempt after it was given up", given: then(requested(), abandoned(1, 1, Gone, 410, WhyGone)...), when: record(1, 2, Accepted, 200)},
		{name: "P11: how it went must be said", given: requested(), when: record(1, 1, "", 0), err: ErrOutcome},
		{name: "P11: and in a word that is known", given: requested(), when: record(1, 1, "maybe", 0), err: ErrOutcome},
		{name: "P11: no delivery has no attempts", when: record(1, 1, Accepted, 200), err: ErrNotFound},
		{name: "P11: no second attempt, if the policy says so", world: pauses([]int{}...), given: requested(), when: record(1, 1, Failed, 500), then: abandoned(1, 1, Failed, 500, WhyUsedUp)},
		{name: "P11: a pause of another version", world: pauses(60), given: requested(), when: record(1, 1, Failed, 500), then: again(1, Failed, 500, time.Minute)},
		{name: "P11: the last attempt of another version", world: pauses(60), given: then(requested(), failed(1)), when: record(1, 2, Failed, 500), then: abandoned(1, 2, Failed, 500, WhyUsedUp)},
	}
	for outcome, status := range map[Outcome]int{Redirected: 302, Refused: 404, Failed: 500, TimedOut: 0, Unreachable: 0, Untrusted: 0, Forbidden: 0} {
		rows = append(rows, row{name: "P11: tried again if it was " + string(outcome), given: requested(), when: record(1, 1, outcome, status), then: again(1, outcome, status, 5*time.Second)})
	}
	given := requested()
	for n, after := range []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	} {
		rows = append(rows, row{
			name: "P11: the pauses become longer, " + after.String(), given: slices.Clone(given), when: record(1, n+1, Failed, 503), then: again(n+1, Failed, 503, after),
		})
		given = append(given, failed(n+1))
	}
	rows = append(rows, row{name: "P11: after the tenth attempt it is given up", given: given, when: record(1, 10, Failed, 503), then: abandoned(1, 10, Failed, 503, WhyUsedUp)})
	run(t, rows)
}

// A receiver may ask to be left alone for longer than the policy would, but
// not for ever, and not to be called sooner.
func TestRetryAfter(t *testing.T) {
	asking := func(n int, o Outcome, status int, seconds int64) RecordAttempt {
		c := record(1, n, o, status)
		c.RetryAfterSeconds = seconds
		return c
	}
	asked := func(n int, o Outcome, status int, seconds int64, after time.Duration) []Event {
		a := attempt(1, n, o, status)
		a.RetryAfterSeconds = seconds
		return []Event{DeliveryAttemptFailed{Attempt: a, RetryAt: start.Add(after), At: start}}
	}
	gone := abandoned(1, 1, Gone, 410, WhyGone)[0].(DeliveryAbandoned)
	gone.RetryAfterSeconds = 60
	last := abandoned(1, 2, Refused, 429, WhyUsedUp)[0].(DeliveryAbandoned)
	last.RetryAfterSeconds = 60
	run(t, []row{
		{name: "P11: 429 with Retry-After waits as long as it asks", given: requested(), when: asking(1, Refused, 429, 90), then: asked(1, Refused, 429, 90, 90*time.Second)},
		{name: "P11: 503 with Retry-After waits as long as it asks", given: requested(), when: asking(1, Failed, 503, 3600), then: asked(1, Failed, 503, 3600, time.Hour)},
		{name: "P11: a redirect with Retry-After, too", given: requested(), when: asking(1, Redirected, 301, 3600), then: asked(1, Redirected, 301, 3600, time.Hour)},
		{name: "P11: Retry-After is no way to be called sooner", given: then(requested(), failed(1)), when: asking(2, Failed, 503, 1), then: asked(2, Failed, 503, 1, 5*time.Minute)},
		{name: "P11: Retry-After of no time is none", given: requested(), when: asking(1, Failed, 503, 0), then: asked(1, Failed, 503, 0, 5*time.Second)},
		{name: "P11: Retry-After before now is none", given: requested(), when: asking(1, Failed, 503, -60), then: asked(1, Failed, 503, 0, 5*time.Second)},
		{name: "P11: Retry-After waits for the longest pause at most", given: requested(), when: asking(1, Failed, 503, 1<<62), then: asked(1, Failed, 503, 1<<62, 24*time.Hour)},
		{name: "P11: the longest pause is the policy's", world: pauses(60, 120), given: requested(), when: asking(1, Failed, 503, 3600), then: asked(1, Failed, 503, 3600, 2*time.Minute)},
		{name: "P11: Retry-After of what is gone changes nothing", given: requested(), when: asking(1, Gone, 410, 60), then: []Event{gone}},
		{name: "P11: Retry-After after the last attempt changes nothing", world: pauses(60), given: then(requested(), failed(1)), when: asking(2, Refused, 429, 60), then: []Event{last}},
	})
}

func TestRedeliver(t *testing.T) {
	round := func(n int) []Event {
		return []Event{RedeliveryRequested{EndpointID: "hook", Round: n, By: "gina", At: start}}
	}
	delivered := then(requested(), DeliverySucceeded{Attempt: attempt(1, 1, Accepted, 200), At: start})
	run(t, []row{
		{name: "P11: what was given up is tried again", given: then(requested(), abandoned(1, 10, Failed, 503, WhyUsedUp)...), when: RedeliverWebhook{}, then: round(2)},
		{name: "P11: what arrived is sent once more", given: delivered, when: RedeliverWebhook{}, then: round(2)},
		{name: "P11: what waits is tried now", given: then(requested(), failed(1)), when: RedeliverWebhook{}, then: round(2)},
		{name: "P11: and once more", given: then(delivered, round(2)...), when: RedeliverWebhook{}, then: round(3)},
		{name: "P11: an endpoint that is off is not called", world: world{off: true}, given: delivered, when: RedeliverWebhook{}, err: ErrInactive},
		{name: "P11: no delivery is sent again", when: RedeliverWebhook{}, err: ErrNotFound},
		{name: "P11: a new round begins at its first attempt", given: then(delivered, round(2)...), when: record(2, 1, Accepted, 200), then: []Event{DeliverySucceeded{Attempt: attempt(2, 1, Accepted, 200), At: start}}},
		{name: "P11: a new round has all its attempts", given: then(requested(), append(abandoned(1, 10, Failed, 503, WhyUsedUp), round(2)...)...), when: record(2, 1, Failed, 503), then: []Event{DeliveryAttemptFailed{Attempt: attempt(2, 1, Failed, 503), RetryAt: start.Add(5 * time.Second), At: start}}},
	})
}

func TestRetryTerms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		after []int
		ok    bool
	}{
		{"P11: no pause", []int{}, true},
		{"P11: one pause", []int{1}, true},
		{"P11: equal pauses", []int{5, 5}, true},
		{"P11: a week", []int{604_800}, true},
		{"P11: 20 pauses", rising(20), true},
		{"P11: 21 pauses", rising(21), false},
		{"P11: no list", nil, false},
		{"P11: no time at all", []int{0}, false},
		{"P11: more than a week", []int{604_801}, false},
		{"P11: shorter than the one before", []int{10, 5}, false},
		{"P11: Kill Bill's", OneDay().AfterSeconds, true},
	} {
		if err := (RetryTerms{AfterSeconds: c.after}).Validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v, want valid = %v", c.name, err, c.ok)
		}
	}
}

func rising(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// The same event and endpoint have one delivery, others have others.
func TestP11_IDs(t *testing.T) {
	t.Parallel()
	id, again := ID("hook", "event"), ID("hook", "event")
	if id != again || ID("hook", "event") == ID("hook", "other") || ID("hook", "event") == ID("other", "event") {
		t.Error("IDs do not tell deliveries apart")
	}
	if got := ID("hook", "event"); len(got) != 36 || got[14] != '8' {
		t.Errorf("ID = %s, want a UUIDv8", got)
	}
}
