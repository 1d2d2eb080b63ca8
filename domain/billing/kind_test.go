package billing_test

import (
	"strings"
	"testing"

	"konto/domain"
	. "konto/domain/billing"
	"konto/domain/domaintest"
	"konto/domain/postal"
)

func TestChangePaymentMethodKind(t *testing.T) {
	t.Parallel()
	backed := events(registered, BackupCardAdded{"bob-1", 1, bob})
	invoiced := PaymentMethodKindChanged{KindCard, KindInvoice, "PO 7", []string{"ann-1", "bob-1"}, now}
	after := append(backed, invoiced)
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "C10: to invoice releases every card", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice, PONumber: "PO 7"}, Then: events(invoiced)},
		{
			Name: "C10: to invoice without a purchase order", Given: events(registered), Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice},
			Then: events(PaymentMethodKindChanged{KindCard, KindInvoice, "", []string{"ann-1"}, now}),
		},
		{Name: "C10: to invoice again", Given: after, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice, PONumber: "PO 7"}},
		{
			Name: "C10: another purchase order", Given: after, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice, PONumber: "PO 8"},
			Then: events(PaymentMethodKindChanged{KindInvoice, KindInvoice, "PO 8", nil, now}),
		},
		{Name: "C10: back to a card is refused", Given: after, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindCard}, Err: ErrBackToCard},
		{Name: "C10: a card to a card changes nothing", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindCard}},
		{Name: "C10: no other kind", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: "cash"}, Err: ErrKind},
		{Name: "C10: endless purchase order", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice, PONumber: strings.Repeat("1", 51)}, Err: ErrPONumber},
		{Name: "C10: purchase order of two lines", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice, PONumber: "1\n2"}, Err: ErrPONumber},
		{Name: "C10: purchase order that turns what follows", Given: backed, Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice, PONumber: "1\u202e2"}, Err: ErrPONumber},
		{Name: "C10: no subscription", Meta: meta("konto"), When: ChangePaymentMethodKind{Kind: KindInvoice}, Err: ErrNotFound},
		{Name: "C10: an invoiced subscription takes no backup card", Given: after, Meta: meta(bob), When: AddBackupCard{"bob-2"}, Err: ErrInvoiced},
		{Name: "C10: nothing is promoted on an invoiced subscription", Given: after, Meta: meta("konto", "bob-1"), When: PromoteBackupCard{"funds", "ann-1"}},
		{Name: "C10: a replacement under way finds no card", Given: after, Meta: meta("konto"), When: ApplyCardReplacement{"ann-1", "bob-2", "requested"}},
	})
}

func TestInvoicesGoToWhomTheCaseSays(t *testing.T) {
	t.Parallel()
	to := BillTo{"Ann Bok", "+4532123456", street}
	checked := postal.Checked{Grade: postal.FormatOK, DataVersion: "tables/1", Confirmed: true}
	knowing := func(r Recipient) Meta {
		m := meta("konto")
		m.Facts = m.Facts.Knows(domain.Of[Recipient]("case"), r)
		return m
	}
	switched := PaymentMethodKindChanged{KindCard, KindInvoice, "", []string{"ann-1"}, now}
	billed := BillToAddressChanged{
		BillTo: domain.About(tenant, to), Country: "DK", Changed: []string{"name", "phone", "line1", "city", "postalCode", "country"},
		AddressValidation: checked, At: now, PhoneData: "plans/1",
	}
	when := ChangePaymentMethodKind{Kind: KindInvoice, CaseID: "case"}
	elsewhere := domain.About(tenant, BillTo{"Bo Ek", "+4532123456", street})
	domaintest.Run(t, Aggregate, []domaintest.Case[Subscription]{
		{Name: "S9: an invoice needs an address, and the case has it", Given: events(registered), Meta: knowing(Recipient{to, checked, "plans/1"}), When: when, Then: events(switched, billed)},
		{Name: "C10: name, address and phone are the organization's from then on", Given: events(registered, switched, billed), Meta: knowing(Recipient{to, checked, "plans/1"}), When: when},
		{
			Name: "S9: what was there before is kept beside it", Given: events(registered, switched, BillToAddressChanged{BillTo: elsewhere, At: now}), Meta: knowing(Recipient{to, checked, "plans/1"}),
			When: ChangePaymentMethodKind{Kind: KindInvoice, PONumber: "PO 7", CaseID: "case"},
			Then: events(
				PaymentMethodKindChanged{KindInvoice, KindInvoice, "PO 7", nil, now},
				BillToAddressChanged{elsewhere, domain.About(tenant, to), "DK", []string{"name"}, checked, now, ""},
			),
		},
		{Name: "S9: what was erased goes nowhere", Given: events(registered), Meta: knowing(Recipient{}), When: when, Then: events(switched)},
		{Name: "C10: a cancelled one has no invoices", Given: events(registered, asked, ended), Meta: knowing(Recipient{to, checked, "plans/1"}), When: when, Err: ErrCancelled},
	})
}
