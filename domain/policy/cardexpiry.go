package policy

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/collection"
)

// expiryReactions are process PM3: each event that names a moment to look at
// a card's expiry asks for the look, and what the look finds is told and
// acted on. The moments come from the events, so a replay asks for the same.
func expiryReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("watch-card-expiry",
			domain.On(forgetful[card.CardAdded], func(_ *nothing, e domain.Recorded[card.CardAdded]) []domain.Effect {
				return lookAgain(e.ID, e.At, e.Data.ExpiryCheckAt)
			}),
			domain.On(forgetful[card.CardDetailsUpdated], func(_ *nothing, e domain.Recorded[card.CardDetailsUpdated]) []domain.Effect {
				return lookAgain(e.ID, e.At, e.Data.ExpiryCheckAt)
			}),
			domain.On(forgetful[card.CardAutomaticallyUpdated], func(_ *nothing, e domain.Recorded[card.CardAutomaticallyUpdated]) []domain.Effect {
				return lookAgain(e.ID, e.At, e.Data.ExpiryCheckAt)
			}),
			domain.On(forgetful[card.CardExpiringSoon], func(_ *nothing, e domain.Recorded[card.CardExpiringSoon]) []domain.Effect {
				return lookAgain(e.ID, e.At, e.Data.ExpiryCheckAt)
			}),
			domain.On(forgetful[card.ExpiryCheckPostponed], func(_ *nothing, e domain.Recorded[card.ExpiryCheckPostponed]) []domain.Effect {
				return lookAgain(e.ID, e.At, e.Data.ExpiryCheckAt)
			}),
		),
		domain.Process("promote-over-unusable-card",
			domain.On(forgetful[card.CardExpired], func(_ *nothing, e domain.Recorded[card.CardExpired]) []domain.Effect {
				return promoteOver(e.ID, e.Data.Subscriptions, reasonExpired)
			}),
			domain.On(forgetful[card.CardReportedLost], func(_ *nothing, e domain.Recorded[card.CardReportedLost]) []domain.Effect {
				return promoteOver(e.ID, e.Data.Subscriptions, string(collection.IssuerSoft))
			}),
		),
		domain.Whenever("note-lost-card", noteLost),
	}
}

// reasonExpired is why a backup card takes over from one that has expired.
const reasonExpired = "expired"

func lookAgain(id string, now, at time.Time) []domain.Effect {
	if at.IsZero() {
		return nil
	}
	return []domain.Effect{domain.Dispatch{To: id, Command: card.CheckCardExpiry{DueAt: at}, After: max(0, at.Sub(now))}}
}

func promoteOver(id string, subscriptions []string, reason string) []domain.Effect {
	var effects []domain.Effect
	for _, s := range subscriptions {
		effects = append(effects, domain.Dispatch{To: s, Command: billing.PromoteBackupCard{Reason: reason, FailedCardID: id}})
	}
	return effects
}

// noteLost blocks a card whose charge was declined because its holder has
// told the bank that it is gone, so that it is put on nothing else.
func noteLost(e domain.Recorded[collection.ChargeDeclined]) []domain.Effect {
	if !slices.Contains([]string{"lost_card", "stolen_card", "pickup_card"}, e.Data.Code) {
		return nil
	}
	return []domain.Effect{domain.Dispatch{
		To: e.Data.CardID, Command: card.RecordCardStatus{Status: card.StatusReportedLost, Source: "decline"},
	}}
}
