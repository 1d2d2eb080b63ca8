package customer

import (
	"konto/domain"
	"konto/domain/postal"
)

func (c CompanyDetails) decide(s Customer, m Meta) (CustomerCompanyDetailsUpdated, []*domain.Error) {
	const at = "/companyDetails"
	was := s
	number, wrote, newPhone := c.calls(s, m)
	var d diff
	d.set(&s.CompanyName, c.CompanyName, "companyName", at, required)
	d.set(&s.OrganizationRegistrationNumber, c.OrganizationRegistrationNumber, "organizationRegistrationNumber", at, line)
	d.errs = append(d.errs, company{
		country: s.Country, number: s.OrganizationRegistrationNumber, phone: wrote,
		called:    wrote != "" || s.Phone.Erased && c.Phone == nil,
		newNumber: d.has("organizationRegistrationNumber"), newPhone: newPhone,
	}.obligations(m, at)...)
	if newPhone && number.Number != was.Phone.Value {
		d.changed = append(d.changed, "phone")
	}
	e := CustomerCompanyDetailsUpdated{PartnerID: m.Actor.Tenant, Changed: d.changed}
	if d.has("companyName") {
		e.CompanyName, e.Before.CompanyName = s.CompanyName, was.CompanyName
	}
	if d.has("organizationRegistrationNumber") {
		e.OrganizationRegistrationNumber = s.OrganizationRegistrationNumber
		e.Before.OrganizationRegistrationNumber = was.OrganizationRegistrationNumber
	}
	if d.has("phone") {
		e.Before.Phone = was.Phone
		if number.Number != "" {
			e.Phone, e.PhoneData = domain.About(m.ID, number.Number), number.Data
		}
	}
	return e, d.errs
}

// calls returns what the phone number becomes, how it was written, and whether
// the command says another. One that stays is not judged again.
func (c CompanyDetails) calls(s Customer, m Meta) (number PhoneNumber, wrote string, other bool) {
	switch {
	case c.Phone == nil || *c.Phone == s.Phone.Value:
		return number, s.Phone.Value, false
	case *c.Phone == "":
		return number, "", true
	}
	return domain.Fact[PhoneNumber](m, s.Country+" "+*c.Phone), *c.Phone, true
}

func (c BillingInfoUpdate) decide(s Customer, m Meta, confirmed bool) (CustomerBillingInfoUpdated, []*domain.Error) {
	const at = "/billingInfo"
	was, b := s.BillingInfo, s.BillingInfo
	contact := b.Contact.Value
	var d diff
	d.set(&contact.FirstName, c.FirstName, "firstName", at, line)
	d.set(&contact.LastName, c.LastName, "lastName", at, line)
	d.setAs("", &contact.Email, c.Email, "email", at, email(m))
	e := CustomerBillingInfoUpdated{PartnerID: m.Actor.Tenant}
	if d.changed != nil {
		e.Contact, e.Before.Contact = domain.About(m.ID, contact), was.Contact
	}
	d.setAs("", &b.Culture, c.Culture, "culture", at, culture(m))
	d.setAs("", &b.Language, c.Language, "language", at, language(m))
	d.set(&b.CompanyName, c.CompanyName, "companyName", at, required)
	if d.has("culture") {
		e.Culture, e.Before.Culture = b.Culture, was.Culture
	}
	if d.has("language") {
		e.Language, e.Before.Language = b.Language, was.Language
	}
	if d.has("companyName") {
		e.CompanyName, e.Before.CompanyName = b.CompanyName, was.CompanyName
	}
	if c.DefaultAddress != nil {
		before := len(d.changed)
		address, checked := c.DefaultAddress.decide(b.DefaultAddress.Value, m, confirmed, &d, &e.PhoneData)
		if len(d.changed) > before {
			e.Address, e.AddressChecked, e.Before.DefaultAddress = domain.About(m.ID, address), checked, was.DefaultAddress
		}
	}
	e.Changed = d.changed
	return e, d.errs
}

// decide changes a, and notes in phoneData how its phone number was read. Its
// postal part is judged as a whole, if it changes.
func (c AddressUpdate) decide(a Address, m Meta, confirmed bool, d *diff, phoneData *string) (Address, postal.Checked) {
	const at, prefix = "/billingInfo/defaultAddress", "defaultAddress."
	moved := c.onto(a.Address)
	d.setIn(prefix, &a.FirstName, c.FirstName, "firstName", at, line)
	d.setIn(prefix, &a.LastName, c.LastName, "lastName", at, line)
	d.setAs(prefix, &a.Phone, c.Phone, "phone", at, callable(m, moved.Country, phoneData))
	for _, f := range moved.Differs(a.Address) {
		d.changed = append(d.changed, prefix+string(f))
	}
	unmoved := moved == a.Address
	a.Address = moved
	if a == (Address{}) || unmoved && !moved.IsZero() {
		return a, postal.Checked{}
	}
	checked, errs := moved.Keep(m, at, confirmed)
	d.errs = append(d.errs, errs...)
	return a, checked
}
