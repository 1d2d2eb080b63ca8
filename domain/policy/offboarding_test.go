package policy_test

import (
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/offboarding"
	"konto/domain/subject"
)

func TestOrphansAreFound(t *testing.T) {
	const name = "find-orphaned-items"
	due := noon.AddDate(0, 0, 30)
	added := func(id, by string) domain.Recorded[any] { return event(id, card.CardAdded{AddedBy: by}) }
	bought := func(id, by, with string) domain.Recorded[any] {
		return event(id, billing.SubscriptionRegistered{BoughtBy: by, CardID: with})
	}
	left := event("ann", admin.EmployeeBlocked{Offboarding: "o1", RetainedUntil: due})
	all := []domain.Recorded[any]{
		added("c2", "ann"), added("c1", "ann"), added("c3", "bo"),
		bought("s1", "bo", "c1"), bought("s2", "ann", "c3"), bought("s3", "ann", "c2"), bought("s4", "bo", "c3"),
	}
	gone := append(slices.Clip(all), left)
	taken := append(slices.Clip(all), added("c4", "eva"), event("s2", billing.PrimaryCardChanged{Old: "c3", New: "c4"}), left, event("ann", offboarding.OrphanedItemSettled{ItemID: "s2", How: offboarding.TakenOver, By: "bo"}))
	found := func(to string, f offboarding.FindOrphanedItems) domain.Effect {
		f.Offboarding, f.DueAt = "o1", due
		return domain.Dispatch{To: to, Command: f}
	}
	settle := func(id string, how offboarding.How) []domain.Effect {
		return []domain.Effect{domain.Dispatch{To: "ann", Command: offboarding.SettleOrphanedItem{ItemID: id, How: how}}}
	}
	closed := func(why offboarding.End) []domain.Effect {
		return []domain.Effect{domain.Dispatch{To: "ann", Command: offboarding.CloseOffboarding{Offboarding: "o1", Why: why}}}
	}
	run(t, []reactionCase{
		{name: "S13: cards, what they pay for, and what was bought", reaction: name, given: all, when: left, then: []domain.Effect{
			found("ann", offboarding.FindOrphanedItems{Cards: []string{"c1", "c2"}, Subscriptions: []string{"s1", "s3"}, Bought: []string{"s2"}}),
		}},
		{name: "S13: nothing", reaction: name, when: left, then: []domain.Effect{found("ann", offboarding.FindOrphanedItems{})}},
		{name: "S13: a card that was removed before", reaction: name, given: []domain.Recorded[any]{added("c1", "ann"), event("c1", card.CardRemoved{})}, when: left, then: []domain.Effect{found("ann", offboarding.FindOrphanedItems{})}},
		{name: "S13: a card that was replaced before", reaction: name, given: []domain.Recorded[any]{added("c1", "ann"), added("c3", "bo"), bought("s1", "bo", "c1"), event("s1", billing.PrimaryCardChanged{New: "c3"})}, when: left, then: []domain.Effect{
			found("ann", offboarding.FindOrphanedItems{Cards: []string{"c1"}}),
		}},
		{name: "S13: a card of the last hour", reaction: name, given: gone, when: added("c9", "ann"), then: []domain.Effect{found("ann", offboarding.FindOrphanedItems{Cards: []string{"c9"}})}},
		{name: "S13: somebody else's card", reaction: name, given: gone, when: added("c9", "bo")},
		{name: "S13: the card goes", reaction: name, given: gone, when: event("c1", card.CardRemoved{}), then: settle("c1", offboarding.CardRemoved)},
		{name: "S13: another's card takes over", reaction: name, given: gone, when: event("s1", billing.PrimaryCardChanged{Old: "c1", New: "c3"}), then: settle("s1", offboarding.CardReplaced)},
		{name: "S13: another's backup takes over", reaction: name, given: gone, when: event("s3", billing.CardPromotedToPrimary{Old: "c2", CardID: "c3"}), then: settle("s3", offboarding.CardReplaced)},
		{name: "S13: the leaver's other card takes over", reaction: name, given: gone, when: event("s1", billing.PrimaryCardChanged{Old: "c1", New: "c2"})},
		{name: "S13: the leaver's card takes over what was fine", reaction: name, given: gone, when: event("s4", billing.PrimaryCardChanged{Old: "c3", New: "c2"}), then: []domain.Effect{
			found("ann", offboarding.FindOrphanedItems{Subscriptions: []string{"s4"}}),
		}},
		{name: "S13: what was fine stays so", reaction: name, given: gone, when: event("s4", billing.PrimaryCardChanged{Old: "c3", New: "c3"})},
		{name: "S13: it is paid by invoice", reaction: name, given: gone, when: event("s1", billing.PaymentMethodKindChanged{Old: billing.KindCard, New: billing.KindInvoice}), then: settle("s1", offboarding.Invoiced)},
		{name: "S13: what the leaver bought is paid by invoice", reaction: name, given: gone, when: event("s2", billing.PaymentMethodKindChanged{New: billing.KindInvoice}), then: settle("s2", offboarding.Invoiced)},
		{name: "S13: what was fine is paid by invoice", reaction: name, given: gone, when: event("s4", billing.PaymentMethodKindChanged{New: billing.KindInvoice})},
		{name: "S13: the subscription is cancelled", reaction: name, given: gone, when: event("s3", billing.SubscriptionCanceled{}), then: settle("s3", offboarding.Ended)},
		{name: "S13: the subscription is deleted", reaction: name, given: gone, when: event("s2", billing.SubscriptionDeleted{}), then: settle("s2", offboarding.Ended)},
		{name: "S13: it is cancelled once and deleted later", reaction: name, given: append(slices.Clip(gone), event("s3", billing.SubscriptionCanceled{})), when: event("s3", billing.SubscriptionDeleted{})},
		{name: "S13: it runs again with the leaver's card", reaction: name, given: append(slices.Clip(gone), event("s3", billing.SubscriptionCanceled{})), when: event("s3", billing.SubscriptionReactivated{}), then: []domain.Effect{
			found("ann", offboarding.FindOrphanedItems{Subscriptions: []string{"s3"}}),
		}},
		{name: "S13: it runs again, bought by the leaver", reaction: name, given: append(slices.Clip(gone), event("s2", billing.SubscriptionCanceled{})), when: event("s2", billing.SubscriptionReactivated{}), then: []domain.Effect{
			found("ann", offboarding.FindOrphanedItems{Bought: []string{"s2"}}),
		}},
		{name: "S13: it runs again for somebody who is there", reaction: name, given: append(slices.Clip(gone), event("s4", billing.SubscriptionCanceled{})), when: event("s4", billing.SubscriptionReactivated{})},
		{name: "S13: invoiced and cancelled before", reaction: name, given: append(slices.Clip(all), event("s1", billing.PaymentMethodKindChanged{New: billing.KindInvoice}), event("s2", billing.SubscriptionCanceled{}), event("s3", billing.SubscriptionDeleted{})), when: left, then: []domain.Effect{
			found("ann", offboarding.FindOrphanedItems{Cards: []string{"c1", "c2"}}),
		}},
		{name: "S13: an invoiced one that was cancelled runs again", reaction: name, given: append(slices.Clip(gone), event("s1", billing.PaymentMethodKindChanged{New: billing.KindInvoice}), event("s1", billing.SubscriptionCanceled{})), when: event("s1", billing.SubscriptionReactivated{})},
		{name: "S13: what somebody took over is what they leave behind", reaction: name, given: taken, when: event("bo", admin.EmployeeBlocked{Offboarding: "o2", RetainedUntil: due}), then: []domain.Effect{
			domain.Dispatch{To: "bo", Command: offboarding.FindOrphanedItems{
				Offboarding: "o2", DueAt: due, Cards: []string{"c3"}, Subscriptions: []string{"s4"}, Bought: []string{"s1", "s2"},
			}},
		}},
		{name: "S13: what somebody took over is nobody's worry", reaction: name, given: taken, when: event("s2", billing.SubscriptionCanceled{})},
		{name: "S13: nor is it the leaver's again when it runs again", reaction: name, given: append(slices.Clip(taken), event("s2", billing.SubscriptionCanceled{})), when: event("s2", billing.SubscriptionReactivated{})},
		{
			name: "S13: it is that of who took it over, if they have left as well", reaction: name,
			given: append(slices.Clip(taken), event("s2", billing.SubscriptionCanceled{}), event("bo", admin.EmployeeBlocked{Offboarding: "o2", RetainedUntil: due})),
			when:  event("s2", billing.SubscriptionReactivated{}),
			then:  []domain.Effect{domain.Dispatch{To: "bo", Command: offboarding.FindOrphanedItems{Offboarding: "o2", DueAt: due, Bought: []string{"s2"}}}},
		},
		{
			name: "S13: taken over in the last hour of who did it", reaction: name,
			given: append(slices.Clip(gone), event("bo", admin.EmployeeBlocked{Offboarding: "o2", RetainedUntil: due}), event("s2", billing.PrimaryCardChanged{New: "c4"})),
			when:  event("ann", offboarding.OrphanedItemSettled{ItemID: "s2", How: offboarding.TakenOver, By: "bo"}),
			then:  []domain.Effect{domain.Dispatch{To: "bo", Command: offboarding.FindOrphanedItems{Offboarding: "o2", DueAt: due, Bought: []string{"s2"}}}},
		},
		{
			name: "S13: what was settled in another way stays whose it was", reaction: name,
			given: append(slices.Clip(gone), event("ann", offboarding.OrphanedItemSettled{ItemID: "s1", How: offboarding.CardReplaced}), event("ann", offboarding.OrphanedItemSettled{ItemID: "c1", How: offboarding.TakenOver, By: "bo"})),
			when:  event("s1", billing.PrimaryCardChanged{Old: "c1", New: "c3"}), then: settle("s1", offboarding.CardReplaced),
		},
		{name: "S13: the employee is back", reaction: name, given: gone, when: event("ann", admin.EmployeeRestored{Offboarding: "o1"}), then: closed(offboarding.Restored)},
		{name: "S13: and their cards are theirs again", reaction: name, given: append(slices.Clip(gone), event("ann", admin.EmployeeRestored{Offboarding: "o1"})), when: event("c1", card.CardRemoved{})},
		{name: "S13: the data is gone", reaction: name, given: gone, when: event("ann", admin.EmployeeDataRetentionExpired{Offboarding: "o1"}), then: closed(offboarding.RetentionOver)},
	})
}

func TestLeaversReadNothing(t *testing.T) {
	const name = "end-access-of-leavers"
	granted := func(leaver, to string) domain.Recorded[any] {
		return event(leaver, offboarding.FormerUserDataAccessGranted{Grant: "g", GranteeID: to})
	}
	given := []domain.Recorded[any]{granted("ann", "bo"), granted("eva", "bo"), granted("ann", "gus"), granted("ann", "bo")}
	ends := func(leavers ...string) []domain.Effect {
		var effects []domain.Effect
		for _, l := range leavers {
			effects = append(effects, domain.Dispatch{To: l, Command: offboarding.EndFormerUserDataAccess{GranteeID: "bo"}})
		}
		return effects
	}
	left := event("bo", admin.EmployeeBlocked{})
	run(t, []reactionCase{
		{name: "S14: a grantee leaves: every access ends, once", reaction: name, given: given, when: left, then: ends("ann", "eva")},
		{name: "S14: somebody without access leaves", reaction: name, given: given, when: event("zoe", admin.EmployeeBlocked{})},
		{name: "S14: access that was revoked", reaction: name, given: append(slices.Clip(given), event("ann", offboarding.FormerUserDataAccessRevoked{GranteeID: "bo"})), when: left, then: ends("eva")},
		{name: "S14: access that has run out", reaction: name, given: append(slices.Clip(given), event("eva", offboarding.FormerUserDataAccessExpired{GranteeID: "bo"})), when: left, then: ends("ann")},
		{name: "S14: another's access is another's", reaction: name, given: append(slices.Clip(given), event("ann", offboarding.FormerUserDataAccessRevoked{GranteeID: "gus"})), when: left, then: ends("ann", "eva")},
	})
}

func TestOffboardingGoesOn(t *testing.T) {
	run(t, []reactionCase{
		{
			name: "S13: what is left behind is known", reaction: "complete-off-boarding", when: event("ann", offboarding.OrphanedItemsFound{Offboarding: "o1"}),
			then: []domain.Effect{domain.Dispatch{To: "ann", Command: admin.CompleteOffboarding{Offboarding: "o1"}}},
		},
		{
			name: "S13, N4: what is kept no longer is erased", reaction: "erase-after-retention", when: event("ann", admin.EmployeeDataRetentionExpired{Offboarding: "o1"}),
			then: []domain.Effect{domain.Dispatch{To: "ann", Command: subject.RequestErasure{}}},
		},
		{
			name: "S13, N4: a return takes a request for erasure back", reaction: "keep-data-of-returned", when: event("ann", admin.EmployeeRestored{Offboarding: "o1"}),
			then: []domain.Effect{domain.Dispatch{To: "ann", Command: subject.WithdrawErasure{}}},
		},
		{
			name: "S14: access ends by itself", reaction: "expire-former-user-access",
			when: event("ann", offboarding.FormerUserDataAccessGranted{Grant: "g1", ExpiresAt: noon.Add(time.Hour), At: noon}),
			then: []domain.Effect{domain.Dispatch{To: "ann", Command: offboarding.ExpireFormerUserDataAccess{Grant: "g1"}, After: time.Hour + time.Second}},
		},
	})
}
