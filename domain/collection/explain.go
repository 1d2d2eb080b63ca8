package collection

import (
	"slices"

	"konto/domain"
	"konto/domain/postal"
)

// FieldName names what a person typed about a card.
type FieldName string

// The fields, in the order in which a person compares them with the card and
// its statement.
const (
	FieldNumber     FieldName = "number"
	FieldExpiry     FieldName = "expiry"
	FieldHolder     FieldName = "name"
	FieldStreet     FieldName = "street"
	FieldCity       FieldName = "city"
	FieldState      FieldName = "state"
	FieldPostalCode FieldName = "postalCode"
)

// OK says of a field that the bank, or what can be looked up here, says that
// it is right, and that nothing speaks against it.
const OK Status = "ok"

// Passed is the fault of an expiry that lies before the charge.
const Passed postal.Fault = "passed"

// Field is what is known of one field after a decline: [IssuerMismatch],
// [LocallyInconsistent], [OK] or [NotCheckable].
type Field struct {
	Name   FieldName `json:"name"`
	Status Status    `json:"status"`
	// Fault is why it cannot be right: one of the tables' faults, or [Passed].
	// The bank's word weighs more than the tables'.
	Fault postal.Fault `json:"fault,omitzero"`
	// Fix is the command that corrects it.
	Fix string `json:"fix"`
}

// Wrong reports whether something speaks against the field.
func (f Field) Wrong() bool { return f.Status == IssuerMismatch || f.Status == LocallyInconsistent }

// LocalCheck is what the tables of its country say of the billing address of a
// card that was declined. It holds nothing of the address itself.
type LocalCheck struct {
	Grade         postal.Grade   `json:"grade,omitzero"`
	Problems      []LocalProblem `json:"problems,omitempty"`
	HasState      bool           `json:"hasState,omitzero"`      // the address has a state
	HasPostalCode bool           `json:"hasPostalCode,omitzero"` // the address has a postal code
	// Stateless says that the country's addresses have no state, and that this
	// one has none. Events older than this do not say it.
	Stateless   bool   `json:"stateless,omitzero"`
	DataVersion string `json:"dataVersion,omitzero"`
}

// LocalProblem is what is wrong with a part of an address.
type LocalProblem struct {
	Field postal.Field `json:"field"`
	Fault postal.Fault `json:"fault"`
}

// IsZero reports whether nothing was looked up, as in events older than the
// check and where the address was erased.
func (c LocalCheck) IsZero() bool { return c.Grade == "" }

func (c LocalCheck) fault(f postal.Field) postal.Fault {
	for _, p := range c.Problems {
		if p.Field == f {
			return p.Fault
		}
	}
	return ""
}

// checkLocally looks up what the tables say of a card's billing address.
func checkLocally(m Meta, billTo postal.Address) LocalCheck {
	if billTo.IsZero() {
		return LocalCheck{}
	}
	v := domain.Fact[postal.Verdict](m, billTo.Key())
	c := LocalCheck{
		Grade: v.Grade, HasState: billTo.State != "", HasPostalCode: billTo.PostalCode != "", DataVersion: v.DataVersion,
		Stateless: billTo.State == "" && slices.Contains(v.Unused, postal.State),
	}
	for _, p := range v.Problems {
		c.Problems = append(c.Problems, LocalProblem(p))
	}
	return c
}

// Explain returns what is known of each of the seven fields that a person
// typed, in that order (rule N5); of a state where there is none to type,
// nothing. The bank checks the street and the postal
// code and names a wrong number or expiry; the tables of the card's country
// know a state, the form of a postal code and, for some countries, in which
// state it lies; nobody checks a name or a city. As [Checklist] it follows
// from what may be shown, so a masked decline reads as a generic one.
func Explain(d ChargeDeclined) []Field {
	shown := d.Shown()
	line1, code := checked(d.Checks.Line1), checked(d.Checks.Postal)
	if shown.Code == "incorrect_zip" {
		code = IssuerMismatch
	}
	at := d.BillToCheck
	state := at.fault(postal.State)
	if state == "" && at.fault(postal.PostalCode) == postal.Elsewhere {
		state = postal.Elsewhere // either of the two may be the wrong one
	}
	expires := Field{Name: FieldExpiry, Status: settled(expiry(shown, d)), Fix: "UpdateCardDetails"}
	if expires.Status == LocallyInconsistent {
		expires.Fault = Passed
	}
	fields := []Field{
		{Name: FieldNumber, Status: settled(number(shown)), Fix: "ReplaceCard"},
		expires,
		{Name: FieldHolder, Status: NotCheckable, Fix: "UpdateCardDetails"},
		of(FieldStreet, line1, at.fault(postal.Line1), false),
		of(FieldCity, NotCheckable, at.fault(postal.City), false),
		of(FieldState, NotCheckable, state, at.HasState && at.Grade == postal.RegionConsistent),
		of(FieldPostalCode, code, at.fault(postal.PostalCode), at.HasPostalCode && (at.Grade == postal.RegionConsistent || at.Grade == postal.FormatOK)),
	}
	if at.Stateless {
		return slices.DeleteFunc(fields, func(f Field) bool { return f.Name == FieldState })
	}
	return fields
}

// of is a part of the address: the bank's word first, then the tables'.
func of(name FieldName, bank Status, fault postal.Fault, fits bool) Field {
	f := Field{Name: name, Status: settled(bank), Fix: "UpdateCardDetails"}
	switch {
	case f.Status != NotCheckable:
	case fault != "":
		f.Status, f.Fault = LocallyInconsistent, fault
	case fits:
		f.Status = OK
	}
	return f
}

// settled is one word for right, whoever says so.
func settled(s Status) Status {
	if s == IssuerOK || s == LocallyOK {
		return OK
	}
	return s
}
