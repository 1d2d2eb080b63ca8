package projections_test

import (
	"testing"

	"konto/domain/invoiceswitch"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestInvoiceSwitchCases(t *testing.T) {
	t.Parallel()
	db := open(t, projections.InvoiceSwitchCases)
	db.apply(everything(northwind).events...)
	rows, next, err := projections.InvoiceSwitchCaseList(t.Context(), db, northwind, "", 0)
	if err != nil || next != "" || len(rows) != 2 {
		t.Fatalf("%d cases, next %q, %v, want 2", len(rows), next, err)
	}
	denied, applied := rows[0], rows[1]
	if denied.Status != invoiceswitch.Denied || denied.Why != invoiceswitch.CheckAge || denied.Credit != "failed" {
		t.Errorf("denied = %+v, want one that names the customer's age", denied)
	}
	if applied.Status != invoiceswitch.Applied || applied.Credit != "passed" || applied.CaseRef != "CASE-1" || applied.PONumber != "PO 7" || applied.CreditDue != start.AddDate(0, 0, 2) {
		t.Errorf("applied = %+v, want one with a reference and an order number", applied)
	}
	if applied.RequestedBy != anna || applied.OpenedBy != "" || denied.RequestedBy != anna || denied.OpenedBy != bo {
		t.Errorf("asked for by %q, opened by %q; by %q, by %q, want anna twice, and bo for her once",
			applied.RequestedBy, applied.OpenedBy, denied.RequestedBy, denied.OpenedBy)
	}
	if d := cmp.Diff([]invoiceswitch.Check{{Name: invoiceswitch.CheckAge, Passed: true}}, applied.Checks); d != "" {
		t.Errorf("checks (-want +got):\n%s", d)
	}
	one, err := projections.InvoiceSwitchCaseByID(t.Context(), db, northwind, id(8, 1))
	if err != nil || !cmp.Equal(one, applied) {
		t.Errorf("InvoiceSwitchCaseByID = %+v, %v, want %+v", one, err, applied)
	}
}
