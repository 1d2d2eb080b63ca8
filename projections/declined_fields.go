package projections

import (
	"fmt"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/postal"
)

// Typed is what a person typed about a card, or the network's updater did.
type Typed struct {
	Last4    string                        `json:"last4"`
	ExpMonth int                           `json:"expMonth"` // 1-12; 0 if it may not be kept
	ExpYear  int                           `json:"expYear"`  // four digits; likewise
	Holder   domain.Personal[string]       `json:"holder,omitzero"`
	BillTo   domain.Personal[card.Address] `json:"billTo,omitzero"`
}

// DeclinedField is what is known of one field of a card that was declined, and
// what to do about it.
type DeclinedField struct {
	collection.Field
	NextStep NextStep `json:"nextStep"`
	// Was is what it said when the card was charged, and Is what it says now.
	// Of the number only the last four digits are known.
	Was     domain.Personal[string] `json:"was,omitzero"`
	Is      domain.Personal[string] `json:"is,omitzero"`
	Changed bool                    `json:"changed,omitzero"` // since the card was charged; false if the values cannot be read
	// Title, Meaning and ToDo say the name, the status and the next step in the
	// reader's language. Whoever answers the query fills them in.
	Title   string `json:"title,omitzero"`
	Meaning string `json:"meaning,omitzero"`
	ToDo    string `json:"toDo,omitzero"`
}

// The next steps for one field.
const (
	StepCompareWithCard      NextStep = "compare-with-card"      // nobody can check it but who has the card
	StepCompareWithStatement NextStep = "compare-with-statement" // nobody can check it but who has the card's statement
)

// Explain fills in what the fields said and say. A value that is still sealed
// stays so, as the whole that it is a part of.
func (d *DeclineExplanation) Explain(charged, now Typed) {
	for i := range d.Fields {
		f := &d.Fields[i]
		f.Was, f.Is = charged.field(f.Name, d.Owner), now.field(f.Name, d.Owner)
		f.Changed = known(f.Was) && known(f.Is) && f.Was.Value != f.Is.Value
	}
}

// known reports whether p says what was typed, or that nothing was.
func known(p domain.Personal[string]) bool { return p.Readable() || p.IsZero() }

func (t Typed) field(name collection.FieldName, owner string) domain.Personal[string] {
	switch name {
	case collection.FieldNumber:
		return domain.About(owner, "•••• "+t.Last4)
	case collection.FieldExpiry:
		if t.ExpMonth == 0 {
			return domain.Personal[string]{}
		}
		return domain.About(owner, fmt.Sprintf("%02d/%d", t.ExpMonth, t.ExpYear))
	case collection.FieldHolder:
		return t.Holder
	case collection.FieldStreet:
		return part(t.BillTo, postal.Line1)
	case collection.FieldCity:
		return part(t.BillTo, postal.City)
	case collection.FieldState:
		return part(t.BillTo, postal.State)
	case collection.FieldPostalCode:
		return part(t.BillTo, postal.PostalCode)
	}
	return domain.Personal[string]{}
}

func part(a domain.Personal[card.Address], f postal.Field) domain.Personal[string] {
	switch {
	case !a.Readable():
		return domain.Personal[string]{Subject: a.Subject, Erased: a.Erased, Sealed: a.Sealed}
	case a.Value.Get(f) == "":
		return domain.Personal[string]{}
	}
	return domain.About(a.Subject, a.Value.Get(f))
}

// fieldStep is what to do about one field. What is right asks for nothing, and
// neither does an invoice that is paid.
func fieldStep(f collection.Field, whole NextStep, paid bool) NextStep {
	if paid || f.Status == collection.OK {
		return StepNone
	}
	wrong := f.Status != collection.NotCheckable
	switch f.Name {
	case collection.FieldNumber:
		if whole == StepWait {
			return StepWait // the network is about to send the new one
		}
		return StepReplaceCard
	case collection.FieldExpiry:
		if wrong {
			return StepEditExpiry
		}
		return StepCompareWithCard
	case collection.FieldHolder:
		return StepCompareWithCard
	case collection.FieldStreet, collection.FieldCity, collection.FieldState, collection.FieldPostalCode:
		if wrong {
			return StepEditAddress
		}
	}
	return StepCompareWithStatement
}
