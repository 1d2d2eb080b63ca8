package projections_test

import (
	"errors"
	"testing"

	"konto/domain/relationship"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestPermissionRegister(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.PurchasePermissions)
	db.apply(h.events...)
	who, partner := customerOf(northwind), "7"+northwind[1:]
	granted := projections.PurchasePermission{
		PartnerID: partner, CustomerID: who, Status: "granted", Since: start, ProposedBy: anna, GrantedBy: bo,
		Allowance: relationship.Allowance{
			Resource: "azure-reserved-instances", Action: "purchase", CapMinor: 1000, Currency: "EUR", ExpiresAt: start.AddDate(1, 0, 0),
			Products: []string{"vm-small"},
		},
		SpentMinor: 400, Purchases: 1, Revision: 2,
	}
	revoked := projections.PurchasePermission{
		PartnerID: partner, CustomerID: who, Status: "revoked", Since: start, ProposedBy: bo, GrantedBy: bo,
		Allowance: relationship.Allowance{Resource: "licences", Action: "purchase"},
		Purchases: 1, Revision: 5,
	}
	for tenant, want := range map[string][]projections.PurchasePermission{
		who: {granted, revoked}, partner: {granted, revoked}, northwind: nil,
	} {
		var got []projections.PurchasePermission
		for cursor := ""; ; {
			rows, next, err := projections.PermissionRegister(t.Context(), db, tenant, cursor, 1)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rows...)
			if cursor = next; next == "" {
				break
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("PermissionRegister(%s) (-want +got):\n%s", tenant, d)
		}
	}
	if _, _, err := projections.PermissionRegister(t.Context(), db, who, "no cursor", 1); !errors.Is(err, projections.ErrCursor) {
		t.Errorf("a cursor that is none: %v, want %v", err, projections.ErrCursor)
	}
}

// A permission that is granted anew begins with nothing spent.
func TestPermissionGrantedAnew(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	who, partner := customerOf(northwind), "7"+northwind[1:]
	a := relationship.Allowance{Resource: "azure-reserved-instances", Action: "purchase", CapMinor: 50, Currency: "SEK"}
	h.then(relationship.ID(partner, who), relationship.PurchasePermissionGranted{PartnerID: partner, CustomerID: who, Allowance: a, ProposedBy: bo, GrantedBy: bo, At: start})
	db := open(t, projections.PurchasePermissions)
	db.apply(h.events...)
	rows, _, err := projections.PermissionRegister(t.Context(), db, who, "", 1)
	if err != nil || len(rows) != 1 {
		t.Fatalf("PermissionRegister = %v, %v, want a row", rows, err)
	}
	want := projections.PurchasePermission{
		PartnerID: partner, CustomerID: who, Status: "granted", Since: start, ProposedBy: bo, GrantedBy: bo, Allowance: a, Revision: 6,
	}
	if d := cmp.Diff(want, rows[0]); d != "" {
		t.Errorf("granted anew (-want +got):\n%s", d)
	}
}
