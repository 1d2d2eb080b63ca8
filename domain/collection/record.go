package collection

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// Outcomes of a charge, and what may become of it later.
const (
	Succeeded  = "succeeded"
	Declined   = "declined"
	Disputed   = "chargeback-opened"   // the holder asks for the money back
	DisputeWon = "chargeback-won"      // the holder does not get it
	DisputeEnd = "chargeback-accepted" // the holder has got it
)

// RecordChargeResult records what the gateway said of one attempt, or of a
// chargeback later. Sending the same gateway event again does nothing.
type RecordChargeResult struct {
	Outcome        string    `json:"outcome"` // one of the constants, such as [Succeeded]
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	Code           string    `json:"code,omitzero"`        // the gateway's decline code
	NetworkCode    string    `json:"networkCode,omitzero"` // the card network's, such as "51"
	AdviceCode     string    `json:"adviceCode,omitzero"`
	Checks         Checks    `json:"checks,omitzero"`
	OccurredAt     time.Time `json:"occurredAt,omitzero"` // when the card was charged
	GatewayEventID string    `json:"gatewayEventId"`
	// RequestID is the [ChargeRequested] that the charge carries out; empty if
	// Konto did not ask for it.
	RequestID string `json:"requestId,omitzero"`
	// ChargeID is the gateway's ID of the charge, by which a later chargeback
	// finds the invoice.
	ChargeID string `json:"chargeId,omitzero"`
}

// Checks is what the issuer said of what it can check: "pass", "fail",
// "unavailable" or "unchecked". It checks no name, city or state.
type Checks struct {
	Line1  string `json:"line1,omitzero"`
	Postal string `json:"postal,omitzero"`
	CVC    string `json:"cvc,omitzero"`
}

// Needs implements [domain.Needer].
func (c RecordChargeResult) Needs(m Meta) []domain.Need {
	needs := knowing(m, c.SubscriptionID, c.CardID)
	if card := domain.Of[Card](c.CardID); c.Outcome == Declined && m.Facts.Has(card) {
		if billTo := domain.Fact[Card](m, c.CardID).BillTo; !billTo.IsZero() {
			needs = append(needs, billTo.Need())
		}
	}
	return needs
}

// ChargeSucceeded records that an attempt was paid.
type ChargeSucceeded struct {
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	Attempt        int       `json:"attempt"` // 1 is the invoice's first
	At             time.Time `json:"at"`
	Owner          string    `json:"owner"` // of the card
	Last4          string    `json:"last4"`
	Brand          string    `json:"brand"`
	GatewayEventID string    `json:"gatewayEventId"`
	RequestID      string    `json:"requestId,omitzero"`
	ChargeID       string    `json:"chargeId,omitzero"`
	// AfterCover says that the balance is on an invoice already: the charge
	// pays it twice, and is to be paid back.
	AfterCover bool `json:"afterCover,omitzero"`
}

// Evolve implements [domain.Event].
func (e ChargeSucceeded) Evolve(i *Invoice) {
	i.count(e.SubscriptionID, e.CardID, e.AmountMinor, e.Currency, e.GatewayEventID)
	i.Case.attempted(e.RequestID, e.CardID, strings.ToLower(e.Brand), e.At)
	if !i.Paid {
		i.Paid, i.PaidAt = true, e.At
	}
}

// ChargeDeclined records that an attempt was not paid, and what it means. It
// holds the gateway's own words for auditors; show [ChargeDeclined.Shown] to
// everybody else.
type ChargeDeclined struct {
	SubscriptionID string `json:"subscriptionId"`
	CardID         string `json:"cardId"`
	AmountMinor    int64  `json:"amountMinor"`
	Currency       string `json:"currency"`
	Code           string `json:"code"`
	NetworkCode    string `json:"networkCode,omitzero"`
	AdviceCode     string `json:"adviceCode,omitzero"`
	Checks         Checks `json:"checks"`

	Class         Class         `json:"class"`
	Retry         Retry         `json:"retry"`
	WhoFixes      WhoFixes      `json:"whoFixes,omitzero"`
	ChecklistItem ChecklistItem `json:"checklistItem,omitzero"`
	ShowCode      Show          `json:"showCode"`
	Accelerated   bool          `json:"accelerated,omitzero"`
	UnknownCode   bool          `json:"unknownCode,omitzero"`
	PolicyVersion int           `json:"policyVersion"` // of the taxonomy

	Attempt        int       `json:"attempt"` // 1 is the invoice's first
	At             time.Time `json:"at"`
	AfterPayment   bool      `json:"afterPayment,omitzero"` // the invoice was paid already
	Owner          string    `json:"owner"`                 // of the card
	Last4          string    `json:"last4"`
	Brand          string    `json:"brand"`
	ExpMonth       int       `json:"expMonth"`
	ExpYear        int       `json:"expYear"`
	ValidUntil     time.Time `json:"validUntil,omitzero"` // when the card stops being valid
	GatewayEventID string    `json:"gatewayEventId"`
	RequestID      string    `json:"requestId,omitzero"`
	ChargeID       string    `json:"chargeId,omitzero"`
	// Retries is how often the card may be tried again in all, unless it is
	// barred; negative for as often as the schedule says.
	Retries int `json:"retries,omitzero"`
	// BillToCheck is what speaks against the card's billing address by itself.
	BillToCheck LocalCheck `json:"billToCheck,omitzero"`
}

// Evolve implements [domain.Event].
func (e ChargeDeclined) Evolve(i *Invoice) {
	i.count(e.SubscriptionID, e.CardID, e.AmountMinor, e.Currency, e.GatewayEventID)
	i.Case.attempted(e.RequestID, e.CardID, strings.ToLower(e.Brand), e.At)
	i.Case.declined(e)
	i.Declines++
	i.LastDeclinedCardID = e.CardID
	shown := e.Shown()
	i.LastDecline, i.LastDeclineAt = &shown, e.At
}

func (i *Invoice) count(subscription, card string, amount int64, currency, gatewayEvent string) {
	i.SubscriptionID, i.LastCardID, i.AmountMinor, i.Currency = subscription, card, amount, currency
	i.Attempts++
	i.heard(gatewayEvent)
}

func (i *Invoice) heard(gatewayEvent string) {
	i.GatewayEvents = append(slices.Clone(i.GatewayEvents), gatewayEvent)
}

// declined notes on the card what such a decline leaves open. Cards that were
// declined because of themselves are barred until they change, whatever a
// later attempt that nobody asked for is told.
func (c *Case) declined(e ChargeDeclined) {
	t, _ := c.tried(e.CardID)
	t.CardID, t.Retries, t.Soon = e.CardID, e.Retries, e.Retry == Soon
	t.Declines++
	if e.Retry != Spaced && e.Retry != Soon {
		lifted := cures(e)
		if t.Barred { // only what cures both
			lifted = slices.DeleteFunc(lifted, func(c Change) bool { return !slices.Contains(t.Cures, c) })
		}
		t.Barred, t.Cures = true, lifted
		if len(lifted) == 0 {
			t.Cures = nil
		}
	}
	c.put(t)
	if !slices.Contains(c.Round, e.CardID) {
		c.Round = append(slices.Clone(c.Round), e.CardID)
	}
}

// cures are the changes to a card after which such a decline says nothing any
// more: its owner's correction of what was wrong, or the network's. With each
// of them goes a payment by the holder in person, and where the bank asks for
// the holder, nothing else will do, whatever is edited. None cures what the
// bank has taken back or found to be stolen.
func cures(e ChargeDeclined) []Change {
	switch {
	case e.Accelerated:
		return nil
	case e.Class == Auth && e.Retry != Never, e.Retry == WithCustomer:
		return []Change{CardPresented}
	case e.Class == DataAddress, e.Class == DataCVC:
		return []Change{CardEdited, CardPresented}
	case e.Retry == AfterEdit, e.Class == DataExpiry:
		return []Change{CardEdited, CardUpdated, CardPresented}
	case e.Retry == AfterUpdater, e.Class == DataNumber: // nobody can edit a number
		return []Change{CardUpdated, CardPresented}
	}
	return nil
}

// Decide implements [domain.Command]. What the gateway says has happened, so
// an invoice that is paid still counts late answers.
func (c RecordChargeResult) Decide(i Invoice, m Meta) ([]Event, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	card := domain.Fact[Card](m, c.CardID)
	switch {
	case slices.Contains(i.GatewayEvents, c.GatewayEventID):
		return nil, nil
	case !card.Exists || card.Tenant != m.Tenant:
		return nil, ErrCardNotFound // another tenant's card is as good as none
	case i.Exists() && i.SubscriptionID != c.SubscriptionID:
		return nil, ErrSubscription.With("subscription", i.SubscriptionID)
	}
	at := c.OccurredAt.UTC()
	if c.OccurredAt.IsZero() {
		at = m.At
	}
	t := &turn{i: i, m: m}
	switch c.Outcome {
	case Succeeded:
		t.succeeded(c, card, at)
	case Declined:
		t.declined(c, card, at)
	default:
		if err := t.dispute(c, at); err != nil {
			return nil, err
		}
	}
	return t.events, nil
}

// succeeded records a payment, and the end of the case if it came in time.
func (t *turn) succeeded(c RecordChargeResult, card Card, at time.Time) {
	settler, settles := t.settler(c)
	open, covered := t.payable() || t.covered(), t.covered()
	t.then(ChargeSucceeded{
		SubscriptionID: c.SubscriptionID, CardID: c.CardID, AmountMinor: c.AmountMinor, Currency: c.Currency,
		Attempt: t.i.Attempts + 1, At: at, Owner: card.Owner, Last4: card.Last4, Brand: card.Brand,
		GatewayEventID: c.GatewayEventID, RequestID: c.RequestID, ChargeID: c.ChargeID, AfterCover: t.i.Case.Covered,
	})
	by := ByCharge
	if settles {
		by = BySettlement
		t.settled(c.CardID, settler)
	}
	if open {
		t.recover(by, c.CardID, covered)
	}
}

// declined records a decline and takes the next step.
func (t *turn) declined(c RecordChargeResult, card Card, at time.Time) {
	asked, covered := t.i.Case.Asked, t.covered()
	d := Classify(c.Code, c.AdviceCode, c.Checks)
	e := ChargeDeclined{
		SubscriptionID: c.SubscriptionID, CardID: c.CardID, AmountMinor: c.AmountMinor, Currency: c.Currency,
		Code: c.Code, NetworkCode: c.NetworkCode, AdviceCode: c.AdviceCode, Checks: c.Checks,
		Class: d.Class, Retry: d.Retry, WhoFixes: d.WhoFixes, ChecklistItem: d.ChecklistItem, ShowCode: d.Show,
		Accelerated: d.Accelerated, UnknownCode: d.Unknown, PolicyVersion: taxonomyVersion,
		Attempt: t.i.Attempts + 1, At: at, AfterPayment: t.i.Paid, Owner: card.Owner, Last4: card.Last4,
		Brand: card.Brand, ExpMonth: card.ExpMonth, ExpYear: card.ExpYear, ValidUntil: card.ValidUntil,
		GatewayEventID: c.GatewayEventID, RequestID: c.RequestID, ChargeID: c.ChargeID,
		BillToCheck: checkLocally(t.m, card.BillTo),
	}
	e.Retries = t.rules().retries(e)
	t.then(e)
	switch {
	case e.AfterPayment || t.i.Case.Disputed:
	case covered && t.i.Case.Asked == nil:
		t.recover(ByInvoiceSwitch, "", true)
	case t.i.Case.Phase == Current:
		t.open(e)
	default:
		planned := asked != nil && asked.CardID == c.CardID && (asked.Reason == ForSchedule || asked.Reason == ForBackup)
		t.proceed(planned || e.Retry == Never)
	}
}

func (c RecordChargeResult) check() error {
	var errs []*domain.Error
	refuse := func(bad bool, pointer, format string, args ...any) {
		if bad {
			e := *ErrField
			e.Detail, e.Pointer = fmt.Sprintf(format, args...), pointer
			errs = append(errs, &e)
		}
	}
	outcomes := []string{Succeeded, Declined, Disputed, DisputeWon, DisputeEnd}
	refuse(!slices.Contains(outcomes, c.Outcome), "/outcome", "it must be one of %s", strings.Join(outcomes, ", "))
	refuse(c.SubscriptionID == "", "/subscriptionId", "it must not be empty")
	refuse(c.CardID == "", "/cardId", "it must not be empty")
	refuse(c.AmountMinor <= 0, "/amountMinor", "it must be more than nothing")
	refuse(!currency(c.Currency), "/currency", "it must be three upper-case letters")
	refuse(c.GatewayEventID == "" || len(c.GatewayEventID) > 255, "/gatewayEventId", "it must be 1-255 characters")
	refuse(c.Outcome == Declined && c.Code == "", "/code", "a decline has a code")
	refuse(c.Outcome != Declined && c.Code != "", "/code", "only a decline has a decline code")
	for _, f := range []struct{ pointer, value string }{
		{"/code", c.Code},
		{"/networkCode", c.NetworkCode},
		{"/adviceCode", c.AdviceCode},
		{"/requestId", c.RequestID},
		{"/chargeId", c.ChargeID},
	} {
		refuse(len(f.value) > 64 || strings.ContainsFunc(f.value, func(r rune) bool { return r <= ' ' || r > '~' }),
			f.pointer, "it must be at most 64 visible ASCII characters")
	}
	for _, f := range []struct{ pointer, value string }{
		{"/checks/line1", c.Checks.Line1},
		{"/checks/postal", c.Checks.Postal},
		{"/checks/cvc", c.Checks.CVC},
	} {
		refuse(!slices.Contains([]string{"", Pass, Fail, Unavailable, Unchecked}, f.value),
			f.pointer, "it must be %s, %s, %s or %s", Pass, Fail, Unavailable, Unchecked)
	}
	return domain.All(errs...)
}

// currency checks the shape of an ISO 4217 code, and no table of them: only
// gateways report charges, and what they say has happened, also in a currency
// that is newer than the tables here.
func currency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
