package collection

import "slices"

// Status is what is known of one item of the checklist.
type Status string

// The statuses. The network checks the number, the expiry, address line 1, the
// postal code and the security code, and nothing else; what it never checks is
// [NotCheckable], however right or wrong it is.
const (
	IssuerMismatch      Status = "issuer-mismatch"      // the bank says it is wrong
	IssuerOK            Status = "issuer-ok"            // the bank says it is right
	LocallyInconsistent Status = "locally-inconsistent" // it cannot be right
	LocallyOK           Status = "locally-ok"           // nothing here speaks against it
	NotCheckable        Status = "not-checkable"        // only a person can tell
)

// Item is one step of what to check after a decline.
type Item struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	First  bool   `json:"first,omitzero"` // the one to look at first
	// Fix is the command that corrects it; empty if only the bank can.
	Fix   string `json:"fix,omitzero"`
	Parts []Item `json:"parts,omitempty"` // of the address
}

// Checklist returns the five things to check after a decline, always in the
// order number, expiry, name, address, bank (rule C7). The statuses follow
// from what may be shown of d, so a masked decline reads as a generic one.
func Checklist(d ChargeDeclined) []Item {
	shown := d.Shown()
	items := []Item{
		{Name: string(ItemNumber), Status: number(shown), Fix: "ReplaceCard"},
		{Name: string(ItemExpiry), Status: expiry(shown, d), Fix: "UpdateCardDetails"},
		{Name: string(ItemName), Status: NotCheckable, Fix: "UpdateCardDetails"},
		address(shown, d),
		{Name: string(ItemBank), Status: bank(shown)},
	}
	for i := range items {
		items[i].First = items[i].Name == string(shown.ChecklistItem)
	}
	return items
}

// number was checked for its check digit when the gateway took it. A bank that
// says what else is wrong has found the account.
func number(s Shown) Status {
	switch s.Class {
	case DataNumber, Info:
		return IssuerMismatch
	case DataExpiry, DataAddress, DataCVC, Funds, Auth, PIN:
		return IssuerOK
	case IssuerSoft, Temporary, Capability, HardRevoked, FraudMasked, Duplicate, Test:
	}
	return LocallyOK
}

func expiry(s Shown, d ChargeDeclined) Status {
	switch {
	case s.Class == DataExpiry:
		return IssuerMismatch
	case !d.ValidUntil.IsZero() && !d.At.Before(d.ValidUntil):
		return LocallyInconsistent
	case d.ValidUntil.IsZero():
		return NotCheckable
	}
	return LocallyOK
}

// address tells the worst of what the bank said of its parts, and that it is
// right only if the bank said so of both parts that it checks.
func address(s Shown, d ChargeDeclined) Item {
	line1, postal := checked(d.Checks.Line1), checked(d.Checks.Postal)
	if s.Code == "incorrect_zip" {
		postal = IssuerMismatch
	}
	whole := NotCheckable
	switch {
	case line1 == IssuerMismatch || postal == IssuerMismatch:
		whole = IssuerMismatch
	case line1 == IssuerOK && postal == IssuerOK:
		whole = IssuerOK
	}
	parts := []Item{
		{Name: "line1", Status: line1},
		{Name: "city", Status: NotCheckable},
		{Name: "state", Status: NotCheckable},
		{Name: "postalCode", Status: postal},
	}
	if d.BillToCheck.Stateless {
		parts = slices.Delete(parts, 2, 3)
	}
	return Item{Name: string(ItemAddress), Status: whole, Fix: "UpdateCardDetails", Parts: parts}
}

func checked(check string) Status {
	switch check {
	case Pass:
		return IssuerOK
	case Fail:
		return IssuerMismatch
	}
	return NotCheckable
}

// bank is where a person asks when the four others are right.
func bank(s Shown) Status {
	if s.ChecklistItem == ItemBank {
		return IssuerMismatch
	}
	return NotCheckable
}
