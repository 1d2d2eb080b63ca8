package card_test

import (
	"testing"

	. "konto/domain/card"
	"konto/domain/domaintest"
)

func TestReplaceDeclinedCard(t *testing.T) {
	t.Parallel()
	on2 := events(added(), CardAttached{sub1}, CardAttached{sub2})
	when := ReplaceDeclinedCard{other}
	settled := func(subs ...string) []Event {
		return events(CardReplaced{OldCardID: id, NewCardID: other, Scope: ScopeAll, Subscriptions: subs, Reason: ReasonSettle, At: now})
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Card]{
		{Name: "C8: the paying card takes over every subscription", Given: on2, Meta: meta("konto"), When: when, Then: settled(sub1, sub2)},
		{
			Name: "C8: what is on its way to another card stays so", Meta: meta("konto"), When: when, Then: settled(sub1),
			Given: append(on2, CardReplaced{NewCardID: "third", Subscriptions: []string{sub2}, At: now}),
		},
		{Name: "C8: again, while it is under way", Given: append(on2, settled(sub1, sub2)...), Meta: meta("konto"), When: when},
		{Name: "C8: a card that pays for nothing", Given: events(added()), Meta: meta("konto"), When: when},
		{Name: "C8: a card that settled its own balance", Given: on2, Meta: meta("konto"), When: ReplaceDeclinedCard{id}},
		{
			Name: "C8: the paying card has expired since", Given: on2, When: when, Then: settled(sub1, sub2),
			Meta: meta("konto", func(r *Replacement) { r.ExpMonth, r.ExpYear = 10, 2026 }),
		},
		{Name: "C8: the paying card was removed since", Given: on2, When: when, Err: ErrRemoved, Meta: meta("konto", func(r *Replacement) { r.Removed = true })},
		{Name: "C8: the paying card was reported lost since", Given: on2, When: when, Err: ErrBlocked, Meta: meta("konto", func(r *Replacement) { r.Blocked = true })},
		{Name: "C8: another tenant's paying card", Given: on2, When: when, Err: ErrReplacement, Meta: meta("konto", func(r *Replacement) { r.Tenant = "theirs" })},
		{Name: "C8: no paying card", Given: on2, When: when, Err: ErrReplacement, Meta: meta("konto", func(r *Replacement) { *r = Replacement{} })},
		{Name: "C8: no declined card", Meta: meta("konto"), When: when, Err: ErrNotFound},
	})
}
