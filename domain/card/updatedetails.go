package card

import (
	"slices"

	"konto/domain"
	"konto/domain/postal"
)

// editPolicy is the version of the rules for editing an existing card: 1 asks
// for no security code (C2) and lets only the owner edit (C4).
const editPolicy = 1

// UpdateCardDetails changes what may change of a card whose number stays the
// same. Absent fields stay as they are; an address is replaced as a whole.
type UpdateCardDetails struct {
	HolderName     *string  `json:"holderName,omitempty"`
	ExpMonth       *int     `json:"expMonth,omitempty"`
	ExpYear        *int     `json:"expYear,omitempty"`
	BillingAddress *Address `json:"billingAddress,omitempty"`
	Phone          *string  `json:"phone,omitempty"` // empty removes it
	// ConfirmAddress says that the address is meant as it is, although there
	// may be a better spelling of it.
	ConfirmAddress bool `json:"confirmAddress,omitzero"`
}

// Needs implements [domain.Needer].
func (c UpdateCardDetails) Needs(m Meta) []domain.Need {
	needs := []domain.Need{domain.Of[Organization](m.Tenant)}
	if c.BillingAddress != nil {
		needs = append(needs, c.BillingAddress.Need())
	}
	return needs
}

// CardDetailsUpdated records that details of a card changed. Only the changed
// ones are there; Changed names them as the command does, an address by its
// parts ("billingAddress.city").
type CardDetailsUpdated struct {
	Changed       []string                 `json:"changed"`
	Holder        domain.Personal[string]  `json:"holder,omitzero"`
	ExpMonth      int                      `json:"expMonth,omitzero"`
	ExpYear       int                      `json:"expYear,omitzero"`
	BillTo        domain.Personal[Address] `json:"billTo,omitzero"`
	Phone         domain.Personal[string]  `json:"phone,omitzero"`
	PolicyVersion int                      `json:"policyVersion"`
	BillToChecked postal.Checked           `json:"billToChecked,omitzero"`
}

// Evolve implements [domain.Event].
func (e CardDetailsUpdated) Evolve(c *Card) {
	if e.ExpMonth != 0 {
		c.ExpMonth = e.ExpMonth
	}
	if e.ExpYear != 0 {
		c.ExpYear = e.ExpYear
	}
	if !e.Holder.IsZero() {
		c.Holder = e.Holder
	}
	if !e.BillTo.IsZero() {
		c.BillTo = e.BillTo
	}
	if slices.Contains(e.Changed, "phone") {
		c.Phone = e.Phone
	}
}

// Decide implements [domain.Command].
func (c UpdateCardDetails) Decide(s Card, m Meta) ([]Event, error) {
	if err := s.mayEdit(m); err != nil {
		return nil, err
	}
	checked, err := c.check(s, m)
	if err != nil {
		return nil, err
	}
	e := CardDetailsUpdated{PolicyVersion: editPolicy, BillToChecked: checked}
	if c.HolderName != nil && *c.HolderName != s.Holder.Value {
		e.Changed, e.Holder = append(e.Changed, "holderName"), domain.About(s.Owner, *c.HolderName)
	}
	if c.ExpMonth != nil && *c.ExpMonth != s.ExpMonth {
		e.Changed, e.ExpMonth = append(e.Changed, "expMonth"), *c.ExpMonth
	}
	if c.ExpYear != nil && *c.ExpYear != s.ExpYear {
		e.Changed, e.ExpYear = append(e.Changed, "expYear"), *c.ExpYear
	}
	if c.moves(s) {
		for _, f := range c.BillingAddress.Differs(s.BillTo.Value) {
			e.Changed = append(e.Changed, "billingAddress."+string(f))
		}
		e.BillTo = domain.About(s.Owner, *c.BillingAddress)
	}
	if c.Phone != nil && *c.Phone != s.Phone.Value {
		e.Changed = append(e.Changed, "phone")
		if *c.Phone != "" {
			e.Phone = domain.About(s.Owner, *c.Phone)
		}
	}
	if e.Changed == nil {
		return nil, nil
	}
	return []Event{e}, nil
}

// moves reports whether the billing address becomes another.
func (c UpdateCardDetails) moves(s Card) bool {
	return c.BillingAddress != nil && *c.BillingAddress != s.BillTo.Value
}

func (c UpdateCardDetails) check(s Card, m Meta) (checked postal.Checked, err error) {
	var errs []*domain.Error
	if c.HolderName != nil {
		errs = append(errs, text(*c.HolderName, "/holderName"))
	}
	if c.ExpMonth != nil || c.ExpYear != nil {
		errs = append(errs, expiry(valueOr(c.ExpMonth, s.ExpMonth), valueOr(c.ExpYear, s.ExpYear), m.At))
	}
	if c.moves(s) {
		var wrong []*domain.Error
		checked, wrong = billTo(*c.BillingAddress, m, "/billingAddress", c.ConfirmAddress)
		errs = append(errs, wrong...)
	}
	if c.Phone != nil {
		errs = append(errs, phone(*c.Phone, "/phone"))
	}
	return checked, domain.All(errs...)
}

// mayEdit is rule C4: no role stands above the owner.
func (c Card) mayEdit(m Meta) error {
	switch {
	case !c.Exists():
		return ErrNotFound
	case c.Removed:
		return ErrRemoved
	case m.Actor.ID != c.Owner:
		return ErrNotOwner.With("owner", c.Owner).With("subscriptions", c.listed())
	}
	return nil
}

func valueOr[T any](p *T, v T) T {
	if p == nil {
		return v
	}
	return *p
}
