package policy

import (
	"maps"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/collection"
	"konto/domain/invoiceswitch"
	"konto/domain/tenant"
)

func invoiceSwitchReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("switch-to-invoice",
			domain.On(tenantOf[tenant.TenantRegistered], func(l *ledger, e domain.Recorded[tenant.TenantRegistered]) []domain.Effect {
				l.Since = e.At
				return nil
			}),
			domain.On(tenantOf[collection.CollectionOpened], func(l *ledger, e domain.Recorded[collection.CollectionOpened]) []domain.Effect {
				if l.Unpaid == nil {
					l.Unpaid = map[string]string{}
				}
				l.Unpaid[e.ID] = e.Data.SubscriptionID
				return l.judge(e.Data.SubscriptionID)
			}),
			domain.On(tenantOf[collection.AccountRecovered], func(l *ledger, e domain.Recorded[collection.AccountRecovered]) []domain.Effect {
				delete(l.Unpaid, e.ID)
				return l.judge(e.Data.SubscriptionID)
			}),
			domain.On(tenantOf[invoiceswitch.InvoiceSwitchRequested], func(l *ledger, e domain.Recorded[invoiceswitch.InvoiceSwitchRequested]) []domain.Effect {
				if l.Cases == nil {
					l.Cases = map[string]string{}
				}
				l.Cases[e.ID] = e.Data.SubscriptionID
				return l.judge(e.Data.SubscriptionID)
			}),
			domain.On(tenantOf[invoiceswitch.InvoiceSwitchDenied], func(l *ledger, e domain.Recorded[invoiceswitch.InvoiceSwitchDenied]) []domain.Effect {
				delete(l.Cases, e.ID)
				delete(l.Covers, e.ID)
				return nil
			}),
			domain.On(tenantOf[billing.SubscriptionCanceled], func(l *ledger, e domain.Recorded[billing.SubscriptionCanceled]) []domain.Effect {
				return l.judge(e.ID) // which ends them
			}),
			domain.On(tenantOf[invoiceswitch.InvoiceSwitchApproved], applySwitch),
			domain.On(tenantOf[billing.PaymentMethodKindChanged], switchApplied),
		),
	}
}

// ledger is what switch-to-invoice remembers of a tenant: since when it is a
// customer, the unpaid invoices and the open cases, each with its
// subscription, and the approved cases that let a balance go along.
type ledger struct {
	Since  time.Time         `json:"since,omitzero"`
	Unpaid map[string]string `json:"unpaid,omitempty"`
	Cases  map[string]string `json:"cases,omitempty"`
	Covers map[string]bool   `json:"covers,omitempty"`
}

// of returns the IDs that a map has for a subscription, in order.
func of(all map[string]string, subscription string) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if all[id] == subscription {
			ids = append(ids, id)
		}
	}
	return ids
}

// judge tells the subscription's cases what is owed.
func (l *ledger) judge(subscription string) []domain.Effect {
	var effects []domain.Effect
	for _, id := range of(l.Cases, subscription) {
		effects = append(effects, domain.Dispatch{To: id, Command: invoiceswitch.EvaluateEligibility{
			CustomerSince: l.Since, Unpaid: of(l.Unpaid, subscription),
		}})
	}
	return effects
}

// applySwitch changes how the subscription is paid for.
func applySwitch(l *ledger, e domain.Recorded[invoiceswitch.InvoiceSwitchApproved]) []domain.Effect {
	if e.Data.CoversBalance {
		if l.Covers == nil {
			l.Covers = map[string]bool{}
		}
		l.Covers[e.ID] = true
	}
	return []domain.Effect{domain.Dispatch{
		To:      e.Data.SubscriptionID,
		Command: billing.ChangePaymentMethodKind{Kind: billing.KindInvoice, PONumber: e.Data.PONumber, CaseID: e.ID},
	}}
}

// switchApplied tells the case that it holds. What is owed by card goes on the
// next invoice if the rules said so, and otherwise stays where it is.
func switchApplied(l *ledger, e domain.Recorded[billing.PaymentMethodKindChanged]) []domain.Effect {
	var effects []domain.Effect
	for _, id := range of(l.Cases, e.ID) {
		effects = append(effects, domain.Dispatch{To: id, Command: invoiceswitch.ConfirmSwitchApplied{}})
		if l.Covers[id] {
			for _, invoice := range of(l.Unpaid, e.ID) {
				effects = append(effects, domain.Dispatch{To: invoice, Command: collection.CoverByInvoice{CaseID: id}})
			}
		}
		delete(l.Cases, id)
		delete(l.Covers, id)
	}
	return effects
}
