package collection

import (
	"maps"
	"slices"
)

// taxonomyVersion changes when a code is classified differently. It is stored
// with each decline, so that an old one can be explained by its own rules.
const taxonomyVersion = 1

// Class is what kind of decline it is.
type Class string

// The classes.
const (
	DataNumber  Class = "data-number"
	DataExpiry  Class = "data-expiry"
	DataAddress Class = "data-address"
	DataCVC     Class = "data-cvc"
	Funds       Class = "funds"
	IssuerSoft  Class = "issuer-soft" // the bank says no more than no
	Temporary   Class = "temporary"
	Auth        Class = "auth"
	Capability  Class = "capability" // the card cannot pay for this
	HardRevoked Class = "hard-revoked"
	FraudMasked Class = "fraud-masked"
	Duplicate   Class = "duplicate"
	PIN         Class = "pin"
	Info        Class = "info" // the network has newer details
	Test        Class = "test"
)

// Classes returns all classes.
func Classes() []Class {
	return []Class{
		DataNumber, DataExpiry, DataAddress, DataCVC, Funds, IssuerSoft, Temporary, Auth, Capability, HardRevoked,
		FraudMasked, Duplicate, PIN, Info, Test,
	}
}

// Retry is when the same card may be charged again.
type Retry string

// The retries.
const (
	Never        Retry = "never"
	AfterEdit    Retry = "after-edit" // when the customer has corrected something
	Spaced       Retry = "spaced"     // days apart
	Soon         Retry = "soon"       // hours apart
	WithCustomer Retry = "with-customer"
	AfterUpdater Retry = "after-updater" // when the network's new details have come
)

// WhoFixes is who can do something about it; empty for nobody.
type WhoFixes string

// Who fixes it.
const (
	Customer WhoFixes = "customer"
	Bank     WhoFixes = "bank"
	Time     WhoFixes = "time"
	System   WhoFixes = "system" // the one who charges
)

// ChecklistItem is the item of the checklist (rule C7) to look at first;
// empty for none.
type ChecklistItem string

// The items, in the order in which a person checks them.
const (
	ItemNumber  ChecklistItem = "number"
	ItemExpiry  ChecklistItem = "expiry"
	ItemName    ChecklistItem = "name"
	ItemAddress ChecklistItem = "address"
	ItemBank    ChecklistItem = "bank"
)

// Show is what may be shown of a decline's code.
type Show string

// What may be shown.
const (
	ShowCode    Show = "code"    // the code itself
	ShowGeneric Show = "generic" // "generic_decline" and the class
	ShowMasked  Show = "masked"  // as if it were a generic decline, class and all
)

// What an issuer says of one check.
const (
	Pass        = "pass"
	Fail        = "fail"
	Unavailable = "unavailable"
	Unchecked   = "unchecked"
)

// The gateway's advice codes, from the constants of stripe-go v85.
const (
	adviceConfirmCardData = "confirm_card_data"
	adviceDoNotTryAgain   = "do_not_try_again"
	adviceTryAgainLater   = "try_again_later"
)

// genericDecline is the code that says nothing.
const genericDecline = "generic_decline"

// Decline is what a decline means.
type Decline struct {
	Class         Class
	Retry         Retry
	WhoFixes      WhoFixes
	ChecklistItem ChecklistItem
	Show          Show
	// Accelerated says that waiting helps nobody: the dunning schedule is the
	// short one.
	Accelerated bool
	// Unknown says that the code is in no list, so that somebody should look.
	Unknown bool
}

// Codes returns the decline codes that have a place in the taxonomy, sorted.
func Codes() []string { return slices.Sorted(maps.Keys(meanings)) }

// AdviceCodes returns the advice codes that [Classify] follows, sorted.
func AdviceCodes() []string {
	return []string{adviceConfirmCardData, adviceDoNotTryAgain, adviceTryAgainLater}
}

// Classify says what a decline means. An unknown code is taken as a bank's
// plain no. A failed check of the address or the security code explains a
// plain no. Advice decides over all of this, except that it never lifts a mask.
func Classify(code, advice string, checks Checks) Decline {
	d, known := meanings[code]
	if !known {
		d = ofClass(IssuerSoft)
		d.Unknown = true
	}
	if d.Class == IssuerSoft && d.Retry != Never {
		d = d.explainedBy(checks)
	}
	return d.advised(advice)
}

func (d Decline) explainedBy(checks Checks) Decline {
	unknown := d.Unknown
	switch {
	case checks.Line1 == Fail || checks.Postal == Fail:
		d = ofClass(DataAddress)
	case checks.CVC == Fail:
		d = ofClass(DataCVC)
	}
	// A code that was not to be shown stays hidden; its class may be told.
	if d.Class != IssuerSoft {
		d.Show = ShowGeneric
	}
	d.Unknown = unknown
	return d
}

// advised lets the advice decide when to try again, and what kind of decline
// it is where the code had nothing to say.
func (d Decline) advised(advice string) Decline {
	if d.Class == FraudMasked {
		return d
	}
	vague := d.Class == IssuerSoft || d.Class == Temporary
	unknown, hidden := d.Unknown, d.Show != ShowCode
	switch advice {
	case adviceConfirmCardData:
		if vague {
			d.Class, d.ChecklistItem = DataNumber, ItemNumber
		}
		d.Retry, d.WhoFixes = AfterEdit, Customer
	case adviceDoNotTryAgain:
		if vague {
			d = ofClass(HardRevoked)
		}
		d.Retry = Never
	case adviceTryAgainLater:
		if vague {
			d = ofClass(Temporary)
		}
		if d.Retry == Never {
			d.Retry, d.Accelerated = Spaced, false
		}
	}
	if d.Unknown = unknown; hidden {
		d.Show = ShowGeneric
	}
	return d
}

// Shown is what anybody with the card in hand may know of a decline.
type Shown struct {
	Code          string        `json:"code"`
	Class         Class         `json:"class"`
	Retry         Retry         `json:"retry"`
	WhoFixes      WhoFixes      `json:"whoFixes,omitzero"`
	ChecklistItem ChecklistItem `json:"checklistItem,omitzero"`
}

// Shown returns what may be shown. A thief who is told that a card is reported
// stolen learns that it is time for the next one; such a decline therefore
// shows exactly as a generic one with the same checks and advice does.
func (e ChargeDeclined) Shown() Shown {
	switch e.ShowCode {
	case ShowCode:
		return Shown{e.Code, e.Class, e.Retry, e.WhoFixes, e.ChecklistItem}
	case ShowGeneric:
		return Shown{genericDecline, e.Class, e.Retry, e.WhoFixes, e.ChecklistItem}
	case ShowMasked:
	}
	d := Classify(genericDecline, e.AdviceCode, e.Checks)
	return Shown{genericDecline, d.Class, d.Retry, d.WhoFixes, d.ChecklistItem}
}
