package collection_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	. "konto/domain/collection"
	"konto/domain/domaintest"
)

const (
	id      = "01936c2e-0000-7000-8000-0000000000d1"
	tenant  = "01936c2e-0000-7000-8000-0000000000aa"
	ann     = "01936c2e-0000-7000-8000-0000000000a1"
	cardID  = "01936c2e-0000-7000-8000-000000000001"
	foreign = "01936c2e-0000-7000-8000-000000000002"
	sub     = "01936c2e-0000-7000-8000-0000000000c1"
)

var (
	now     = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	charged = now.Add(-time.Minute)
	expires = time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
)

func meta() Meta {
	card := Card{Exists: true, Tenant: tenant, Owner: ann, Last4: "4242", Brand: "visa", ExpMonth: 12, ExpYear: 2026, ValidUntil: expires}
	theirs := card
	theirs.Tenant = "theirs"
	return Meta{
		ID: id, Tenant: tenant, At: now, Actor: domain.Actor{ID: "gateway", Kind: domain.KindGateway},
		Command: "cmd",
		Facts: DunningPolicy.Known(domain.Facts{}).
			Knows(domain.Of[Wallet](sub), Wallet{true, []string{cardID}}).
			Knows(domain.Of[Card](cardID), card).
			Knows(domain.Of[Card](foreign), theirs).
			Knows(domain.Of[Card](""), Card{}).
			Knows(domain.Of[Card]("none"), Card{}),
	}
}

func declined(changes ...func(*RecordChargeResult)) RecordChargeResult {
	c := RecordChargeResult{
		Outcome: Declined, SubscriptionID: sub, CardID: cardID, AmountMinor: 12500, Currency: "SEK",
		Code: "insufficient_funds", NetworkCode: "51", Checks: Checks{Line1: Pass, Postal: Pass, CVC: Unchecked},
		OccurredAt: charged, GatewayEventID: "evt_1",
	}
	for _, change := range changes {
		change(&c)
	}
	return c
}

func wasDeclined(changes ...func(*ChargeDeclined)) ChargeDeclined {
	e := ChargeDeclined{
		SubscriptionID: sub, CardID: cardID, AmountMinor: 12500, Currency: "SEK", Code: "insufficient_funds",
		NetworkCode: "51", Checks: Checks{Line1: Pass, Postal: Pass, CVC: Unchecked}, Class: Funds, Retry: Spaced,
		WhoFixes: Customer, ChecklistItem: ItemBank, ShowCode: ShowCode, PolicyVersion: 1, Attempt: 1, At: charged,
		Owner: ann, Last4: "4242", Brand: "visa", ExpMonth: 12, ExpYear: 2026, ValidUntil: expires, GatewayEventID: "evt_1",
		Retries: -1,
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

var (
	paid = RecordChargeResult{
		Outcome: Succeeded, SubscriptionID: sub, CardID: cardID, AmountMinor: 12500, Currency: "SEK",
		OccurredAt: charged, GatewayEventID: "evt_2",
	}
	wasPaid = ChargeSucceeded{
		SubscriptionID: sub, CardID: cardID, AmountMinor: 12500, Currency: "SEK", Attempt: 1, At: charged,
		Owner: ann, Last4: "4242", Brand: "visa", GatewayEventID: "evt_2",
	}
)

func events(e ...Event) []Event { return e }

func TestRecordChargeResult(t *testing.T) {
	t.Parallel()
	with := func(change func(*RecordChargeResult)) RecordChargeResult { return declined(change) }
	again := wasPaid
	again.Attempt = 2
	grace := now.AddDate(0, 0, 30)
	opened := CollectionOpened{
		Mode: ModeRegular, PolicyVersion: 1, CardID: cardID, RemindAt: []time.Time{now.AddDate(0, 0, 2), now.AddDate(0, 0, 5)},
		SubscriptionID: sub, AmountMinor: 12500, Currency: "SEK", Attempts: 1, Face: Face{ann, "4242", "visa"}, GraceUntil: grace, Budget: Budget{"visa", 1, 15, 30}, At: now,
	}
	started := GraceStarted{sub, grace, Unpaid}
	planned := RetryScheduled{sub, now.AddDate(0, 0, 1), cardID}
	accelerated := opened
	accelerated.Mode, accelerated.GraceUntil = ModeAccelerated, now.AddDate(0, 0, 7)
	soon := GraceStarted{sub, accelerated.GraceUntil, Unpaid}
	domaintest.Run(t, Aggregate, []domaintest.Case[Invoice]{
		{Name: "C7: declined", When: declined(), Meta: meta(), Then: events(wasDeclined(), opened, started, planned)},
		{Name: "C7: paid", When: paid, Meta: meta(), Then: events(wasPaid)},
		{Name: "C7: the gateway says it again", Given: events(wasDeclined()), When: declined(), Meta: meta()},
		{
			Name: "C7: second attempt", Given: events(wasDeclined(), opened, started, planned), When: with(func(c *RecordChargeResult) { c.GatewayEventID = "evt_3" }), Meta: meta(),
			Then: events(wasDeclined(func(e *ChargeDeclined) { e.GatewayEventID, e.Attempt = "evt_3", 2 })),
		},
		{Name: "C7: paid at the second attempt, before there were cases", Given: events(wasDeclined()), When: paid, Meta: meta(), Then: events(again)},
		{
			Name: "D1: paid at the second attempt", Given: events(wasDeclined(), opened, started, planned), When: paid, Meta: meta(),
			Then: events(again, AccountRecovered{SubscriptionID: sub, From: Retrying, By: ByCharge, CardID: cardID, Owner: ann, At: now}, CollectionClosed{SubscriptionID: sub, Outcome: OutcomeRecovered, At: now}),
		},
		{
			Name: "C7: late decline of a paid invoice", Given: events(wasPaid), When: declined(), Meta: meta(),
			Then: events(wasDeclined(func(e *ChargeDeclined) { e.Attempt, e.AfterPayment = 2, true })),
		},
		{
			Name: "C7: time not told", When: with(func(c *RecordChargeResult) { c.OccurredAt = time.Time{} }), Meta: meta(),
			Then: events(wasDeclined(func(e *ChargeDeclined) { e.At = now }), opened, started, planned),
		},
		{
			Name: "C7: time of another zone", Meta: meta(), Then: events(wasDeclined(), opened, started, planned),
			When: with(func(c *RecordChargeResult) { c.OccurredAt = charged.In(time.FixedZone("", 3600)) }),
		},
		{
			Name: "C7: stolen", When: with(func(c *RecordChargeResult) { c.Code, c.NetworkCode = "stolen_card", "43" }), Meta: meta(),
			Then: events(wasDeclined(func(e *ChargeDeclined) {
				e.Code, e.NetworkCode, e.Class, e.Retry, e.WhoFixes = "stolen_card", "43", FraudMasked, Never, Bank
				e.ShowCode, e.Accelerated = ShowMasked, true
			}), accelerated, soon),
		},
		{
			Name: "C7: an unknown code tells the operator", When: with(func(c *RecordChargeResult) { c.Code = "brand_new" }), Meta: meta(),
			Then: events(wasDeclined(func(e *ChargeDeclined) {
				e.Code, e.Class, e.WhoFixes, e.ShowCode, e.UnknownCode, e.Retries = "brand_new", IssuerSoft, Bank, ShowGeneric, true, 1
			}), opened, started, planned),
		},
		{
			Name: "D6: the answer to a request names it", Given: events(wasDeclined(), opened, started, planned), Meta: meta(),
			When: with(func(c *RecordChargeResult) { c.GatewayEventID, c.RequestID, c.ChargeID = "evt_3", "req", "ch_1" }),
			Then: events(wasDeclined(func(e *ChargeDeclined) {
				e.GatewayEventID, e.Attempt, e.RequestID, e.ChargeID = "evt_3", 2, "req", "ch_1"
			})),
		},

		{Name: "C7: no card", When: with(func(c *RecordChargeResult) { c.CardID = "none" }), Meta: meta(), Err: ErrCardNotFound},
		{Name: "C7: another tenant's card", When: with(func(c *RecordChargeResult) { c.CardID = foreign }), Meta: meta(), Err: ErrCardNotFound},
		{
			Name: "C7: another subscription's invoice", Given: events(wasDeclined()), Meta: meta(), Err: ErrSubscription,
			When: with(func(c *RecordChargeResult) { c.SubscriptionID, c.GatewayEventID = "other", "evt_3" }),
		},
		{Name: "C7: no outcome", When: with(func(c *RecordChargeResult) { c.Outcome = "" }), Meta: meta(), Err: ErrField},
		{Name: "C7: no subscription", When: with(func(c *RecordChargeResult) { c.SubscriptionID = "" }), Meta: meta(), Err: ErrField},
		{Name: "C7: card not told", When: with(func(c *RecordChargeResult) { c.CardID = "" }), Meta: meta(), Err: ErrField},
		{Name: "C7: no amount", When: with(func(c *RecordChargeResult) { c.AmountMinor = 0 }), Meta: meta(), Err: ErrField},
		{
			Name: "C7: a currency that no table has, since the gateway says so", Given: events(wasPaid), Meta: meta(),
			When: with(func(c *RecordChargeResult) { c.Currency = "XQZ" }),
			Then: events(wasDeclined(func(e *ChargeDeclined) { e.Currency, e.Attempt, e.AfterPayment = "XQZ", 2, true })),
		},
		{Name: "C7: currency in small letters", When: with(func(c *RecordChargeResult) { c.Currency = "sek" }), Meta: meta(), Err: ErrField},
		{Name: "C7: no gateway event", When: with(func(c *RecordChargeResult) { c.GatewayEventID = "" }), Meta: meta(), Err: ErrField},
		{Name: "C7: decline without a code", When: with(func(c *RecordChargeResult) { c.Code = "" }), Meta: meta(), Err: ErrField},
		{Name: "D7: chargeback with a code", When: with(func(c *RecordChargeResult) { c.Outcome = Disputed }), Meta: meta(), Err: ErrField},
		{Name: "D7: chargeback of what was never charged", When: with(func(c *RecordChargeResult) { c.Outcome, c.Code = Disputed, "" }), Meta: meta(), Err: ErrNotCharged},
		{Name: "C7: prose as request", When: with(func(c *RecordChargeResult) { c.RequestID = "the first" }), Meta: meta(), Err: ErrField},
		{Name: "C7: success with a code", When: with(func(c *RecordChargeResult) { c.Outcome = Succeeded }), Meta: meta(), Err: ErrField},
		{Name: "C7: endless code", When: with(func(c *RecordChargeResult) { c.Code = strings.Repeat("x", 65) }), Meta: meta(), Err: ErrField},
		{Name: "C7: prose as network code", When: with(func(c *RecordChargeResult) { c.NetworkCode = "no money" }), Meta: meta(), Err: ErrField},
		{Name: "C7: unknown check", When: with(func(c *RecordChargeResult) { c.Checks.CVC = "123" }), Meta: meta(), Err: ErrField},
	})
}

// A card of which nothing but that it is there is known has no expiry to check.
func TestUnknownExpiry(t *testing.T) {
	t.Parallel()
	m := meta()
	m.Facts = m.Facts.Knows(domain.Of[Card](cardID), Card{Exists: true, Tenant: tenant})
	got, err := declined().Decide(Invoice{}, m)
	if err != nil || len(got) == 0 {
		t.Fatalf("Decide = %v, %v, want a decline", got, err)
	}
	if expiry := Checklist(got[0].(ChargeDeclined))[1]; expiry.Status != NotCheckable {
		t.Errorf("expiry of a card whose expiry is not known = %s, want %s", expiry.Status, NotCheckable)
	}
}

func TestRefusedForAllReasons(t *testing.T) {
	t.Parallel()
	_, err := RecordChargeResult{Outcome: Declined}.Decide(Invoice{}, meta())
	var refused *domain.Error
	if !errors.As(err, &refused) {
		t.Fatalf("Decide: err = %v, want a refusal", err)
	}
	var got []string
	for _, cause := range refused.Causes {
		got = append(got, cause.Pointer)
	}
	if want := []string{"/subscriptionId", "/cardId", "/amountMinor", "/currency", "/gatewayEventId", "/code"}; !slices.Equal(got, want) {
		t.Errorf("pointers of the causes = %v, want %v", got, want)
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	stolen := wasDeclined(func(e *ChargeDeclined) {
		e.Code, e.Class, e.ShowCode, e.Retry, e.Accelerated, e.GatewayEventID = "stolen_card", FraudMasked, ShowMasked, Never, true, "evt_3"
	})
	var got Invoice
	for _, e := range events(wasDeclined(), wasPaid, stolen) {
		e.Evolve(&got)
	}
	want := Invoice{
		SubscriptionID: sub, AmountMinor: 12500, Currency: "SEK", Attempts: 3, Declines: 2, LastCardID: cardID, LastDeclinedCardID: cardID,
		LastDecline:   &Shown{"generic_decline", IssuerSoft, Spaced, Bank, ItemBank},
		LastDeclineAt: charged, Paid: true, PaidAt: charged, GatewayEvents: []string{"evt_1", "evt_2", "evt_3"},
		Case: Case{
			Round: []string{cardID}, Tried: []Tried{{CardID: cardID, Declines: 2, Retries: -1, Barred: true}},
			Attempts: []Attempt{{CardID: cardID, Network: "visa", At: charged}, {CardID: cardID, Network: "visa", At: charged}, {CardID: cardID, Network: "visa", At: charged}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("invoice (-want +got):\n%s", diff)
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code string
		want Shown
	}{
		{"expired_card", Shown{"expired_card", DataExpiry, Never, Customer, ItemExpiry}},
		{"do_not_honor", Shown{"generic_decline", IssuerSoft, Spaced, Bank, ItemBank}},
		{"stop_payment_order", Shown{"generic_decline", HardRevoked, Never, Bank, ItemBank}},
		{"stolen_card", Shown{"generic_decline", IssuerSoft, Spaced, Bank, ItemBank}},
	} {
		if got := decline(test.code, "", Checks{}).Shown(); got != test.want {
			t.Errorf("Shown of %s = %+v, want %+v", test.code, got, test.want)
		}
	}
}

// decline is the event that such an answer leads to.
func decline(code, advice string, checks Checks) ChargeDeclined {
	d := Classify(code, advice, checks)
	return wasDeclined(func(e *ChargeDeclined) {
		e.Code, e.AdviceCode, e.Checks = code, advice, checks
		e.Class, e.Retry, e.WhoFixes, e.ChecklistItem, e.ShowCode = d.Class, d.Retry, d.WhoFixes, d.ChecklistItem, d.Show
	})
}

// Whatever else is known, a masked decline shows as a generic one would.
func TestMaskedIsGeneric(t *testing.T) {
	t.Parallel()
	results := []string{"", Pass, Fail, Unavailable, Unchecked}
	for _, code := range []string{"fraudulent", "lost_card", "stolen_card", "pickup_card", "merchant_blacklist"} {
		for _, advice := range append(AdviceCodes(), "") {
			for _, line1 := range results {
				for _, cvc := range results {
					checks := Checks{Line1: line1, Postal: Pass, CVC: cvc}
					masked, generic := decline(code, advice, checks), decline("generic_decline", advice, checks)
					if got, want := masked.Shown(), generic.Shown(); got != want {
						t.Errorf("Shown of %s, %q, %v = %v, want %v", code, advice, checks, got, want)
					}
					if diff := cmp.Diff(Checklist(generic), Checklist(masked)); diff != "" {
						t.Errorf("Checklist of %s, %q, %v (-generic +masked):\n%s", code, advice, checks, diff)
					}
				}
			}
		}
	}
}

func TestChecklist(t *testing.T) {
	t.Parallel()
	seen := Checks{Line1: Pass, Postal: Pass, CVC: Pass}
	for _, test := range []struct {
		name   string
		code   string
		checks Checks
		late   bool // charged after the card's last day
		want   string
	}{
		{"number", "incorrect_number", Checks{}, false, "*number issuer-mismatch, expiry locally-ok, name not-checkable, address not-checkable, bank not-checkable"},
		{"expiry", "expired_card", Checks{}, false, "number issuer-ok, *expiry issuer-mismatch, name not-checkable, address not-checkable, bank not-checkable"},
		{"expiry passed", "generic_decline", Checks{}, true, "number locally-ok, expiry locally-inconsistent, name not-checkable, address not-checkable, *bank issuer-mismatch"},
		{"postal code", "incorrect_zip", Checks{Line1: Pass}, false, "number issuer-ok, expiry locally-ok, name not-checkable, *address issuer-mismatch, bank not-checkable"},
		{"street", "do_not_honor", Checks{Line1: Fail, Postal: Pass}, false, "number issuer-ok, expiry locally-ok, name not-checkable, *address issuer-mismatch, bank not-checkable"},
		{"street confirmed", "insufficient_funds", Checks{Line1: Pass, Postal: Unavailable}, false, "number issuer-ok, expiry locally-ok, name not-checkable, address not-checkable, *bank issuer-mismatch"},
		{"funds", "insufficient_funds", seen, false, "number issuer-ok, expiry locally-ok, name not-checkable, address issuer-ok, *bank issuer-mismatch"},
		{"security code", "incorrect_cvc", seen, false, "number issuer-ok, expiry locally-ok, name not-checkable, address issuer-ok, bank not-checkable"},
		{"no answer", "issuer_not_available", Checks{Line1: Unavailable, Postal: Unchecked}, false, "number locally-ok, expiry locally-ok, name not-checkable, address not-checkable, bank not-checkable"},
		{"new details", "new_account_information_available", Checks{}, false, "*number issuer-mismatch, expiry locally-ok, name not-checkable, address not-checkable, bank not-checkable"},
	} {
		d := decline(test.code, "", test.checks)
		if test.late {
			d.At = d.ValidUntil
		}
		var got []string
		for _, item := range Checklist(d) {
			first := ""
			if item.First {
				first = "*"
			}
			got = append(got, first+item.Name+" "+string(item.Status))
		}
		if got := strings.Join(got, ", "); got != test.want {
			t.Errorf("%s: Checklist = %s, want %s", test.name, got, test.want)
		}
	}
}

func TestChecklistOfAddress(t *testing.T) {
	t.Parallel()
	got := Checklist(decline("generic_decline", "", Checks{Line1: Pass, Postal: Fail}))[3]
	want := Item{
		Name: "address", Status: IssuerMismatch, First: true, Fix: "UpdateCardDetails",
		Parts: []Item{
			{Name: "line1", Status: IssuerOK},
			{Name: "city", Status: NotCheckable},
			{Name: "state", Status: NotCheckable},
			{Name: "postalCode", Status: IssuerMismatch},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("address (-want +got):\n%s", diff)
	}
}
