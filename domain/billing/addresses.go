package billing

import (
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// ChangeServiceUsageAddress says where most of the subscription's users are
// (rule S9). It replaces the address as a whole.
type ChangeServiceUsageAddress struct {
	Address        postal.Address `json:"address"`
	ConfirmAddress bool           `json:"confirmAddress,omitzero"` // although there may be a better spelling (rule A2)
}

// Needs implements [domain.Needer].
func (c ChangeServiceUsageAddress) Needs(Meta) []domain.Need {
	return []domain.Need{c.Address.Need()}
}

// ServiceUsageAddressChanged records where most of the users are.
type ServiceUsageAddressChanged struct {
	Old               domain.Personal[postal.Address] `json:"old,omitzero"` // absent: the first
	Address           domain.Personal[postal.Address] `json:"address"`
	Country           string                          `json:"country"` // of the address
	Changed           []string                        `json:"changed"` // parts of the address
	AddressValidation postal.Checked                  `json:"addressValidation,omitzero"`
	At                time.Time                       `json:"at"`
}

// Evolve implements [domain.Event].
func (e ServiceUsageAddressChanged) Evolve(s *Subscription) { s.ServiceUsage = e.Address }

// Decide implements [domain.Command].
func (c ChangeServiceUsageAddress) Decide(s Subscription, m Meta) ([]Event, error) {
	if err := s.running(); err != nil {
		return nil, err
	}
	checked, wrong := c.Address.Keep(m, "/address", c.ConfirmAddress)
	if err := domain.All(wrong...); err != nil {
		return nil, err
	}
	changed := differs(c.Address, s.ServiceUsage)
	if changed == nil {
		return nil, nil
	}
	return []Event{ServiceUsageAddressChanged{
		Old: s.ServiceUsage, Address: domain.About(m.Tenant, c.Address), Country: c.Address.Country,
		Changed: changed, AddressValidation: checked, At: m.At,
	}}, nil
}

// ChangeBillToAddress says to whom the invoices go (rule S9). Where a card
// pays, the card's own billing address does.
type ChangeBillToAddress struct {
	Name           string         `json:"name"`
	Phone          string         `json:"phone,omitzero"`
	Address        postal.Address `json:"address"`
	ConfirmAddress bool           `json:"confirmAddress,omitzero"` // although there may be a better spelling (rule A2)
}

// Needs implements [domain.Needer].
func (c ChangeBillToAddress) Needs(Meta) []domain.Need {
	needs := []domain.Need{c.Address.Need()}
	if c.Phone != "" {
		needs = append(needs, domain.Of[PhoneNumber](c.phoneKey()))
	}
	return needs
}

// phoneKey is the key of the phone number: it is read in the address's country.
func (c ChangeBillToAddress) phoneKey() string { return c.Address.Country + " " + c.Phone }

// PhoneNumber is the fact of what a phone number is. Its key is the country in
// which it is read (ISO 3166-1 alpha-2), a space, and the number.
type PhoneNumber struct {
	OK     bool   // it is one that can be called
	Number string // E.164, then ";ext=" and the extension if there is one (RFC 3966)
	Data   string // which numbering plans said so; later ones may differ (rule F4)
}

// BillTo is to whom invoices go.
type BillTo struct {
	Name    string         `json:"name"`
	Phone   string         `json:"phone,omitzero"` // see [PhoneNumber]; as it was written, if that was long ago
	Address postal.Address `json:"address"`
}

// BillToAddressChanged records to whom invoices go from now on.
type BillToAddressChanged struct {
	Old               domain.Personal[BillTo] `json:"old,omitzero"` // absent: the first
	BillTo            domain.Personal[BillTo] `json:"billTo"`
	Country           string                  `json:"country"` // of the address
	Changed           []string                `json:"changed"` // "name", "phone" and parts of the address
	AddressValidation postal.Checked          `json:"addressValidation,omitzero"`
	At                time.Time               `json:"at"`
	PhoneData         string                  `json:"phoneData,omitzero"` // which numbering plans the phone was read by, if it changed
}

// Evolve implements [domain.Event].
func (e BillToAddressChanged) Evolve(s *Subscription) { s.BillTo = e.BillTo }

// Decide implements [domain.Command].
func (c ChangeBillToAddress) Decide(s Subscription, m Meta) ([]Event, error) {
	if err := s.running(); err != nil {
		return nil, err
	}
	if !s.Invoiced {
		return nil, ErrPaidByCard
	}
	checked, wrong := c.Address.Keep(m, "/address", c.ConfirmAddress)
	number, refused := c.calls(s, m)
	if err := domain.All(append(wrong, line(c.Name, "/name"), refused)...); err != nil {
		return nil, err
	}
	return s.bill(m, Recipient{BillTo{c.Name, number.Number, c.Address}, checked, number.Data}), nil
}

// bill returns the event by which invoices go to somebody else, if to is that.
func (s Subscription) bill(m Meta, r Recipient) []Event {
	to := r.BillTo
	var changed []string
	if to.Name != s.BillTo.Value.Name {
		changed = append(changed, "name")
	}
	phoneData := ""
	if to.Phone != s.BillTo.Value.Phone {
		changed, phoneData = append(changed, "phone"), r.PhoneData
	}
	was := domain.Personal[postal.Address]{Value: s.BillTo.Value.Address}
	if changed = append(changed, differs(to.Address, was)...); changed == nil {
		return nil
	}
	return []Event{BillToAddressChanged{
		Old: s.BillTo, BillTo: domain.About(m.Tenant, to), Country: to.Address.Country,
		Changed: changed, AddressValidation: r.Check, At: m.At, PhoneData: phoneData,
	}}
}

// calls returns the phone number to keep, or why it cannot be. One that stays
// is not judged again.
func (c ChangeBillToAddress) calls(s Subscription, m Meta) (PhoneNumber, *domain.Error) {
	if was := s.BillTo.Value.Phone; c.Phone == was || c.Phone == "" {
		return PhoneNumber{Number: c.Phone}, nil
	}
	number := domain.Fact[PhoneNumber](m, c.phoneKey())
	switch {
	case !number.OK:
		return number, ErrPhone
	case number.Number == s.BillTo.Value.Phone:
		number.Data = ""
	}
	return number, nil
}

func differs(is postal.Address, was domain.Personal[postal.Address]) []string {
	var names []string
	for _, f := range is.Differs(was.Value) {
		names = append(names, string(f))
	}
	return names
}

// line checks one line of text that is not blank.
func line(s, pointer string) *domain.Error {
	if domain.Blank(s) || !domain.Line(s, 200) {
		return ErrLine.At(pointer)
	}
	return nil
}
