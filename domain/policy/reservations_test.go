package policy_test

import (
	"testing"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/card"
	"konto/domain/reservation"
	"konto/domain/tenant"
	"konto/domain/webhook"
)

func confirm(holder string, ids ...string) []domain.Effect {
	var effects []domain.Effect
	for _, id := range ids {
		effects = append(effects, domain.Dispatch{To: id, Command: reservation.ConfirmReservation{Holder: holder}})
	}
	return effects
}

// What is confirmed must be what the command reserved.
func TestCardReservations(t *testing.T) {
	add := card.AddCard{GatewayToken: "tok", Fingerprint: "raw"}
	m := domain.Meta{
		ID: "c1", Tenant: own, Actor: domain.Actor{ID: "ann"},
		MAC: func(purpose, value string) string { return "mac of " + purpose + " " + value },
	}
	var reserved []string
	var released []domain.Effect
	for _, r := range add.Reserves(m) {
		id := reservation.ID(r.Kind, r.Scope, r.Key)
		reserved = append(reserved, id)
		released = append(released, domain.Dispatch{To: id, Command: reservation.ReleaseReservation{Holder: "c1"}})
	}
	if len(reserved) != 2 {
		t.Fatalf("%d reservations, want the token's and the number's", len(reserved))
	}
	fingerprint := m.MAC("card-fingerprint", "raw")
	another := card.NumberReservation(own, "ann", "new")
	renumbered := append([]domain.Effect{
		domain.Dispatch{
			To:      reservation.ID(another.Kind, another.Scope, another.Key),
			Command: reservation.Reserve{Kind: "card-fingerprint", Holder: "c1", Tenant: own},
		},
	}, confirm("c1", reservation.ID(another.Kind, another.Scope, another.Key))...)
	renumbered = append(renumbered, released[1])
	run(t, []reactionCase{
		{
			name: "card added", reaction: "keep-card-reservations",
			when: event("c1", card.CardAdded{Tenant: own, GatewayToken: "tok", Fingerprint: fingerprint, AddedBy: "ann"}),
			then: confirm("c1", reserved...),
		},
		{
			name: "K2: a new number, whose key it takes for the old one's", reaction: "keep-card-reservations",
			when: event("c1", card.CardAutomaticallyUpdated{Fingerprint: "new", OldFingerprint: fingerprint, Owner: "ann"}),
			then: renumbered,
		},
		{
			name: "K4: new details of the same number", reaction: "keep-card-reservations",
			when: event("c1", card.CardAutomaticallyUpdated{Last4: "1881"}),
		},
		{
			name: "card removed", reaction: "keep-card-reservations",
			when: event("c1", card.CardRemoved{Owner: "ann", GatewayToken: "tok", Fingerprint: fingerprint}),
			then: released,
		},
	})
}

func TestNameReservations(t *testing.T) {
	claim := func(id, kind, holder, correlation string) domain.Recorded[any] {
		e := event(id, reservation.Reserved{Kind: kind, Holder: holder, Tenant: own})
		e.Correlation = correlation
		return e
	}
	const name = "keep-name-reservations"
	given := []domain.Recorded[any]{
		claim("r1", "mail-address", "ann", "before"), // and the command then failed
		claim("r2", "mail-address", "bob", "req"),
		claim("r3", "domain", "ann", "req"),
		claim("r4", "card-token", "ann", "req"),
		claim("r5", "mail-address", "ann", "req"),
	}
	run(t, []reactionCase{
		{name: "account opened", reaction: name, given: given, when: event("ann", admin.EmployeeAdded{}), then: confirm("ann", "r5")},
		{name: "S11: renamed", reaction: name, given: given, when: event("bob", admin.UserNameChanged{}), then: confirm("bob", "r2")},
		{name: "alias added", reaction: name, given: given, when: event("bob", admin.EmailAliasAdded{}), then: confirm("bob", "r2")},
		{name: "once only", reaction: name, given: append(given, event("bob", admin.EmailAliasAdded{})), when: event("bob", admin.EmailAliasAdded{})},
		{name: "retried under another correlation", reaction: name, given: given[:1], when: event("ann", admin.EmailAliasAdded{}), then: confirm("ann", "r1")},
		{name: "claimed again after it ran out", reaction: name, given: []domain.Recorded[any]{given[0], claim("r1", "mail-address", "ann", "req")}, when: event("ann", admin.EmailAliasAdded{}), then: confirm("ann", "r1")},
		{name: "tenant registered", reaction: name, given: []domain.Recorded[any]{claim("r6", "domain", own, "req")}, when: event(own, tenant.TenantRegistered{}), then: confirm(own, "r6")},
		{name: "domain verified", reaction: name, given: []domain.Recorded[any]{claim("r6", "domain", own, "req")}, when: event(own, tenant.DomainVerified{}), then: confirm(own, "r6")},
		{name: "nothing claimed", reaction: name, when: event(own, tenant.DomainVerified{})},
	})
}

func TestEndpointPlaces(t *testing.T) {
	claim := func(id, kind, holder string) domain.Recorded[any] {
		return event(id, reservation.Reserved{Kind: kind, Holder: holder, Tenant: own})
	}
	registered := event("hook", webhook.WebhookEndpointRegistered{URL: "https://a.example"})
	removed := event("hook", webhook.WebhookEndpointRemoved{})
	release := []domain.Effect{domain.Dispatch{To: "p1", Command: reservation.ReleaseReservation{Holder: "hook"}}}
	const name = "keep-endpoint-places"
	given := []domain.Recorded[any]{claim("p1", webhook.Places, "hook")}
	run(t, []reactionCase{
		{name: "N22: an endpoint keeps its place", reaction: name, given: given, when: registered, then: confirm("hook", "p1")},
		{name: "N22: a removed one gives it back", reaction: name, given: append(given[:1:1], registered), when: removed, then: release},
		{name: "N22: and only once", reaction: name, given: append(given[:1:1], registered, removed), when: removed},
		{name: "N22: one that is disabled keeps it", reaction: name, given: append(given[:1:1], registered), when: event("hook", webhook.WebhookEndpointDisabled{})},
		{name: "N22: another's place is not its own", reaction: name, given: append(given[:1:1], claim("p2", webhook.Places, "other")), when: registered, then: confirm("hook", "p1")},
		{name: "N22: it keeps the place that it was given last", reaction: name, given: append(given[:1:1], claim("p2", webhook.Places, "hook")), when: registered, then: confirm("hook", "p2")},
		{name: "N22: a name is no place", reaction: name, given: []domain.Recorded[any]{claim("p1", "domain", "hook")}, when: registered},
		{name: "N22: endpoints from before places were counted have none", reaction: name, when: removed},
	})
}
