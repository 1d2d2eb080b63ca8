package policy

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/collection"
	"konto/domain/invoiceswitch"
)

// collectionNotices tell of what becomes of an unpaid invoice. The first
// decline and each after it are told of by tell-of-declined-charge (rule D5);
// here is what no single attempt says.
func collectionNotices() []domain.Reaction {
	same := func(t *team) *team { return t }
	return []domain.Reaction{
		domain.Process("tell-of-collection", reaching(
			domain.On(tenantOf[collection.PaymentPastDue], func(b *board, e domain.Recorded[collection.PaymentPastDue]) []domain.Effect {
				if !e.Data.GraceUntil.After(e.Data.At) {
					return nil // that the service is off says more
				}
				return b.tellFinal(e.ID, e.Data.Face, finalDecline{
					AmountMinor: e.Data.AmountMinor, Currency: e.Data.Currency, SubscriptionID: e.Data.SubscriptionID,
					CardID: e.Data.CardID, Attempts: e.Data.Attempts, GraceUntil: e.Data.GraceUntil, Mode: string(e.Data.WaitsFor),
				})
			}),
			domain.On(tenantOf[collection.PaymentReminded], func(b *board, e domain.Recorded[collection.PaymentReminded]) []domain.Effect {
				return b.tellFinal(e.ID, e.Data.Face, finalDecline{
					AmountMinor: e.Data.AmountMinor, Currency: e.Data.Currency, SubscriptionID: e.Data.SubscriptionID,
					CardID: e.Data.CardID, Attempts: e.Data.Attempts, GraceUntil: e.Data.GraceUntil, Mode: string(e.Data.WaitsFor),
				})
			}),
			domain.On(tenantOf[collection.CollectionOpened], tellOfChargeback),
			domain.On(tenantOf[collection.ManualPaymentRequested], askForPayment),
			domain.On(tenantOf[collection.ServiceSuspended], tellOfSuspension),
			domain.On(tenantOf[collection.CollectionClosed], func(b *board, e domain.Recorded[collection.CollectionClosed]) []domain.Effect {
				b.on(e.Data.SubscriptionID, e.ID)
				return nil
			}),
			domain.On(tenantOf[collection.AccountRecovered], tellOfRecovery),
		)...),
		domain.Process("tell-of-invoice-switch", knowing(same,
			domain.On(tenantOf[invoiceswitch.InvoiceSwitchRequested], func(t *team, e domain.Recorded[invoiceswitch.InvoiceSwitchRequested]) []domain.Effect {
				status := invoiceswitch.Requested
				if e.Data.OpenedBy != "" {
					status = openedBySupport
				}
				return t.tellSwitch(e.ID, e.Data.SubscriptionID, status, "", e.Data.By)
			}),
			domain.On(tenantOf[invoiceswitch.InvoiceSwitchApproved], func(t *team, e domain.Recorded[invoiceswitch.InvoiceSwitchApproved]) []domain.Effect {
				return t.tellSwitch(e.ID, e.Data.SubscriptionID, invoiceswitch.Approved, "", e.Data.RequestedBy)
			}),
			domain.On(tenantOf[invoiceswitch.InvoiceSwitchDenied], func(t *team, e domain.Recorded[invoiceswitch.InvoiceSwitchDenied]) []domain.Effect {
				switch e.Data.Why {
				case invoiceswitch.WhyEnded, invoiceswitch.WhyInvoiced: // nobody has refused it
					return t.tellSwitch(e.ID, e.Data.SubscriptionID, invoiceswitch.Status(e.Data.Why), "", e.Data.RequestedBy)
				}
				return t.tellSwitch(e.ID, e.Data.SubscriptionID, invoiceswitch.Denied, e.Data.Why, e.Data.RequestedBy)
			}),
			domain.On(tenantOf[invoiceswitch.InvoiceSwitchApplied], func(t *team, e domain.Recorded[invoiceswitch.InvoiceSwitchApplied]) []domain.Effect {
				return t.tellSwitch(e.ID, e.Data.SubscriptionID, invoiceswitch.Applied, "", e.Data.RequestedBy)
			}),
		)...),
		domain.Process("ask-support-to-decide", deciding(
			domain.On(atSupport[invoiceswitch.InvoiceSwitchRequested], askSupport),
		)...),
	}
}

// finalDecline is what card_declined_final shows.
type finalDecline struct {
	Brand          string    `json:"brand"`
	Last4          string    `json:"last4"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	SubscriptionID string    `json:"subscriptionId"`
	InvoiceID      string    `json:"invoiceId"`
	CardID         string    `json:"cardId"`
	Attempts       int       `json:"attempts"`
	GraceUntil     time.Time `json:"graceUntil"`
	// Mode is why it is told if the card was not just declined for good:
	// [collection.Chargeback], or the change that the card waits for.
	Mode string `json:"mode,omitzero"`
}

// handPayment is what payment_by_hand shows.
type handPayment struct {
	Brand            string    `json:"brand"`
	Last4            string    `json:"last4"`
	AmountMinor      int64     `json:"amountMinor"`
	LimitMinor       int64     `json:"limitMinor"`
	Currency         string    `json:"currency"`
	SubscriptionID   string    `json:"subscriptionId"`
	InvoiceID        string    `json:"invoiceId"`
	CardID           string    `json:"cardId"`
	GraceUntil       time.Time `json:"graceUntil"`
	OwnerIsRecipient bool      `json:"ownerIsRecipient"`
}

// suspension is what service_suspended shows.
type suspension struct {
	SubscriptionID string    `json:"subscriptionId"`
	InvoiceID      string    `json:"invoiceId"`
	AmountMinor    int64     `json:"amountMinor"`
	Currency       string    `json:"currency"`
	At             time.Time `json:"at"`
	DataUntil      time.Time `json:"dataUntil"`
	Reason         string    `json:"reason"`
}

// restored is what service_restored shows.
type restored struct {
	SubscriptionID string    `json:"subscriptionId"`
	InvoiceID      string    `json:"invoiceId"`
	At             time.Time `json:"at"`
	// From is where the case stood: only a suspended service was off.
	From collection.Phase `json:"from"`
	// By is how it ended: [collection.ByInvoiceSwitch] paid nothing.
	By string `json:"by"`
	// Invoiced says that the subscription takes no card any more.
	Invoiced bool `json:"invoiced,omitzero"`
	// StillOff is another unpaid invoice for which the service is off, if there
	// is one.
	StillOff string `json:"stillOff,omitzero"`
}

// switchStatus is what invoice_switch_status shows.
type switchStatus struct {
	CaseID         string               `json:"caseId"`
	SubscriptionID string               `json:"subscriptionId"`
	Status         invoiceswitch.Status `json:"status"`
	Reason         string               `json:"reason,omitzero"`
	CustomerID     string               `json:"customerId,omitzero"` // whose it is, for billing support
}

func (b *board) tellFinal(invoice string, f collection.Face, d finalDecline) []domain.Effect {
	d.InvoiceID, d.Brand, d.Last4 = invoice, f.Brand, f.Last4
	return b.tell(b.contacts(true), f.Owner, cardDeclinedFinal, func(string) any { return d })
}

// askForPayment asks for a payment by hand. Only the card's owner can make it
// with that card; others can with one of theirs.
func askForPayment(b *board, e domain.Recorded[collection.ManualPaymentRequested]) []domain.Effect {
	return b.tell(b.contacts(false), e.Data.Owner, paymentByHand, func(person string) any {
		return handPayment{
			Brand: e.Data.Brand, Last4: e.Data.Last4, AmountMinor: e.Data.AmountMinor, LimitMinor: e.Data.LimitMinor,
			Currency: e.Data.Currency, SubscriptionID: e.Data.SubscriptionID, InvoiceID: e.ID, CardID: e.Data.CardID,
			GraceUntil: e.Data.GraceUntil, OwnerIsRecipient: person == e.Data.Owner,
		}
	})
}

// tellOfChargeback tells at once that the service ends soon. That a decline
// has opened a case is told by the decline.
func tellOfChargeback(b *board, e domain.Recorded[collection.CollectionOpened]) []domain.Effect {
	if e.Data.Mode != collection.ModeChargeback {
		return nil
	}
	return b.tellFinal(e.ID, e.Data.Face, finalDecline{
		AmountMinor: e.Data.AmountMinor, Currency: e.Data.Currency, SubscriptionID: e.Data.SubscriptionID,
		CardID: e.Data.CardID, Attempts: e.Data.Attempts, GraceUntil: e.Data.GraceUntil, Mode: collection.Chargeback,
	})
}

// tellOfRecovery tells those who were told that something was wrong. Who looks
// after the service hears nothing of a single decline, but of every reminder,
// and of all that stops the service or is about to.
func tellOfRecovery(b *board, e domain.Recorded[collection.AccountRecovered]) []domain.Effect {
	stillOff := first(b.on(e.Data.SubscriptionID, e.ID))
	if e.Data.By == collection.ByInvoiceSwitch {
		stillOff = "" // what else is unpaid goes on the invoice, too
	}
	quiet := !e.Data.Reminded && (e.Data.From == collection.Retrying || e.Data.From == collection.Accelerated)
	return b.tell(b.contacts(!quiet), e.Data.Owner, serviceRestored, func(string) any {
		return restored{
			SubscriptionID: e.Data.SubscriptionID, InvoiceID: e.ID, At: e.Data.At,
			From: e.Data.From, By: e.Data.By, Invoiced: e.Data.Invoiced, StillOff: stillOff,
		}
	})
}

// tellOfSuspension tells that the service is off. Another unpaid invoice of the
// same subscription stops nothing that has not stopped: it was told of in time,
// and how long data is kept goes by the first.
func tellOfSuspension(b *board, e domain.Recorded[collection.ServiceSuspended]) []domain.Effect {
	already := b.Off[e.Data.SubscriptionID]
	if !slices.Contains(already, e.ID) {
		put(&b.Off, e.Data.SubscriptionID, append(slices.Clip(already), e.ID))
	}
	if len(already) > 0 {
		return nil
	}
	return b.tell(b.contacts(true), e.Data.Owner, serviceSuspended, func(string) any {
		return suspension{
			SubscriptionID: e.Data.SubscriptionID, InvoiceID: e.ID, AmountMinor: e.Data.AmountMinor, Currency: e.Data.Currency,
			At: e.Data.At, DataUntil: e.Data.DataUntil, Reason: e.Data.Reason,
		}
	})
}

// on takes an invoice from those for which a subscription's service is off, and
// returns the others.
func (b *board) on(subscription, invoice string) []string {
	left := slices.DeleteFunc(slices.Clone(b.Off[subscription]), func(id string) bool { return id == invoice })
	if len(left) > 0 {
		put(&b.Off, subscription, left)
		return left
	}
	delete(b.Off, subscription)
	return nil
}

func first(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

func (t *team) tellSwitch(id, subscription string, s invoiceswitch.Status, why, requester string) []domain.Effect {
	return tell(t.and(requester), invoiceSwitchStatus, func(string) any {
		return switchStatus{CaseID: id, SubscriptionID: subscription, Status: s, Reason: why}
	})
}
