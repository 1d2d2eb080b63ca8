package policy

import (
	"maps"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/offboarding"
)

func offboardingReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("find-orphaned-items",
			domain.On(tenantOf[card.CardAdded], noteCard),
			domain.On(tenantOf[card.CardRemoved], noteCardGone),
			domain.On(tenantOf[billing.SubscriptionRegistered], noteSubscription),
			domain.On(tenantOf[billing.PrimaryCardChanged], func(s *estate, e domain.Recorded[billing.PrimaryCardChanged]) []domain.Effect {
				return s.pays(e.ID, e.Data.New)
			}),
			domain.On(tenantOf[billing.CardPromotedToPrimary], func(s *estate, e domain.Recorded[billing.CardPromotedToPrimary]) []domain.Effect {
				return s.pays(e.ID, e.Data.CardID)
			}),
			domain.On(tenantOf[admin.EmployeeBlocked], findOrphans),
			domain.On(tenantOf[admin.EmployeeRestored], func(s *estate, e domain.Recorded[admin.EmployeeRestored]) []domain.Effect {
				return s.close(e.ID, e.Data.Offboarding, offboarding.Restored)
			}),
			domain.On(tenantOf[admin.EmployeeDataRetentionExpired], func(s *estate, e domain.Recorded[admin.EmployeeDataRetentionExpired]) []domain.Effect {
				return s.close(e.ID, e.Data.Offboarding, offboarding.RetentionOver)
			}),
		),
		domain.Whenever("complete-off-boarding", func(e domain.Recorded[offboarding.OrphanedItemsFound]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{To: e.ID, Command: admin.CompleteOffboarding{Offboarding: e.Data.Offboarding}}}
		}),
		domain.Whenever("expire-former-user-access", func(e domain.Recorded[offboarding.FormerUserDataAccessGranted]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{
				To: e.ID, Command: offboarding.ExpireFormerUserDataAccess{Grant: e.Data.Grant},
				After: e.Data.ExpiresAt.Sub(e.Data.At) + late,
			}}
		}),
	}
}

// estate is what find-orphaned-items remembers of a tenant: whose card is
// which, what pays for what, who has left, and what of theirs is open.
type estate struct {
	Owners        map[string]string   `json:"owners,omitempty"` // of cards
	Subscriptions map[string]bought   `json:"subscriptions,omitempty"`
	Left          map[string]departed `json:"left,omitempty"` // by admin
	Open          map[string]string   `json:"open,omitempty"` // items, and whose they were
}

type bought struct {
	By     string `json:"by"`
	CardID string `json:"cardId"`
}

type departed struct {
	Offboarding string    `json:"offboarding"`
	DueAt       time.Time `json:"dueAt"`
}

// put sets a key of a map that may not be there yet.
func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// noteCard finds a card that a leaver's last session added.
func noteCard(s *estate, e domain.Recorded[card.CardAdded]) []domain.Effect {
	put(&s.Owners, e.ID, e.Data.AddedBy)
	return s.find(e.Data.AddedBy, offboarding.FindOrphanedItems{Cards: []string{e.ID}})
}

func noteCardGone(s *estate, e domain.Recorded[card.CardRemoved]) []domain.Effect {
	delete(s.Owners, e.ID)
	return s.settle(e.ID, offboarding.CardRemoved)
}

func noteSubscription(s *estate, e domain.Recorded[billing.SubscriptionRegistered]) []domain.Effect {
	put(&s.Subscriptions, e.ID, bought{e.Data.BoughtBy, e.Data.CardID})
	return s.pays(e.ID, e.Data.CardID)
}

// pays notes which card pays for a subscription: it is somebody's who is
// there, or a leaver's.
func (s *estate) pays(subscription, cardID string) []domain.Effect {
	b := s.Subscriptions[subscription]
	b.CardID = cardID
	put(&s.Subscriptions, subscription, b)
	owner := s.Owners[cardID]
	if _, left := s.Left[owner]; !left {
		return s.settle(subscription, offboarding.CardReplaced)
	}
	if s.Open[subscription] == owner {
		return nil
	}
	effects := s.settle(subscription, offboarding.CardReplaced) // another leaver's worry until now
	return append(effects, s.find(owner, offboarding.FindOrphanedItems{Subscriptions: []string{subscription}})...)
}

// find tells of a leaver's items; those who are there have none.
func (s *estate) find(leaver string, items offboarding.FindOrphanedItems) []domain.Effect {
	d, left := s.Left[leaver]
	if !left {
		return nil
	}
	for _, id := range slices.Concat(items.Cards, items.Subscriptions, items.Bought) {
		put(&s.Open, id, leaver)
	}
	items.Offboarding, items.DueAt = d.Offboarding, d.DueAt
	return []domain.Effect{domain.Dispatch{To: leaver, Command: items}}
}

func (s *estate) settle(item string, how offboarding.How) []domain.Effect {
	leaver, open := s.Open[item]
	if !open {
		return nil
	}
	delete(s.Open, item)
	return []domain.Effect{domain.Dispatch{To: leaver, Command: offboarding.SettleOrphanedItem{ItemID: item, How: how}}}
}

func findOrphans(s *estate, e domain.Recorded[admin.EmployeeBlocked]) []domain.Effect {
	put(&s.Left, e.ID, departed{e.Data.Offboarding, e.Data.RetainedUntil})
	var items offboarding.FindOrphanedItems
	for _, id := range slices.Sorted(maps.Keys(s.Owners)) {
		if s.Owners[id] == e.ID {
			items.Cards = append(items.Cards, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.Subscriptions)) {
		switch b := s.Subscriptions[id]; {
		case s.Owners[b.CardID] == e.ID:
			items.Subscriptions = append(items.Subscriptions, id)
		case b.By == e.ID:
			items.Bought = append(items.Bought, id)
		}
	}
	return s.find(e.ID, items)
}

// close forgets a leaver who is back, or whose data is gone. The cards of the
// latter are still nobody's.
func (s *estate) close(leaver, id string, why offboarding.End) []domain.Effect {
	if why == offboarding.Restored {
		delete(s.Left, leaver)
	}
	maps.DeleteFunc(s.Open, func(_, whose string) bool { return whose == leaver })
	return []domain.Effect{domain.Dispatch{To: leaver, Command: offboarding.CloseOffboarding{Offboarding: id, Why: why}}}
}
