package policy_test

import (
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/card"
	"konto/domain/collection"
	"konto/domain/customer"
	"konto/domain/delivery"
	"konto/domain/policy"
	"konto/domain/relationship"
	"konto/domain/webhook"
)

// of is event as one of an account of a category and an owner, by somebody.
func of(category, id, owner string, by domain.Actor, data any) domain.Recorded[any] {
	e := event(id, data)
	e.Category, e.Tenant, e.Revision, e.Actor = category, owner, 4, by
	return e
}

func endpoint(id, owner string, events ...string) domain.Recorded[any] {
	return of("webhook", id, owner, domain.Actor{}, webhook.WebhookEndpointRegistered{URL: "https://hooks.contoso.com/secret-path", Events: events, Secret: "s", At: noon})
}

// delivered is that an endpoint is told of an event.
func delivered(endpoint, owner, typ, stream, event string) domain.Effect {
	return domain.Dispatch{To: delivery.ID(endpoint, event), Tenant: owner, Command: delivery.RequestDelivery{Message: delivery.Message{
		EndpointID: endpoint, Type: typ, EventID: event, Stream: stream, Revision: 4, At: noon,
	}}}
}

func TestEndpointsAreTold(t *testing.T) {
	const name, partners = "tell-endpoints", "tell-endpoints-of-other-side"
	var (
		us       = domain.Actor{ID: "ann", Kind: domain.KindPerson, Tenant: own}
		agent    = domain.Actor{ID: "saga", Kind: domain.KindPerson, Tenant: partner}
		added    = of("card", "c1", own, us, card.CardAdded{})
		declined = of("collection", "i1", own, domain.Actor{Kind: domain.KindGateway, Tenant: own}, collection.ChargeDeclined{})
		updated  = of("customer", own, own, agent, customer.CustomerCompanyDetailsUpdated{})
		rel      = relationship.ID(partner, own)
		bought   = of("rel", rel, partner, agent, relationship.CustomerPurchaseRecorded{})
		granted  = of("rel", rel, partner, agent, relationship.PurchasePermissionGranted{})
		revoked  = of("rel", rel, partner, agent, relationship.PurchasePermissionRevoked{Granted: true})
		dropped  = of("rel", rel, partner, agent, relationship.PurchasePermissionRevoked{})
		off      = of("webhook", "a", own, us, webhook.WebhookEndpointDisabled{Why: webhook.ByPerson})
		gone     = of("webhook", "a", own, us, webhook.WebhookEndpointRemoved{})
	)
	cardAdded := delivered("a", "", "card-added", "card-c1", "e-c1")
	run(t, []reactionCase{
		{name: "P11: who asked for the type is told", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "card-added")}, when: added, then: []domain.Effect{cardAdded}},
		{name: "P11: who asked for everything is told", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "*")}, when: added, then: []domain.Effect{cardAdded}},
		{name: "P11: who asked for another type is not told", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "card-removed")}, when: added},
		{name: "P11: nobody is there to be told", reaction: name, when: added},
		{name: "P11: another tenant is not told", reaction: name, given: []domain.Recorded[any]{endpoint("a", other, "*")}, when: added},
		{name: "P11: each endpoint is told", reaction: name, given: []domain.Recorded[any]{endpoint("b", own, "*"), endpoint("a", own, "*")}, when: added, then: []domain.Effect{cardAdded, delivered("b", "", "card-added", "card-c1", "e-c1")}},
		{name: "P11: a decline is card-declined", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "card-declined")}, when: declined, then: []domain.Effect{delivered("a", "", "card-declined", "collection-i1", "e-i1")}},
		{name: "P11: a disabled endpoint is not told", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "*"), off}, when: added},
		{name: "P11: an enabled one is told again", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "*"), off, of("webhook", "a", own, us, webhook.WebhookEndpointEnabled{})}, when: added, then: []domain.Effect{cardAdded}},
		{name: "P11: a removed one is not told", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "*"), gone}, when: added},
		{name: "P11: one whose types changed is told of those", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "card-removed"), of("webhook", "a", own, us, webhook.WebhookEndpointChanged{Events: []string{"card-added"}})}, when: added, then: []domain.Effect{cardAdded}},
		{name: "P11: and not of the ones before", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "card-added"), of("webhook", "a", own, us, webhook.WebhookEndpointChanged{Events: []string{"card-removed"}})}, when: added},
		{name: "P11: what is our own business is told to nobody", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "*")}, when: of("card", "c1", own, us, card.ExpiryCheckPostponed{})},
		{name: "P11: deliveries are told to nobody", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "*")}, when: of("delivery", "d", own, us, delivery.DeliverySucceeded{})},

		{name: "P11: the partner hears of its customer", reaction: partners, given: []domain.Recorded[any]{endpoint("p", partner, "customer-updated")}, when: updated, then: []domain.Effect{delivered("p", partner, "customer-updated", "customer-"+own, "e-"+own)}},
		{name: "P11: the customer hears of its account", reaction: name, given: []domain.Recorded[any]{endpoint("a", own, "customer-updated")}, when: updated, then: []domain.Effect{delivered("a", "", "customer-updated", "customer-"+own, "e-"+own)}},
		{name: "P11: another partner hears nothing", reaction: partners, given: []domain.Recorded[any]{endpoint("p", former, "*")}, when: updated},
		{name: "P11: the partner hears nothing of the customer's cards", reaction: partners, given: []domain.Recorded[any]{endpoint("p", partner, "*")}, when: of("card", "c1", own, agent, card.CardAdded{})},
		{name: "N16, P11: the customer hears of a purchase", reaction: partners, given: []domain.Recorded[any]{endpoint("a", own, "purchase-made")}, when: bought, then: []domain.Effect{delivered("a", own, "purchase-made", "rel-"+rel, "e-"+rel)}},
		{name: "N16, P11: so does the partner", reaction: name, given: []domain.Recorded[any]{endpoint("p", partner, "purchase-made")}, when: bought, then: []domain.Effect{delivered("p", "", "purchase-made", "rel-"+rel, "e-"+rel)}},
		{name: "N16, P11: the customer hears of a permission", reaction: partners, given: []domain.Recorded[any]{endpoint("a", own, "*")}, when: granted, then: []domain.Effect{delivered("a", own, "purchase-permission-changed", "rel-"+rel, "e-"+rel)}},
		{name: "N16, P11: and of its end", reaction: partners, given: []domain.Recorded[any]{endpoint("a", own, "*")}, when: revoked, then: []domain.Effect{delivered("a", own, "purchase-permission-changed", "rel-"+rel, "e-"+rel)}},
		{name: "N16, P11: but not of a proposal that was dropped", reaction: partners, given: []domain.Recorded[any]{endpoint("a", own, "*")}, when: dropped},
	})
}

func TestCallsOfEndpoints(t *testing.T) {
	attempt := delivery.Attempt{EndpointID: "a", Round: 2, Number: 3, CalledAt: noon}
	call := func(round, n int, after time.Duration) []domain.Effect {
		return []domain.Effect{domain.Dispatch{To: "d", Command: delivery.RecordAttempt{Round: round, Attempt: n}, After: after, Line: "a"}}
	}
	run(t, []reactionCase{
		{name: "P11: a call at once", reaction: "call-endpoint", when: event("d", delivery.DeliveryRequested{Message: delivery.Message{EndpointID: "a"}}), then: call(1, 1, 0)},
		{name: "P11: a call after a pause", reaction: "call-endpoint-later", when: event("d", delivery.DeliveryAttemptFailed{Attempt: attempt, RetryAt: noon.Add(time.Hour), At: noon}), then: call(2, 4, time.Hour)},
		{name: "P11: a call that somebody asked for", reaction: "call-endpoint-again", when: event("d", delivery.RedeliveryRequested{EndpointID: "a", Round: 3}), then: call(3, 1, 0)},
		{name: "P11: an endpoint that is gone is disabled", reaction: "disable-gone-endpoint", when: event("d", delivery.DeliveryAbandoned{Attempt: attempt, Why: delivery.WhyGone}), then: []domain.Effect{domain.Dispatch{To: "a", Command: webhook.DisableGoneWebhookEndpoint{CalledAt: noon}}}},
		{name: "P11: one that fails is not", reaction: "disable-gone-endpoint", when: event("d", delivery.DeliveryAbandoned{Attempt: attempt, Why: delivery.WhyUsedUp})},
	})
}

func TestPeopleAreToldOfEndpoints(t *testing.T) {
	const name = "tell-of-endpoints"
	attempt := delivery.Attempt{EndpointID: "a"}
	given := slices.Clip([]domain.Recorded[any]{
		event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}}),
		event("bo", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}}),
		endpoint("a", own, "*"),
	})
	up := event("d", delivery.DeliveryAbandoned{Attempt: attempt, Type: "card-added", Why: delivery.WhyUsedUp, At: noon})
	works := event("d", delivery.DeliverySucceeded{Attempt: attempt, At: noon})
	told := mail("webhook_failed", object{"endpointId": "a", "host": "hooks.contoso.com", "type": "card-added", "at": noon}, "ann")
	run(t, []reactionCase{
		{name: "P11: the global admins hear that a call was given up", reaction: name, given: given, when: up, then: told},
		{name: "P11: and not of every one", reaction: name, given: append(given, up), when: up},
		{name: "P11: but again after it has worked", reaction: name, given: append(given, up, works), when: up, then: told},
		{name: "P11: that it was disabled is no news to them", reaction: name, given: given, when: event("d", delivery.DeliveryAbandoned{Attempt: attempt, Why: delivery.WhyInactive})},
		{name: "P11: a removed endpoint is nobody's business", reaction: name, given: append(given, event("a", webhook.WebhookEndpointRemoved{})), when: up},
		{name: "P11: they hear that an endpoint is gone", reaction: name, given: given, when: event("a", webhook.WebhookEndpointDisabled{Why: webhook.Gone, At: noon}), then: mail("webhook_disabled", object{"endpointId": "a", "host": "hooks.contoso.com", "at": noon}, "ann")},
		{name: "P11: but not of what one of them did", reaction: name, given: given, when: event("a", webhook.WebhookEndpointDisabled{Why: webhook.ByPerson, At: noon})},
		{name: "P11: a changed address has another host", reaction: name, given: append(given, event("a", webhook.WebhookEndpointChanged{URL: "https://new.contoso.com"})), when: event("a", webhook.WebhookEndpointDisabled{Why: webhook.Gone, At: noon}), then: mail("webhook_disabled", object{"endpointId": "a", "host": "new.contoso.com", "at": noon}, "ann")},
	})
}

// What calls tell of is there to be told of.
func TestP11_TypesAreOfEvents(t *testing.T) {
	t.Parallel()
	for _, category := range webhook.Categories() {
		i := slices.IndexFunc(policy.Contracts, func(c domain.Contract) bool { return c.Category() == category })
		if i < 0 {
			t.Errorf("there is no category %s", category)
			continue
		}
		for _, name := range webhook.Told(category) {
			if !slices.ContainsFunc(policy.Contracts[i].Events(), func(e domain.EventInfo) bool { return e.Name == name }) {
				t.Errorf("%s has no event %s", category, name)
			}
		}
	}
}
