package card

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// UpdateCardDetails changes what may change of a card whose number stays the
// same. Absent fields stay as they are; an address is replaced as a whole.
type UpdateCardDetails struct {
	HolderName     *string  `json:"holderName,omitempty"`
	ExpMonth       *int     `json:"expMonth,omitempty"`
	ExpYear        *int     `json:"expYear,omitempty"`
	BillingAddress *Address `json:"billingAddress,omitempty"`
	ConfirmAddress bool     `json:"confirmAddress,omitzero"` // although there may be a better spelling (rule A2)
	Phone          *string  `json:"phone,omitempty"`         // empty removes it
	// CVCCheck is what the gateway says of the security code that it took:
	// "pass", "fail", "unavailable" or "unchecked". [EditPolicy] says whether
	// it must be there.
	CVCCheck string `json:"cvcCheck,omitzero"`
}

// Needs implements [domain.Needer].
func (c UpdateCardDetails) Needs(m Meta) []domain.Need {
	needs := append(EditNeeds(m), domain.Of[Organization](m.Tenant), ExpiryPolicy.Need())
	if c.BillingAddress != nil {
		needs = append(needs, c.BillingAddress.Need())
	}
	if c.Phone != nil && *c.Phone != "" && m.Facts.Has(domain.Of[Organization](m.Tenant)) {
		needs = append(needs, domain.Of[PhoneNumber](phoneKey(m, *c.Phone)))
	}
	return needs
}

// strangerNeeds adds who added a card to needs, if that is not who asks.
func strangerNeeds(m Meta, card string, needs ...domain.Need) []domain.Need {
	if !m.Facts.Has(domain.Of[Replacement](card)) {
		return needs
	}
	if by := domain.Fact[Replacement](m, card); by.Exists && by.Tenant == m.Tenant && by.Owner != m.Actor.ID {
		needs = append(needs, domain.Of[Owner](by.Owner))
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
	BillToChecked postal.Checked           `json:"billToChecked,omitzero"`
	Phone         domain.Personal[string]  `json:"phone,omitzero"`     // see [PhoneNumber]
	PhoneData     string                   `json:"phoneData,omitzero"` // which numbering plans it was read by
	CVCCheck      string                   `json:"cvcCheck,omitzero"`
	PolicyVersion int                      `json:"policyVersion"`          // of [EditPolicy]
	ExpiryCheckAt time.Time                `json:"expiryCheckAt,omitzero"` // when to look whether somebody must be told
}

// Evolve implements [domain.Event].
func (e CardDetailsUpdated) Evolve(c *Card) {
	if e.ExpMonth != 0 || e.ExpYear != 0 {
		c.Expired, c.WarnedDays, c.ExpiryCheckAt = false, 0, e.ExpiryCheckAt
	}
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
	if e.CVCCheck != "" {
		c.Checks.CVC = e.CVCCheck
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
	_, version := domain.Fact[domain.Terms[EditTerms]](m, EditPolicy.Name).InForce(m.At)
	e := CardDetailsUpdated{PolicyVersion: version, CVCCheck: c.CVCCheck}
	if c.HolderName != nil && *c.HolderName != s.Holder.Value {
		e.Changed, e.Holder = append(e.Changed, "holderName"), domain.About(s.Owner, *c.HolderName)
	}
	if c.ExpMonth != nil && *c.ExpMonth != s.ExpMonth {
		e.Changed, e.ExpMonth = append(e.Changed, "expMonth"), *c.ExpMonth
	}
	if c.ExpYear != nil && *c.ExpYear != s.ExpYear {
		e.Changed, e.ExpYear = append(e.Changed, "expYear"), *c.ExpYear
	}
	if e.ExpMonth != 0 || e.ExpYear != 0 {
		end := ValidUntil(valueOr(c.ExpMonth, s.ExpMonth), valueOr(c.ExpYear, s.ExpYear))
		e.ExpiryCheckAt = ExpiryPolicy.In(m).next(end, m.At)
	}
	if c.moves(s) {
		e.Changed = append(e.Changed, differs(*c.BillingAddress, s.BillTo.Value)...)
		e.BillTo, e.BillToChecked = domain.About(s.Owner, *c.BillingAddress), checked
	}
	if number, changed := c.calls(s, m); changed {
		e.Changed = append(e.Changed, "phone")
		if number.OK {
			e.Phone, e.PhoneData = domain.About(s.Owner, number.Number), number.Data
		}
	}
	if e.Changed == nil {
		return nil, nil
	}
	return []Event{e}, nil
}

// moves reports whether the billing address becomes another. One that stays
// is not judged again.
func (c UpdateCardDetails) moves(s Card) bool {
	return c.BillingAddress != nil && *c.BillingAddress != s.BillTo.Value
}

// calls returns what the phone number becomes, and whether that is another. One
// that stays is not judged again.
func (c UpdateCardDetails) calls(s Card, m Meta) (number PhoneNumber, changed bool) {
	switch {
	case c.Phone == nil || *c.Phone == s.Phone.Value:
		return number, false
	case *c.Phone == "":
		return number, true
	}
	number = domain.Fact[PhoneNumber](m, phoneKey(m, *c.Phone))
	return number, number.Number != s.Phone.Value
}

func (c UpdateCardDetails) check(s Card, m Meta) (checked postal.Checked, err error) {
	errs := []*domain.Error{c.checkCVC(EditPolicy.In(m))}
	if c.HolderName != nil {
		errs = append(errs, text(*c.HolderName, "/holderName"))
	}
	switch {
	case c.ExpMonth == nil && c.ExpYear == nil:
	case !s.ExpiryKnown():
		errs = append(errs, ErrExpiryNotKept)
	default:
		errs = append(errs, expiry(valueOr(c.ExpMonth, s.ExpMonth), valueOr(c.ExpYear, s.ExpYear), m.At))
	}
	if c.moves(s) {
		var wrong []*domain.Error
		checked, wrong = keep(m, *c.BillingAddress, "/billingAddress", c.ConfirmAddress)
		errs = append(errs, wrong...)
	}
	if c.Phone != nil && *c.Phone != s.Phone.Value {
		errs = append(errs, phone(m, *c.Phone, "/phone"))
	}
	return checked, domain.All(errs...)
}

// checkCVC is rule C2. A check that the bank could not make does not stop an
// edit: no charge depends on it.
func (c UpdateCardDetails) checkCVC(t EditTerms) *domain.Error {
	switch {
	case t.CVVOnEdit == CVVNever && c.CVCCheck != "":
		return ErrCVCNotAsked
	case t.CVVOnEdit == CVVNever:
		return nil
	case c.CVCCheck == "":
		return ErrCVCNeeded
	case c.CVCCheck == "fail":
		return ErrCVCFailed
	}
	return oneOf(c.CVCCheck, "/cvcCheck", checkResults()...)
}

// mayEdit refuses an edit of a card that is not there, or not the actor's.
func (c Card) mayEdit(m Meta) error {
	switch {
	case !c.Exists():
		return ErrNotFound
	case c.Removed:
		return ErrRemoved
	}
	if err := stranger(m, c.Owner, c.Subscriptions); err != nil {
		return err
	}
	return nil
}

// EditNeeds is what [Strange] and [UpdateCardDetails] ask for about the card
// and its owner.
func EditNeeds(m Meta) []domain.Need {
	return strangerNeeds(m, m.ID, EditPolicy.Need(), domain.Of[Replacement](m.ID))
}

// Strange returns why the card that m is about is not the actor's to edit or
// remove (rule C4), or nil. It does not know what the command says, nor
// whether there is anything to edit: of a card that is not there, or no more,
// it says nothing.
func Strange(m Meta) *domain.Error {
	by := domain.Fact[Replacement](m, m.ID)
	if !by.Exists || by.Removed || by.Tenant != m.Tenant {
		return nil
	}
	return stranger(m, by.Owner, by.Subscriptions)
}

// stranger is rule C4: no role stands above the owner, unless the policy says so.
func stranger(m Meta, owner string, subscriptions []string) *domain.Error {
	if EditPolicy.In(m).allow(m, owner) {
		return nil
	}
	return notOwner(m, ErrNotOwner.For(EditPolicy.In(m).editors()...), owner).With("subscriptions", append([]string{}, subscriptions...))
}

// notOwner adds to e what somebody may know of a card's owner to turn to them.
func notOwner(m Meta, e *domain.Error, owner string) *domain.Error {
	o := domain.Fact[Owner](m, owner)
	e = e.With("owner", owner).With("ownerActive", o.Active)
	if o.Masked != "" {
		e = e.With("ownerMasked", o.Masked)
	}
	return e
}

func valueOr[T any](p *T, v T) T {
	if p == nil {
		return v
	}
	return *p
}
