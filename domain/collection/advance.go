package collection

import (
	"time"

	"konto/domain"
)

// AdvanceCollection does what has become due: a planned attempt, a reminder,
// the end of grace, of the time to pay, of the data. Each deadline is in an
// event, and a process sends this command when it comes. Sent too early, twice
// or late it does what is due by then and no more (rule D6).
type AdvanceCollection struct{}

// Needs implements [domain.Needer].
func (AdvanceCollection) Needs(m Meta) []domain.Need { return knowingOwn(m) }

// Decide implements [domain.Command].
func (AdvanceCollection) Decide(i Invoice, m Meta) ([]Event, error) {
	if !i.Exists() {
		return nil, ErrNotFound
	}
	t := &turn{i: i, m: m}
	t.lapse()
	t.endGrace()
	t.retry()
	t.remind()
	t.end()
	return t.events, nil
}

// due reports whether a deadline is set and has come.
func (t *turn) due(at time.Time) bool { return !at.IsZero() && !t.m.At.Before(at) }

// lapse gives up a request that the gateway has not answered. No other card is
// tried in its place before the next planned time: it may have been paid.
func (t *turn) lapse() {
	a, covered := t.i.Case.Asked, t.covered()
	if a == nil || !t.due(a.Until) {
		return
	}
	t.then(ChargeLapsed{a.RequestID, a.CardID, t.m.At})
	if covered {
		t.recover(ByInvoiceSwitch, "", true)
		return
	}
	t.plan()
}

// retry makes the planned attempt.
func (t *turn) retry() {
	c := t.i.Case
	if c.Phase == Retrying && t.due(c.RetryAt) && c.Asked == nil && !c.Disputed {
		if !t.nextAnew() {
			t.plan()
		}
	}
}

// nextAnew begins a round: every card may be tried again.
func (t *turn) nextAnew() bool {
	for _, id := range t.order() {
		if t.candidate(id, t.m.At) && t.ask(id, ForSchedule) {
			return true
		}
	}
	return false
}

// remind tells of the balance again if nobody will try a card by then.
func (t *turn) remind() {
	c := t.i.Case
	if c.Phase != Retrying && c.Phase != Accelerated {
		return
	}
	var last time.Time
	for _, at := range c.RemindAt {
		if t.due(at) {
			last = at // of several that were missed, one is enough
		}
	}
	if last.IsZero() || !c.RetryAt.IsZero() || c.Asked != nil || c.Disputed {
		return
	}
	t.then(PaymentReminded{
		SubscriptionID: t.i.SubscriptionID, CardID: t.failed(), AmountMinor: t.i.AmountMinor, Currency: t.i.Currency,
		Attempts: t.i.Attempts, Due: last, GraceUntil: c.GraceUntil, WaitsFor: t.waitsFor(t.failed()),
		Face: t.face(t.failed()),
	})
}

// endGrace suspends the service. While the bank decides on a dispute, or nothing
// is owed whatever the gateway answers, it goes on.
func (t *turn) endGrace() {
	c := t.i.Case
	if !t.due(c.GraceUntil) || c.Disputed || t.covered() {
		return
	}
	switch c.Phase {
	case Retrying, Accelerated:
		t.pastDue()
		t.suspend(Unpaid)
	case PastDue:
		t.suspend(Unpaid)
	case ChargedBack:
		t.suspend(Chargeback)
	case Current, Suspended, Recovered, Canceled, Deleted:
	}
}

// end closes what nobody has paid in time.
func (t *turn) end() {
	if t.i.Case.Phase == Suspended && t.due(t.i.Case.CancelAt) && !t.covered() {
		t.then(CollectionClosed{t.i.SubscriptionID, OutcomeCanceled, t.i.Case.DataUntil, t.m.At})
	}
	if t.i.Case.Phase == Canceled && t.due(t.i.Case.DataUntil) {
		t.then(CollectionClosed{SubscriptionID: t.i.SubscriptionID, Outcome: OutcomeDeleted, At: t.m.At})
	}
}
