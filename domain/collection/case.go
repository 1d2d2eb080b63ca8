package collection

import (
	"slices"
	"time"
)

// Phase is where an invoice's case stands.
type Phase string

// The phases (rule D1). An invoice that no decline has put into a case is
// current. From recovered, canceled and deleted no attempt leads on; a
// chargeback reopens what was recovered.
const (
	Current     Phase = ""
	Retrying    Phase = "retrying"    // in grace: attempts are planned, or wait for the customer
	Accelerated Phase = "accelerated" // in a short grace: waiting helps nobody
	PastDue     Phase = "past_due"    // no attempt is planned any more; in grace still
	ChargedBack Phase = "chargeback"  // a chargeback was accepted; the service ends within a day
	Suspended   Phase = "suspended"   // the service is off, and can be paid back to life
	Recovered   Phase = "recovered"
	Canceled    Phase = "canceled" // too late to pay; data are still there
	Deleted     Phase = "deleted"  // data are gone; the history stays
)

// Open reports whether the balance can still be paid.
func (p Phase) Open() bool {
	return slices.Contains([]Phase{Retrying, Accelerated, PastDue, ChargedBack, Suspended}, p)
}

// Mode is how a case came to be.
type Mode string

// The modes.
const (
	ModeRegular     Mode = "regular"
	ModeAccelerated Mode = "accelerated"
	ModeChargeback  Mode = "chargeback"
)

// Case is how far the collecting has got. It holds no class of a decline,
// since those who read it may not know each.
type Case struct {
	Phase         Phase       `json:"phase"`
	Mode          Mode        `json:"mode,omitzero"`
	PolicyVersion int         `json:"policyVersion,omitzero"` // of [DunningPolicy]
	OpenedAt      time.Time   `json:"openedAt,omitzero"`      // day 0 of the schedule
	CardID        string      `json:"cardId,omitzero"`        // that was declined or charged back first
	GraceUntil    time.Time   `json:"graceUntil,omitzero"`    // when the service is suspended
	RetryAt       time.Time   `json:"retryAt,omitzero"`       // when the next attempt is planned
	RetryCardID   string      `json:"retryCardId,omitzero"`
	RemindAt      []time.Time `json:"remindAt,omitempty"` // reminders to come
	CancelAt      time.Time   `json:"cancelAt,omitzero"`  // once suspended: when it is too late to pay
	DataUntil     time.Time   `json:"dataUntil,omitzero"` // once suspended: when data are gone
	Asked         *Asked      `json:"asked,omitempty"`    // the request that the gateway has not answered
	Round         []string    `json:"round,omitempty"`    // cards that were tried since the round began
	Tried         []Tried     `json:"tried,omitempty"`    // cards that were declined
	Disputed      bool        `json:"disputed,omitzero"`  // a chargeback is open
	ChargedBack   bool        `json:"chargedBack,omitzero"`
	Attempts      []Attempt   `json:"attempts,omitempty"` // that count towards a network's limit
	ByHand        string      `json:"byHand,omitzero"`    // the card with which somebody was asked to pay
	Covered       bool        `json:"covered,omitzero"`   // the balance went on the customer's next invoice
	Reminded      bool        `json:"reminded,omitzero"`  // somebody was reminded of the balance
}

// Asked is a request to the gateway.
type Asked struct {
	RequestID string    `json:"requestId"`
	CardID    string    `json:"cardId"`
	Reason    Reason    `json:"reason"`
	Until     time.Time `json:"until"` // when the gateway may no longer carry it out
	By        string    `json:"by,omitzero"`
	// Cover is the switch to invoices that takes the balance over if the
	// request comes to nothing; empty for none.
	Cover string `json:"cover,omitzero"`
}

// Tried is a card that was declined.
type Tried struct {
	CardID   string `json:"cardId"`
	Declines int    `json:"declines"`
	// Retries is how often it may be tried again after its first decline;
	// negative for as often as the schedule says.
	Retries int `json:"retries"`
	// Barred says that time alone cures nothing.
	Barred bool     `json:"barred,omitzero"`
	Cures  []Change `json:"cures,omitempty"` // changes to the card that lift the bar
	Soon   bool     `json:"soon,omitzero"`   // it may be tried again within hours
}

// Attempt is a charge that was asked for or reported.
type Attempt struct {
	RequestID string    `json:"requestId,omitzero"`
	CardID    string    `json:"cardId"`
	Network   string    `json:"network"`
	At        time.Time `json:"at"` // or the latest that it can be, until the gateway answers
	// Reason is why it was asked for; empty if nobody did.
	Reason Reason `json:"reason,omitzero"`
	By     string `json:"by,omitzero"` // who settles the balance with it
}

func (c Case) tried(card string) (Tried, bool) {
	i := slices.IndexFunc(c.Tried, func(t Tried) bool { return t.CardID == card })
	if i < 0 {
		return Tried{}, false
	}
	return c.Tried[i], true
}

// put returns the cards with t in its place. Others may have a copy of the case.
func (c *Case) put(t Tried) {
	all := slices.Clone(c.Tried)
	if i := slices.IndexFunc(all, func(o Tried) bool { return o.CardID == t.CardID }); i >= 0 {
		all[i] = t
	} else {
		all = append(all, t)
	}
	c.Tried = all
}

// rest ends all plans.
func (c *Case) rest() {
	c.RetryAt, c.RetryCardID, c.RemindAt, c.Round, c.Asked = time.Time{}, "", nil, nil, nil
}

// Face is what a message shows of a card, and whose it is.
type Face struct {
	Owner string `json:"owner"`
	Last4 string `json:"last4"`
	Brand string `json:"brand"`
}

// CollectionOpened records that an invoice's collecting has begun.
type CollectionOpened struct {
	Mode           Mode        `json:"mode"`
	PolicyVersion  int         `json:"policyVersion"` // of [DunningPolicy]
	CardID         string      `json:"cardId"`        // that was declined or charged back
	RemindAt       []time.Time `json:"remindAt,omitempty"`
	SubscriptionID string      `json:"subscriptionId"`
	AmountMinor    int64       `json:"amountMinor"`
	Currency       string      `json:"currency"`
	Face
	Attempts   int       `json:"attempts"`
	GraceUntil time.Time `json:"graceUntil"`      // when the service is suspended
	Budget     Budget    `json:"budget,omitzero"` // of the card's network
	At         time.Time `json:"at"`              // day 0
}

// Evolve implements [domain.Event].
func (e CollectionOpened) Evolve(i *Invoice) {
	c := &i.Case
	c.Mode, c.PolicyVersion, c.OpenedAt, c.CardID, c.RemindAt = e.Mode, e.PolicyVersion, e.At, e.CardID, e.RemindAt
	c.GraceUntil, c.CancelAt, c.DataUntil = e.GraceUntil, time.Time{}, time.Time{}
	c.Covered, c.Reminded = false, false
	c.Phase = map[Mode]Phase{ModeRegular: Retrying, ModeAccelerated: Accelerated, ModeChargeback: ChargedBack}[e.Mode]
}

// GraceStarted records until when the service goes on unpaid.
type GraceStarted struct {
	SubscriptionID string    `json:"subscriptionId"`
	Until          time.Time `json:"until"`
	Reason         string    `json:"reason"` // [Unpaid] or [Chargeback]
}

// Why a service is about to be suspended, or is.
const (
	Unpaid     = "unpaid"
	Chargeback = "chargeback"
)

// Evolve implements [domain.Event].
func (e GraceStarted) Evolve(i *Invoice) { i.Case.GraceUntil = e.Until }

// PaymentReminded records that it was time to tell of the balance again: no
// attempt is planned, so somebody must act.
type PaymentReminded struct {
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	Attempts       int       `json:"attempts"`
	Due            time.Time `json:"due"` // the reminder's own time
	GraceUntil     time.Time `json:"graceUntil"`
	WaitsFor       Change    `json:"waitsFor,omitzero"` // see [PaymentPastDue]
	Face
}

// Evolve implements [domain.Event].
func (e PaymentReminded) Evolve(i *Invoice) {
	i.Case.Reminded = true
	i.Case.RemindAt = slices.DeleteFunc(slices.Clone(i.Case.RemindAt), func(t time.Time) bool { return !t.After(e.Due) })
	if len(i.Case.RemindAt) == 0 {
		i.Case.RemindAt = nil
	}
}

// PaymentPastDue records that no further attempt is planned.
type PaymentPastDue struct {
	SubscriptionID string    `json:"subscriptionId"`
	CardID         string    `json:"cardId"` // that was tried last
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	Attempts       int       `json:"attempts"`
	GraceUntil     time.Time `json:"graceUntil"`
	At             time.Time `json:"at"`
	// WaitsFor is the change after which the card is charged all the same,
	// [CardPresented] if its holder must do it; empty if nothing leads there.
	WaitsFor Change `json:"waitsFor,omitzero"`
	Face
}

// Evolve implements [domain.Event].
func (e PaymentPastDue) Evolve(i *Invoice) {
	asked := i.Case.Asked
	i.Case.rest()
	i.Case.Phase, i.Case.Asked = PastDue, asked
}

// ServiceSuspended records that the service is off. Admins keep their access.
type ServiceSuspended struct {
	SubscriptionID string    `json:"subscriptionId"`
	Reason         string    `json:"reason"` // [Unpaid] or [Chargeback]
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	At             time.Time `json:"at"`
	CancelAt       time.Time `json:"cancelAt"`  // until when a payment brings it back
	DataUntil      time.Time `json:"dataUntil"` // when data are gone
	Owner          string    `json:"owner"`     // of the card that was declined last
}

// Evolve implements [domain.Event].
func (e ServiceSuspended) Evolve(i *Invoice) {
	asked := i.Case.Asked
	i.Case.rest()
	i.Case.Phase, i.Case.Asked = Suspended, asked
	i.Case.CancelAt, i.Case.DataUntil = e.CancelAt, e.DataUntil
}

// What brought an account back.
const (
	ByCharge        = "charge"
	BySettlement    = "settlement"
	ByInvoiceSwitch = "invoice-switch" // the balance goes on the next invoice
)

// AccountRecovered records that nothing is owed on the invoice any more.
type AccountRecovered struct {
	SubscriptionID string    `json:"subscriptionId"`
	From           Phase     `json:"from"`
	By             string    `json:"by"` // [ByCharge], [BySettlement] or [ByInvoiceSwitch]
	CardID         string    `json:"cardId,omitzero"`
	Owner          string    `json:"owner"` // of the card that was declined last
	At             time.Time `json:"at"`
	// Invoiced says that the subscription is paid by invoice by now, so that
	// no other card can be put on it.
	Invoiced bool `json:"invoiced,omitzero"`
	// Reminded says that somebody was reminded of the balance.
	Reminded bool `json:"reminded,omitzero"`
}

// Evolve implements [domain.Event]. What networks count goes on counting.
func (e AccountRecovered) Evolve(i *Invoice) {
	c := &i.Case
	c.rest()
	c.Phase, c.Tried, c.ChargedBack, c.ByHand = Recovered, nil, false, ""
	c.GraceUntil, c.CancelAt, c.DataUntil = time.Time{}, time.Time{}, time.Time{}
	c.Covered, c.Reminded = e.By == ByInvoiceSwitch, false
}

// How a case ends.
const (
	OutcomeRecovered = "recovered"
	OutcomeCanceled  = "canceled" // nobody paid in time
	OutcomeDeleted   = "deleted"  // the data are gone, too
)

// CollectionClosed records that a case is over, or for a canceled one that its
// data are gone as well.
type CollectionClosed struct {
	SubscriptionID string    `json:"subscriptionId"`
	Outcome        string    `json:"outcome"`
	DataUntil      time.Time `json:"dataUntil,omitzero"` // of a canceled one
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e CollectionClosed) Evolve(i *Invoice) {
	i.Case.rest()
	switch e.Outcome {
	case OutcomeCanceled:
		i.Case.Phase = Canceled
	case OutcomeDeleted:
		i.Case.Phase = Deleted
	}
}
