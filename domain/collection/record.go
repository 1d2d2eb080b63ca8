package collection

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// Outcomes of a charge.
const (
	Succeeded = "succeeded"
	Declined  = "declined"
)

// RecordChargeResult records what the gateway said of one attempt. Sending the
// same gateway event again does nothing.
type RecordChargeResult struct {
	Outcome        string    `json:"outcome"` // [Succeeded] or [Declined]
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
}

// Checks is what the issuer said of what it can check: "pass", "fail",
// "unavailable" or "unchecked". It checks no name, city or state.
type Checks struct {
	Line1  string `json:"line1,omitzero"`
	Postal string `json:"postal,omitzero"`
	CVC    string `json:"cvc,omitzero"`
}

// Needs implements [domain.Needer].
func (c RecordChargeResult) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[Card](c.CardID)}
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
}

// Evolve implements [domain.Event].
func (e ChargeSucceeded) Evolve(i *Invoice) {
	i.count(e.SubscriptionID, e.CardID, e.AmountMinor, e.Currency, e.GatewayEventID)
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
}

// Evolve implements [domain.Event].
func (e ChargeDeclined) Evolve(i *Invoice) {
	i.count(e.SubscriptionID, e.CardID, e.AmountMinor, e.Currency, e.GatewayEventID)
	i.Declines++
	shown := e.Shown()
	i.LastDecline, i.LastDeclineAt = &shown, e.At
}

func (i *Invoice) count(subscription, card string, amount int64, currency, gatewayEvent string) {
	i.SubscriptionID, i.LastCardID, i.AmountMinor, i.Currency = subscription, card, amount, currency
	i.Attempts++
	i.GatewayEvents = append(slices.Clone(i.GatewayEvents), gatewayEvent)
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
	if c.Outcome == Succeeded {
		return []Event{ChargeSucceeded{
			SubscriptionID: c.SubscriptionID, CardID: c.CardID, AmountMinor: c.AmountMinor, Currency: c.Currency,
			Attempt: i.Attempts + 1, At: at, Owner: card.Owner, Last4: card.Last4, Brand: card.Brand,
			GatewayEventID: c.GatewayEventID,
		}}, nil
	}
	d := Classify(c.Code, c.AdviceCode, c.Checks)
	return []Event{ChargeDeclined{
		SubscriptionID: c.SubscriptionID, CardID: c.CardID, AmountMinor: c.AmountMinor, Currency: c.Currency,
		Code: c.Code, NetworkCode: c.NetworkCode, AdviceCode: c.AdviceCode, Checks: c.Checks,
		Class: d.Class, Retry: d.Retry, WhoFixes: d.WhoFixes, ChecklistItem: d.ChecklistItem, ShowCode: d.Show,
		Accelerated: d.Accelerated, UnknownCode: d.Unknown, PolicyVersion: taxonomyVersion,
		Attempt: i.Attempts + 1, At: at, AfterPayment: i.Paid, Owner: card.Owner, Last4: card.Last4,
		Brand: card.Brand, ExpMonth: card.ExpMonth, ExpYear: card.ExpYear, ValidUntil: card.ValidUntil,
		GatewayEventID: c.GatewayEventID,
	}}, nil
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
	refuse(c.Outcome != Succeeded && c.Outcome != Declined, "/outcome", "it must be %s or %s", Succeeded, Declined)
	refuse(c.SubscriptionID == "", "/subscriptionId", "it must not be empty")
	refuse(c.CardID == "", "/cardId", "it must not be empty")
	refuse(c.AmountMinor <= 0, "/amountMinor", "it must be more than nothing")
	refuse(!currency(c.Currency), "/currency", "it must be three upper-case letters")
	refuse(c.GatewayEventID == "" || len(c.GatewayEventID) > 255, "/gatewayEventId", "it must be 1-255 characters")
	refuse(c.Outcome == Declined && c.Code == "", "/code", "a decline has a code")
	refuse(c.Outcome == Succeeded && c.Code != "", "/code", "a success has no decline code")
	for _, f := range []struct{ pointer, value string }{
		{"/code", c.Code},
		{"/networkCode", c.NetworkCode},
		{"/adviceCode", c.AdviceCode},
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

func currency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
