package policy

import (
	"slices"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/collection"
)

func declineReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("tell-of-declined-charge",
			reaching(domain.On(tenantOf[collection.ChargeDeclined], tellOfDecline))...),
		domain.Whenever("promote-backup-card", promoteBackup),
	}
}

// decline is what card_declined shows: no more than anybody with the card in
// hand may know; see [collection.ChargeDeclined.Shown].
type decline struct {
	Brand            string                   `json:"brand"`
	Last4            string                   `json:"last4"`
	ExpMonth         int                      `json:"expMonth"`
	ExpYear          int                      `json:"expYear"`
	AmountMinor      int64                    `json:"amountMinor"`
	Currency         string                   `json:"currency"`
	Class            collection.Class         `json:"class"`
	ChecklistItem    collection.ChecklistItem `json:"checklistItem,omitzero"`
	Code             string                   `json:"code"`
	SubscriptionID   string                   `json:"subscriptionId"`
	InvoiceID        string                   `json:"invoiceId"`
	CardID           string                   `json:"cardId"`
	Attempt          int                      `json:"attempt"`
	OwnerIsRecipient bool                     `json:"ownerIsRecipient"`
	// Stateless says that the billing address is one without a state, as its
	// country's are.
	Stateless bool `json:"stateless,omitempty"`
	// Wrong are the fields of the card that something speaks against (rule N5).
	Wrong []collection.Field `json:"wrong,omitempty"`
}

// tellOfDecline tells of every attempt (C7). A decline that the gateway
// reports after the invoice was paid asks nothing of anybody.
func tellOfDecline(b *board, e domain.Recorded[collection.ChargeDeclined]) []domain.Effect {
	if e.Data.AfterPayment {
		return nil
	}
	shown := e.Data.Shown()
	wrong := slices.DeleteFunc(collection.Explain(e.Data), func(f collection.Field) bool { return !f.Wrong() })
	return b.tell(b.contacts(false), e.Data.Owner, cardDeclined, func(person string) any {
		return decline{
			Brand: e.Data.Brand, Last4: e.Data.Last4, ExpMonth: e.Data.ExpMonth, ExpYear: e.Data.ExpYear,
			AmountMinor: e.Data.AmountMinor, Currency: e.Data.Currency,
			Class: shown.Class, ChecklistItem: shown.ChecklistItem, Code: shown.Code,
			SubscriptionID: e.Data.SubscriptionID, InvoiceID: e.ID, CardID: e.Data.CardID,
			Attempt: e.Data.Attempt, OwnerIsRecipient: person == e.Data.Owner,
			Stateless: e.Data.BillToCheck.Stateless, Wrong: wrong,
		}
	})
}

// promoteBackup lets a backup card take over when the card can never be
// charged again. A duplicate says nothing against the card. The reason is kept
// where people read it, so it is the shown one.
func promoteBackup(e domain.Recorded[collection.ChargeDeclined]) []domain.Effect {
	d := e.Data
	if d.Retry != collection.Never || d.Class == collection.Duplicate || d.AfterPayment {
		return nil
	}
	return []domain.Effect{domain.Dispatch{
		To:      d.SubscriptionID,
		Command: billing.PromoteBackupCard{Reason: string(d.Shown().Class), FailedCardID: d.CardID},
	}}
}
