package notify

import (
	"errors"
	"strings"
	"time"

	"konto/domain"
)

func customerTemplates() map[string]letter {
	const sides = `"partnerId":"partner-3","customerId":"customer-8"`
	return map[string]letter{
		CustomerAccountChanged: {(*writer).customerAccountChanged, `{"changed":["companyName","defaultAddress.postalCode"],"companyName":"Contoso AB",` + sides + `}`},
		PurchasePermissionChanged: {(*writer).purchasePermissionChanged, `{` + sides + `,"change":"granted","resource":"AzureReservedInstances","action":"Purchase",
			"capMinor":5000000,"currency":"SEK","expiresAt":"2026-12-31T00:00:00Z","products":["reservation-1y","reservation-3y"]}`},
		PurchaseMade:        {(*writer).purchaseMade, `{` + sides + `,"product":"reservation-1y","amountMinor":1234500,"currency":"SEK","at":"2026-03-02T14:05:00Z","capLeftMinor":3765500}`},
		RelationshipChanged: {(*writer).relationshipChanged, `{` + sides + `,"change":"requested","type":"reseller"}`},
	}
}

type (
	customerData struct {
		CompanyName words    `json:"companyName"`
		PartnerID   string   `json:"partnerId"`
		CustomerID  string   `json:"customerId"`
		Changed     []string `json:"changed"`
	}

	permissionData struct {
		PartnerID  string    `json:"partnerId"`
		CustomerID string    `json:"customerId"`
		Change     string    `json:"change"`
		Resource   string    `json:"resource"`
		Action     string    `json:"action"`
		CapMinor   *int64    `json:"capMinor"`
		Currency   string    `json:"currency"`
		ExpiresAt  time.Time `json:"expiresAt"`
		Products   []string  `json:"products"`
		// Approvers are the roles that may approve what was proposed. Data from
		// before they were named was for admin agents.
		Approvers []domain.Role `json:"approvers"`
	}

	purchaseData struct {
		PartnerID    string    `json:"partnerId"`
		CustomerID   string    `json:"customerId"`
		Product      string    `json:"product"`
		AmountMinor  int64     `json:"amountMinor"`
		Currency     string    `json:"currency"`
		At           time.Time `json:"at"`
		CapLeftMinor *int64    `json:"capLeftMinor"`
	}

	relationshipData struct {
		PartnerID  string `json:"partnerId"`
		CustomerID string `json:"customerId"`
		Change     string `json:"change"`
		Type       string `json:"type"`
	}
)

// customerAccountChanged names the fields and never their values, which are
// about people.
func (w *writer) customerAccountChanged(p *page) error {
	d, err := decode[customerData](w.data)
	if err != nil {
		return err
	}
	labels := w.names("field", d.Changed)
	if len(labels) == 0 {
		return errors.New("template data: changed must name a field")
	}
	company := d.CompanyName.line()
	if company == "" {
		company = w.t("customer_account_changed.your_company", nil)
	}
	customer := d.CustomerID
	if customer == "" {
		customer = w.tenant
	}
	p.Subject = w.t("customer_account_changed.subject", nil)
	p.Heading = w.t("customer_account_changed.heading", nil)
	p.Lead = []string{
		w.t("customer_account_changed.what", values{"Count": len(labels), "Company": company}),
		w.t("customer_account_changed.who", nil),
	}
	w.add(p, "partner", d.PartnerID)
	w.changed(p, labels)
	w.act(p, "action.customer", w.r.cfg.Links.Customer, customer)
	w.notExpected(p, "customer_account_changed.not_you")
	p.SMS = w.t("customer_account_changed.sms", nil)
	return nil
}

// purchasePermissionChanged reads the same on both sides: who is told may be
// the customer's or the partner's.
func (w *writer) purchasePermissionChanged(p *page) error {
	d, err := decode[permissionData](w.data)
	if err != nil {
		return err
	}
	subject, err := w.choice("purchase_permission_changed.subject", d.Change)
	if err != nil {
		return err
	}
	if len(d.Approvers) == 0 {
		d.Approvers = []domain.Role{domain.AdminAgent}
	}
	p.Subject = w.t(subject, nil)
	p.Heading = p.Subject
	p.Lead = []string{w.t("purchase_permission_changed.what."+d.Change, values{"Roles": w.anyRole(d.Approvers)})}
	w.add(p, "partner", d.PartnerID)
	w.add(p, "customer", d.CustomerID)
	w.add(p, "permission", strings.Trim(d.Resource+" / "+d.Action, " /"))
	if d.CapMinor != nil && d.Currency != "" {
		if err := w.addAmount(p, "limit", *d.CapMinor, d.Currency); err != nil {
			return err
		}
	}
	w.add(p, "products", strings.Join(d.Products, ", "))
	w.addTime(p, "valid_until", d.ExpiresAt)
	w.act(p, "action.permissions", w.r.cfg.Links.Permission, "")
	w.notExpected(p, "purchase_permission_changed.not_you")
	p.SMS = w.t("purchase_permission_changed.sms", values{"Subject": p.Subject})
	return nil
}

func (w *writer) purchaseMade(p *page) error {
	d, err := decode[purchaseData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "purchase_made", nil)
	p.Lead = []string{w.t("purchase_made.what", nil)}
	w.add(p, "partner", d.PartnerID)
	w.add(p, "customer", d.CustomerID)
	w.add(p, "product", d.Product)
	if err := w.addAmount(p, "amount", d.AmountMinor, d.Currency); err != nil {
		return err
	}
	w.addTime(p, "time", d.At)
	if d.CapLeftMinor != nil {
		if err := w.addAmount(p, "limit_left", *d.CapLeftMinor, d.Currency); err != nil {
			return err
		}
	}
	w.act(p, "action.permissions", w.r.cfg.Links.Permission, "")
	w.notExpected(p, "purchase_made.not_you")
	return nil
}

func (w *writer) relationshipChanged(p *page) error {
	d, err := decode[relationshipData](w.data)
	if err != nil {
		return err
	}
	subject, err := w.choice("relationship_changed.subject", d.Change)
	if err != nil {
		return err
	}
	p.Subject = w.t(subject, nil)
	p.Heading = p.Subject
	p.Lead = []string{w.t("relationship_changed.what."+d.Change, nil)}
	w.add(p, "partner", d.PartnerID)
	w.add(p, "customer", d.CustomerID)
	if d.Type != "" {
		kind, err := w.choice("relationship_changed.type", d.Type)
		if err != nil {
			return err
		}
		w.add(p, "kind", w.t(kind, nil))
	}
	w.act(p, "action.relationships", w.r.cfg.Links.Relationship, "")
	w.notExpected(p, "relationship_changed.not_you")
	p.SMS = w.t("relationship_changed.sms", values{"Subject": p.Subject})
	return nil
}
