package notify

import (
	"slices"
	"strings"
)

// wording is what may be said about a class of decline.
type wording struct {
	class string // whose strings are used
	// code says that the gateway's reason code may be shown.
	code bool
	// edit says that somebody has to act on the card now. For the other
	// classes the checklist is for the next time.
	edit bool
}

// wordingOf returns what to say about a decline. A suspicion of fraud must
// not be told to whoever holds the card, so it reads exactly as the bank's
// unexplained no, and so does a class that is newer than these templates.
func wordingOf(class string) wording {
	w, ok := map[string]wording{
		"data-number":  {code: true, edit: true},
		"data-expiry":  {code: true, edit: true},
		"data-address": {code: true, edit: true},
		"data-cvc":     {code: true, edit: true},
		"funds":        {code: true, edit: true},
		"issuer-soft":  {edit: true},
		"temporary":    {code: true},
		"auth":         {code: true, edit: true},
		"capability":   {code: true, edit: true},
		"hard-revoked": {edit: true},
		"duplicate":    {code: true},
		"pin":          {code: true, edit: true},
		"info":         {code: true, edit: true},
		"test":         {code: true},
	}[class]
	if !ok {
		return wording{class: "issuer-soft", edit: true}
	}
	w.class = class
	return w
}

// checklist are the five things to check after a decline, in the order in
// which the bank's own advice has them: the bank comes last.
func checklist() []string { return []string{"number", "expiry", "name", "address", "bank"} }

func (w *writer) cardDeclined(p *page) error {
	d, err := decode[declineData](w.data)
	if err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	amount, err := w.style.amount(d.AmountMinor, d.Currency)
	if err != nil {
		return err
	}
	say := wordingOf(d.Class)
	p.Subject = w.t("card_declined.subject", values{"Last4": d.Last4})
	p.Heading = w.t("card_declined.heading", nil)
	p.Lead = []string{w.t("card_declined.why."+say.class, nil)}
	w.act(p, "action.card", w.r.cfg.Links.Card, d.CardID)
	switch {
	case d.OwnerIsRecipient || !say.edit:
		p.Lead = append(p.Lead, w.t("card_declined.next."+say.class, nil))
	default:
		p.Lead = append(p.Lead, w.t("card_declined.next_not_owner", nil))
		w.act(p, "action.backup_card", w.r.cfg.Links.Subscription, d.SubscriptionID)
	}
	w.declineFacts(p, d, amount, say)
	w.declineChecklist(p, d, say)
	p.SMS = w.t("card_declined.sms", values{"Last4": d.Last4})
	return nil
}

func (w *writer) declineFacts(p *page, d declineData, amount string, say wording) {
	w.add(p, "card", w.card(d.cardData))
	w.add(p, "amount", amount)
	w.add(p, "subscription", d.SubscriptionID)
	w.add(p, "invoice", d.InvoiceID)
	w.add(p, "attempt", ordinal(d.Attempt))
	// A code that says no more than the explanation is no help.
	if say.code && !slices.Contains([]string{"generic", "masked"}, d.Code) {
		w.add(p, "reason_code", d.Code)
	}
}

func (w *writer) declineChecklist(p *page, d declineData, say wording) {
	p.Ordered = true
	p.ListTitle = w.t("card_declined.check_now", nil)
	if !say.edit {
		p.ListTitle = w.t("card_declined.check_later", nil)
	}
	start := strings.Split(d.ChecklistItem, "/")
	for n, key := range checklist() {
		says := key
		if key == "address" && d.Stateless {
			says = "address_stateless"
		}
		i := item{Number: n + 1, Text: w.t("card_declined.check."+says, values{"Last4": d.Last4}) + w.findings(key, d.Wrong)}
		if say.edit && slices.Contains(start, key) {
			i.Start = w.t("card_declined.start", nil)
		}
		p.List = append(p.List, i)
	}
}
