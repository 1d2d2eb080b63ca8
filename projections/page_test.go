package projections_test

import (
	"errors"
	"testing"

	"konto/domain/admin"
	"konto/domain/customer"
	"konto/domain/relationship"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

// checkPages follows cursors to the end, and expects each key once, in order.
func checkPages(t *testing.T, want []string, page func(cursor string) (keys []string, next string, err error)) {
	t.Helper()
	var got []string
	for cursor, n := "", 0; ; n++ {
		keys, next, err := page(cursor)
		if err != nil {
			t.Fatalf("page %d: %v", n, err)
		}
		got = append(got, keys...)
		if next == "" {
			break
		}
		if len(keys) == 0 || n > len(want) {
			t.Fatalf("page %d has %d rows and promises more", n, len(keys))
		}
		cursor = next
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("all pages (-want +got):\n%s", d)
	}
}

func keys[R any](rows []R, key func(R) string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = key(r)
	}
	return out
}

func TestPageSize(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	for i := range projections.MaxPage + 20 {
		h.then(id(2, i), admin.EmployeeAdded{Tenant: northwind})
	}
	db := open(t, projections.Admins)
	db.apply(h.events...)
	for limit, want := range map[int]int{
		-1: projections.DefaultPage, 0: projections.DefaultPage, 1: 1, 7: 7, projections.MaxPage: projections.MaxPage, 1 << 40: projections.MaxPage,
	} {
		rows, next, err := projections.AdminList(t.Context(), db, northwind, "", limit)
		if err != nil || len(rows) != want || next == "" {
			t.Errorf("AdminList(limit %d) = %d rows, next %q, %v, want %d rows and a next page", limit, len(rows), next, err, want)
		}
	}
}

func TestLastPageIsFull(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	for i := range 4 {
		h.then(id(2, i), admin.EmployeeAdded{Tenant: northwind})
	}
	db := open(t, projections.Admins)
	db.apply(h.events...)
	_, next, err := projections.AdminList(t.Context(), db, northwind, "", 2)
	if err != nil || next == "" {
		t.Fatalf("next %q, err %v", next, err)
	}
	rows, next, err := projections.AdminList(t.Context(), db, northwind, next, 2)
	if err != nil || len(rows) != 2 || next != "" {
		t.Errorf("last page = %d rows, next %q, %v, want 2 rows and none", len(rows), next, err)
	}
}

func TestBadCursor(t *testing.T) {
	t.Parallel()
	db := open(t, projections.All...)
	h := startHistory(northwind)
	for i := range 3 {
		h.then(id(2, i), admin.EmployeeAdded{Tenant: northwind})
		rel := customer.CustomerRegistered{PartnerID: northwind, CompanyName: "C"}
		h.then(id(9, i), rel)
		h.then(relationship.ID(northwind, id(9, i)), relationship.RelationshipEstablished{PartnerID: northwind, CustomerID: id(9, i)})
	}
	db.apply(h.events...)
	ctx := t.Context()
	_, one, err := projections.AdminList(ctx, db, northwind, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	_, two, err := projections.Relationships(ctx, db, northwind, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string]struct {
		foreign string // a cursor of a list with another kind of key
		list    func(cursor string) error
	}{
		"AdminList": {two, func(c string) error { _, _, err := projections.AdminList(ctx, db, northwind, c, 1); return err }},
		"RecoveryReadiness": {two, func(c string) error {
			_, _, err := projections.RecoveryReadiness(ctx, db, northwind, month, c, 1)
			return err
		}},
		"PaymentMethodList": {two, func(c string) error {
			_, _, err := projections.PaymentMethodList(ctx, db, northwind, projections.PaymentMethodFilter{}, start, c, 1)
			return err
		}},
		"SubscriptionList": {two, func(c string) error { _, _, err := projections.SubscriptionList(ctx, db, northwind, c, 1); return err }},
		"CustomersOf":      {two, func(c string) error { _, _, err := projections.CustomersOf(ctx, db, northwind, "", c, 1); return err }},
		"Relationships":    {one, func(c string) error { _, _, err := projections.Relationships(ctx, db, northwind, c, 1); return err }},
		"DeclineList": {one, func(c string) error {
			_, _, err := projections.DeclineList(ctx, db, northwind, projections.DeclineFilter{}, c, 1)
			return err
		}},
		"Timeline": {one, func(c string) error {
			_, _, err := projections.Timeline(ctx, db, northwind, projections.TimelineFilter{}, c, 1)
			return err
		}},
		"Notifications": {one, func(c string) error {
			_, _, err := projections.Notifications(ctx, db, northwind, projections.NotificationFilter{}, c, 1)
			return err
		}},
	}
	for name, l := range lists {
		for _, cursor := range []string{"%", "bm9wZQ", "bnVsbA", "W10", l.foreign} {
			if err := l.list(cursor); !errors.Is(err, projections.ErrCursor) {
				t.Errorf("%s(cursor %q) = %v, want %v", name, cursor, err, projections.ErrCursor)
			}
		}
	}
}
