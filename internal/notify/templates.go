package notify

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"konto/domain"
)

// The templates.
const (
	ContactCode               = "contact_code"
	SecurityContactChanged    = "security_contact_changed"
	AlternateEmailInvalidated = "alternate_email_invalidated"
	CardDeclined              = "card_declined"
	CardChanged               = "card_changed"
	CustomerAccountChanged    = "customer_account_changed"
)

// Templates are the names of all templates, sorted.
func Templates() []string { return slices.Sorted(maps.Keys(builders())) }

func builders() map[string]func(*writer, *page) error {
	return map[string]func(*writer, *page) error{
		ContactCode:               (*writer).contactCode,
		SecurityContactChanged:    (*writer).securityContactChanged,
		AlternateEmailInvalidated: (*writer).alternateEmailInvalidated,
		CardDeclined:              (*writer).cardDeclined,
		CardChanged:               (*writer).cardChanged,
		CustomerAccountChanged:    (*writer).customerAccountChanged,
	}
}

// Sample returns made-up data for a preview of template.
func Sample(template string) json.RawMessage {
	return json.RawMessage(map[string]string{
		ContactCode:               `{"slot":"alternateEmail","verification":"0192","expiresAt":"2026-03-02T14:05:00Z"}`,
		SecurityContactChanged:    `{"slot":"mobile","change":"changed","at":"2026-03-02T14:05:00Z"}`,
		AlternateEmailInvalidated: `{}`,
		CardDeclined: `{"brand":"visa","last4":"4242","expMonth":4,"expYear":2027,"amountMinor":123450,"currency":"SEK",
			"class":"data-address","checklistItem":"address","code":"incorrect_zip","subscriptionId":"sub-7","invoiceId":"inv-31",
			"cardId":"card-9","attempt":1,"ownerIsRecipient":true}`,
		CardChanged:            `{"change":"edited","brand":"mastercard","last4":"4444","expMonth":9,"expYear":2028,"cardId":"card-9","changed":["expMonth","expYear"]}`,
		CustomerAccountChanged: `{"changed":["companyName","defaultAddress.postalCode"],"companyName":"Contoso AB","partnerId":"partner-3","customerId":"customer-8"}`,
	}[template])
}

// contactCode is the only template that shows a code, and shows it only in
// the body: subjects are displayed on locked screens and kept in logs. It
// greets nobody by name, since the address may be mistyped and a stranger's.
func (w *writer) contactCode(p *page) error {
	d, err := decode[codeData](w.data)
	if err != nil {
		return err
	}
	lead, err := w.choice("contact_code.lead", d.Slot)
	if err != nil {
		return err
	}
	if d.Verification == "" || d.ExpiresAt.IsZero() {
		return errors.New("template data: verification and expiresAt must be set")
	}
	if now := w.r.cfg.Now; now != nil && !now().Before(d.ExpiresAt) {
		return errExpired
	}
	p.Greeting = w.t("common.greeting", nil)
	p.Code = w.r.cfg.Code(w.tenant, d.Verification)
	p.Subject = w.t("contact_code.subject", nil)
	p.Heading = w.t("contact_code.heading", nil)
	p.Lead = []string{w.t(lead, nil), w.t("contact_code.never_share", nil)}
	w.add(p, "valid_until", w.style.moment(d.ExpiresAt))
	p.Action = action{w.t("action.security_info", nil), w.r.link(w.r.cfg.Links.SecurityInfo, w.person)}
	w.securityNotice(p, "contact_code.not_you")
	p.SMS = w.t("contact_code.sms", values{"Code": p.Code, "Clock": w.style.clock(d.ExpiresAt)})
	p.Voice = w.t("contact_code.voice", values{"Spoken": spoken(p.Code)})
	return nil
}

// securityContactChanged goes to the contacts that were verified before the
// change. It does not say what the new contact is, nor what the old one was.
func (w *writer) securityContactChanged(p *page) error {
	d, err := decode[contactData](w.data)
	if err != nil {
		return err
	}
	what, err := w.choice("security_contact_changed.what", d.Slot+"-"+d.Change)
	if err != nil {
		return err
	}
	p.Subject = w.t("security_contact_changed.subject", nil)
	p.Heading = w.t("security_contact_changed.heading", nil)
	p.Lead = []string{w.t(what, nil), w.t("security_contact_changed.was_you", nil)}
	if !d.At.IsZero() {
		w.add(p, "time", w.style.moment(d.At))
	}
	p.Action = action{w.t("action.security_info", nil), w.r.link(w.r.cfg.Links.SecurityInfo, w.person)}
	w.securityNotice(p, "security_contact_changed.not_you")
	p.SMS = w.t("security_contact_changed.sms", values{"What": p.Lead[0], "GlobalAdmin": w.role(domain.GlobalAdmin)})
	return nil
}

func (w *writer) alternateEmailInvalidated(p *page) error {
	p.Subject = w.t("alternate_email_invalidated.subject", nil)
	p.Heading = w.t("alternate_email_invalidated.heading", nil)
	p.Lead = []string{
		w.t("alternate_email_invalidated.why", nil),
		w.t("alternate_email_invalidated.what_for", nil),
		w.t("alternate_email_invalidated.next", nil),
	}
	p.Action = action{w.t("action.security_info", nil), w.r.link(w.r.cfg.Links.SecurityInfo, w.person)}
	w.securityNotice(p, "alternate_email_invalidated.not_you")
	p.SMS = w.t("alternate_email_invalidated.sms", nil)
	return nil
}

func (w *writer) cardChanged(p *page) error {
	d, err := decode[cardChangeData](w.data)
	if err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	subject, err := w.choice("card_changed.subject", d.Change)
	if err != nil {
		return err
	}
	p.Subject = w.t(subject, values{"Last4": d.Last4})
	p.Heading = w.t("card_changed.heading", nil)
	p.Lead = []string{w.t("card_changed.what."+d.Change, nil)}
	w.add(p, "card", w.card(d.cardData))
	if n := (cardData{Brand: d.NewBrand, Last4: d.NewLast4}); n.check() == nil {
		w.add(p, "new_card", w.card(n))
	}
	w.add(p, "subscription", d.SubscriptionID)
	w.changed(p, w.labels(d.Changed))
	p.Action = action{w.t("action.card", nil), w.r.link(w.r.cfg.Links.Card, d.CardID)}
	if d.Change == "backup-added" && d.SubscriptionID != "" {
		p.Action = action{w.t("action.subscription", nil), w.r.link(w.r.cfg.Links.Subscription, d.SubscriptionID)}
	}
	w.securityNotice(p, "card_changed.not_you")
	p.SMS = w.t("card_changed.sms", values{"Subject": p.Subject})
	return nil
}

// customerAccountChanged names the fields and never their values, which are
// about people.
func (w *writer) customerAccountChanged(p *page) error {
	d, err := decode[customerData](w.data)
	if err != nil {
		return err
	}
	labels := w.labels(d.Changed)
	if len(labels) == 0 {
		return errors.New("template data: changed must name a field")
	}
	company := strings.Join(strings.Fields(string(d.CompanyName)), " ")
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
		w.t("customer_account_changed.who", values{
			"GlobalAdmin": w.role(domain.GlobalAdmin), "SalesAgent": w.role(domain.SalesAgent),
		}),
	}
	w.add(p, "partner", d.PartnerID)
	w.changed(p, labels)
	p.Action = action{w.t("action.customer", nil), w.r.link(w.r.cfg.Links.Customer, customer)}
	w.securityNotice(p, "customer_account_changed.not_you")
	p.NoticeTitle = w.t("common.not_expected", nil)
	p.SMS = w.t("customer_account_changed.sms", nil)
	return nil
}
