package projections_test

import (
	"strings"
	"testing"
	"time"

	"konto/domain/collection"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestCollectionCases(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.CollectionCases)
	db.apply(h.events...)
	rows, next, err := projections.CollectionCaseList(t.Context(), db, northwind, projections.CollectionCaseFilter{}, start.AddDate(0, 0, 3), "", 0)
	if err != nil || next != "" {
		t.Fatalf("next %q, %v", next, err)
	}
	var got []string
	for _, c := range rows {
		got = append(got, strings.Join([]string{c.InvoiceID[len(c.InvoiceID)-2:], string(c.Phase), string(c.Mode)}, " "))
		if c.Budgets[0].Network != "visa" || c.Budgets[0].Used != 1 || c.Budgets[0].Limit != 15 {
			t.Errorf("N14: budgets of %s = %+v, want 1 of 15 with visa", c.InvoiceID, c.Budgets)
		}
	}
	want := []string{"14 chargeback chargeback", "13 retrying regular", "12 canceled accelerated", "11 recovered regular"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("cases (-want +got):\n%s", d)
	}
	f := projections.CollectionCaseFilter{SubscriptionID: mail, Phase: collection.Canceled}
	rows, _, err = projections.CollectionCaseList(t.Context(), db, northwind, f, start, "", 0)
	if err != nil || len(rows) != 1 || rows[0].CancelAt != start.AddDate(0, 0, 97) {
		t.Errorf("canceled = %+v, %v, want one", rows, err)
	}
	one, err := projections.CollectionCaseByID(t.Context(), db, northwind, id(5, 11), start.AddDate(0, 0, 40))
	if err != nil || one.Budgets[0].Used != 0 || !one.GraceUntil.IsZero() || !one.RetryAt.IsZero() {
		t.Errorf("N14: a recovered case forty days on = %+v, %v, want nothing used and nothing planned", one, err)
	}
}

func TestDueCharges(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.CollectionCases)
	db.apply(h.events...)
	due, next, err := projections.DueCharges(t.Context(), db, northwind, start.AddDate(0, 0, 1), "", 0)
	if err != nil || next != "" || len(due) != 1 || due[0].RequestID != "r3" || due[0].GatewayToken != "tok" || due[0].Reason != collection.ForBalance {
		t.Errorf("due = %+v, next %q, %v, want r3 alone: the others were answered, lapsed or disputed", due, next, err)
	}
	if due, _, err = projections.DueCharges(t.Context(), db, northwind, start.AddDate(0, 0, 2), "", 0); err != nil || len(due) != 0 {
		t.Errorf("after their last moment = %+v, %v, want none", due, err)
	}
	// K5: the board shows which card waits for its holder, until the case is over.
	if one, err := projections.CollectionCaseByID(t.Context(), db, northwind, id(5, 13), start); err != nil || one.ByHand != visa {
		t.Errorf("K5: case that waits for its holder = %+v, %v, want it to name %s", one, err, visa)
	}
	// An answer that names no request is one if the card is the same.
	db.apply(h.then(id(5, 13), collection.ChargeDeclined{CardID: visa, Brand: "visa", At: start.Add(time.Hour), GatewayEventID: "evt_13", Attempt: 2}))
	if due, _, err = projections.DueCharges(t.Context(), db, northwind, start.AddDate(0, 0, 1), "", 0); err != nil || len(due) != 0 {
		t.Errorf("answered = %+v, %v, want none", due, err)
	}
	db.apply(h.then(id(5, 13), collection.AccountRecovered{SubscriptionID: mail, From: collection.Retrying, By: collection.BySettlement, At: start}))
	if one, err := projections.CollectionCaseByID(t.Context(), db, northwind, id(5, 13), start); err != nil || one.ByHand != "" {
		t.Errorf("K5: case that was paid by hand = %+v, %v, want it to wait for nobody", one, err)
	}
}
