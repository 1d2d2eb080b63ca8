package policy

import (
	"maps"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/delivery"
	"konto/domain/relationship"
	"konto/domain/webhook"
)

// webhookReactions tell other systems of what happens (rule P11). A call is for
// an endpoint of the tenant whose account it is, and for one of the other side
// if there is one: of the partner that changed a customer's account, and of the
// customer of a relationship. Each side has a process of its own, since its
// memory is the side's endpoints.
func webhookReactions() []domain.Reaction {
	return []domain.Reaction{
		callers("tell-endpoints", func(e domain.Recorded[any]) string { return e.Tenant }),
		callers("tell-endpoints-of-other-side", otherSide),
		domain.Whenever("call-endpoint", func(e domain.Recorded[delivery.DeliveryRequested]) []domain.Effect {
			return call(e.ID, e.Data.EndpointID, 1, 1, 0)
		}),
		domain.Whenever("call-endpoint-later", func(e domain.Recorded[delivery.DeliveryAttemptFailed]) []domain.Effect {
			return call(e.ID, e.Data.EndpointID, e.Data.Round, e.Data.Number+1, e.Data.RetryAt.Sub(e.Data.At))
		}),
		domain.Whenever("call-endpoint-again", func(e domain.Recorded[delivery.RedeliveryRequested]) []domain.Effect {
			return call(e.ID, e.Data.EndpointID, e.Data.Round, 1, 0)
		}),
		domain.Whenever("disable-gone-endpoint", func(e domain.Recorded[delivery.DeliveryAbandoned]) []domain.Effect {
			if e.Data.Why != delivery.WhyGone {
				return nil
			}
			return []domain.Effect{domain.Dispatch{
				To: e.Data.EndpointID, Command: webhook.DisableGoneWebhookEndpoint{CalledAt: e.Data.CalledAt},
			}}
		}),
		domain.Process("tell-of-endpoints", knowing(func(n *news) *team { return &n.team },
			domain.On(tenantOf[webhook.WebhookEndpointRegistered], func(n *news, e domain.Recorded[webhook.WebhookEndpointRegistered]) []domain.Effect {
				return n.at(e.ID, e.Data.URL)
			}),
			domain.On(tenantOf[webhook.WebhookEndpointChanged], func(n *news, e domain.Recorded[webhook.WebhookEndpointChanged]) []domain.Effect {
				return n.at(e.ID, e.Data.URL)
			}),
			domain.On(tenantOf[webhook.WebhookEndpointRemoved], func(n *news, e domain.Recorded[webhook.WebhookEndpointRemoved]) []domain.Effect {
				delete(n.Endpoints, e.ID)
				return nil
			}),
			domain.On(tenantOf[delivery.DeliverySucceeded], func(n *news, e domain.Recorded[delivery.DeliverySucceeded]) []domain.Effect {
				return n.works(e.Data.EndpointID)
			}),
			domain.On(tenantOf[delivery.DeliveryAbandoned], tellOfAbandoned),
			domain.On(tenantOf[webhook.WebhookEndpointDisabled], tellOfGone),
		)...),
	}
}

// call has a delivery's endpoint called. Calls of an endpoint wait for each
// other, and for nothing else.
func call(id, endpoint string, round, attempt int, after time.Duration) []domain.Effect {
	return []domain.Effect{domain.Dispatch{To: id, Command: delivery.RecordAttempt{Round: round, Attempt: attempt}, After: after, Line: endpoint}}
}

// subscribers are a tenant's endpoints.
type subscribers struct {
	Endpoints map[string]subscription `json:"endpoints,omitempty"`
}

type subscription struct {
	Events []string `json:"events"`
	Off    bool     `json:"off,omitempty"`
}

func (s *subscribers) put(id string, change func(*subscription)) []domain.Effect {
	if s.Endpoints == nil {
		s.Endpoints = map[string]subscription{}
	}
	x := s.Endpoints[id]
	change(&x)
	s.Endpoints[id] = x
	return nil
}

// callers is the process that has the endpoints of one side called. Side says
// which tenant that is; empty if there is none.
func callers(name string, side func(domain.Recorded[any]) string) domain.Reaction {
	r := domain.Process(name,
		domain.On(tenantOf[webhook.WebhookEndpointRegistered], func(s *subscribers, e domain.Recorded[webhook.WebhookEndpointRegistered]) []domain.Effect {
			return s.put(e.ID, func(x *subscription) { x.Events = e.Data.Events })
		}),
		domain.On(tenantOf[webhook.WebhookEndpointChanged], func(s *subscribers, e domain.Recorded[webhook.WebhookEndpointChanged]) []domain.Effect {
			return s.put(e.ID, func(x *subscription) { x.Events = e.Data.Events })
		}),
		domain.On(tenantOf[webhook.WebhookEndpointDisabled], func(s *subscribers, e domain.Recorded[webhook.WebhookEndpointDisabled]) []domain.Effect {
			return s.put(e.ID, func(x *subscription) { x.Off = true })
		}),
		domain.On(tenantOf[webhook.WebhookEndpointEnabled], func(s *subscribers, e domain.Recorded[webhook.WebhookEndpointEnabled]) []domain.Effect {
			return s.put(e.ID, func(x *subscription) { x.Off = false })
		}),
		domain.On(tenantOf[webhook.WebhookEndpointRemoved], func(s *subscribers, e domain.Recorded[webhook.WebhookEndpointRemoved]) []domain.Effect {
			delete(s.Endpoints, e.ID)
			return nil
		}),
	)
	for _, c := range Contracts {
		for _, e := range c.Events() {
			if webhook.TypeOf(c.Category(), e.Name) == "" {
				continue
			}
			r.Steps[e.Type] = domain.ReactionStep{
				Key: side, New: func() any { return new(subscribers) }, Then: tellEndpoints(c.Category(), e, side),
			}
		}
	}
	return r
}

// tellEndpoints has every endpoint told that wants to hear of an event.
func tellEndpoints(category string, info domain.EventInfo, side func(domain.Recorded[any]) string) func(any, domain.Recorded[any]) []domain.Effect {
	typ := webhook.TypeOf(category, info.Name)
	return func(state any, e domain.Recorded[any]) []domain.Effect {
		if d, ok := e.Data.(relationship.PurchasePermissionRevoked); ok && !d.Granted {
			return nil // nobody was told that it was proposed
		}
		s, tenant := state.(*subscribers), side(e)
		if tenant == e.Tenant {
			tenant = ""
		}
		var effects []domain.Effect
		for _, id := range slices.Sorted(maps.Keys(s.Endpoints)) {
			if x := s.Endpoints[id]; !x.Off && webhook.Wants(x.Events, typ) {
				effects = append(effects, domain.Dispatch{To: delivery.ID(id, e.EventID), Tenant: tenant, Command: delivery.RequestDelivery{Message: delivery.Message{
					EndpointID: id, Type: typ, EventID: e.EventID, Stream: e.Category + "-" + e.ID, Revision: e.Revision, At: e.At,
				}}})
			}
		}
		return effects
	}
}

// otherSide is the tenant that an event concerns besides the account's own, or
// "" if there is none.
func otherSide(e domain.Recorded[any]) string {
	switch e.Category {
	case "rel":
		_, customer, _ := relationship.Parties(e.ID)
		return customer
	case "customer":
		if e.Actor.Kind == domain.KindPerson && e.Actor.Tenant != e.Tenant {
			return e.Actor.Tenant
		}
	}
	return ""
}

// news is what tell-of-endpoints remembers of a tenant.
type news struct {
	team
	Endpoints map[string]known `json:"endpoints,omitempty"`
}

type known struct {
	Host string `json:"host"`
	Told bool   `json:"told,omitempty"` // that it fails; until it works again
}

// endpointFailed is what webhook_failed and webhook_disabled show. The rest of
// an address may have a secret in it.
type endpointFailed struct {
	EndpointID string    `json:"endpointId"`
	Host       string    `json:"host"`
	Type       string    `json:"type,omitempty"`
	At         time.Time `json:"at"`
}

func (n *news) at(id, address string) []domain.Effect {
	if n.Endpoints == nil {
		n.Endpoints = map[string]known{}
	}
	n.Endpoints[id] = known{Host: webhook.Host(address)}
	return nil
}

func (n *news) works(id string) []domain.Effect {
	if x, ok := n.Endpoints[id]; ok && x.Told {
		x.Told = false
		n.Endpoints[id] = x
	}
	return nil
}

// tellOfAbandoned tells the global admins that an endpoint could not be told of
// something, once until it works again: an endpoint that is down for a day
// misses a thousand events.
func tellOfAbandoned(n *news, e domain.Recorded[delivery.DeliveryAbandoned]) []domain.Effect {
	x, ok := n.Endpoints[e.Data.EndpointID]
	if !ok || x.Told || e.Data.Why != delivery.WhyUsedUp {
		return nil
	}
	x.Told = true
	n.Endpoints[e.Data.EndpointID] = x
	shown := endpointFailed{e.Data.EndpointID, x.Host, e.Data.Type, e.Data.At}
	return tell(n.globalAdmins(), webhookFailed, func(string) any { return shown })
}

// tellOfGone tells the global admins of what nobody of them did.
func tellOfGone(n *news, e domain.Recorded[webhook.WebhookEndpointDisabled]) []domain.Effect {
	if e.Data.Why != webhook.Gone {
		return nil
	}
	shown := endpointFailed{e.ID, n.Endpoints[e.ID].Host, "", e.Data.At}
	return tell(n.globalAdmins(), webhookDisabled, func(string) any { return shown })
}
