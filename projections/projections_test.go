package projections_test

import (
	"database/sql"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"konto/domain"
	"konto/domain/admin"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestFixtureHasEveryHandledEvent(t *testing.T) {
	t.Parallel()
	var seen []reflect.Type
	for _, e := range everything(northwind).events {
		seen = append(seen, reflect.TypeOf(e.Data))
	}
	for _, p := range projections.All {
		for _, h := range p.Handlers {
			if !slices.Contains(seen, h.Type) {
				t.Errorf("the fixture has no %v, which %s handles", h.Type, p.Name)
			}
		}
	}
}

func TestTablesAreTheSchemas(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for _, p := range projections.All {
		db := open(t, p)
		created := db.tables()
		for _, name := range created {
			if other, taken := owner[name]; taken {
				t.Errorf("%s and %s both have the table %s", other, p.Name, name)
			}
			owner[name] = p.Name
		}
		slices.Sort(created)
		if d := cmp.Diff(slices.Sorted(slices.Values(p.Tables)), created); d != "" {
			t.Errorf("%s: Tables and Schema differ (-Tables +Schema):\n%s", p.Name, d)
		}
	}
}

func TestRebuildIsLive(t *testing.T) {
	t.Parallel()
	events := everything(northwind).events
	rebuilt := open(t, projections.All...)
	rebuilt.apply(events...)
	live, twice := open(t, projections.All...), open(t, projections.All...)
	for _, e := range events {
		live.apply(e)
		twice.apply(e, e)
	}
	want := rebuilt.dump()
	if len(want) < len(events) {
		t.Fatalf("%d rows of %d events", len(want), len(events))
	}
	if d := cmp.Diff(want, live.dump()); d != "" {
		t.Errorf("rebuilt and live differ (-rebuilt +live):\n%s", d)
	}
	if d := cmp.Diff(want, twice.dump()); d != "" {
		t.Errorf("events that come twice change something (-once +twice):\n%s", d)
	}
}

func TestTenantsDoNotMeet(t *testing.T) {
	t.Parallel()
	one, other := everything(northwind).events, everything(contoso).events
	alone, shared := open(t, projections.All...), open(t, projections.All...)
	alone.apply(one...)
	for i := range one {
		shared.apply(other[i], one[i])
	}
	mine := slices.DeleteFunc(shared.dump(), func(row string) bool {
		return !strings.Contains(row, " tenant="+northwind) && !strings.Contains(row, " tenant="+customerOf(northwind))
	})
	if d := cmp.Diff(alone.dump(), mine); d != "" {
		t.Errorf("another tenant with the same IDs changes rows (-alone +shared):\n%s", d)
	}
	want, got := answers(t, alone, northwind), answers(t, shared, northwind)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("another tenant with the same IDs changes answers (-alone +shared):\n%s", d)
	}
	for name, rows := range answers(t, shared, id(1, 3)) {
		if v := reflect.ValueOf(rows); v.Len() != 0 {
			t.Errorf("%s for a tenant without history = %v, want nothing", name, rows)
		}
	}
}

// answers returns what all lists say to a tenant.
func answers(t *testing.T, db *database, tenant string) map[string]any {
	t.Helper()
	ctx := t.Context()
	out := map[string]any{}
	put := func(name string, rows any, next string, err error) {
		t.Helper()
		if err != nil || next != "" {
			t.Fatalf("%s: next %q, err %v", name, next, err)
		}
		out[name] = rows
	}
	const many = projections.MaxPage
	admins, next, err := projections.AdminList(ctx, db, tenant, "", many)
	put("AdminList", admins, next, err)
	ready, next, err := projections.RecoveryReadiness(ctx, db, tenant, month, "", many)
	put("RecoveryReadiness", ready, next, err)
	cards, next, err := projections.PaymentMethodList(ctx, db, tenant, projections.PaymentMethodFilter{WithRemoved: true}, start, "", many)
	put("PaymentMethodList", cards, next, err)
	subscriptions, next, err := projections.SubscriptionList(ctx, db, tenant, "", many)
	put("SubscriptionList", subscriptions, next, err)
	declines, next, err := projections.DeclineList(ctx, db, tenant, projections.DeclineFilter{}, "", many)
	put("DeclineList", declines, next, err)
	cases, next, err := projections.CollectionCaseList(ctx, db, tenant, projections.CollectionCaseFilter{}, start, "", many)
	put("CollectionCaseList", cases, next, err)
	due, next, err := projections.DueCharges(ctx, db, tenant, start, "", many)
	put("DueCharges", due, next, err)
	switches, next, err := projections.InvoiceSwitchCaseList(ctx, db, tenant, "", many)
	put("InvoiceSwitchCaseList", switches, next, err)
	customers, next, err := projections.CustomersOf(ctx, db, tenant, "", "", many)
	put("CustomersOf", customers, next, err)
	relationships, next, err := projections.Relationships(ctx, db, tenant, "", many)
	put("Relationships", relationships, next, err)
	timeline, next, err := projections.Timeline(ctx, db, tenant, projections.TimelineFilter{}, "", many)
	put("Timeline", timeline, next, err)
	endpoints, next, err := projections.WebhookEndpoints(ctx, db, tenant, "", many)
	put("WebhookEndpoints", endpoints, next, err)
	deliveries, next, err := projections.WebhookDeliveries(ctx, db, tenant, projections.WebhookDeliveryFilter{}, "", many)
	put("WebhookDeliveries", deliveries, next, err)
	notifications, next, err := projections.Notifications(ctx, db, tenant, projections.NotificationFilter{}, "", many)
	put("Notifications", notifications, next, err)
	return out
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	db := open(t, projections.All...)
	db.apply(everything(contoso).events...)
	ctx := t.Context()
	for name, query := range map[string]func() error{
		"Admin":             func() error { _, err := projections.Admin(ctx, db, northwind, anna); return err },
		"SecurityInfoOf":    func() error { _, err := projections.SecurityInfoOf(ctx, db, northwind, anna, month); return err },
		"PaymentMethodByID": func() error { _, err := projections.PaymentMethodByID(ctx, db, northwind, visa, start); return err },
		"SubscriptionByID":  func() error { _, err := projections.SubscriptionByID(ctx, db, northwind, mail); return err },
		"Decline":           func() error { _, err := projections.Decline(ctx, db, northwind, invoice); return err },
		"Customer":          func() error { _, err := projections.Customer(ctx, db, northwind); return err },
		"CustomerOf":        func() error { _, err := projections.CustomerOf(ctx, db, northwind, customerOf(contoso)); return err },
		"NotificationByID":  func() error { _, err := projections.NotificationByID(ctx, db, northwind, id(6, 1)); return err },
	} {
		if err := query(); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%s of what another tenant has = %v, want %v", name, err, sql.ErrNoRows)
		}
	}
}

func TestPersonalValues(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	name := sealedValue[string](anna, "name")
	h.then(anna, admin.EmployeeAdded{Tenant: northwind, SignInName: name, DisplayName: domain.Personal[string]{Subject: anna, Erased: true}})
	db := open(t, projections.Admins)
	db.apply(h.events...)
	var column string
	if err := db.QueryRowContext(t.Context(), `SELECT sign_in_name FROM admins`).Scan(&column); err != nil {
		t.Fatal(err)
	}
	if column != string(name.Sealed) || !strings.Contains(column, `"in":{`) {
		t.Errorf("column = %s, want the sealed form untouched: %s", column, name.Sealed)
	}
	row, err := projections.Admin(t.Context(), db, northwind, anna)
	if err != nil {
		t.Fatal(err)
	}
	if string(row.SignInName.Sealed) != string(name.Sealed) || row.SignInName.Readable() {
		t.Errorf("sign-in name = %+v, want the sealed form untouched: %s", row.SignInName, name.Sealed)
	}
	if !row.DisplayName.Erased || row.DisplayName.Subject != anna {
		t.Errorf("display name = %+v, want that of an erased person", row.DisplayName)
	}

	h = startHistory(contoso)
	h.then(anna, admin.EmployeeAdded{Tenant: contoso, SignInName: name, DisplayName: domain.About(anna, "Anna Ek")})
	err = db.try(h.events...)
	if !errors.Is(err, projections.ErrNotSealed) || strings.Contains(err.Error(), "Anna Ek") {
		t.Errorf("a name in clear: err = %v, want %v without the name", err, projections.ErrNotSealed)
	}
	if _, err := projections.Admin(t.Context(), db, contoso, anna); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("a name in clear left a row behind: %v", err)
	}
}
