package policy_test

import (
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/policy"
	"konto/domain/reservation"
)

const (
	bill  = "bill-1"
	bill2 = "bill-2"
)

func advance(id string, after time.Duration) domain.Effect {
	return domain.Dispatch{To: id, Command: collection.AdvanceCollection{}, After: after}
}

func reconsider(id, cardID string, change collection.Change) domain.Effect {
	return domain.Dispatch{To: id, Command: collection.ReconsiderCards{CardID: cardID, Change: change}}
}

func TestCollectionDeadlines(t *testing.T) {
	day := 24 * time.Hour
	in := func(d time.Duration) time.Time { return noon.Add(d) }
	const name = "advance-collection"
	run(t, []reactionCase{
		{
			name: "D6: reminders and the end of grace", reaction: name,
			when: event(bill, collection.CollectionOpened{RemindAt: []time.Time{in(2 * day), in(5 * day)}, GraceUntil: in(30 * day)}),
			then: []domain.Effect{advance(bill, 2*day), advance(bill, 5*day), advance(bill, 30*day)},
		},
		{name: "D6: grace begins", reaction: name, when: event(bill, collection.GraceStarted{Until: in(day)}), then: []domain.Effect{advance(bill, day)}},
		{name: "D6: a planned attempt", reaction: name, when: event(bill, collection.RetryScheduled{At: in(3 * day)}), then: []domain.Effect{advance(bill, 3*day)}},
		{name: "D6: the gateway's time to answer", reaction: name, when: event(bill, collection.ChargeRequested{Until: in(day)}), then: []domain.Effect{advance(bill, day)}},
		{
			name: "D6: the time to pay and the data's", reaction: name,
			when: event(bill, collection.ServiceSuspended{CancelAt: in(90 * day), DataUntil: in(180 * day)}),
			then: []domain.Effect{advance(bill, 90*day), advance(bill, 180*day)},
		},
		{
			name: "D7: what became due during a dispute", reaction: "resume-after-dispute", when: event(bill, collection.ChargebackWon{}),
			then: []domain.Effect{advance(bill, 0)},
		},
	})
}

func TestReconsiderCards(t *testing.T) {
	const name = "reconsider-cards"
	open := []domain.Recorded[any]{
		event(bill2, collection.CollectionOpened{SubscriptionID: "sub"}),
		event(bill, collection.CollectionOpened{SubscriptionID: "sub"}),
		event("bill-3", collection.CollectionOpened{SubscriptionID: "other"}),
		event("k", card.CardAttached{SubscriptionID: "sub"}),
		event("k", card.CardAttached{SubscriptionID: "sub"}),
	}
	both := func(change collection.Change) []domain.Effect {
		return []domain.Effect{reconsider(bill, "k", change), reconsider(bill2, "k", change)}
	}
	elsewhere := event(bill, collection.CollectionOpened{SubscriptionID: "sub"})
	elsewhere.Tenant = other
	run(t, []reactionCase{
		{name: "D4: an edit", reaction: name, given: open, when: event("k", card.CardDetailsUpdated{}), then: both(collection.CardEdited)},
		{name: "D4: an automatic update", reaction: name, given: open, when: event("k", card.CardAutomaticallyUpdated{}), then: both(collection.CardUpdated)},
		{name: "D4: a backup is added", reaction: name, given: open, when: event("sub", billing.BackupCardAdded{CardID: "k"}), then: both(collection.CardAddedAsBackup)},
		{name: "D4: a backup is replaced", reaction: name, given: open, when: event("sub", billing.BackupCardChanged{New: "k"}), then: both(collection.CardAddedAsBackup)},
		{name: "D4: the primary card is replaced", reaction: name, given: open, when: event("sub", billing.PrimaryCardChanged{New: "k"}), then: both(collection.CardMadePrimary)},
		{name: "D4: a backup is promoted", reaction: name, given: open, when: event("sub", billing.CardPromotedToPrimary{CardID: "k"}), then: both(collection.CardMadePrimary)},
		{name: "D4: a card that is on nothing", reaction: name, given: open, when: event("x", card.CardDetailsUpdated{})},
		{
			name: "D4: a card that was taken off", reaction: name,
			given: append(slices.Clip(open), event("k", card.CardDetached{SubscriptionID: "sub"})), when: event("k", card.CardDetailsUpdated{}),
		},
		{
			name: "D4: a case that is closed", reaction: name,
			given: append(slices.Clip(open), event(bill, collection.CollectionClosed{Outcome: collection.OutcomeRecovered})),
			when:  event("k", card.CardDetailsUpdated{}), then: []domain.Effect{reconsider(bill2, "k", collection.CardEdited)},
		},
		{name: "D4: another tenant's case", reaction: name, given: []domain.Recorded[any]{elsewhere, open[3]}, when: event("k", card.CardDetailsUpdated{})},
	})
}

func TestSettlementReplacesCards(t *testing.T) {
	run(t, []reactionCase{
		{
			name: "C8: the card that paid takes over from all that were declined", reaction: "replace-declined-cards",
			when: event(bill, collection.BalanceSettled{CardID: "new", Declined: []string{"a", "b"}}),
			then: []domain.Effect{
				domain.Dispatch{To: "a", Command: card.ReplaceDeclinedCard{NewCardID: "new"}},
				domain.Dispatch{To: "b", Command: card.ReplaceDeclinedCard{NewCardID: "new"}},
			},
		},
		{name: "C8: a card that settled its own balance stays", reaction: "replace-declined-cards", when: event(bill, collection.BalanceSettled{CardID: "a"})},
	})
}

func TestChargesLeadToInvoices(t *testing.T) {
	id := reservation.ID(policy.ChargeKind, "", "ch_1")
	run(t, []reactionCase{
		{
			name: "D7: a charge that was paid can be disputed", reaction: "keep-charges", when: event(bill, collection.ChargeSucceeded{ChargeID: "ch_1"}),
			then: []domain.Effect{
				domain.Dispatch{To: id, Command: reservation.Reserve{Kind: policy.ChargeKind, Holder: bill, Tenant: own}},
				domain.Dispatch{To: id, Command: reservation.ConfirmReservation{Holder: bill}},
			},
		},
		{name: "D7: a charge without a name cannot", reaction: "keep-charges", when: event(bill, collection.ChargeSucceeded{})},
	})
}

func TestUnpaidSubscriptionsEnd(t *testing.T) {
	const name = "end-unpaid-subscription"
	closed := func(outcome string, dataUntil time.Time) domain.Recorded[any] {
		return event(bill, collection.CollectionClosed{SubscriptionID: "sub", Outcome: outcome, DataUntil: dataUntil, At: noon})
	}
	until := noon.AddDate(0, 0, 90)
	cancel := func(until time.Time) domain.Effect {
		return domain.Dispatch{To: "sub", Command: billing.CancelUnpaidSubscription{InvoiceID: bill, DataUntil: until}}
	}
	run(t, []reactionCase{
		{name: "C9: too late to pay, with the case's date", reaction: name, when: closed(collection.OutcomeCanceled, until), then: []domain.Effect{cancel(until)}},
		{
			name: "D1: the data is gone, also of one that nobody cancelled", reaction: name, when: closed(collection.OutcomeDeleted, time.Time{}),
			then: []domain.Effect{cancel(noon), domain.Dispatch{To: "sub", Command: billing.DeleteSubscription{UnpaidInvoice: bill}}},
		},
		{name: "D1: what was paid goes on", reaction: name, when: closed(collection.OutcomeRecovered, time.Time{})},
	})
}
