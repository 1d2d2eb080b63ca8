package projections_test

import (
	"testing"

	"konto/domain"
	"konto/domain/admin"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestAdmins(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.Admins)
	db.apply(h.events...)
	added := map[string]domain.Recorded[any]{}
	last := map[string]domain.Recorded[any]{}
	for _, e := range h.events {
		if e.Category == "admin" {
			if e.Revision == 0 {
				added[e.ID] = e
			}
			last[e.ID] = e
		}
	}
	want := []projections.AdminRow{
		{
			ID: anna, SignInName: sealedValue[string](anna, "anna-mail"), DisplayName: sealedValue[string](anna, "anna-name"),
			Locale: "sv", Roles: []domain.Role{domain.BillingAdmin, domain.GlobalAdmin}, Status: projections.AdminActive,
			AddedAt: added[anna].At, UpdatedAt: last[anna].At, Revision: 1,
		},
		{
			ID: bo, SignInName: sealedValue[string](bo, "bo-mail"), DisplayName: sealedValue[string](bo, "bo-new-name"),
			Roles: []domain.Role{domain.BillingAdmin}, Status: projections.AdminActive,
			AddedAt: added[bo].At, UpdatedAt: last[bo].At, Revision: 4,
		},
	}
	got, next, err := projections.AdminList(t.Context(), db, northwind, "", 0)
	if err != nil || next != "" {
		t.Fatalf("next %q, err %v", next, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("AdminList (-want +got):\n%s", d)
	}
	want[0].Aliases = []domain.Personal[string]{sealedValue[string](anna, "anna-alias")}
	one, err := projections.Admin(t.Context(), db, northwind, anna)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want[0], one); d != "" {
		t.Errorf("Admin (-want +got):\n%s", d)
	}
}

func TestAdminPages(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	var want []string
	for i := range 25 {
		h.then(id(2, i), admin.EmployeeAdded{Tenant: northwind})
		want = append(want, id(2, i))
	}
	db := open(t, projections.Admins, projections.SecurityInfo)
	db.apply(h.events...)
	checkPages(t, want, func(cursor string) ([]string, string, error) {
		rows, next, err := projections.AdminList(t.Context(), db, northwind, cursor, 10)
		return keys(rows, func(a projections.AdminRow) string { return a.ID }), next, err
	})
	checkPages(t, want, func(cursor string) ([]string, string, error) {
		rows, next, err := projections.RecoveryReadiness(t.Context(), db, northwind, month, cursor, 5)
		return keys(rows, func(r projections.Readiness) string { return r.AdminID }), next, err
	})
}
