package projections_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain/billing"
	"konto/domain/card"
	"konto/projections"
)

func TestExpiringCards(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	addCard(h, visa, anna, "visa", 12, 2026)
	addCard(h, mastercard, bo, "mastercard", 11, 2026)
	addCard(h, amex, bo, "amex", 10, 2030)
	h.then(id(3, 4), card.CardAdded{Tenant: northwind, Brand: "visa", Last4: "0001", IssuerCountry: "IN", AddedBy: bo, At: start})
	h.then(mail, billing.SubscriptionRegistered{Product: "Mail", BoughtBy: anna, CardID: visa, At: start})
	h.then(phones, billing.SubscriptionRegistered{Product: "Phones", BoughtBy: bo, CardID: visa, At: start})
	h.then(phones, billing.BackupCardAdded{CardID: mastercard, Priority: 1, AddedBy: bo})
	h.then(mastercard, card.CardExpiringSoon{Days: 15})
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	end := card.ValidUntil(12, 2026)
	for _, c := range []struct {
		name string
		now  time.Time
		days int
		want []string
	}{
		{"C3: the first to end comes first", end.AddDate(0, 0, -31), 60, []string{mastercard, visa}},
		{"C3: not so soon", end.AddDate(0, 0, -31), 30, []string{mastercard}},
		{"C3: a card that has ended stays until it is removed", end, 0, []string{mastercard, visa}},
		{"C3: none", end.AddDate(-1, 0, 0), 60, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkPages(t, c.want, func(cursor string) ([]string, string, error) {
				rows, next, err := projections.ExpiringCards(t.Context(), db, northwind, c.now, c.days, cursor, 1)
				return keys(rows, func(e projections.ExpiringCard) string { return e.CardID }), next, err
			})
		})
	}
	rows, _, err := projections.ExpiringCards(t.Context(), db, northwind, end.Add(-36*time.Hour), 60, "", 10)
	if err != nil || len(rows) != 2 {
		t.Fatalf("ExpiringCards = %+v, %v, want two", rows, err)
	}
	want := projections.ExpiringCard{
		CardID: visa, Owner: anna, Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2026, ValidUntil: end, Days: 2,
		Alone:         []string{mail},
		Subscriptions: []projections.CardUse{{SubscriptionID: mail, Primary: true}, {SubscriptionID: phones, Primary: true}},
	}
	if d := cmp.Diff(want, rows[1]); d != "" {
		t.Errorf("visa (-want +got):\n%s", d)
	}
	if rows[0].WarnedDays != 15 || rows[0].Days != 0 || len(rows[0].Alone) != 0 {
		t.Errorf("mastercard = %+v, want ended, warned of at 15 days, alone on nothing", rows[0])
	}
}

func TestImpact(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	addCard(h, visa, anna, "visa", 12, 2026)
	addCard(h, mastercard, bo, "mastercard", 11, 2026)
	h.then(mail, billing.SubscriptionRegistered{Product: "Mail", BoughtBy: anna, CardID: visa, At: start})
	h.then(phones, billing.SubscriptionRegistered{Product: "Phones", BoughtBy: bo, CardID: visa, At: start})
	h.then(phones, billing.BackupCardAdded{CardID: mastercard, Priority: 1, AddedBy: bo})
	h.then(phones, billing.SubscriptionCanceled{At: start, AdminAccessUntil: start, DataUntil: start})
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	got, err := projections.Impact(t.Context(), db, northwind, visa)
	want := projections.CardImpact{CardID: visa, Subscriptions: []projections.ImpactSubscription{
		{SubscriptionID: mail, Product: "Mail", Status: projections.SubscriptionActive, Primary: true, Stops: true},
		{SubscriptionID: phones, Product: "Phones", Status: projections.SubscriptionCancelled, Primary: true, Backups: 1},
	}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("N18: what a primary card's end would touch: %v (-want +got):\n%s", err, d)
	}
	got, err = projections.Impact(t.Context(), db, northwind, mastercard)
	want = projections.CardImpact{CardID: mastercard, Subscriptions: []projections.ImpactSubscription{
		{SubscriptionID: phones, Product: "Phones", Status: projections.SubscriptionCancelled},
	}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("N18: what a backup card's end would touch: %v (-want +got):\n%s", err, d)
	}
	if _, err := projections.Impact(t.Context(), db, contoso, visa); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("N18: another tenant's card: err = %v, want %v", err, sql.ErrNoRows)
	}
}
