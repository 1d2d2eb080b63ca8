package projections_test

import (
	"testing"
	"time"

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
		{
			ID: cleo, SignInName: sealedValue[string](cleo, "cleo-mail2"), DisplayName: sealedValue[string](cleo, "cleo-name"),
			PrimaryEmail: sealedValue[string](cleo, "cleo-mail"),
			Locale:       "nl", Roles: []domain.Role{}, Status: projections.AdminGone,
			AddedAt: added[cleo].At, UpdatedAt: last[cleo].At, Revision: 11,
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

// A leaver with three names, the second of which is taken back.
func TestAdminLife(t *testing.T) {
	t.Parallel()
	mail := func(what string) domain.Personal[string] { return sealedValue[string](bo, what) }
	h := startHistory(northwind)
	h.then(bo, admin.EmployeeAdded{Tenant: northwind, SignInName: mail("first"), DisplayName: mail("name"), Roles: []domain.Role{domain.Auditor}})
	h.then(bo, admin.EmailAliasAdded{Email: mail("alias")})
	h.then(bo, admin.UserNameChanged{Old: mail("first"), New: mail("second")})
	h.then(bo, admin.UserNameChanged{Old: mail("second"), New: mail("first"), Alias: 2})
	h.then(bo, admin.PrimaryEmailChanged{Old: mail("first"), New: mail("alias")})
	h.then(bo, admin.LanguageSwitched{New: "da"})
	db := open(t, projections.Admins)
	db.apply(h.events...)
	check := func(status string, until time.Time, revision int64) projections.AdminRow {
		t.Helper()
		row, err := projections.Admin(t.Context(), db, northwind, bo)
		if err != nil {
			t.Fatal(err)
		}
		if row.Status != status || !row.RetainedUntil.Equal(until) || row.Revision != revision || len(row.Roles) != 1 {
			t.Errorf("status %q until %v at %d with %v, want %q until %v at %d with one role", row.Status, row.RetainedUntil, row.Revision, row.Roles, status, until, revision)
		}
		return row
	}
	row := check(projections.AdminActive, time.Time{}, 5)
	if d := cmp.Diff([]domain.Personal[string]{mail("alias"), mail("second")}, row.Aliases); d != "" {
		t.Errorf("aliases (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]domain.Personal[string]{mail("first"), mail("alias")}, []domain.Personal[string]{row.SignInName, row.PrimaryEmail}); d != "" || row.Locale != "da" {
		t.Errorf("sign-in name and primary address (-want +got):\n%s\nlocale %s, want da", d, row.Locale)
	}
	db.apply(h.then(bo, admin.EmployeeBlocked{Offboarding: "o1"}), h.then(bo, admin.SessionsRevoked{}))
	check(projections.AdminBlocked, time.Time{}, 6)
	db.apply(h.then(bo, admin.EmployeeOffboarded{Offboarding: "o1", RetainedUntil: start.AddDate(0, 0, 30)}))
	check(projections.AdminOffboarded, start.AddDate(0, 0, 30), 8)
	db.apply(h.then(bo, admin.EmployeeRestored{Offboarding: "o1"}))
	check(projections.AdminActive, time.Time{}, 9)
	db.apply(h.then(bo, admin.EmployeeBlocked{Offboarding: "o2"}), h.then(bo, admin.EmployeeOffboarded{Offboarding: "o2", RetainedUntil: start}),
		h.then(bo, admin.EmployeeDataRetentionExpired{Offboarding: "o2"}))
	check(projections.AdminGone, time.Time{}, 12)
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
