package policy

import (
	"time"

	"konto/domain"
	"konto/domain/billing"
)

func subscriptionReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Whenever("delete-cancelled-subscription", deleteInTime),
		domain.Process("tell-of-subscription-change", knowing(func(t *team) *team { return t },
			domain.On(tenantOf[billing.SubscriptionCanceled], tellOfCancellation),
			domain.On(tenantOf[billing.SubscriptionReactivated], tellOfReactivation),
			domain.On(tenantOf[billing.ServiceUsageAddressChanged], func(t *team, e domain.Recorded[billing.ServiceUsageAddressChanged]) []domain.Effect {
				return tell(t.and(), billingAddressChanged, func(string) any { return addressChange{Kind: "service-usage", SubscriptionID: e.ID} })
			}),
			domain.On(tenantOf[billing.BillToAddressChanged], func(t *team, e domain.Recorded[billing.BillToAddressChanged]) []domain.Effect {
				return tell(t.and(), billingAddressChanged, func(string) any { return addressChange{Kind: "bill-to", SubscriptionID: e.ID} })
			}),
		)...),
	}
}

// deleteInTime asks for the end of what is left. A subscription that was taken
// back is not deleted: the command knows which cancellation it is for.
func deleteInTime(e domain.Recorded[billing.SubscriptionCanceled]) []domain.Effect {
	return []domain.Effect{domain.Dispatch{
		To: e.ID, Command: billing.DeleteSubscription{CancelledAt: e.Data.At}, After: max(0, e.Data.DataUntil.Sub(e.At)),
	}}
}

// cancelled is what subscription_cancelled shows.
type cancelled struct {
	SubscriptionID   string    `json:"subscriptionId"`
	EndsAt           time.Time `json:"endsAt"`
	AdminAccessUntil time.Time `json:"adminAccessUntil"`
	DataUntil        time.Time `json:"dataUntil"`
	UnpaidInvoice    string    `json:"unpaidInvoice,omitzero"` // if nobody paid in time
	Credit           bool      `json:"credit,omitzero"`        // on the next bill, for unused days
}

func tellOfCancellation(t *team, e domain.Recorded[billing.SubscriptionCanceled]) []domain.Effect {
	return tell(t.and(), subscriptionCancelled, func(string) any {
		return cancelled{
			e.ID, e.Data.At, e.Data.AdminAccessUntil, e.Data.DataUntil, e.Data.UnpaidInvoice, e.Data.Credit == billing.NextCycle,
		}
	})
}

// reactivated is what subscription_reactivated shows.
type reactivated struct {
	SubscriptionID string `json:"subscriptionId"`
}

func tellOfReactivation(t *team, e domain.Recorded[billing.SubscriptionReactivated]) []domain.Effect {
	return tell(t.and(), subscriptionReactivated, func(string) any { return reactivated{e.ID} })
}

// addressChange is what billing_address_changed shows: which address, never
// what it says.
type addressChange struct {
	Kind           string `json:"kind"` // "bill-to" or "service-usage"
	SubscriptionID string `json:"subscriptionId,omitzero"`
	CardID         string `json:"cardId,omitzero"`
}
