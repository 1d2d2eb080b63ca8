package tenant_test

import (
	"testing"
	"time"

	"konto/domain/domaintest"
	. "konto/domain/tenant"
)

func TestWarnOfLockout(t *testing.T) {
	t.Parallel()
	const home = "home.example"
	var (
		cases   []domaintest.Case[Tenant]
		ends    = start.Add(30 * day)
		next    = start.Add(20 * day)
		trial   = contoso().trial().has("contoso.se").later(23 * day)
		strictV = contoso().asks(strict, next)
		told    = func(at time.Time) []Event { return []Event{LockoutForeseen{From: at}} }
		fired   = GlobalAdmin{Tenant: "contoso"}
		theirs  = GlobalAdmin{Tenant: "fabrikam", Is: true}
	)
	row := func(name string, o office, from time.Time, given, then []Event, err error) {
		when := WarnOfLockout{From: from}
		cases = append(cases, domaintest.Case[Tenant]{Name: "I8: a lock-out ahead: " + name, Given: given, When: when, Meta: o.meta(when), Then: then, Err: err})
	}
	when := func(name string, o office, from time.Time, then []Event) { row(name, o, from, o.given(), then, nil) }
	when("the trial's first days end", trial.ga("ann", true, ""), ends, told(ends))
	when("the trial's first days end, and an address is there", trial.ga("ann", false, home), ends, told(ends))
	when("somebody verified the second contact", trial.ga("ann", true, home), ends, nil)
	when("another global admin has both", trial.ga("ann", true, "").ga("bo", true, home), ends, nil)
	when("two global admins have one each", trial.ga("ann", true, "").ga("bo", false, home), ends, told(ends))
	when("nobody could recover before either", trial.ga("ann", false, ""), ends, nil)
	when("there is no global admin", trial, ends, nil)
	when("who has both is a global admin no more", trial.ga("ann", true, "").seats("bo", fired, true, home), ends, told(ends))
	when("who has both is of another organization", trial.ga("ann", true, "").seats("bo", theirs, true, home), ends, told(ends))
	when("who has one is a global admin no more", trial.seats("ann", fired, true, ""), ends, nil)
	when("the trial is not over by then", trial.ga("ann", true, ""), ends.Add(-time.Second), nil)
	when("there is no domain, so one stays enough", contoso().trial().ga("ann", true, ""), ends, nil)
	when("a version is to come", strictV.ga("ann", true, ""), next, told(next))
	when("a version is to come later than was said", contoso().asks(strict, next.Add(7*day)).ga("ann", true, ""), next, nil)
	when("a version came into force a minute ago", strictV.later(20*day+time.Minute).ga("ann", true, ""), next, told(next))
	when("a version that asks for nothing more", contoso().asks(recoveryFirst, next).ga("ann", true, ""), next, nil)

	o := strictV.ga("ann", true, "")
	row("it was told", o, next, append(o.given(), LockoutForeseen{From: next}), nil, nil)
	row("another time was told", o, next, append(o.given(), LockoutForeseen{From: ends}), told(next), nil)
	row("of nobody", o, next, nil, nil, ErrNotFound)
	domaintest.Run(t, Aggregate, cases)
}
