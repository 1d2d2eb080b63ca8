package projections_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"konto/domain/collection"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestDecline(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.DeclineExplanations)
	db.apply(h.events...)
	rows, next, err := projections.DeclineList(t.Context(), db, northwind, projections.DeclineFilter{InvoiceID: invoice}, "", 0)
	if err != nil || next != "" || len(rows) != 2 {
		t.Fatalf("%+v, next %q, %v", rows, next, err)
	}
	event := declinedWith("incorrect_zip", "", collection.Checks{Line1: "pass", Postal: "fail"}, 1, start.Add(time.Hour))
	want := projections.DeclineExplanation{
		InvoiceID: invoice, Attempt: 1, SubscriptionID: mail, CardID: mastercard, Owner: bo, Brand: "mastercard", Last4: "4444",
		ExpMonth: 12, ExpYear: 2029, AmountMinor: 12900, Currency: "SEK", At: start.Add(time.Hour),
		Shown: collection.Shown{
			Code: "incorrect_zip", Class: collection.DataAddress, Retry: collection.AfterEdit, WhoFixes: collection.Customer,
			ChecklistItem: collection.ItemAddress,
		},
		Checklist: collection.Checklist(event), NextStep: projections.StepEditAddress, Position: rows[1].Position,
	}
	// What was typed, and what is known of each field, has tests of its own.
	want.Fields, want.Charged, want.Now = rows[1].Fields, rows[1].Charged, rows[1].Now
	if d := cmp.Diff(want, rows[1]); d != "" {
		t.Errorf("first attempt (-want +got):\n%s", d)
	}
	names := keys(rows[1].Checklist, func(i collection.Item) string { return i.Name })
	if d := cmp.Diff([]string{"number", "expiry", "name", "address", "bank"}, names); d != "" {
		t.Errorf("checklist (-want +got):\n%s", d)
	}
	last, err := projections.Decline(t.Context(), db, northwind, invoice)
	if err != nil || !cmp.Equal(last, rows[0]) || last.Attempt != 2 {
		t.Errorf("Decline = %+v, %v, want the last attempt %+v", last, err, rows[0])
	}
}

// TestEveryCode compares the answer for each code and advice with what the
// domain says of the event itself.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	var events []collection.ChargeDeclined
	for _, checks := range []collection.Checks{{}, {Line1: "fail", Postal: "pass", CVC: "pass"}, {CVC: "fail"}} {
		for _, advice := range append([]string{""}, collection.AdviceCodes()...) {
			for _, code := range append(collection.Codes(), "never_heard_of_it") {
				e := declinedWith(code, advice, checks, len(events)+1, start)
				events = append(events, e)
				h.then(invoice, e)
			}
		}
	}
	db := open(t, projections.DeclineExplanations)
	db.apply(h.events...)
	var got []projections.DeclineExplanation
	for cursor := ""; ; {
		rows, next, err := projections.DeclineList(t.Context(), db, northwind, projections.DeclineFilter{}, cursor, 100)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rows...)
		if cursor = next; next == "" {
			break
		}
	}
	if len(got) != len(events) {
		t.Fatalf("%d rows, want %d", len(got), len(events))
	}
	for i, d := range got {
		e := events[len(events)-1-i]
		if d.Shown != e.Shown() || !cmp.Equal(d.Checklist, collection.Checklist(e)) {
			t.Errorf("%s with advice %q and %+v: %+v %+v, want %+v %+v", e.Code, e.AdviceCode, e.Checks, d.Shown, d.Checklist, e.Shown(), collection.Checklist(e))
		}
		if e.Class == collection.FraudMasked && d.Class == collection.FraudMasked {
			t.Errorf("%s is not masked: %+v", e.Code, d.Shown)
		}
	}
	for _, line := range db.dump() {
		for _, secret := range []string{"fraudulent", "lost_card", "stolen_card", "pickup_card", "merchant_blacklist", "fraud-masked"} {
			if strings.Contains(line, secret) {
				t.Errorf("the table holds what must be masked: %s", line)
			}
		}
	}
}

func TestNextStep(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]projections.NextStep{
		"incorrect_number":                  projections.StepReplaceCard,
		"expired_card":                      projections.StepEditExpiry,
		"incorrect_zip":                     projections.StepEditAddress,
		"incorrect_cvc":                     projections.StepEnterSecurityCode,
		"insufficient_funds":                projections.StepCallBank,
		"do_not_honor":                      projections.StepCallBank,
		"stolen_card":                       projections.StepCallBank,
		"processing_error":                  projections.StepWait,
		"authentication_required":           projections.StepConfirmPayment,
		"card_not_supported":                projections.StepCallBank,
		"duplicate_transaction":             projections.StepNone,
		"incorrect_pin":                     projections.StepUseAnotherCard,
		"new_account_information_available": projections.StepWait,
		"testmode_decline":                  projections.StepNone,
	} {
		h := startHistory(northwind)
		db := open(t, projections.DeclineExplanations)
		db.apply(h.then(invoice, declinedWith(code, "", collection.Checks{}, 1, start)))
		d, err := projections.Decline(t.Context(), db, northwind, invoice)
		if err != nil || d.NextStep != want || d.Paid {
			t.Errorf("next step of %s = %s (paid %t), %v, want %s", code, d.NextStep, d.Paid, err, want)
		}
		db.apply(h.then(invoice, collection.ChargeSucceeded{SubscriptionID: mail, CardID: visa, Attempt: 2, At: start}))
		d, err = projections.Decline(t.Context(), db, northwind, invoice)
		if err != nil || d.NextStep != projections.StepNone || !d.Paid {
			t.Errorf("next step of %s once paid = %s (paid %t), %v, want none", code, d.NextStep, d.Paid, err)
		}
	}
}

func TestDeclineAfterPayment(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	h.then(invoice, collection.ChargeSucceeded{SubscriptionID: mail, CardID: visa, Attempt: 1, At: start})
	late := declinedWith("insufficient_funds", "", collection.Checks{}, 2, start)
	late.AfterPayment = true
	h.then(invoice, late)
	db := open(t, projections.DeclineExplanations)
	db.apply(h.events...)
	d, err := projections.Decline(t.Context(), db, northwind, invoice)
	if err != nil || !d.Paid || d.NextStep != projections.StepNone {
		t.Errorf("Decline = %+v, %v, want it paid", d, err)
	}
}

func TestDeclinePages(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	var all, mine []string
	for i := range 23 {
		d := declinedWith("insufficient_funds", "", collection.Checks{}, 1, start)
		d.CardID = []string{visa, mastercard}[i%2]
		h.then(id(5, i), d)
		all = append([]string{id(5, i)}, all...)
		if i%2 == 0 {
			mine = append([]string{id(5, i)}, mine...)
		}
	}
	db := open(t, projections.DeclineExplanations)
	db.apply(h.events...)
	for _, c := range []struct {
		filter projections.DeclineFilter
		want   []string
	}{
		{projections.DeclineFilter{}, all},
		{projections.DeclineFilter{CardID: visa}, mine},
		{projections.DeclineFilter{CardID: visa, InvoiceID: id(5, 4)}, []string{id(5, 4)}},
		{projections.DeclineFilter{CardID: visa, InvoiceID: id(5, 5)}, nil},
	} {
		checkPages(t, c.want, func(cursor string) ([]string, string, error) {
			rows, next, err := projections.DeclineList(t.Context(), db, northwind, c.filter, cursor, 4)
			return keys(rows, func(d projections.DeclineExplanation) string { return d.InvoiceID }), next, err
		})
	}
}

func TestDeclineJSON(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	db := open(t, projections.DeclineExplanations)
	db.apply(h.then(invoice, declinedWith("expired_card", "", collection.Checks{}, 1, start)))
	d, err := projections.Decline(t.Context(), db, northwind, invoice)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"invoiceId", "code", "class", "retry", "whoFixes", "checklistItem", "checklist", "nextStep"} {
		if _, ok := fields[name]; !ok {
			t.Errorf("no field %s in %s", name, b)
		}
	}
}
