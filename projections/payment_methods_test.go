package projections_test

import (
	"testing"
	"time"

	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/postal"
	"konto/projections"

	"github.com/google/go-cmp/cmp"
)

func TestPaymentMethod(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	got, err := projections.PaymentMethodByID(t.Context(), db, northwind, visa, start)
	if err != nil {
		t.Fatal(err)
	}
	want := projections.PaymentMethod{
		CardID: visa, Owner: anna, Brand: "visa", Last4: "4242", ExpMonth: 2, ExpYear: 2027, ValidUntil: card.ValidUntil(2, 2027),
		Funding: "credit", IssuerCountry: "SE", Country: "SE", Status: projections.CardActive,
		Holder: sealedValue[string](anna, "new-holder"), BillTo: sealedValue[card.Address](anna, "bill-to"),
		Phone: sealedValue[string](anna, "phone"), Checks: card.Checks{Line1: "pass", Postal: "pass"},
		LastCheckedAt: start.Add(time.Hour),
		Subscriptions: []projections.CardUse{{SubscriptionID: mail}, {SubscriptionID: phones, Primary: true}},
		AddedAt:       start, UpdatedAt: got.UpdatedAt, Revision: 2,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("PaymentMethodByID(visa) (-want +got):\n%s", d)
	}

	got, err = projections.PaymentMethodByID(t.Context(), db, northwind, mastercard, start)
	if err != nil {
		t.Fatal(err)
	}
	// The later decline said that the card is stolen. That is not for people.
	decline := &projections.LastDecline{Class: collection.IssuerSoft, Code: "generic_decline", InvoiceID: invoice, At: start.Add(2 * time.Hour)}
	if d := cmp.Diff(decline, got.LastDecline); d != "" {
		t.Errorf("last decline (-want +got):\n%s", d)
	}
	if got.Last4 != "4444" || got.ExpYear != 2029 || got.Checks != (card.Checks{Line1: "pass", Postal: "fail"}) {
		t.Errorf("mastercard = %+v, want the updater's details and the bank's checks", got)
	}
}

func TestPaymentMethodDetails(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	addCard(h, visa, anna, "visa", 1, 2027)
	h.then(visa, card.CardDetailsUpdated{Changed: []string{"phone"}, Phone: sealedValue[string](anna, "phone")})
	h.then(visa, card.CardDetailsUpdated{Changed: []string{"expYear"}, ExpYear: 2030})
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	get := func() projections.PaymentMethod {
		t.Helper()
		m, err := projections.PaymentMethodByID(t.Context(), db, northwind, visa, start)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := get()
	if m.ExpMonth != 1 || m.ExpYear != 2030 || !cmp.Equal(m.Phone, sealedValue[string](anna, "phone")) || m.BillTo.IsZero() || m.Holder.IsZero() {
		t.Errorf("after two edits: %+v, want what was not edited kept", m)
	}
	db.apply(h.then(visa, card.CardDetailsUpdated{
		Changed: []string{"phone", "billingAddress.city"}, BillTo: sealedValue[card.Address](anna, "moved"),
	}))
	m = get()
	if !m.Phone.IsZero() || !cmp.Equal(m.BillTo, sealedValue[card.Address](anna, "moved")) || m.Revision != 3 {
		t.Errorf("after the phone was removed: %+v, want none and the new address", m)
	}
}

// A gateway's answers may arrive in another order than they were given in.
func TestLateGatewayAnswer(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	addCard(h, mastercard, bo, "mastercard", 12, 2029)
	h.then(invoice, collection.ChargeSucceeded{CardID: mastercard, Attempt: 2, At: start.Add(2 * time.Hour)})
	h.then(invoice, declinedWith("insufficient_funds", "", collection.Checks{}, 1, start.Add(time.Hour)))
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	m, err := projections.PaymentMethodByID(t.Context(), db, northwind, mastercard, start)
	if err != nil || m.LastDecline != nil || !m.LastCheckedAt.Equal(start.Add(2*time.Hour)) {
		t.Errorf("card = %+v, %v, want the later success to stand", m, err)
	}
	db.apply(h.then(invoice, declinedWith("insufficient_funds", "", collection.Checks{}, 3, start.Add(3*time.Hour))))
	m, err = projections.PaymentMethodByID(t.Context(), db, northwind, mastercard, start)
	if err != nil || m.LastDecline == nil || m.LastDecline.Code != "insufficient_funds" {
		t.Errorf("card = %+v, %v, want the newest decline", m, err)
	}
}

func TestCardStatus(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	end := card.ValidUntil(2, 2027)
	for _, c := range []struct {
		card string
		now  time.Time
		want projections.CardStatus
	}{
		{visa, end.Add(-time.Microsecond), projections.CardActive},
		{visa, end, projections.CardExpired},
		{amex, start, projections.CardRemoved},
		{amex, end, projections.CardRemoved},
	} {
		m, err := projections.PaymentMethodByID(t.Context(), db, northwind, c.card, c.now)
		if err != nil || m.Status != c.want {
			t.Errorf("status of %s at %v = %s, %v, want %s", c.card, c.now, m.Status, err, c.want)
		}
	}
}

func TestPaymentMethodList(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	for _, c := range []struct {
		name   string
		filter projections.PaymentMethodFilter
		want   []string
	}{
		{"what is there", projections.PaymentMethodFilter{}, []string{visa, mastercard}},
		{"what was ever there", projections.PaymentMethodFilter{WithRemoved: true}, []string{visa, mastercard, amex}},
		{"one person's", projections.PaymentMethodFilter{Owner: bo}, []string{mastercard}},
		{"one person's ever", projections.PaymentMethodFilter{Owner: bo, WithRemoved: true}, []string{mastercard, amex}},
		{"nobody's", projections.PaymentMethodFilter{Owner: id(2, 9)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkPages(t, c.want, func(cursor string) ([]string, string, error) {
				rows, next, err := projections.PaymentMethodList(t.Context(), db, northwind, c.filter, start, cursor, 1)
				return keys(rows, func(m projections.PaymentMethod) string { return m.CardID }), next, err
			})
		})
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	h := everything(northwind)
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	rows, next, err := projections.SubscriptionList(t.Context(), db, northwind, "", 1)
	if err != nil || len(rows) != 1 || next == "" {
		t.Fatalf("%+v, next %q, %v", rows, next, err)
	}
	rest, next, err := projections.SubscriptionList(t.Context(), db, northwind, next, 2)
	if err != nil || next != "" {
		t.Fatalf("next %q, %v", next, err)
	}
	rows = append(rows, rest...)
	want := []projections.SubscriptionRow{
		{
			// visa was promoted away and came back in amex's place.
			ID: mail, Product: "Mail", BoughtBy: anna, Kind: billing.KindCard, Primary: mastercard,
			Status: projections.SubscriptionSuspended, Backups: []billing.Backup{{CardID: visa, Priority: 1, AddedBy: bo}},
			SuspendedAt: start.AddDate(0, 0, 7), AdminAccessUntil: start.AddDate(0, 0, 97), DataUntil: start.AddDate(0, 0, 187),
			RegisteredAt: start, UpdatedAt: rows[0].UpdatedAt, Revision: 6,
		},
		{
			ID: phones, Product: "Phones", BoughtBy: bo, Kind: billing.KindCard, Status: projections.SubscriptionActive, Primary: visa, Backups: []billing.Backup{},
			RegisteredAt: start, UpdatedAt: rows[1].UpdatedAt, Revision: 1,
		},
		{
			ID: licences, Product: "Licences", BoughtBy: anna, Kind: billing.KindInvoice, PONumber: "PO 7", Backups: []billing.Backup{},
			Status: projections.SubscriptionGone, Licences: 30, ServiceUsage: sealedValue[postal.Address](anna, "usage"),
			BillTo: sealedValue[billing.BillTo](anna, "bill"), CancelledAt: start, AdminAccessUntil: start.AddDate(0, 0, 90),
			DataUntil: start.AddDate(0, 0, 180), DeletedAt: start.AddDate(0, 0, 180),
			RegisteredAt: start, UpdatedAt: rows[2].UpdatedAt, Revision: 10,
		},
	}
	if d := cmp.Diff(want, rows); d != "" {
		t.Errorf("SubscriptionList (-want +got):\n%s", d)
	}
	one, err := projections.SubscriptionByID(t.Context(), db, northwind, phones)
	if err != nil || !cmp.Equal(one, want[1]) {
		t.Errorf("SubscriptionByID = %+v, %v, want %+v", one, err, want[1])
	}
}

// TestSubscriptionIsItsAggregate compares the row with the state that the
// domain folds, for each order of a replacement.
func TestSubscriptionIsItsAggregate(t *testing.T) {
	t.Parallel()
	added := func(card string, priority int) billing.BackupCardAdded {
		return billing.BackupCardAdded{CardID: card, Priority: priority, AddedBy: bo}
	}
	for name, events := range map[string][]billing.Event{
		"a backup becomes primary":         {added(amex, 1), billing.PrimaryCardChanged{Old: visa, New: amex}},
		"a stranger becomes primary":       {added(amex, 1), billing.PrimaryCardChanged{Old: visa, New: mastercard}},
		"a backup is promoted":             {added(amex, 1), added(mastercard, 2), billing.CardPromotedToPrimary{CardID: mastercard, Old: visa}},
		"a backup's place is taken":        {added(amex, 1), billing.BackupCardChanged{Old: amex, New: mastercard}},
		"by one that has a place":          {added(amex, 1), added(mastercard, 2), billing.BackupCardChanged{Old: amex, New: mastercard}},
		"by the one that pays":             {added(amex, 1), billing.BackupCardChanged{Old: amex, New: visa}},
		"the backups turn round":           {added(amex, 1), added(mastercard, 4), billing.BackupCardsReordered{CardIDs: []string{mastercard, amex}}},
		"a backup goes":                    {added(amex, 1), added(mastercard, 2), billing.BackupCardRemoved{CardID: amex}},
		"an invoice takes over":            {added(amex, 1), billing.PaymentMethodKindChanged{New: billing.KindInvoice, Released: []string{visa, amex}}},
		"it is deleted":                    {added(amex, 1), billing.SubscriptionDeleted{Released: []string{visa, amex}, At: start}},
		"a place that nobody has is taken": {billing.BackupCardChanged{Old: amex, New: mastercard}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHistory(northwind)
			var state billing.Subscription
			for _, e := range append([]billing.Event{billing.SubscriptionRegistered{Product: "Mail", BoughtBy: anna, CardID: visa, At: start}}, events...) {
				e.Evolve(&state)
				h.then(mail, e)
			}
			db := open(t, projections.PaymentMethods)
			db.apply(h.events...)
			got, err := projections.SubscriptionByID(t.Context(), db, northwind, mail)
			if err != nil {
				t.Fatal(err)
			}
			if got.Primary != state.Primary || !cmp.Equal(got.Backups, append([]billing.Backup{}, state.Backups...)) {
				t.Errorf("row = %s and %v, want %s and %v", got.Primary, got.Backups, state.Primary, state.Backups)
			}
		})
	}
}

// A subscription is off while one of its invoices has it off.
func TestSuspendedSubscription(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	addCard(h, visa, anna, "visa", 1, 2027)
	h.then(mail, billing.SubscriptionRegistered{Product: "Mail", BoughtBy: anna, CardID: visa, At: start})
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	off := func(n int) collection.ServiceSuspended {
		return collection.ServiceSuspended{SubscriptionID: mail, Reason: collection.Unpaid, At: day(n), CancelAt: day(n + 90), DataUntil: day(n + 180)}
	}
	paid := collection.AccountRecovered{SubscriptionID: mail, From: collection.Suspended, By: collection.ByCharge}
	one, two := id(5, 21), id(5, 22)
	unpaid := billing.SubscriptionCanceled{At: day(90), AdminAccessUntil: day(90), DataUntil: day(180), UnpaidInvoice: one}
	row := func(s projections.SubscriptionStatus, suspended, cancelled, access, data int, invoice string) projections.SubscriptionRow {
		on := func(n int) time.Time {
			if n < 0 {
				return time.Time{}
			}
			return day(n)
		}
		return projections.SubscriptionRow{
			Status: s, SuspendedAt: on(suspended), CancelledAt: on(cancelled), AdminAccessUntil: on(access), DataUntil: on(data), UnpaidInvoice: invoice,
		}
	}
	for _, c := range []struct {
		name  string
		id    string
		event any
		want  projections.SubscriptionRow
	}{
		{"D1: suspended, with the case's dates", one, off(0), row(projections.SubscriptionSuspended, 0, -1, 90, 180, "")},
		{"D1: for a second invoice as well", two, off(3), row(projections.SubscriptionSuspended, 0, -1, 90, 180, "")},
		{"D1: one of them is paid", one, paid, row(projections.SubscriptionSuspended, 3, -1, 93, 183, "")},
		{"D1: both are", two, paid, row(projections.SubscriptionActive, -1, -1, -1, -1, "")},
		{"D1: suspended again", one, off(0), row(projections.SubscriptionSuspended, 0, -1, 90, 180, "")},
		{"D1: its case is over", one, collection.CollectionClosed{SubscriptionID: mail, Outcome: collection.OutcomeCanceled, At: day(90)}, row(projections.SubscriptionSuspended, 0, -1, 90, 180, "")},
		{"C9: and so is the subscription", mail, unpaid, row(projections.SubscriptionCancelled, -1, 90, 90, 180, one)},
		{"D1: deleted", mail, billing.SubscriptionDeleted{Released: []string{visa}, At: day(180)}, row(projections.SubscriptionGone, -1, 90, 90, 180, one)},
	} {
		db.apply(h.then(c.id, c.event))
		got, err := projections.SubscriptionByID(t.Context(), db, northwind, mail)
		if err != nil {
			t.Fatal(err)
		}
		got = projections.SubscriptionRow{
			Status: got.Status, SuspendedAt: got.SuspendedAt, CancelledAt: got.CancelledAt, AdminAccessUntil: got.AdminAccessUntil,
			DataUntil: got.DataUntil, UnpaidInvoice: got.UnpaidInvoice,
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// What makes a card unusable ends with a new expiry or a new number.
func TestUnusableCards(t *testing.T) {
	t.Parallel()
	h := startHistory(northwind)
	addCard(h, visa, anna, "visa", 1, 2027)
	h.then(mastercard, card.CardAdded{
		Tenant: northwind, Brand: "mastercard", Last4: "4444", IssuerCountry: "IN", AddedBy: bo,
		ManualAboveMinor: 500_000, ManualAboveCurrency: "INR", At: start,
	})
	db := open(t, projections.PaymentMethods)
	db.apply(h.events...)
	for _, c := range []struct {
		name   string
		card   string
		event  any
		want   projections.CardStatus
		warned int
	}{
		{"C3: a warning", visa, card.CardExpiringSoon{Days: 30}, projections.CardActive, 30},
		{"K5: the gateway says expired", visa, card.CardExpired{}, projections.CardExpired, 30},
		{"K3: a new expiry", visa, card.CardDetailsUpdated{Changed: []string{"expYear"}, ExpYear: 2030, CVCCheck: "pass"}, projections.CardActive, 0},
		{"C7: reported lost", visa, card.CardReportedLost{}, projections.CardBlocked, 0},
		{"K4: a new expiry alone", visa, card.CardAutomaticallyUpdated{Last4: "4242", ExpMonth: 1, ExpYear: 2030, Brand: "visa", At: start}, projections.CardBlocked, 0},
		{"K4: a new number that ends alike", visa, card.CardAutomaticallyUpdated{Last4: "4242", ExpMonth: 1, ExpYear: 2030, Brand: "visa", At: start, Fingerprint: "new"}, projections.CardActive, 0},
		{"C7: reported lost again", visa, card.CardReportedLost{}, projections.CardBlocked, 0},
		{"K4: a new number", visa, card.CardAutomaticallyUpdated{Last4: "1881", ExpMonth: 1, ExpYear: 2030, Brand: "visa", At: start}, projections.CardActive, 0},
		{"K5: an expiry that is not kept is not past", mastercard, card.ExpiryCheckPostponed{}, projections.CardActive, 0},
		{"K5: until the gateway says so", mastercard, card.CardExpired{}, projections.CardExpired, 0},
	} {
		db.apply(h.then(c.card, c.event))
		m, err := projections.PaymentMethodByID(t.Context(), db, northwind, c.card, start)
		if err != nil || m.Status != c.want || m.WarnedDays != c.warned {
			t.Errorf("%s: status %s, warned %d, %v, want %s, %d", c.name, m.Status, m.WarnedDays, err, c.want, c.warned)
		}
	}
	m, err := projections.PaymentMethodByID(t.Context(), db, northwind, visa, start)
	if err != nil || m.Checks.CVC != "pass" || m.ManualAbove != nil {
		t.Errorf("visa = %+v, %v, want the check of the edit and no limit", m, err)
	}
	m, err = projections.PaymentMethodByID(t.Context(), db, northwind, mastercard, start)
	if err != nil || !m.ValidUntil.IsZero() || !cmp.Equal(m.ManualAbove, &projections.Amount{AmountMinor: 500_000, Currency: "INR"}) {
		t.Errorf("mastercard = %+v, %v, want no expiry and 5,000 INR", m, err)
	}
}
