package notify

import "time"

func collectionTemplates() map[string]letter {
	const debt = `"amountMinor":123450,"currency":"SEK","subscriptionId":"sub-7","invoiceId":"inv-31"`
	return map[string]letter{
		CardDeclined: {(*writer).cardDeclined, `{"brand":"visa","last4":"4242","expMonth":4,"expYear":2027,` + debt + `,
			"class":"data-address","checklistItem":"address","code":"incorrect_zip","cardId":"card-9","attempt":1,"ownerIsRecipient":true,
			"wrong":[{"name":"postalCode","status":"issuer-mismatch"}]}`},
		CardDeclinedFinal: {(*writer).cardDeclinedFinal, `{"brand":"visa","last4":"4242",` + debt + `,
			"cardId":"card-9","attempts":9,"graceUntil":"2026-04-01T14:05:00Z"}`},
		PaymentByHand: {(*writer).paymentByHand, `{"brand":"visa","last4":"4242","amountMinor":650000,"limitMinor":500000,"currency":"INR",
			"subscriptionId":"sub-7","invoiceId":"inv-31","cardId":"card-9","graceUntil":"2026-04-01T14:05:00Z","ownerIsRecipient":true}`},
		ServiceSuspended: {(*writer).serviceSuspended, `{` + debt + `,"at":"2026-03-02T14:05:00Z","dataUntil":"2026-08-29T14:05:00Z","reason":"unpaid"}`},
		ServiceRestored:  {(*writer).serviceRestored, `{"subscriptionId":"sub-7","invoiceId":"inv-31","at":"2026-03-02T14:05:00Z"}`},
	}
}

type (
	declineData struct {
		cardData
		AmountMinor      int64           `json:"amountMinor"`
		Currency         string          `json:"currency"`
		Class            string          `json:"class"`
		ChecklistItem    string          `json:"checklistItem"`
		Code             string          `json:"code"`
		InvoiceID        string          `json:"invoiceId"`
		Attempt          int             `json:"attempt"`
		OwnerIsRecipient bool            `json:"ownerIsRecipient"`
		Stateless        bool            `json:"stateless"` // the billing address is one without a state
		Wrong            []declinedField `json:"wrong"`
	}

	finalData struct {
		cardData
		AmountMinor int64     `json:"amountMinor"`
		Currency    string    `json:"currency"`
		InvoiceID   string    `json:"invoiceId"`
		Attempts    int       `json:"attempts"`
		GraceUntil  time.Time `json:"graceUntil"`
		Mode        string    `json:"mode"` // empty if the card was declined for good
	}

	handData struct {
		cardData
		AmountMinor      int64     `json:"amountMinor"`
		LimitMinor       int64     `json:"limitMinor"`
		Currency         string    `json:"currency"`
		InvoiceID        string    `json:"invoiceId"`
		GraceUntil       time.Time `json:"graceUntil"`
		OwnerIsRecipient bool      `json:"ownerIsRecipient"`
	}

	serviceData struct {
		SubscriptionID string    `json:"subscriptionId"`
		InvoiceID      string    `json:"invoiceId"`
		AmountMinor    int64     `json:"amountMinor"`
		Currency       string    `json:"currency"`
		At             time.Time `json:"at"`
		DataUntil      time.Time `json:"dataUntil"`
		Reason         string    `json:"reason"`
	}

	restoredData struct {
		SubscriptionID string    `json:"subscriptionId"`
		InvoiceID      string    `json:"invoiceId"`
		At             time.Time `json:"at"`
		From           string    `json:"from"` // a phase of the case
		By             string    `json:"by"`
		Invoiced       bool      `json:"invoiced"`
		StillOff       string    `json:"stillOff"` // another unpaid invoice for which the service is off
	}
)

// cardDeclinedFinal says no more of why than the messages about the attempts
// did. That a card is charged no more is said only if nothing leads there: one
// that waits for a change is charged after it.
func (w *writer) cardDeclinedFinal(p *page) error {
	d, err := decode[finalData](w.data)
	if err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	w.head(p, "card_declined_final", values{"Last4": d.Last4})
	p.Lead = []string{w.t("card_declined_final.what_now", nil), w.t("card_declined_final.next_soon", nil)}
	if d.Attempts > 0 {
		p.Lead[0] = w.t("card_declined_final.what", values{"Count": d.Attempts})
	}
	if !d.GraceUntil.IsZero() {
		p.Lead[1] = w.t("card_declined_final.next", nil)
	}
	if d.Mode != "" {
		if err := w.finalMode(p, d); err != nil {
			return err
		}
	}
	w.add(p, "card", w.card(d.cardData))
	if err := w.addAmount(p, "amount", d.AmountMinor, d.Currency); err != nil {
		return err
	}
	w.add(p, "subscription", d.SubscriptionID)
	w.add(p, "invoice", d.InvoiceID)
	w.addTime(p, "service_until", d.GraceUntil)
	w.act(p, "action.settle", w.r.cfg.Links.Invoice, d.InvoiceID)
	return nil
}

// finalMode says it of a card that was not declined for good: its payment was
// taken back, or it waits for something.
func (w *writer) finalMode(p *page, d finalData) error {
	subject, err := w.choice("card_declined_final.subject", d.Mode)
	if err != nil {
		return err
	}
	p.Subject = w.t(subject, values{"Last4": d.Last4})
	p.Heading = w.t("card_declined_final.heading."+d.Mode, nil)
	p.SMS = w.t("card_declined_final.sms."+d.Mode, values{"Last4": d.Last4})
	p.Lead[0] = w.t("card_declined_final.what."+d.Mode, nil)
	if !d.GraceUntil.IsZero() {
		p.Lead[1] = w.t("card_declined_final.next."+d.Mode, nil)
	}
	return nil
}

// paymentByHand asks for what no card may be charged with by itself.
func (w *writer) paymentByHand(p *page) error {
	d, err := decode[handData](w.data)
	if err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	w.head(p, "payment_by_hand", values{"Last4": d.Last4})
	p.Lead = []string{w.t("payment_by_hand.what", nil), w.t("payment_by_hand.next", nil)}
	if !d.OwnerIsRecipient {
		p.Lead[1] = w.t("payment_by_hand.next_not_owner", nil)
	}
	w.add(p, "card", w.card(d.cardData))
	if err := w.addAmount(p, "amount", d.AmountMinor, d.Currency); err != nil {
		return err
	}
	if err := w.addAmount(p, "limit", d.LimitMinor, d.Currency); err != nil {
		return err
	}
	w.add(p, "subscription", d.SubscriptionID)
	w.add(p, "invoice", d.InvoiceID)
	w.addTime(p, "service_until", d.GraceUntil)
	w.act(p, "action.settle", w.r.cfg.Links.Invoice, d.InvoiceID)
	return nil
}

func (w *writer) serviceSuspended(p *page) error {
	d, err := decode[serviceData](w.data)
	if err != nil {
		return err
	}
	what, err := w.choice("service_suspended.what", d.Reason)
	if err != nil {
		return err
	}
	w.head(p, "service_suspended", nil)
	p.Lead = []string{w.t(what, nil), w.t("service_suspended.next_pay", nil)}
	if !d.DataUntil.IsZero() {
		p.Lead[1] = w.t("service_suspended.next", nil)
	}
	if err := w.addAmount(p, "amount", d.AmountMinor, d.Currency); err != nil {
		return err
	}
	w.add(p, "subscription", d.SubscriptionID)
	w.add(p, "invoice", d.InvoiceID)
	w.addTime(p, "time", d.At)
	w.addDay(p, "data_until", d.DataUntil)
	w.act(p, "action.settle", w.r.cfg.Links.Invoice, d.InvoiceID)
	return nil
}

// serviceRestored says what is true of the case: a service works again only if
// it was off, and only a card pays an invoice at once. One that is paid by
// invoice takes no backup card.
func (w *writer) serviceRestored(p *page) error {
	d, err := decode[restoredData](w.data)
	if err != nil {
		return err
	}
	if d.StillOff != "" {
		w.head(p, "service_restored.still_off", nil)
		p.Lead = []string{w.t("service_restored.still_off.what", nil), w.t("service_restored.still_off.next", nil)}
		w.add(p, "subscription", d.SubscriptionID)
		w.add(p, "invoice", d.InvoiceID)
		w.add(p, "unpaid_invoice", d.StillOff)
		w.act(p, "action.settle", w.r.cfg.Links.Invoice, d.StillOff)
		return nil
	}
	off := d.From == "" || d.From == "suspended"
	switch covered := d.By == "invoice-switch"; {
	case off && covered:
		w.head(p, "service_restored.covered", nil)
		p.Lead = []string{w.t("service_restored.covered.what", nil), w.t("service_restored.next_invoiced", nil)}
	case covered:
		w.head(p, "service_restored.moved", nil)
		p.Lead = []string{w.t("service_restored.moved.what", nil), w.t("service_restored.next_invoiced", nil)}
	case off:
		w.head(p, "service_restored", nil)
		p.Lead = []string{w.t("service_restored.what", nil), w.t("service_restored.next", nil)}
	default:
		w.head(p, "service_restored.paid", nil)
		p.Lead = []string{w.t("service_restored.paid.what", nil), w.t("service_restored.paid.next", nil)}
	}
	w.add(p, "subscription", d.SubscriptionID)
	w.add(p, "invoice", d.InvoiceID)
	w.addTime(p, "time", d.At)
	w.act(p, "action.backup_card", w.r.cfg.Links.Subscription, d.SubscriptionID)
	if d.Invoiced || d.By == "invoice-switch" {
		p.Lead[1] = w.t("service_restored.next_invoiced", nil)
		w.act(p, "action.subscription", w.r.cfg.Links.Subscription, d.SubscriptionID)
	}
	return nil
}
