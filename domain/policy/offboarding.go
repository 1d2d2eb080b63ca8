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
			domain.On(tenantOf[billing.PaymentMethodKindChanged], func(s *estate, e domain.Recorded[billing.PaymentMethodKindChanged]) []domain.Effect {
				if e.Data.New != billing.KindInvoice {
					return nil
				}
				return s.free(e.ID, offboarding.Invoiced)
			}),
			domain.On(tenantOf[billing.SubscriptionCanceled], func(s *estate, e domain.Recorded[billing.SubscriptionCanceled]) []domain.Effect {
				return s.free(e.ID, offboarding.Ended)
			}),
			domain.On(tenantOf[billing.SubscriptionReactivated], func(s *estate, e domain.Recorded[billing.SubscriptionReactivated]) []domain.Effect {
				return s.again(e.ID)
			}),
			domain.On(tenantOf[billing.SubscriptionDeleted], func(s *estate, e domain.Recorded[billing.SubscriptionDeleted]) []domain.Effect {
				effects := s.free(e.ID, offboarding.Ended)
				delete(s.Subscriptions, e.ID)
				return effects
			}),
			domain.On(tenantOf[offboarding.OrphanedItemSettled], noteTakeover),
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
		domain.Process("end-access-of-leavers",
			domain.On(tenantOf[offboarding.FormerUserDataAccessGranted], func(r *readers, e domain.Recorded[offboarding.FormerUserDataAccessGranted]) []domain.Effect {
				r.grant(e.Data.GranteeID, e.ID)
				return nil
			}),
			domain.On(tenantOf[offboarding.FormerUserDataAccessRevoked], func(r *readers, e domain.Recorded[offboarding.FormerUserDataAccessRevoked]) []domain.Effect {
				r.end(e.Data.GranteeID, e.ID)
				return nil
			}),
			domain.On(tenantOf[offboarding.FormerUserDataAccessExpired], func(r *readers, e domain.Recorded[offboarding.FormerUserDataAccessExpired]) []domain.Effect {
				r.end(e.Data.GranteeID, e.ID)
				return nil
			}),
			domain.On(tenantOf[admin.EmployeeBlocked], func(r *readers, e domain.Recorded[admin.EmployeeBlocked]) []domain.Effect {
				var effects []domain.Effect
				for _, leaver := range r.Of[e.ID] {
					effects = append(effects, domain.Dispatch{To: leaver, Command: offboarding.EndFormerUserDataAccess{GranteeID: e.ID}})
				}
				return effects
			}),
		),
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
	By     string `json:"by"` // who bought it, or has taken it over since
	CardID string `json:"cardId"`
	// Free says why nobody needs to look after it: it is invoiced, or over.
	Free offboarding.How `json:"free,omitempty"`
}

// readers is what end-access-of-leavers remembers of a tenant: whose accounts
// each grantee may read.
type readers struct {
	Of map[string][]string `json:"of,omitempty"` // leavers, by grantee
}

func (r *readers) grant(grantee, leaver string) {
	if !slices.Contains(r.Of[grantee], leaver) {
		put(&r.Of, grantee, append(slices.Clip(r.Of[grantee]), leaver))
	}
}

func (r *readers) end(grantee, leaver string) {
	kept := slices.DeleteFunc(slices.Clone(r.Of[grantee]), func(id string) bool { return id == leaver })
	if len(kept) == 0 {
		delete(r.Of, grantee)
		return
	}
	put(&r.Of, grantee, kept)
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
	put(&s.Subscriptions, e.ID, bought{By: e.Data.BoughtBy, CardID: e.Data.CardID})
	return s.pays(e.ID, e.Data.CardID)
}

// noteTakeover notes who looks after a subscription now: it is theirs when they
// leave. What settled an item otherwise was noted as it happened.
func noteTakeover(s *estate, e domain.Recorded[offboarding.OrphanedItemSettled]) []domain.Effect {
	b, known := s.Subscriptions[e.Data.ItemID]
	if e.Data.How != offboarding.TakenOver || !known {
		return nil
	}
	b.By = e.Data.By
	put(&s.Subscriptions, e.Data.ItemID, b)
	if s.Open[e.Data.ItemID] == e.ID {
		delete(s.Open, e.Data.ItemID)
	}
	if b.Free != "" {
		return nil
	}
	return s.find(b.By, offboarding.FindOrphanedItems{Bought: []string{e.Data.ItemID}}) // if it was their last hour
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

// free notes that nobody needs to look after a subscription any more: the
// organization is sent its invoices, or there is nothing left to pay for.
func (s *estate) free(subscription string, how offboarding.How) []domain.Effect {
	b := s.Subscriptions[subscription]
	if b.Free = how; how == offboarding.Invoiced {
		b.CardID = "" // its cards are free
	}
	put(&s.Subscriptions, subscription, b)
	return s.settle(subscription, how)
}

// again finds a subscription that runs again for a leaver, as it was.
func (s *estate) again(subscription string) []domain.Effect {
	b := s.Subscriptions[subscription]
	if b.Free = ""; b.CardID == "" {
		b.Free = offboarding.Invoiced
	}
	put(&s.Subscriptions, subscription, b)
	switch owner := s.Owners[b.CardID]; {
	case b.Free != "":
		return nil
	case s.Left[owner] != departed{}:
		return s.find(owner, offboarding.FindOrphanedItems{Subscriptions: []string{subscription}})
	default:
		return s.find(b.By, offboarding.FindOrphanedItems{Bought: []string{subscription}})
	}
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
		case b.Free != "":
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
