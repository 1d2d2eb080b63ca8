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
		{name: "S13: the employee is back", reaction: name, given: gone, when: event("ann", admin.EmployeeRestored{Offboarding: "o1"}), then: closed(offboarding.Restored)},
		{name: "S13: and their cards are theirs again", reaction: name, given: append(slices.Clip(gone), event("ann", admin.EmployeeRestored{Offboarding: "o1"})), when: event("c1", card.CardRemoved{})},
		{name: "S13: the data is gone", reaction: name, given: gone, when: event("ann", admin.EmployeeDataRetentionExpired{Offboarding: "o1"}), then: closed(offboarding.RetentionOver)},
	})
}

func TestOffboardingGoesOn(t *testing.T) {
	run(t, []reactionCase{
		{
			name: "S13: what is left behind is known", reaction: "complete-off-boarding", when: event("ann", offboarding.OrphanedItemsFound{Offboarding: "o1"}),
			then: []domain.Effect{domain.Dispatch{To: "ann", Command: admin.CompleteOffboarding{Offboarding: "o1"}}},
		},
		{
			name: "S14: access ends by itself", reaction: "expire-former-user-access",
			when: event("ann", offboarding.FormerUserDataAccessGranted{Grant: "g1", ExpiresAt: noon.Add(time.Hour), At: noon}),
			then: []domain.Effect{domain.Dispatch{To: "ann", Command: offboarding.ExpireFormerUserDataAccess{Grant: "g1"}, After: time.Hour + time.Second}},
		},
	})
}
