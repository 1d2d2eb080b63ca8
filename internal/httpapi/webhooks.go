package httpapi

import (
	"context"
	"encoding/json"
	"fmt"

	"konto/domain/delivery"
	"konto/domain/webhook"
	"konto/internal/callout"
	"konto/internal/command"
	"konto/projections"
)

// webhookSecret returns the secret that goes with a new endpoint or a rotation,
// or "". It is made of what was recorded, once, and is in no event: a repeated
// command finds the recorded event and no secret, and a dry run has made none.
func (s *server) webhookSecret(ctx context.Context, req command.Request, res command.Result) (string, error) {
	if req.DryRun || res.Replayed || req.Category != webhook.Aggregate.Category() {
		return "", nil
	}
	for _, e := range res.Events {
		if e.Type != "WebhookEndpointRegistered" && e.Type != "WebhookSecretRotated" {
			continue
		}
		var made struct {
			Secret string `json:"secret"` // its ID
		}
		if err := json.Unmarshal(e.Data, &made); err != nil {
			return "", fmt.Errorf("%s: %w", e.Type, err)
		}
		return callout.Secret(ctx, s.Keys, req.Actor.Tenant, req.Target, made.Secret)
	}
	return "", nil
}

func (s *server) webhookEndpoints(ctx context.Context, q *ListQuery) (answer[Page[projections.WebhookEndpoint]], error) {
	return many(s, ctx, webhook.Aggregate.Category(), q, func(tenant string) ([]projections.WebhookEndpoint, string, error) {
		return projections.WebhookEndpoints(ctx, s.Read, tenant, q.Cursor, q.Limit)
	})
}

func (s *server) webhookEndpoint(ctx context.Context, q *OneQuery) (answer[projections.WebhookEndpoint], error) {
	return one(s, ctx, webhook.Aggregate.Category(), q, func(tenant string) (projections.WebhookEndpoint, error) {
		return projections.WebhookEndpointByID(ctx, s.Read, tenant, q.ID)
	}, func(r projections.WebhookEndpoint) int64 { return r.Revision })
}

type deliveriesQuery struct {
	ListQuery
	Endpoint string `query:"endpoint" doc:"only those to this endpoint"`
	Status   string `query:"status" enum:"pending,delivered,abandoned" doc:"only those that stand so"`
}

func (s *server) webhookDeliveries(ctx context.Context, q *deliveriesQuery) (answer[Page[projections.WebhookDelivery]], error) {
	return many(s, ctx, delivery.Aggregate.Category(), &q.ListQuery, func(tenant string) ([]projections.WebhookDelivery, string, error) {
		f := projections.WebhookDeliveryFilter{EndpointID: q.Endpoint, Status: delivery.Status(q.Status)}
		return projections.WebhookDeliveries(ctx, s.Read, tenant, f, q.Cursor, q.Limit)
	})
}

func (s *server) webhookDelivery(ctx context.Context, q *OneQuery) (answer[projections.WebhookDelivery], error) {
	return one(s, ctx, delivery.Aggregate.Category(), q, func(tenant string) (projections.WebhookDelivery, error) {
		return projections.WebhookDeliveryByID(ctx, s.Read, tenant, q.ID)
	}, func(r projections.WebhookDelivery) int64 { return r.Revision })
}
