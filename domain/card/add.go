package card

import (
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// AddCard adds a card of the caller, by the token that the gateway's own form
// made of it. Adding attaches the card to nothing.
type AddCard struct {
	GatewayToken  string  `json:"gatewayToken"`
	Brand         string  `json:"brand"`
	Last4         string  `json:"last4"`
	ExpMonth      int     `json:"expMonth"` // 0, as the year, where it may not be kept (rule K5)
	ExpYear       int     `json:"expYear"`
	Funding       string  `json:"funding,omitzero"` // "credit", "debit", "prepaid" or "unknown"
	IssuerCountry string  `json:"issuerCountry"`
	Fingerprint   string  `json:"fingerprint"` // the gateway's; only a keyed hash of it is kept
	HolderName    string  `json:"holderName"`
	BillTo        Address `json:"billTo"`
	// ConfirmAddress says that the address is meant as it is, although there
	// may be a better spelling (rule A2).
	ConfirmAddress bool   `json:"confirmAddress,omitzero"`
	Checks         Checks `json:"checks,omitzero"`
	// OneTimePassword says that the bank asked the holder for a one-time
	// password, at the gateway. Some countries demand it.
	OneTimePassword bool `json:"oneTimePassword,omitzero"`
}

// Needs implements [domain.Needer].
func (c AddCard) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Organization](m.Tenant), ExpiryPolicy.Need(), IssuerPolicy.Need(), c.BillTo.Need()}
}

// CardAdded records that a card is there.
type CardAdded struct {
	Tenant        string                   `json:"tenant"`
	GatewayToken  string                   `json:"gatewayToken"`
	Brand         string                   `json:"brand"`
	Last4         string                   `json:"last4"`
	ExpMonth      int                      `json:"expMonth"`
	ExpYear       int                      `json:"expYear"`
	Funding       string                   `json:"funding"`
	IssuerCountry string                   `json:"issuerCountry"`
	Fingerprint   string                   `json:"fingerprint"`
	Holder        domain.Personal[string]  `json:"holder"`
	BillTo        domain.Personal[Address] `json:"billTo"`
	Country       string                   `json:"country"`
	Checks        Checks                   `json:"checks"`
	AddedBy       string                   `json:"addedBy"`
	At            time.Time                `json:"at"`

	BillToChecked   postal.Checked `json:"billToChecked,omitzero"`
	OneTimePassword bool           `json:"oneTimePassword,omitzero"`
	// ManualAboveMinor is the most that is charged without the holder, in the
	// currency's smallest unit; 0 if there is no such limit (rule K5).
	ManualAboveMinor    int64     `json:"manualAboveMinor,omitzero"`
	ManualAboveCurrency string    `json:"manualAboveCurrency,omitzero"`
	ExpiryCheckAt       time.Time `json:"expiryCheckAt,omitzero"` // when to look whether somebody must be told
}

// Evolve implements [domain.Event].
func (e CardAdded) Evolve(c *Card) {
	*c = Card{
		Tenant: e.Tenant, Owner: e.AddedBy, GatewayToken: e.GatewayToken, Brand: e.Brand, Last4: e.Last4,
		ExpMonth: e.ExpMonth, ExpYear: e.ExpYear, Funding: e.Funding, IssuerCountry: e.IssuerCountry,
		Country: e.Country, Fingerprint: e.Fingerprint, Holder: e.Holder, BillTo: e.BillTo,
		Checks: e.Checks, AddedAt: e.At, ExpiryCheckAt: e.ExpiryCheckAt,
		ManualAboveMinor: e.ManualAboveMinor, ManualAboveCurrency: e.ManualAboveCurrency,
	}
}

// Reservations returns the keys that a card holds while it is there: its
// token, among all tenants, and its number, among the cards of its owner.
// Other admins of the tenant may add the same number (rule K2), since they
// could not use this card. A removed card holds them no more.
func Reservations(tenant, owner, token, fingerprint string) []domain.Reservation {
	return []domain.Reservation{
		// Who holds the token may be another tenant's card: it is not named.
		{Kind: "card-token", Key: token, Taken: func(string) *domain.Error { return ErrDuplicate }},
		NumberReservation(tenant, owner, fingerprint),
	}
}

// NumberReservation returns the key that a card holds for its number. The card
// network may give it another number, and then it holds another key.
func NumberReservation(tenant, owner, fingerprint string) domain.Reservation {
	return domain.Reservation{
		Kind: "card-fingerprint", Scope: tenant, Key: fingerprint + "|" + owner,
		Taken: func(holder string) *domain.Error { return ErrDuplicate.With("card", holder) },
	}
}

// Reserves implements [domain.Reserver].
func (c AddCard) Reserves(m Meta) []domain.Reservation {
	if c.GatewayToken == "" || c.Fingerprint == "" {
		return nil // Decide refuses
	}
	return Reservations(m.Tenant, m.Actor.ID, c.GatewayToken, fingerprint(m, c.Fingerprint))
}

// fingerprint returns what is kept of the gateway's fingerprint: equal for
// equal numbers of one tenant, and of no use outside it.
func fingerprint(m Meta, gateways string) string { return m.MAC("card-fingerprint", gateways) }

// Decide implements [domain.Command].
func (c AddCard) Decide(s Card, m Meta) ([]Event, error) {
	checked, err := c.check(m)
	if err != nil {
		return nil, err
	}
	rules := IssuerPolicy.In(m).Countries[c.IssuerCountry]
	e := CardAdded{
		Tenant: m.Tenant, GatewayToken: c.GatewayToken, Brand: c.Brand, Last4: c.Last4,
		ExpMonth: c.ExpMonth, ExpYear: c.ExpYear, Funding: orUnknown(c.Funding), IssuerCountry: c.IssuerCountry,
		Fingerprint: fingerprint(m, c.Fingerprint),
		Holder:      domain.About(m.Actor.ID, c.HolderName),
		BillTo:      domain.About(m.Actor.ID, c.BillTo),
		Country:     c.BillTo.Country, Checks: c.Checks, AddedBy: m.Actor.ID, At: m.At,
		OneTimePassword: c.OneTimePassword, ManualAboveMinor: rules.ManualAboveMinor, ManualAboveCurrency: rules.Currency,
		BillToChecked: checked,
	}
	if !rules.ExpiryUnknown {
		e.ExpiryCheckAt = ExpiryPolicy.In(m).next(ValidUntil(c.ExpMonth, c.ExpYear), m.At)
	}
	switch {
	case !s.Exists():
		return []Event{e}, nil
	case s.Removed:
		return nil, ErrRemoved
	case !e.made(s):
		return nil, ErrExists
	}
	return nil, nil
}

// made reports whether e says what s still says.
func (e CardAdded) made(s Card) bool {
	return e.AddedBy == s.Owner && e.GatewayToken == s.GatewayToken && e.Fingerprint == s.Fingerprint &&
		e.Brand == s.Brand && e.Last4 == s.Last4 && e.ExpMonth == s.ExpMonth && e.ExpYear == s.ExpYear &&
		e.Funding == s.Funding && e.IssuerCountry == s.IssuerCountry && e.Checks == s.Checks &&
		(e.Holder.Value == s.Holder.Value || !s.Holder.Readable()) &&
		(e.BillTo.Value == s.BillTo.Value || !s.BillTo.Readable())
}

func (c AddCard) check(m Meta) (postal.Checked, error) {
	checked, wrong := keep(m, c.BillTo, "/billTo", c.ConfirmAddress)
	home := domain.Fact[Organization](m, m.Tenant).Country
	errs := []*domain.Error{
		token(c.GatewayToken, "/gatewayToken"),
		token(c.Fingerprint, "/fingerprint"),
		word(c.Brand, "/brand"),
		last4(c.Last4, "/last4"),
		oneOf(orUnknown(c.Funding), "/funding", "credit", "debit", "prepaid", "unknown"),
		text(c.HolderName, "/holderName"),
		c.expiry(m),
	}
	errs = append(append(errs, wrong...), c.Checks.check())
	if c.IssuerCountry != home || home == "" {
		errs = append(errs, ErrIssuedAbroad.With("country", home))
	}
	return checked, domain.All(errs...)
}

// expiry is rules K3 and, where the expiry may not be kept, K5.
func (c AddCard) expiry(m Meta) *domain.Error {
	switch rules := IssuerPolicy.In(m).Countries[c.IssuerCountry]; {
	case rules.OneTimePassword && !c.OneTimePassword:
		return ErrOneTimePassword
	case !rules.ExpiryUnknown:
		return expiry(c.ExpMonth, c.ExpYear, m.At)
	case c.ExpMonth != 0 || c.ExpYear != 0:
		return ErrExpiryNotKept
	}
	return nil
}
