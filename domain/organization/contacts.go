package organization

import "konto/domain"

// ChangeTechnicalContact changes who is written to about the state of the
// service.
type ChangeTechnicalContact struct {
	Email string `json:"email"`
}

// Needs implements [domain.Needer].
func (c ChangeTechnicalContact) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[MailAddress](c.Email)}
}

// Decide implements [domain.Command].
func (c ChangeTechnicalContact) Decide(p Profile, m Meta) ([]Event, error) {
	if !p.Exists() {
		return nil, ErrNotFound
	}
	if c.Email == "" {
		return nil, ErrRequired.At("/email")
	}
	to, wrong := mailbox(m, c.Email, "/email")
	switch {
	case wrong != nil:
		return nil, wrong
	case same(p.TechnicalContact, to):
		return nil, nil
	}
	return []Event{TechnicalContactChanged{Old: p.TechnicalContact, New: to}}, nil
}

// TechnicalContactChanged records who is written to about the service.
type TechnicalContactChanged struct {
	Old domain.Personal[string] `json:"old,omitzero"`
	New domain.Personal[string] `json:"new"`
}

// Evolve implements [domain.Event].
func (e TechnicalContactChanged) Evolve(p *Profile) { p.TechnicalContact = e.New }

// ChangeOrganizationContactEmail changes the address that gets billing
// messages for the organization as a whole.
type ChangeOrganizationContactEmail struct {
	Email string `json:"email"` // empty removes it
}

// Needs implements [domain.Needer].
func (c ChangeOrganizationContactEmail) Needs(Meta) []domain.Need {
	if c.Email == "" {
		return nil
	}
	return []domain.Need{domain.Of[MailAddress](c.Email)}
}

// Decide implements [domain.Command].
func (c ChangeOrganizationContactEmail) Decide(p Profile, m Meta) ([]Event, error) {
	if !p.Exists() {
		return nil, ErrNotFound
	}
	var to domain.Personal[string]
	if c.Email != "" {
		var wrong *domain.Error
		if to, wrong = mailbox(m, c.Email, "/email"); wrong != nil {
			return nil, wrong
		}
	}
	if same(p.ContactEmail, to) {
		return nil, nil
	}
	return []Event{OrganizationContactEmailChanged{Old: p.ContactEmail, New: to}}, nil
}

// OrganizationContactEmailChanged records where the organization's billing
// messages go.
type OrganizationContactEmailChanged struct {
	Old domain.Personal[string] `json:"old,omitzero"`
	New domain.Personal[string] `json:"new,omitzero"` // absent: nowhere
}

// Evolve implements [domain.Event].
func (e OrganizationContactEmailChanged) Evolve(p *Profile) { p.ContactEmail = e.New }

// ChangePreferredLanguage changes the language of messages to come.
type ChangePreferredLanguage struct {
	Language string `json:"language"` // BCP 47
}

// Needs implements [domain.Needer].
func (c ChangePreferredLanguage) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[Locale](c.Language)}
}

// Decide implements [domain.Command].
func (c ChangePreferredLanguage) Decide(p Profile, m Meta) ([]Event, error) {
	language := domain.Fact[Locale](m, c.Language)
	switch {
	case !p.Exists():
		return nil, ErrNotFound
	case !language.OK:
		return nil, ErrLanguage.At("/language")
	case language.Tag == p.Language:
		return nil, nil
	}
	return []Event{PreferredLanguageChanged{Old: p.Language, New: language.Tag}}, nil
}

// PreferredLanguageChanged records the language of messages to come.
type PreferredLanguageChanged struct {
	Old string `json:"old,omitzero"` // BCP 47
	New string `json:"new"`          // the same
}

// Evolve implements [domain.Event].
func (e PreferredLanguageChanged) Evolve(p *Profile) { p.Language = e.New }

// SetInvoiceAttachment says whether billing messages carry the invoice.
type SetInvoiceAttachment struct {
	On bool `json:"on"`
}

// Decide implements [domain.Command].
func (c SetInvoiceAttachment) Decide(p Profile, _ Meta) ([]Event, error) {
	switch {
	case !p.Exists():
		return nil, ErrNotFound
	case p.InvoicesAttached == c.On:
		return nil, nil
	}
	return []Event{InvoiceAttachmentSet(c)}, nil
}

// InvoiceAttachmentSet records whether billing messages carry the invoice.
type InvoiceAttachmentSet struct {
	On bool `json:"on"`
}

// Evolve implements [domain.Event].
func (e InvoiceAttachmentSet) Evolve(p *Profile) { p.InvoicesAttached = e.On }
