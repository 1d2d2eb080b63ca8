package projections_test

import (
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/postal"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

// fieldsOf returns "name status step was>is" of each field, one with a star
// whose value changed.
func fieldsOf(d projections.DeclineExplanation) []string {
	var lines []string
	show := func(p domain.Personal[string]) string {
		switch {
		case p.Erased:
			return "[erased]"
		case p.Sealed != nil:
			return "[sealed]"
		case p.IsZero():
			return "-"
		}
		return p.Value
	}
	for _, f := range d.Fields {
		line := string(f.Name) + " " + string(f.Status) + " " + string(f.NextStep) + " " + show(f.Was) + ">" + show(f.Is)
		if f.Changed {
			line += "*"
		}
		lines = append(lines, line)
	}
	return lines
}

// declinedAndEdited is a card that is declined, and edited afterwards.
func declinedAndEdited() *history {
	h := startHistory(northwind)
	h.then(mastercard, card.CardAdded{
		Brand: "mastercard", Last4: "4444", ExpMonth: 1, ExpYear: 2025, Holder: sealedValue[string](bo, "holder"),
		BillTo: sealedValue[card.Address](bo, "bill-to"), AddedBy: bo, At: start,
	})
	d := declinedWith("incorrect_zip", "", collection.Checks{Line1: "pass", Postal: "fail"}, 1, start.Add(time.Hour))
	d.ExpMonth, d.ExpYear, d.ValidUntil = 1, 2025, card.ValidUntil(1, 2025)
	d.BillToCheck = collection.LocalCheck{
		Grade: postal.Unchecked, HasState: true, HasPostalCode: true, DataVersion: "tables/1",
		Problems: []collection.LocalProblem{{Field: postal.State, Fault: postal.Unknown}},
	}
	h.then(invoice, d)
	h.then(mastercard, card.CardDetailsUpdated{
		Changed: []string{"expMonth", "expYear", "billingAddress.city"}, ExpMonth: 12, ExpYear: 2029,
		BillTo: sealedValue[card.Address](bo, "new-bill-to"),
	})
	return h
}

func TestDeclinedFields(t *testing.T) {
	t.Parallel()
	h := declinedAndEdited()
	db := open(t, projections.DeclineExplanations)
	db.apply(h.events...)
	d, err := projections.Decline(t.Context(), db, northwind, invoice)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"number ok none •••• 4444>•••• 4444",
		"expiry locally-inconsistent edit-expiry 01/2025>12/2029*",
		"name not-checkable compare-with-card [sealed]>[sealed]",
		"street ok none [sealed]>[sealed]",
		"city not-checkable compare-with-statement [sealed]>[sealed]",
		"state locally-inconsistent edit-address [sealed]>[sealed]",
		"postalCode issuer-mismatch edit-address [sealed]>[sealed]",
	}
	if diff := cmp.Diff(want, fieldsOf(d)); diff != "" {
		t.Errorf("N5: fields as stored (-want +got):\n%s", diff)
	}
	if string(d.Charged.BillTo.Sealed) == string(d.Now.BillTo.Sealed) || string(d.Charged.Holder.Sealed) != string(d.Now.Holder.Sealed) {
		t.Errorf("what was charged is not what was there then: %+v, now %+v", d.Charged, d.Now)
	}

	// Once somebody who may has opened the values, each field has its own.
	charged, now := d.Charged, d.Now
	was := card.Address{Line1: "Storgatan 1", City: "Stokholm", State: "X", PostalCode: "11455", Country: "SE"}
	is := was.With(postal.City, "Stockholm").With(postal.State, "")
	charged.Holder, charged.BillTo = domain.About(bo, "Bo Ek"), domain.About(bo, was)
	now.Holder, now.BillTo = domain.About(bo, "Bo Ek"), domain.About(bo, is)
	d.Explain(charged, now)
	want = []string{
		want[0], want[1],
		"name not-checkable compare-with-card Bo Ek>Bo Ek",
		"street ok none Storgatan 1>Storgatan 1",
		"city not-checkable compare-with-statement Stokholm>Stockholm*",
		"state locally-inconsistent edit-address X>-*",
		"postalCode issuer-mismatch edit-address 11455>11455",
	}
	if diff := cmp.Diff(want, fieldsOf(d)); diff != "" {
		t.Errorf("N5: fields, opened (-want +got):\n%s", diff)
	}

	// Of an erased person nothing is left to compare.
	charged.BillTo, now.BillTo = domain.Personal[card.Address]{Subject: bo, Erased: true}, domain.About(bo, is)
	d.Explain(charged, now)
	if got := fieldsOf(d)[4]; got != "city not-checkable compare-with-statement [erased]>Stockholm" {
		t.Errorf("N4: city of an erased address = %q", got)
	}
}

// What is paid asks for nothing, whatever was found.
func TestDeclinedFieldsOfPaidInvoice(t *testing.T) {
	t.Parallel()
	h := declinedAndEdited()
	h.then(invoice, collection.ChargeSucceeded{SubscriptionID: mail, CardID: mastercard, Attempt: 2, At: start})
	db := open(t, projections.DeclineExplanations)
	db.apply(h.events...)
	d, err := projections.Decline(t.Context(), db, northwind, invoice)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range d.Fields {
		if f.NextStep != projections.StepNone {
			t.Errorf("N5: next step of %s once paid = %s, want none", f.Name, f.NextStep)
		}
	}
}

// The network's updater changes what the card says now, not what was charged.
func TestDeclinedFieldsAfterUpdate(t *testing.T) {
	t.Parallel()
	h := declinedAndEdited()
	h.then(invoice, declinedWith("new_account_information_available", "", collection.Checks{}, 2, start.Add(2*time.Hour)))
	h.then(mastercard, card.CardAutomaticallyUpdated{Source: "u", Last4: "5100", ExpMonth: 3, ExpYear: 2031, Brand: "mastercard", At: start})
	db := open(t, projections.DeclineExplanations)
	db.apply(h.events...)
	d, err := projections.Decline(t.Context(), db, northwind, invoice)
	if err != nil {
		t.Fatal(err)
	}
	want := "number issuer-mismatch wait •••• 4444>•••• 5100*\nexpiry ok none 12/2029>03/2031*"
	if got := strings.Join(fieldsOf(d)[:2], "\n"); got != want {
		t.Errorf("N5: fields after the network's update:\n%s\nwant:\n%s", got, want)
	}
}
