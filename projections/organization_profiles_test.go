package projections_test

import (
	"testing"

	"konto/domain"
	"konto/domain/offboarding"
	"konto/domain/postal"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestOrganizationProfile(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.OrganizationProfiles)
	db.apply(h.events...)
	var last domain.Recorded[any]
	for _, e := range h.events {
		if e.Category == "org" {
			last = e
		}
	}
	its := func(what string) domain.Personal[string] { return sealedValue[string](northwind, what) }
	want := projections.OrganizationProfile{
		ID: northwind, Name: "Northwind", Address: sealedValue[postal.Address](northwind, "org-address"), AddressGrade: postal.FormatOK,
		Phone: its("org-phone"), TechnicalContact: its("org-it"), ContactEmail: its("org-mail"), Language: "sv", InvoicesAttached: true,
		UpdatedAt: last.At, Revision: 5,
	}
	got, err := projections.OrganizationProfileOf(t.Context(), db, northwind)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("OrganizationProfileOf (-want +got):\n%s", d)
	}
}

func TestOrphanedItems(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.OrphanedItems)
	db.apply(h.events...)
	type item struct{ id, why, settled, by string }
	items := func(admin string, settled bool) (got []item) {
		t.Helper()
		rows, next, err := projections.OrphanedItemList(t.Context(), db, northwind, admin, settled, "", 0)
		if err != nil || next != "" {
			t.Fatalf("next %q, err %v", next, err)
		}
		for _, r := range rows {
			got = append(got, item{r.ItemID, r.Why, r.Settled, r.SettledBy})
			if r.AdminID != cleo || !r.DueAt.Equal(start) || r.SettledAt.IsZero() != (r.Settled == "") {
				t.Errorf("row %+v, want cleo's, due %v, settled or not", r, start)
			}
		}
		return got
	}
	all := []item{
		{"c1", string(offboarding.OwnCard), "", ""},
		{"s1", string(offboarding.Paying), string(offboarding.Restored), ""},
		{"s2", string(offboarding.Bought), string(offboarding.TakenOver), anna},
	}
	for name, c := range map[string]struct {
		got, want []item
	}{
		"open": {items("", false), all[:1]}, "all": {items("", true), all}, "cleo's": {items(cleo, true), all}, "anna's": {items(anna, true), nil},
	} {
		if d := cmp.Diff(c.want, c.got, cmp.AllowUnexported(item{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestOrphanedItemPages(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	var want, ids []string
	for i := range 25 {
		ids = append(ids, id(3, i))
		want = append(want, id(3, i))
	}
	h.then(cleo, offboarding.OrphanedItemsFound{Offboarding: "o1", Cards: ids})
	db := open(t, projections.OrphanedItems)
	db.apply(h.events...)
	checkPages(t, want, func(cursor string) ([]string, string, error) {
		rows, next, err := projections.OrphanedItemList(t.Context(), db, northwind, "", false, cursor, 10)
		return keys(rows, func(i projections.OrphanedItem) string { return i.ItemID }), next, err
	})
}
