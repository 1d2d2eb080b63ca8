package relationship

import (
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// RecordCustomerPurchase records what the customer bought under a permission.
// PurchaseID is the provider's; recording the same purchase again does nothing.
type RecordCustomerPurchase struct {
	PurchaseID  string `json:"purchaseId"`
	Resource    string `json:"resource"`
	Action      string `json:"action"`
	Product     string `json:"product"`
	AmountMinor int64  `json:"amountMinor"` // more than zero, in minor units of Currency
	Currency    string `json:"currency"`    // ISO 4217
}

// Needs implements [domain.Needer].
func (c RecordCustomerPurchase) Needs(m Meta) []domain.Need {
	if m.Actor.Kind != domain.KindPerson {
		return nil
	}
	return []domain.Need{domain.Of[Currency](c.Currency)}
}

// CustomerPurchaseRecorded records a purchase that the partner pays for.
type CustomerPurchaseRecorded struct {
	PartnerID    string    `json:"partnerId"`
	CustomerID   string    `json:"customerId"`
	PurchaseID   string    `json:"purchaseId"`
	Resource     string    `json:"resource"`
	Action       string    `json:"action"`
	Product      string    `json:"product"`
	AmountMinor  int64     `json:"amountMinor"`
	Currency     string    `json:"currency"`
	CapLeftMinor *int64    `json:"capLeftMinor,omitempty"` // absent without a cap
	At           time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e CustomerPurchaseRecorded) Evolve(r *Relationship) {
	i := r.index(e.Resource, e.Action)
	if i < 0 {
		return
	}
	p := r.Permissions[i]
	if p.CapMinor > 0 { // without a cap, purchases may be in several currencies
		p.SpentMinor += e.AmountMinor
	}
	p.Purchases = append(slices.Clone(p.Purchases), e.PurchaseID)
	r.put(p)
}

// Decide implements [domain.Command].
func (c RecordCustomerPurchase) Decide(r Relationship, m Meta) ([]Event, error) {
	if err := c.check(m); err != nil {
		return nil, err
	}
	switch {
	case r.Status == "":
		return nil, ErrNotFound
	case m.Actor.Kind == domain.KindPerson && m.Actor.Tenant != r.PartnerID:
		return nil, ErrNotPartner
	}
	p, ok := r.permission(c.Resource, c.Action, m.At)
	if i := r.index(c.Resource, c.Action); i >= 0 && slices.Contains(r.Permissions[i].Purchases, c.PurchaseID) {
		return nil, nil
	}
	switch {
	case !ok || !p.Granted || !r.Active():
		return nil, ErrNoPermission
	case len(p.Products) > 0 && !slices.Contains(p.Products, c.Product):
		return nil, ErrOtherProduct.With("products", slices.Clone(p.Products))
	case p.CapMinor > 0 && c.Currency != p.Currency:
		return nil, ErrOtherCurrency.With("currency", p.Currency)
	case p.CapMinor > 0 && c.AmountMinor > p.CapMinor-p.SpentMinor:
		return nil, ErrOverCap.With("leftMinor", p.CapMinor-p.SpentMinor).With("currency", p.Currency)
	}
	e := CustomerPurchaseRecorded{
		PartnerID: r.PartnerID, CustomerID: r.CustomerID, PurchaseID: c.PurchaseID, Resource: c.Resource, Action: c.Action,
		Product: c.Product, AmountMinor: c.AmountMinor, Currency: c.Currency, At: m.At,
	}
	if p.CapMinor > 0 {
		left := p.CapMinor - p.SpentMinor - c.AmountMinor
		e.CapLeftMinor = &left
	}
	return []Event{e}, nil
}

func (c RecordCustomerPurchase) check(m Meta) error {
	switch {
	case name(c.PurchaseID, "") != nil:
		return ErrPurchase.At("/purchaseId")
	case name(c.Product, "") != nil:
		return ErrPurchase.At("/product")
	case c.AmountMinor <= 0:
		return ErrPurchase.At("/amountMinor")
	case !c.paidIn(m):
		return ErrPurchase.At("/currency")
	}
	return nil
}

// paidIn reports whether the currency may be recorded. A person may have
// mistyped it. What a provider sold has been sold, also for money that is
// newer than the tables here.
func (c RecordCustomerPurchase) paidIn(m Meta) bool {
	if m.Actor.Kind == domain.KindPerson {
		return domain.Fact[Currency](m, c.Currency).OK
	}
	return len(c.Currency) == 3 && strings.Trim(c.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
