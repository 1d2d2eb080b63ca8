package policy

import (
	"slices"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/card"
	"konto/domain/reservation"
	"konto/domain/tenant"
	"konto/domain/webhook"
)

func reservationReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("keep-card-reservations",
			domain.On(forgetful[card.CardAdded], func(_ *nothing, e domain.Recorded[card.CardAdded]) []domain.Effect {
				d := e.Data
				return each(card.Reservations(d.Tenant, d.AddedBy, d.GatewayToken, d.Fingerprint), reservation.ConfirmReservation{Holder: e.ID})
			}),
			domain.On(forgetful[card.CardAutomaticallyUpdated], func(_ *nothing, e domain.Recorded[card.CardAutomaticallyUpdated]) []domain.Effect {
				return renumber(e.ID, e.Tenant, e.Data)
			}),
			domain.On(forgetful[card.CardRemoved], func(_ *nothing, e domain.Recorded[card.CardRemoved]) []domain.Effect {
				d := e.Data
				return each(card.Reservations(e.Tenant, d.Owner, d.GatewayToken, d.Fingerprint), reservation.ReleaseReservation{Holder: e.ID})
			}),
		),
		domain.Process("keep-name-reservations",
			domain.On(holder, noteClaim),
			domain.On(aggregateOf[tenant.TenantRegistered], keep[tenant.TenantRegistered]("domain")),
			domain.On(aggregateOf[tenant.DomainVerified], keep[tenant.DomainVerified]("domain")),
			domain.On(aggregateOf[admin.EmployeeAdded], keep[admin.EmployeeAdded](admin.Addresses)),
			domain.On(aggregateOf[admin.EmailAliasAdded], keep[admin.EmailAliasAdded](admin.Addresses)),
			domain.On(aggregateOf[admin.UserNameChanged], keep[admin.UserNameChanged](admin.Addresses)),
		),
		domain.Process("keep-endpoint-places",
			domain.On(placeholder, func(p *place, e domain.Recorded[reservation.Reserved]) []domain.Effect {
				if placeholder(e) != "" {
					p.ID = e.ID
				}
				return nil
			}),
			domain.On(aggregateOf[webhook.WebhookEndpointRegistered], func(p *place, e domain.Recorded[webhook.WebhookEndpointRegistered]) []domain.Effect {
				return p.hold(reservation.ConfirmReservation{Holder: e.ID})
			}),
			domain.On(aggregateOf[webhook.WebhookEndpointRemoved], func(p *place, e domain.Recorded[webhook.WebhookEndpointRemoved]) []domain.Effect {
				effects := p.hold(reservation.ReleaseReservation{Holder: e.ID})
				p.ID = ""
				return effects
			}),
		),
	}
}

// place is what keep-endpoint-places remembers of an endpoint: the reservation
// that it was given last. One that it was given before, and never used, ends by
// itself.
type place struct {
	ID string `json:"id,omitempty"`
}

// placeholder is the endpoint that a place is reserved for.
func placeholder(e domain.Recorded[reservation.Reserved]) string {
	if e.Data.Kind != webhook.Places {
		return ""
	}
	return e.Data.Holder
}

// hold sends a command to the place, if there is one: endpoints from before
// places were counted have none.
func (p *place) hold(command any) []domain.Effect {
	if p.ID == "" {
		return nil
	}
	return []domain.Effect{domain.Dispatch{To: p.ID, Command: command}}
}

// renumber gives the key of a card's number back and takes that of the new
// one. If another card of the same person has that, it stays there.
func renumber(id, tenant string, d card.CardAutomaticallyUpdated) []domain.Effect {
	if d.Fingerprint == "" {
		return nil
	}
	now, before := card.NumberReservation(tenant, d.Owner, d.Fingerprint), card.NumberReservation(tenant, d.Owner, d.OldFingerprint)
	to := reservation.ID(now.Kind, now.Scope, now.Key)
	return append([]domain.Effect{
		domain.Dispatch{To: to, Command: reservation.Reserve{Kind: now.Kind, Holder: id, Tenant: tenant}},
		domain.Dispatch{To: to, Command: reservation.ConfirmReservation{Holder: id}},
	}, each([]domain.Reservation{before}, reservation.ReleaseReservation{Holder: id})...)
}

// each sends command to every reservation.
func each(reservations []domain.Reservation, command any) []domain.Effect {
	var effects []domain.Effect
	for _, r := range reservations {
		effects = append(effects, domain.Dispatch{To: reservation.ID(r.Kind, r.Scope, r.Key), Command: command})
	}
	return effects
}

// claims is what keep-name-reservations remembers of an aggregate: the
// reservations that it asked for and has not confirmed. The events that need
// them cannot say which they are, since an address is not to be told from
// its event.
type claims struct {
	Open []claim `json:"open,omitempty"`
}

type claim struct {
	ID          string `json:"id"` // of the reservation
	Kind        string `json:"kind"`
	Correlation string `json:"correlation,omitempty"`
}

// holder is the aggregate that a reservation is for, if it is one of names.
func holder(e domain.Recorded[reservation.Reserved]) string {
	if e.Data.Kind != "domain" && e.Data.Kind != admin.Addresses {
		return ""
	}
	return e.Data.Holder
}

func noteClaim(c *claims, e domain.Recorded[reservation.Reserved]) []domain.Effect {
	if holder(e) == "" {
		return nil
	}
	c.Open = slices.DeleteFunc(c.Open, func(o claim) bool { return o.ID == e.ID })
	c.Open = append(c.Open, claim{e.ID, e.Data.Kind, e.Correlation})
	return nil
}

// keep confirms the claims of a kind once the event is there that needed one:
// the claim of the same request or, if a retry under another correlation found
// the name claimed already, every claim that is open. The latter may keep a
// name that the aggregate asked for and did not get, which shuts others out;
// letting a name go that it did get would let them in.
func keep[E any](kind string) func(*claims, domain.Recorded[E]) []domain.Effect {
	return func(c *claims, e domain.Recorded[E]) []domain.Effect {
		ofKind := func(o claim) bool { return o.Kind == kind }
		same := func(o claim) bool { return ofKind(o) && o.Correlation == e.Correlation }
		wanted := ofKind
		if slices.ContainsFunc(c.Open, same) {
			wanted = same
		}
		var effects []domain.Effect
		for _, o := range c.Open {
			if wanted(o) {
				effects = append(effects, domain.Dispatch{To: o.ID, Command: reservation.ConfirmReservation{Holder: e.ID}})
			}
		}
		c.Open = slices.DeleteFunc(c.Open, wanted)
		return effects
	}
}
