package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain/delivery"
	"konto/domain/webhook"
	"konto/projections"
)

// IDs of the fixture's endpoints and deliveries.
var (
	crm      = id(11, 1)
	archive  = id(11, 2)
	closed   = id(11, 3)
	arrived  = id(12, 1)
	failing  = id(12, 2)
	givenUp  = id(12, 3)
	askedFor = id(12, 4)
)

// hooks are endpoints in all states, and deliveries in all states.
func hooks(h *history) {
	register := func(id, url string, events ...string) {
		h.then(id, webhook.WebhookEndpointRegistered{URL: url, Events: events, Secret: "s-" + id, At: start})
	}
	register(crm, "https://crm.example/hook", "card-added", "card-declined")
	register(archive, "https://archive.example", "*")
	register(closed, "https://closed.example", "*")
	h.then(crm, webhook.WebhookEndpointChanged{URL: "https://crm.example/v2", Events: []string{"card-declined"}, At: start})
	h.then(crm, webhook.WebhookSecretRotated{Secret: "t", Previous: "s", PreviousUntil: start.Add(24 * time.Hour), At: start})
	h.then(archive, webhook.WebhookEndpointDisabled{Why: webhook.ByPerson, At: start})
	h.then(archive, webhook.WebhookEndpointEnabled{At: start})
	h.then(archive, webhook.WebhookEndpointDisabled{Why: webhook.Gone, At: start})
	h.then(closed, webhook.WebhookEndpointRemoved{At: start})
	for _, d := range []string{arrived, failing, givenUp, askedFor} {
		h.then(d, delivery.DeliveryRequested{Message: delivery.Message{
			EndpointID: crm, Type: "card-declined", EventID: "e-" + d, Stream: "collection-" + invoice, Revision: 3, At: start,
		}})
	}
	attempt := func(n int, outcome delivery.Outcome, status int) delivery.Attempt {
		return delivery.Attempt{EndpointID: crm, Round: 1, Number: n, Outcome: outcome, Status: status, CalledAt: start, TookMS: 12}
	}
	h.then(givenUp, delivery.DeliveryAbandoned{Attempt: attempt(10, delivery.TimedOut, 0), Type: "card-declined", Why: delivery.WhyUsedUp, At: start})
	h.then(arrived, delivery.DeliverySucceeded{Attempt: attempt(1, delivery.Accepted, 204), At: start})
	h.then(failing, delivery.DeliveryAttemptFailed{Attempt: attempt(1, delivery.Failed, 503), RetryAt: start.Add(5 * time.Second), At: start})
	h.then(askedFor, delivery.DeliveryAbandoned{Attempt: attempt(10, delivery.Refused, 400), Type: "card-declined", Why: delivery.WhyUsedUp, At: start})
	h.then(askedFor, delivery.RedeliveryRequested{EndpointID: crm, Round: 2, By: anna, At: start})
}

func TestWebhookEndpoints(t *testing.T) {
	t.Parallel()
	db := open(t, projections.Webhooks)
	db.apply(everything(northwind).events...)
	for _, c := range []struct {
		name, id string
		want     projections.WebhookEndpoint
	}{
		{"P11: changed, with two secrets, and a delivery given up since the last that arrived", crm, projections.WebhookEndpoint{
			ID: crm, URL: "https://crm.example/v2", Events: []string{"card-declined"}, Status: "active",
			PreviousUntil: start.Add(24 * time.Hour), Failing: 1, DeliveredAt: start, UpdatedAt: start, Revision: 2,
		}},
		{"P11: disabled, since it is gone", archive, projections.WebhookEndpoint{
			ID: archive, URL: "https://archive.example", Events: []string{"*"}, Status: "disabled", Why: "gone", UpdatedAt: start, Revision: 3,
		}},
		{"P11: removed", closed, projections.WebhookEndpoint{
			ID: closed, URL: "https://closed.example", Events: []string{"*"}, Status: "removed", UpdatedAt: start, Revision: 1,
		}},
	} {
		got, err := projections.WebhookEndpointByID(t.Context(), db, northwind, c.id)
		if err != nil {
			t.Fatal(err)
		}
		c.want.Position = got.Position
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	checkPages(t, []string{archive, crm}, func(cursor string) ([]string, string, error) {
		rows, next, err := projections.WebhookEndpoints(t.Context(), db, northwind, cursor, 1)
		return keys(rows, func(e projections.WebhookEndpoint) string { return e.ID }), next, err
	})
}

func TestWebhookDeliveries(t *testing.T) {
	t.Parallel()
	db := open(t, projections.Webhooks)
	db.apply(everything(northwind).events...)
	base := projections.WebhookDelivery{
		EndpointID: crm, Type: "card-declined", Stream: "collection-" + invoice, EventAt: start, Round: 1, CalledAt: start, TookMS: 12, Revision: 1,
	}
	for _, c := range []struct {
		name, id string
		want     func(*projections.WebhookDelivery)
	}{
		{"P11: arrived", arrived, func(d *projections.WebhookDelivery) {
			d.Status, d.Attempts, d.Outcome, d.HTTPStatus = delivery.Delivered, 1, delivery.Accepted, 204
		}},
		{"P11: to be tried again", failing, func(d *projections.WebhookDelivery) {
			d.Status, d.Attempts, d.Outcome, d.HTTPStatus, d.RetryAt = delivery.Pending, 1, delivery.Failed, 503, start.Add(5*time.Second)
		}},
		{"P11: given up", givenUp, func(d *projections.WebhookDelivery) {
			d.Status, d.Attempts, d.Outcome, d.Why = delivery.Abandoned, 10, delivery.TimedOut, delivery.WhyUsedUp
		}},
		{"P11: asked for again", askedFor, func(d *projections.WebhookDelivery) {
			d.Status, d.Round, d.Outcome, d.HTTPStatus, d.Revision = delivery.Pending, 2, delivery.Refused, 400, 2
		}},
	} {
		got, err := projections.WebhookDeliveryByID(t.Context(), db, northwind, c.id)
		if err != nil {
			t.Fatal(err)
		}
		want := base
		want.ID, want.EventID, want.Position = c.id, "e-"+c.id, got.Position
		c.want(&want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	for _, c := range []struct {
		filter projections.WebhookDeliveryFilter
		want   []string
	}{
		{projections.WebhookDeliveryFilter{}, []string{askedFor, givenUp, failing, arrived}},
		{projections.WebhookDeliveryFilter{Status: delivery.Pending}, []string{askedFor, failing}},
		{projections.WebhookDeliveryFilter{EndpointID: crm}, []string{askedFor, givenUp, failing, arrived}},
		{projections.WebhookDeliveryFilter{EndpointID: crm, Status: delivery.Delivered}, []string{arrived}},
		{projections.WebhookDeliveryFilter{EndpointID: archive}, nil},
	} {
		checkPages(t, c.want, func(cursor string) ([]string, string, error) {
			rows, next, err := projections.WebhookDeliveries(t.Context(), db, northwind, c.filter, cursor, 1)
			return keys(rows, func(d projections.WebhookDelivery) string { return d.ID }), next, err
		})
	}
}
