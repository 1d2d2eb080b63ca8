package collection

import (
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// turn is one decision about a case: what is known, the invoice as the events
// so far leave it, and those events.
type turn struct {
	i      Invoice
	m      Meta
	events []Event
}

// knowing are the facts that a turn asks for: the rules, which cards the
// subscription has, and what each of them is. Others are cards that matter
// beside those.
func knowing(m Meta, subscription string, others ...string) []domain.Need {
	needs := []domain.Need{DunningPolicy.Need()}
	cards := others
	if subscription != "" {
		wallet := domain.Of[Wallet](subscription)
		needs = append(needs, wallet)
		if m.Facts.Has(wallet) {
			cards = append(slices.Clone(others), domain.Fact[Wallet](m, subscription).Cards...)
		}
	}
	for _, card := range cards {
		needs = append(needs, domain.Of[Card](card))
	}
	return needs
}

// knowingOwn is knowing for a command that does not say which subscription the
// invoice is of.
func knowingOwn(m Meta, others ...string) []domain.Need {
	own := domain.Of[Bill](m.ID)
	if !m.Facts.Has(own) {
		return []domain.Need{own}
	}
	b := domain.Fact[Bill](m, m.ID)
	cards := slices.DeleteFunc(append(slices.Clone(others), b.CardID), func(id string) bool { return id == "" })
	return append(knowing(m, b.SubscriptionID, cards...), own)
}

// then records e.
func (t *turn) then(e Event) {
	e.Evolve(&t.i)
	t.events = append(t.events, e)
}

// rules are those under which the case was opened, and today's for one that
// is about to be. A version that is dated back changes no open case, unless
// that one does not say which version it has.
func (t *turn) rules() Dunning {
	m, c := t.m, t.i.Case
	if c.OpenedAt.IsZero() || c.Phase == Recovered {
		return DunningPolicy.In(m)
	}
	if rules, known := DunningPolicy.Numbered(m, c.PolicyVersion); known {
		return rules
	}
	m.At = c.OpenedAt
	return DunningPolicy.In(m)
}

// card returns what is known of a card. One that came to the subscription
// after the facts were read waits for its turn.
func (t *turn) card(id string) (Card, bool) {
	if !t.m.Facts.Has(domain.Of[Card](id)) {
		return Card{}, false
	}
	c := domain.Fact[Card](t.m, id)
	return c, c.Exists && c.Tenant == t.m.Tenant && !c.Removed
}

// order returns the subscription's cards in the order in which they are tried
// (rule D4): the primary card, then the backups by priority. It is asked for
// anew each time, since cards come and go while a case is open.
func (t *turn) order() []string {
	id := t.i.SubscriptionID
	if !t.m.Facts.Has(domain.Of[Wallet](id)) {
		return nil
	}
	w := domain.Fact[Wallet](t.m, id)
	if card := t.failed(); !w.Known && card != "" {
		return []string{card} // a subscription that is registered nowhere has the card that was charged
	}
	return w.Cards
}

// candidate reports whether the card may be tried at a time without anybody's
// doing, but for what its network allows.
func (t *turn) candidate(id string, at time.Time) bool {
	c, ok := t.card(id)
	if !ok || !c.usable(at) || c.aboveLimit(t.i.AmountMinor, t.i.Currency) {
		return false
	}
	tried, was := t.i.Case.tried(id)
	switch {
	case !was:
		return true
	case tried.Barred || t.i.Case.Phase == Accelerated: // there, each card is tried once
		return false
	}
	return tried.Retries < 0 || tried.Declines <= tried.Retries
}

// budget returns what the card's network allows at a time. The limits are
// today's, whenever the case was opened.
func (t *turn) budget(id string, at time.Time) (Budget, bool) {
	c, _ := t.card(id)
	b := t.i.Case.spent(DunningPolicy.In(t.m).limit(network(c)), at)
	return b, b.Used < b.Limit
}

// network returns the name of a card's network, by its brand.
func network(c Card) string { return strings.ToLower(c.Brand) }

// ask asks the gateway to charge a card. What the network allows is checked
// here and nowhere else, so that no way leads around it (rules D3, N14).
func (t *turn) ask(id string, reason Reason) bool {
	b, ok := t.budget(id, t.m.At)
	if !ok || t.i.Case.Asked != nil {
		return false
	}
	c, _ := t.card(id)
	b.Used++
	e := ChargeRequested{
		RequestID: t.m.Command, SubscriptionID: t.i.SubscriptionID, CardID: id, GatewayToken: c.GatewayToken,
		AmountMinor: t.i.AmountMinor, Currency: t.i.Currency, Reason: reason, Owner: c.Owner,
		Budget: b, At: t.m.At, Until: t.m.At.Add(hours(t.rules().AnswerHours)),
	}
	if reason == ForBalance {
		e.By = t.m.Actor.ID
	}
	t.then(e)
	return true
}

// next asks for a charge of the first card in order that has not been tried
// since the round began, and reports whether there is one.
func (t *turn) next(reason Reason) bool {
	for _, id := range t.order() {
		if !slices.Contains(t.i.Case.Round, id) && t.candidate(id, t.m.At) && t.ask(id, reason) {
			return true
		}
	}
	return false
}

// open begins a case with a decline (rules C9, D2).
func (t *turn) open(e ChargeDeclined) {
	rules := DunningPolicy.In(t.m)
	mode, grace := ModeRegular, rules.GraceDays
	if rules.accelerates(e) {
		mode, grace = ModeAccelerated, rules.AcceleratedDays
	}
	t.begin(mode, e.CardID, t.m.At.Add(days(grace)), rules.ReminderDays)
	t.then(GraceStarted{t.i.SubscriptionID, t.i.Case.GraceUntil, Unpaid})
	t.proceed(mode == ModeAccelerated)
}

func (t *turn) begin(mode Mode, cardID string, until time.Time, reminders []int) {
	opened := CollectionOpened{
		Mode: mode, PolicyVersion: version(t.m), CardID: cardID, SubscriptionID: t.i.SubscriptionID,
		AmountMinor: t.i.AmountMinor, Currency: t.i.Currency, Attempts: t.i.Attempts, Face: t.face(cardID),
		GraceUntil: until, At: t.m.At,
	}
	opened.Budget, _ = t.budget(cardID, t.m.At)
	for _, d := range reminders {
		opened.RemindAt = append(opened.RemindAt, t.m.At.Add(days(d)))
	}
	t.then(opened)
}

// face returns what may be told of a card, also of one that was removed.
func (t *turn) face(id string) Face {
	if !t.m.Facts.Has(domain.Of[Card](id)) {
		return Face{}
	}
	c := domain.Fact[Card](t.m, id)
	return Face{c.Owner, c.Last4, c.Brand}
}

func version(m Meta) int {
	_, v := domain.Fact[domain.Terms[Dunning]](m, DunningPolicy.Name).InForce(m.At)
	return v
}

// proceed takes the next step after a decline. On says that the other cards
// are tried at once, rather than at the next planned time.
func (t *turn) proceed(on bool) {
	c := t.i.Case
	if c.Phase != Retrying && c.Phase != Accelerated || c.Disputed || c.ChargedBack || c.Asked != nil {
		return
	}
	if on && t.next(ForBackup) {
		return
	}
	t.plan()
}

// plan schedules the next attempt, unless one is.
func (t *turn) plan() {
	c := t.i.Case
	if c.Phase == Accelerated {
		t.askByHand()
	}
	if c.Phase != Retrying || c.Disputed || c.ChargedBack || c.Asked != nil || c.RetryAt.After(t.m.At) {
		return
	}
	at, card, why := t.nextRetry()
	switch {
	case card != "":
		t.then(RetryScheduled{t.i.SubscriptionID, at, card})
	case t.byHand() != "" || why == CardsSpent && t.waits():
		if !c.RetryAt.IsZero() {
			t.then(RetryWithdrawn{t.i.SubscriptionID, t.m.At})
		}
		t.askByHand()
	default:
		t.then(RetryBudgetExhausted{t.i.SubscriptionID, why})
		t.pastDue()
	}
}

// waits reports whether a card is there that somebody could put right.
func (t *turn) waits() bool {
	return slices.ContainsFunc(t.order(), func(id string) bool {
		tried, was := t.i.Case.tried(id)
		_, there := t.card(id)
		return there && was && tried.Barred && len(tried.Cures) > 0
	})
}

// nextRetry returns the next time at which a card may be tried, and the first
// card in order for which that is so; or why there is none.
func (t *turn) nextRetry() (at time.Time, card, why string) {
	why = CardsSpent
	for _, id := range t.order() {
		if !t.candidate(id, t.m.At) {
			continue
		}
		if why == CardsSpent {
			why = ScheduleSpent
		}
		for _, when := range t.times(id) {
			if !t.candidate(id, when) {
				break // it expires before
			}
			if _, ok := t.budget(id, when); !ok {
				why = NetworkSpent
				continue
			}
			if card == "" || when.Before(at) {
				at, card = when, id
			}
			break
		}
	}
	return at, card, why
}

// times are when a card may be tried again, in order: the days of the schedule
// that are still to come and before the end of grace, and soon if time cures it.
func (t *turn) times(id string) []time.Time {
	var times []time.Time
	c, rules := t.i.Case, t.rules()
	add := func(when time.Time) {
		if when.After(t.m.At) && when.Before(c.GraceUntil) {
			times = append(times, when)
		}
	}
	if tried, _ := c.tried(id); tried.Soon && tried.Declines <= len(rules.SoonHours) {
		add(t.m.At.Add(hours(rules.SoonHours[tried.Declines-1])))
	}
	for _, d := range rules.RetryDays {
		add(c.OpenedAt.Add(days(d)))
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// failed returns the card that was declined last, or charged back.
func (t *turn) failed() string { return BillOf("", t.i).CardID }

func (t *turn) pastDue() {
	t.then(PaymentPastDue{
		SubscriptionID: t.i.SubscriptionID, CardID: t.failed(), AmountMinor: t.i.AmountMinor, Currency: t.i.Currency,
		Attempts: t.i.Attempts, GraceUntil: t.i.Case.GraceUntil, At: t.m.At, WaitsFor: t.waitsFor(t.failed()), Face: t.face(t.failed()),
	})
}

func (t *turn) suspend(reason string) {
	rules := t.rules()
	t.then(ServiceSuspended{
		SubscriptionID: t.i.SubscriptionID, Reason: reason, AmountMinor: t.i.AmountMinor, Currency: t.i.Currency, At: t.m.At,
		CancelAt: t.m.At.Add(days(rules.DisabledDays)), DataUntil: t.m.At.Add(days(rules.DataDays)),
		Owner: t.face(t.failed()).Owner,
	})
}

// recover ends the case because nothing is owed any more.
func (t *turn) recover(by, card string, invoiced bool) {
	t.then(AccountRecovered{
		SubscriptionID: t.i.SubscriptionID, From: t.i.Case.Phase, By: by, CardID: card,
		Owner: t.face(t.failed()).Owner, At: t.m.At, Invoiced: invoiced,
		Reminded: t.i.Case.Reminded,
	})
	t.then(CollectionClosed{SubscriptionID: t.i.SubscriptionID, Outcome: OutcomeRecovered, At: t.m.At})
}

// payable reports whether a payment still brings the account back.
func (t *turn) payable() bool {
	c := t.i.Case
	return c.Phase.Open() && (c.CancelAt.IsZero() || t.m.At.Before(c.CancelAt))
}
