// Package invoiceswitch models a customer's wish to pay a subscription by
// invoice instead of by card (rule C10), from the request to the day on which
// it holds.
//
// Guaranteed: a case is asked for by one of the customer's people who may,
// themselves or by calling billing support; nobody but billing support approves, unless the rules in force
// leave large orders to the customer; nothing is approved before it was
// checked how long the customer is one, what it costs, what is owed and, where
// the rules ask for it, what the credit check said; and there is no way back
// that looks like one: a subscription on invoice stays there. A case ends with
// its subscription, and when another case has brought it onto invoice.
//
// Not guaranteed: that the credit check is right. Somebody outside does it.
//
// # Who knows what is owed
//
// Balances are in the invoices' own streams. A process that watches them tells
// the case which of the subscription's invoices are unpaid, when the case is
// opened and whenever that changes, and each time the case judges itself anew.
package invoiceswitch

import (
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// Event is a fact about a case.
type Event = domain.Event[Case]

// Meta is what a decision may know besides the case and the command.
type Meta = domain.Meta

// Aggregate is the case's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"invswitch", "invoice-switch-cases",
	domain.Accepts[RequestSwitchToInvoice]("RequestSwitchToInvoice",
		domain.Summary("Ask to pay a subscription by invoice instead of by card")),
	domain.Accepts[EvaluateEligibility]("EvaluateEligibility", domain.Internal(),
		domain.Summary("Judge whether the customer may pay by invoice")),
	domain.Accepts[RecordSupportCase]("RecordSupportCase",
		domain.Summary("Note under which reference billing support handles the case")),
	domain.Accepts[RecordCreditCheck]("RecordCreditCheck",
		domain.Summary("Record what the credit check said of the customer")),
	domain.Accepts[ApproveSwitchToInvoice]("ApproveSwitchToInvoice",
		domain.Summary("Let the subscription be paid by invoice")),
	domain.Accepts[DenySwitchToInvoice]("DenySwitchToInvoice",
		domain.Summary("Refuse to let the subscription be paid by invoice")),
	domain.Accepts[ConfirmSwitchApplied]("ConfirmSwitchApplied", domain.Internal(),
		domain.Summary("Note that the subscription is paid by invoice now")),
	domain.Accepts[RequestSwitchToCard]("RequestSwitchToCard",
		domain.Summary("Ask for the way back to a card")),

	domain.Records[InvoiceSwitchRequested]("InvoiceSwitchRequested"),
	domain.Records[EligibilityEvaluated]("EligibilityEvaluated"),
	domain.Records[SupportCaseRecorded]("SupportCaseRecorded"),
	domain.Records[CreditCheckRecorded]("CreditCheckRecorded"),
	domain.Records[InvoiceSwitchApproved]("InvoiceSwitchApproved"),
	domain.Records[InvoiceSwitchDenied]("InvoiceSwitchDenied"),
	domain.Records[InvoiceSwitchApplied]("InvoiceSwitchApplied"),
)

// Status is where a case stands.
type Status string

// The statuses.
const (
	Requested Status = "requested"
	Approved  Status = "approved"
	Denied    Status = "denied"
	Applied   Status = "applied" // the subscription is paid by invoice
)

// Case is what is known of a wish to pay by invoice.
type Case struct {
	Status         Status                   `json:"status"`
	SubscriptionID string                   `json:"subscriptionId"`
	RequestedBy    string                   `json:"requestedBy"`
	OpenedBy       string                   `json:"openedBy,omitzero"` // of billing support, if they did it for whoever asks
	RequestedAt    time.Time                `json:"requestedAt,omitzero"`
	Reason         Reason                   `json:"reason"`
	AmountMinor    int64                    `json:"amountMinor"` // of a month, in the currency's smallest unit
	Currency       string                   `json:"currency"`    // ISO 4217
	Country        string                   `json:"country"`     // where the invoice goes
	PONumber       string                   `json:"poNumber,omitzero"`
	Contact        domain.Personal[Contact] `json:"contact,omitzero"`
	AddressCheck   postal.Checked           `json:"addressCheck,omitzero"`
	PhoneData      string                   `json:"phoneData,omitzero"` // which numbering plans the contact's phone was read by
	CaseRef        string                   `json:"caseRef,omitzero"`   // billing support's
	CreditDue      time.Time                `json:"creditDue,omitzero"`
	Credit         string                   `json:"credit,omitzero"` // "passed" or "failed"; empty until it is known
	Evaluated      bool                     `json:"evaluated,omitzero"`
	Checks         []Check                  `json:"checks,omitempty"`
	Unpaid         []string                 `json:"unpaid,omitempty"` // invoices
	CustomerSince  time.Time                `json:"customerSince,omitzero"`
}

// Contact is whom the invoice goes to.
type Contact struct {
	Name    string         `json:"name"`
	Phone   string         `json:"phone"` // see [PhoneNumber]; as it was written, if that was long ago
	Address postal.Address `json:"address"`
}

// Subscription is the fact of what is to be paid by invoice. Its key is the
// subscription's ID.
type Subscription struct {
	Exists       bool
	Invoiced     bool
	Ended        bool   // it is cancelled, or its data is gone
	BoughtBy     string // an admin's ID
	RegisteredAt time.Time
}

// Buyer is the fact of to which tenant somebody belongs who bought a
// subscription. Its key is the admin's ID.
type Buyer struct{ Tenant string }

// Asker is the fact of who asks billing support. Its key is the admin's ID.
type Asker struct {
	Tenant string
	MayAsk bool // is active, and has a role to ask with
}

// may reports whether somebody may have a case opened for tenant: who could
// open it, too. Support that opened cases for anybody who calls would be a way
// around the roles.
func (a Asker) may(tenant string) bool { return a.MayAsk && a.Tenant == tenant }

// Currency is the fact of what a currency code is. Its key is the code.
type Currency struct {
	OK bool // ISO 4217 has it, and it is money
}

// PhoneNumber is the fact of what a phone number is. Its key is the country in
// which it is read (ISO 3166-1 alpha-2), a space, and the number.
type PhoneNumber struct {
	OK     bool   // it is one that can be called
	Number string // E.164, then ";ext=" and the extension if there is one (RFC 3966)
	Data   string // which numbering plans said so; later ones may differ (rule F4)
}

// Exists reports whether the case was ever opened.
func (c Case) Exists() bool { return c.Status != "" }

// open is the rule for every step before the end.
func (c Case) open() *domain.Error {
	switch c.Status {
	case "":
		return ErrNotFound
	case Requested:
		return nil
	case Approved, Denied, Applied:
	}
	return ErrDecided.With("status", string(c.Status))
}

// Rejections.
var (
	ErrNotFound = domain.NotFound("invoice-switch-not-found", "there is no such case")
	ErrExists   = domain.Conflict("invoice-switch-exists", "another case has been opened under this ID").ByRule("C10")
	ErrDecided  = domain.Conflict("invoice-switch-decided", "the case has been decided").ByRule("C10").
			Allowed("RequestSwitchToInvoice", domain.GlobalAdmin, domain.BillingAdmin)
	ErrPhoneOnly = domain.Forbidden("call-billing-support",
		"only billing support can start this: call them, and send the reference of the case that they open").
		ByRule("C10").Allowed("", domain.BillingSupport).At("/caseRef")
	ErrSubscription = domain.Invalid("subscription-not-found", "there is no such subscription").ByRule("C10").At("/subscriptionId")
	ErrInvoiced     = domain.Conflict("paid-by-invoice", "the subscription is paid for by invoice already").ByRule("C10").At("/subscriptionId")
	ErrEnded        = domain.Conflict("subscription-ended", "the subscription is cancelled, so nothing is paid for it in another way").ByRule("C10").
			Allowed("ReactivateSubscription", domain.GlobalAdmin, domain.BillingAdmin).At("/subscriptionId")
	ErrForOthers = domain.Forbidden("request-for-another", "billing support alone opens a case for somebody else").
			ByRule("C10").Allowed("", domain.BillingSupport).At("/requestedBy")
	ErrAsker = domain.Invalid("requester-not-known",
		"a case is opened for an admin of the customer who may ask for it: name who has called").ByRule("C10").At("/requestedBy")
	ErrField        = domain.Invalid("field-invalid", "the value cannot be used").ByRule("C10")
	ErrNotEvaluated = domain.Conflict("eligibility-unknown", "it is not known yet what is owed; try again in a moment").ByRule("C10")
	ErrBalance      = domain.Conflict("balance-outstanding", "what is owed by card is paid before the way of paying changes").
			ByRule("C10").Allowed("SettleBalance", domain.GlobalAdmin, domain.BillingAdmin)
	ErrCreditCheck = domain.Conflict("credit-check-missing", "the credit check has not come back, or did not pass").
			ByRule("C10").Allowed("RecordCreditCheck", domain.BillingSupport)
	ErrNotEligible = domain.Conflict("not-eligible", "the customer does not meet the conditions for invoices").
			ByRule("C10").Allowed("DenySwitchToInvoice", domain.BillingSupport)
	ErrCaseRef = domain.Conflict("support-case-missing", "billing support approves under a reference of its own").
			ByRule("C10").Allowed("RecordSupportCase", domain.BillingSupport)
	ErrBackToCard = domain.Conflict("invoice-to-card",
		"there is no way back: take out a new subscription with a card, move the users, then cancel this one; an unpaid invoice is paid as an invoice").
		ByRule("C10").Allowed("RegisterSubscription", domain.GlobalAdmin, domain.BillingAdmin)
)
