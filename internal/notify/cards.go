package notify

import "time"

func cardTemplates() map[string]letter {
	const (
		face  = `"brand":"mastercard","last4":"4444","expMonth":9,"expYear":2028,"cardId":"card-9"`
		times = `"endsAt":"2026-04-01T00:00:00Z","adminAccessUntil":"2026-06-30T00:00:00Z","dataUntil":"2026-07-30T00:00:00Z"`
	)
	return map[string]letter{
		CardChanged:             {(*writer).cardChanged, `{"change":"edited",` + face + `,"changed":["expMonth","expYear"]}`},
		CardExpiring:            {(*writer).cardExpiring, `{` + face + `,"days":15,"subscriptionIds":["sub-7","sub-8"],"ownerIsRecipient":true}`},
		CardExpired:             {(*writer).cardExpired, `{` + face + `,"subscriptionIds":["sub-7"],"ownerIsRecipient":false}`},
		BackupCardRequested:     {(*writer).backupCardRequested, `{` + face + `,"subscriptionIds":["sub-7"],"reason":"expiring"}`},
		BillingAddressChanged:   {(*writer).billingAddressChanged, `{"kind":"service-usage","subscriptionId":"sub-7"}`},
		SubscriptionCancelled:   {(*writer).subscriptionCancelled, `{"subscriptionId":"sub-7",` + times + `}`},
		SubscriptionReactivated: {(*writer).subscriptionReactivated, `{"subscriptionId":"sub-7"}`},
		InvoiceSwitchStatus:     {(*writer).invoiceSwitchStatus, `{"caseId":"case-2","subscriptionId":"sub-7","status":"requested"}`},
	}
}

type (
	cardChangeData struct {
		cardData
		Change   string   `json:"change"`
		Changed  []string `json:"changed"`
		NewBrand string   `json:"newBrand"`
		NewLast4 string   `json:"newLast4"`
	}

	cardUseData struct {
		cardData
		Days             int      `json:"days"`
		SubscriptionIDs  []string `json:"subscriptionIds"`
		OwnerIsRecipient bool     `json:"ownerIsRecipient"`
		Reason           string   `json:"reason"`
	}

	addressData struct {
		Kind           string `json:"kind"`
		SubscriptionID string `json:"subscriptionId"`
		CardID         string `json:"cardId"`
	}

	subscriptionData struct {
		SubscriptionID   string    `json:"subscriptionId"`
		EndsAt           time.Time `json:"endsAt"`
		AdminAccessUntil time.Time `json:"adminAccessUntil"`
		DataUntil        time.Time `json:"dataUntil"`
		UnpaidInvoice    string    `json:"unpaidInvoice"`
		Credit           bool      `json:"credit"`
	}

	switchData struct {
		CaseID         string `json:"caseId"`
		SubscriptionID string `json:"subscriptionId"`
		Status         string `json:"status"`
		Reason         string `json:"reason"`
		CustomerID     string `json:"customerId"`
	}
)

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
	w.changed(p, w.names("field", d.Changed))
	w.act(p, "action.card", w.r.cfg.Links.Card, d.CardID)
	if d.Change == "backup-added" && d.SubscriptionID != "" {
		w.act(p, "action.subscription", w.r.cfg.Links.Subscription, d.SubscriptionID)
	}
	w.securityNotice(p, "card_changed.not_you")
	p.SMS = w.t("card_changed.sms", values{"Subject": p.Subject})
	return nil
}

func (w *writer) cardExpiring(p *page) error {
	d, err := decode[cardUseData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "card_expiring", values{"Last4": d.Last4})
	p.Lead = []string{w.t("card_expiring.today", nil)}
	if d.Days > 0 {
		p.Lead = []string{w.t("card_expiring.what", values{"Count": d.Days})}
	}
	return w.expiryNext(p, d)
}

func (w *writer) cardExpired(p *page) error {
	d, err := decode[cardUseData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "card_expired", values{"Last4": d.Last4})
	p.Lead = []string{w.t("card_expired.what", nil)}
	return w.expiryNext(p, d)
}

// expiryNext says what to do about a card's end: its owner gives it new
// details, everybody else adds another card.
func (w *writer) expiryNext(p *page, d cardUseData) error {
	if d.OwnerIsRecipient {
		p.Lead = append(p.Lead, w.t("expiry.next_owner", nil))
	} else {
		p.Lead = append(p.Lead, w.t("expiry.next_not_owner", nil))
	}
	if err := w.paysFor(p, d); err != nil {
		return err
	}
	if d.OwnerIsRecipient {
		w.act(p, "action.card", w.r.cfg.Links.Card, d.CardID)
	}
	return nil
}

// paysFor shows a card and what it pays for, and leads to where a backup card
// is added: to the subscription, or to the list of several.
func (w *writer) paysFor(p *page, d cardUseData) error {
	if err := d.check(); err != nil {
		return err
	}
	w.add(p, "card", w.card(d.cardData))
	w.list(p, w.t("expiry.pays_for", values{"Count": len(d.SubscriptionIDs)}), d.SubscriptionIDs...)
	if len(d.SubscriptionIDs) == 1 {
		w.act(p, "action.backup_card", w.r.cfg.Links.Subscription, d.SubscriptionIDs[0])
		return nil
	}
	w.act(p, "action.subscriptions", w.r.cfg.Links.Subscription, "")
	return nil
}

func (w *writer) backupCardRequested(p *page) error {
	d, err := decode[cardUseData](w.data)
	if err != nil {
		return err
	}
	what, err := w.choice("backup_card_requested.what", d.Reason)
	if err != nil {
		return err
	}
	w.head(p, "backup_card_requested", values{"Last4": d.Last4})
	p.Lead = []string{w.t(what, nil), w.t("backup_card_requested.next", nil)}
	return w.paysFor(p, d)
}

// billingAddressChanged does not show the address: it can be a person's.
func (w *writer) billingAddressChanged(p *page) error {
	d, err := decode[addressData](w.data)
	if err != nil {
		return err
	}
	subject, err := w.choice("billing_address_changed.subject", d.Kind)
	if err != nil {
		return err
	}
	p.Subject = w.t(subject, nil)
	p.Heading = p.Subject
	p.Lead = []string{w.t("billing_address_changed.what."+d.Kind, nil)}
	switch {
	case d.Kind == "sold-to":
		w.act(p, "action.organization", w.r.cfg.Links.Organization, w.tenant)
	case d.CardID != "":
		w.act(p, "action.card", w.r.cfg.Links.Card, d.CardID)
	default:
		w.act(p, "action.subscription", w.r.cfg.Links.Subscription, d.SubscriptionID)
	}
	w.add(p, "subscription", d.SubscriptionID)
	w.notExpected(p, "billing_address_changed.not_you")
	p.SMS = w.t("billing_address_changed.sms", values{"Subject": p.Subject})
	return nil
}

func (w *writer) subscriptionCancelled(p *page) error {
	d, err := decode[subscriptionData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "subscription_cancelled", nil)
	if d.UnpaidInvoice != "" {
		w.unpaidSubscription(p, d)
		return nil
	}
	p.Lead = []string{w.t("subscription_cancelled.what", nil), w.t("subscription_cancelled.next", nil)}
	if d.Credit {
		p.Lead = append(p.Lead, w.t("subscription_cancelled.credit", nil))
	}
	w.add(p, "subscription", d.SubscriptionID)
	w.addDay(p, "ends", d.EndsAt)
	w.addDay(p, "admin_access_until", d.AdminAccessUntil)
	w.addDay(p, "data_until", d.DataUntil)
	w.act(p, "action.subscription", w.r.cfg.Links.Subscription, d.SubscriptionID)
	w.notExpected(p, "subscription_cancelled.not_you")
	return nil
}

// unpaidSubscription says nothing of a way back, since there is none.
func (w *writer) unpaidSubscription(p *page, d subscriptionData) {
	p.Lead = []string{w.t("subscription_cancelled.what.unpaid", nil), w.t("subscription_cancelled.next.unpaid", nil)}
	p.SMS = w.t("subscription_cancelled.sms.unpaid", nil)
	w.add(p, "subscription", d.SubscriptionID)
	w.add(p, "invoice", d.UnpaidInvoice)
	w.addDay(p, "data_until", d.DataUntil)
	w.act(p, "action.subscription", w.r.cfg.Links.Subscription, d.SubscriptionID)
}

func (w *writer) subscriptionReactivated(p *page) error {
	d, err := decode[subscriptionData](w.data)
	if err != nil {
		return err
	}
	w.head(p, "subscription_reactivated", nil)
	p.Lead = []string{w.t("subscription_reactivated.what", nil)}
	w.add(p, "subscription", d.SubscriptionID)
	w.act(p, "action.subscription", w.r.cfg.Links.Subscription, d.SubscriptionID)
	w.notExpected(p, "subscription_reactivated.not_you")
	return nil
}

func (w *writer) invoiceSwitchStatus(p *page) error {
	d, err := decode[switchData](w.data)
	if err != nil {
		return err
	}
	subject, err := w.choice("invoice_switch_status.subject", d.Status)
	if err != nil {
		return err
	}
	p.Subject = w.t(subject, nil)
	p.Heading = p.Subject
	p.Lead = []string{w.t("invoice_switch_status.what."+d.Status, nil)}
	w.add(p, "customer", d.CustomerID)
	w.add(p, "request", d.CaseID)
	w.add(p, "subscription", d.SubscriptionID)
	w.add(p, "reason", d.Reason)
	w.act(p, "action.subscription", w.r.cfg.Links.Subscription, d.SubscriptionID)
	p.SMS = w.t("invoice_switch_status.sms", values{"Subject": p.Subject})
	return nil
}
