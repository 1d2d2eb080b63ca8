package organization

import (
	"slices"
	"strings"

	"konto/domain"
	"konto/domain/postal"
)

// UpdateOrganizationProfile saves the profile page. Absent fields stay as they
// are; all of it is accepted, or nothing is. The first save has every starred
// field, which is each but the confirmation.
type UpdateOrganizationProfile struct {
	Name             *string         `json:"name,omitempty"`
	Address          *postal.Address `json:"address,omitempty"` // whole; without a country: the organization's
	Phone            *string         `json:"phone,omitempty"`
	TechnicalContact *string         `json:"technicalContact,omitempty"`  // a mail address
	Language         *string         `json:"preferredLanguage,omitempty"` // BCP 47
	// AddressConfirmed says that the address is meant as it is, although there
	// may be a better spelling.
	AddressConfirmed bool `json:"addressConfirmed,omitzero"`
}

// Needs implements [domain.Needer].
func (c UpdateOrganizationProfile) Needs(m Meta) []domain.Need {
	needs := []domain.Need{domain.Of[Tenant](m.ID)}
	if c.TechnicalContact != nil {
		needs = append(needs, domain.Of[MailAddress](*c.TechnicalContact))
	}
	if c.Language != nil {
		needs = append(needs, domain.Of[Locale](*c.Language))
	}
	if !m.Facts.Has(needs[0]) {
		return needs
	}
	if c.Address != nil {
		needs = append(needs, placed(m, *c.Address).Need())
	}
	if c.Phone != nil {
		needs = append(needs, domain.Of[Phone](phone(m, *c.Phone)))
	}
	return needs
}

// phone is the key of a number: it is read in the organization's country.
func phone(m Meta, raw string) string { return domain.Fact[Tenant](m, m.ID).Country + " " + raw }

// Decide implements [domain.Command].
func (c UpdateOrganizationProfile) Decide(p Profile, m Meta) ([]Event, error) {
	if !domain.Fact[Tenant](m, m.ID).Exists {
		return nil, ErrTenant
	}
	if missing := c.missing(p); missing != nil {
		return nil, domain.All(missing...)
	}
	updated, wrong := c.updated(p, m)
	var events []Event
	if updated.Changed != nil {
		events = append(events, updated)
	}
	if c.Address != nil {
		e, bad := moved(p, m, *c.Address, c.AddressConfirmed)
		if wrong = append(wrong, bad...); e != nil {
			events = append(events, *e)
		}
	}
	if c.TechnicalContact != nil {
		to, bad := mailbox(m, *c.TechnicalContact, "/technicalContact")
		if wrong = append(wrong, bad); !same(p.TechnicalContact, to) {
			events = append(events, TechnicalContactChanged{Old: p.TechnicalContact, New: to})
		}
	}
	if c.Language != nil {
		switch l := domain.Fact[Locale](m, *c.Language); {
		case !l.OK:
			wrong = append(wrong, ErrLanguage.At("/preferredLanguage"))
		case l.Tag != p.Language:
			events = append(events, PreferredLanguageChanged{Old: p.Language, New: l.Tag})
		}
	}
	if err := domain.All(wrong...); err != nil {
		return nil, err
	}
	return events, nil
}

// missing returns what is starred and empty, or absent from a first save.
func (c UpdateOrganizationProfile) missing(p Profile) []*domain.Error {
	var missing []*domain.Error
	starred := func(given, empty bool, pointer string) {
		if !given && !p.Exists() || given && empty {
			missing = append(missing, ErrRequired.At(pointer))
		}
	}
	blank := func(s *string) bool { return s != nil && domain.Blank(*s) }
	starred(c.Name != nil, blank(c.Name), "/name")
	starred(c.Address != nil, c.Address != nil && c.Address.IsZero(), "/address")
	starred(c.Phone != nil, blank(c.Phone), "/phone")
	starred(c.TechnicalContact != nil, blank(c.TechnicalContact), "/technicalContact")
	starred(c.Language != nil, blank(c.Language), "/preferredLanguage")
	return missing
}

// updated returns the event of what has none of its own.
func (c UpdateOrganizationProfile) updated(p Profile, m Meta) (OrganizationProfileUpdated, []*domain.Error) {
	var (
		e     OrganizationProfileUpdated
		wrong []*domain.Error
	)
	if c.Name != nil {
		switch name := strings.TrimSpace(*c.Name); {
		case !nameable(name):
			wrong = append(wrong, ErrName)
		case name != p.Name:
			e.Name, e.Changed = name, append(e.Changed, "name")
		}
	}
	if c.Phone != nil {
		n := domain.Fact[Phone](m, phone(m, *c.Phone))
		switch number := domain.About(m.ID, n.Number); {
		case !n.OK:
			wrong = append(wrong, ErrPhone)
		case !same(p.Phone, number):
			e.Phone, e.OldPhone, e.PhoneData, e.Changed = number, p.Phone, n.Data, append(e.Changed, "phone")
		}
	}
	if slices.Contains(e.Changed, "name") {
		e.OldName = p.Name
	}
	return e, wrong
}

// OrganizationProfileUpdated records the fields of the profile that changed,
// as they are now and as they were.
type OrganizationProfileUpdated struct {
	Changed  []string                `json:"changed"` // "name", "phone"
	Name     string                  `json:"name,omitzero"`
	OldName  string                  `json:"oldName,omitzero"`
	Phone    domain.Personal[string] `json:"phone,omitzero"` // see [Phone]
	OldPhone domain.Personal[string] `json:"oldPhone,omitzero"`
	// PhoneData says which numbering plans the phone was read by.
	PhoneData string `json:"phoneData,omitzero"`
}

// Evolve implements [domain.Event].
func (e OrganizationProfileUpdated) Evolve(p *Profile) {
	if slices.Contains(e.Changed, "name") {
		p.Name = e.Name
	}
	if slices.Contains(e.Changed, "phone") {
		p.Phone = e.Phone
	}
}
