package billing_test

import (
	"testing"

	"konto/domain"
	. "konto/domain/billing"
	"konto/domain/domaintest"
)

// What an unpaid invoice's case says: too late to pay on the 90th day after
// the suspension, and data gone on the 180th. Everything here is told from the
// day on which it was too late.
func TestCancelUnpaid(t *testing.T) {
	t.Parallel()
	gone := now.AddDate(0, 0, 90)
	when := CancelUnpaidSubscription{InvoiceID: "bill", DataUntil: gone}
	unpaid := SubscriptionCanceled{At: now, AdminAccessUntil: now, DataUntil: gone, UnpaidInvoice: "bill"}
	ended := events(registered, BackupCardAdded{"bob-1", 1, bob}, unpaid)
	deleted := SubscriptionDeleted{[]string{"ann-1", "bob-1"}, gone}
	remove := DeleteSubscription{UnpaidInvoice: "bill"}

	// An admin cancelled it, while it was suspended.
	before := func(days int) SubscriptionCanceled {
		at := now.AddDate(0, 0, -days)
		return SubscriptionCanceled{At: at, AdminAccessUntil: at.AddDate(0, 0, 90), DataUntil: at.AddDate(0, 0, 180), Credit: NextCycle}
	}
	late, early := before(10), before(95)

	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C9: too late to pay", Given: events(registered), When: when, Meta: meta("konto"), Then: events(unpaid)},
		{
			Name: "C9: neither licences nor domains keep what nobody pays for", Given: events(registered, AssignedLicencesRecorded{1000, now}), When: when,
			Meta: withDomains(meta("konto"), "contoso.example"), Then: events(unpaid),
		},
		{
			Name: "C9: the case's dates count, not those of a cancellation", Given: events(registered), When: when,
			Meta: withTerms(meta("konto"), CancelTerms{AdminAccessDays: 1, DataDays: 2}), Then: events(unpaid),
		},
		{
			Name: "D1: what is paid by invoice ends in the same way", Given: events(registered, PaymentMethodKindChanged{New: KindInvoice}), When: when, Meta: meta("konto"),
			Then: events(unpaid),
		},
		{Name: "D1: cancelled once for an invoice", Given: ended, When: when, Meta: meta("konto")},
		{Name: "D1: and not again for another", Given: ended, When: CancelUnpaidSubscription{"bill-2", gone}, Meta: meta("konto")},
		{
			Name: "C9: one that an admin cancelled is not taken back any more, and keeps its data as was told", Given: events(registered, late), When: when, Meta: meta("konto"),
			Then: events(SubscriptionCanceled{At: late.At, AdminAccessUntil: now, DataUntil: late.DataUntil, UnpaidInvoice: "bill"}),
		},
		{
			Name: "C9: whose access had ended before", Given: events(registered, early), When: when, Meta: meta("konto"),
			Then: events(SubscriptionCanceled{At: early.At, AdminAccessUntil: early.AdminAccessUntil, DataUntil: gone, UnpaidInvoice: "bill"}),
		},
		{Name: "C9: a deleted one", Given: append(ended, deleted), When: when, Meta: meta("konto")},
		{Name: "C9: no subscription", When: when, Meta: meta("konto"), Err: ErrNotFound},

		{Name: "C9: there is no way back", Given: ended, When: ReactivateSubscription{}, Meta: later(ann, now), Err: ErrWindowOver},
		{Name: "C9: no card comes to it", Given: ended, When: AddBackupCard{"bob-2"}, Meta: meta(bob), Err: ErrCancelled},
		{Name: "C9: an admin cancels it again", Given: ended, When: CancelSubscription{Reason: "too dear"}, Meta: meta(ann)},

		{Name: "D1: its data is gone, its cards are free", Given: ended, When: remove, Meta: later("konto", gone), Then: events(deleted)},
		{Name: "D1: by the time of the cancellation, too", Given: ended, When: DeleteSubscription{CancelledAt: now}, Meta: later("konto", gone), Then: events(deleted)},
		{Name: "D1: a moment before, it is not", Given: ended, When: remove, Meta: later("konto", gone.Add(-1))},
		{Name: "D1: deleted again", Given: append(ended, deleted), When: remove, Meta: later("konto", gone)},
		{Name: "D1: another invoice's case deletes nothing", Given: ended, When: DeleteSubscription{UnpaidInvoice: "bill-2"}, Meta: later("konto", gone)},
		{Name: "D1: what runs is not deleted", Given: events(registered), When: remove, Meta: later("konto", gone)},
		{Name: "D1: what an admin cancelled and nobody else is not deleted by a case", Given: events(registered, late), When: remove, Meta: later("konto", gone)},
	})
}

func TestCancelCautions(t *testing.T) {
	t.Parallel()
	var cautioner domain.Cautioner = CancelSubscription{}
	got := cautioner.Cautions()
	if len(got) != 1 || got[0].Code != "credit-next-cycle" || got[0].Detail == "" {
		t.Errorf("C11: cautions of a cancellation = %v, want the credit in the next cycle", got)
	}
}
