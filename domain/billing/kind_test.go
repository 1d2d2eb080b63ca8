package billing_test

import (
	"strings"
	"testing"

	. "konto/domain/billing"
	"konto/domain/domaintest"
)

func TestChangePaymentMethodKind(t *testing.T) {
	t.Parallel()
	backed := events(registered, BackupCardAdded{"bob-1", 1, bob})
	invoiced := PaymentMethodKindChanged{KindCard, KindInvoice, "PO 7", []string{"ann-1", "bob-1"}, now}
	after := append(backed, invoiced)
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C10: to invoice releases every card", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{KindInvoice, "PO 7"}, Then: events(invoiced)},
		{
			Name: "C10: to invoice without a purchase order", Given: events(registered), Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice},
			Then: events(PaymentMethodKindChanged{KindCard, KindInvoice, "", []string{"ann-1"}, now}),
		},
		{Name: "C10: to invoice again", Given: after, Meta: meta("konto"), When: ChangePaymentMethodKind{KindInvoice, "PO 7"}},
		{
			Name: "C10: another purchase order", Given: after, Meta: meta("konto"), When: ChangePaymentMethodKind{KindInvoice, "PO 8"},
			Then: events(PaymentMethodKindChanged{KindInvoice, KindInvoice, "PO 8", nil, now}),
		},
		{Name: "C10: back to a card is refused", Given: after, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindCard}, Err: ErrBackToCard},
		{Name: "C10: a card to a card changes nothing", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindCard}},
		{Name: "C10: no other kind", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: "cash"}, Err: ErrKind},
		{Name: "C10: endless purchase order", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{KindInvoice, strings.Repeat("1", 51)}, Err: ErrPONumber},
		{Name: "C10: purchase order of two lines", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{KindInvoice, "1\n2"}, Err: ErrPONumber},
		{Name: "C10: no subscription", Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice}, Err: ErrNotFound},
		{Name: "C10: an invoiced subscription takes no backup card", Given: after, Meta: meta(bob), When: AddBackupCard{"bob-2"}, Err: ErrInvoiced},
		{Name: "C10: nothing is promoted on an invoiced subscription", Given: after, Meta: meta("konto", "bob-1"), When: PromoteBackupCard{"funds", "ann-1"}},
		{Name: "C10: a replacement under way finds no card", Given: after, Meta: meta("konto"), When: ApplyCardReplacement{"ann-1", "bob-2", "requested"}},
	})
}
