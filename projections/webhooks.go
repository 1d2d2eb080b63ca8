package projections

import (
	"context"
	_ "embed"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/delivery"
	"konto/domain/webhook"
)

//go:embed webhooks.sql
var webhooksSQL string

// Webhooks lists the endpoints that other systems are called at, and what
// became of each call. It holds no secret, and of an answer only its status.
var Webhooks = Projection{
	Name: "webhooks", Version: 1,
	Tables: []string{"webhook_endpoints", "webhook_deliveries"},
	Schema: webhooksSQL,
	Handlers: []Handler{
		On(endpointRegistered), On(endpointChanged), On(secretRotated), On(endpointDisabled), On(endpointEnabled), On(endpointRemoved),
		On(deliveryRequested), On(deliverySucceeded), On(deliveryAttemptFailed), On(deliveryAbandoned), On(redeliveryRequested),
	},
}

func endpointRegistered(ctx context.Context, tx Tx, e domain.Recorded[webhook.WebhookEndpointRegistered]) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO webhook_endpoints
		(tenant, endpoint_id, position, url, events, status, why, previous_until, failing, delivered_at, updated_at, revision)
		VALUES ($1, $2, $3, $4, $5, 'active', '', 0, 0, 0, $6, $7)
		ON CONFLICT (tenant, endpoint_id) DO NOTHING`,
		e.Tenant, e.ID, e.Position, e.Data.URL, strings.Join(e.Data.Events, " "), at(e.Data.At), e.Revision)
	return err
}

// setEndpoint changes an endpoint's row, unless it has seen the event.
func setEndpoint[E any](ctx context.Context, tx Tx, e domain.Recorded[E], when time.Time, set string, args ...any) error {
	_, err := tx.ExecContext(ctx, `UPDATE webhook_endpoints SET revision = $3, updated_at = $4, `+set+`
		WHERE tenant = $1 AND endpoint_id = $2 AND revision < $3`, append([]any{e.Tenant, e.ID, e.Revision, at(when)}, args...)...)
	return err
}

func endpointChanged(ctx context.Context, tx Tx, e domain.Recorded[webhook.WebhookEndpointChanged]) error {
	return setEndpoint(ctx, tx, e, e.Data.At, `url = $5, events = $6`, e.Data.URL, strings.Join(e.Data.Events, " "))
}

func secretRotated(ctx context.Context, tx Tx, e domain.Recorded[webhook.WebhookSecretRotated]) error {
	return setEndpoint(ctx, tx, e, e.Data.At, `previous_until = $5`, at(e.Data.PreviousUntil))
}

func endpointDisabled(ctx context.Context, tx Tx, e domain.Recorded[webhook.WebhookEndpointDisabled]) error {
	return setEndpoint(ctx, tx, e, e.Data.At, `status = 'disabled', why = $5`, e.Data.Why)
}

func endpointEnabled(ctx context.Context, tx Tx, e domain.Recorded[webhook.WebhookEndpointEnabled]) error {
	return setEndpoint(ctx, tx, e, e.Data.At, `status = 'active', why = ''`)
}

func endpointRemoved(ctx context.Context, tx Tx, e domain.Recorded[webhook.WebhookEndpointRemoved]) error {
	return setEndpoint(ctx, tx, e, e.Data.At, `status = 'removed', why = ''`)
}

func deliveryRequested(ctx context.Context, tx Tx, e domain.Recorded[delivery.DeliveryRequested]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `INSERT INTO webhook_deliveries
		(tenant, delivery_id, position, endpoint_id, type, event_id, stream, event_at,
		 status, round, attempts, outcome, http_status, called_at, took_ms, retry_at, why, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', 1, 0, '', 0, 0, 0, 0, '', $9)
		ON CONFLICT (tenant, delivery_id) DO NOTHING`,
		e.Tenant, e.ID, e.Position, d.EndpointID, d.Type, d.EventID, d.Stream, at(d.At), e.Revision)
	return err
}

// attempted writes how an attempt went, unless the row has seen the event, and
// reports whether it had not.
func attempted[E any](ctx context.Context, tx Tx, e domain.Recorded[E], a delivery.Attempt, status delivery.Status, retryAt time.Time, why string) (bool, error) {
	r, err := tx.ExecContext(ctx, `UPDATE webhook_deliveries SET revision = $3, status = $4, round = $5, attempts = $6,
		outcome = $7, http_status = $8, called_at = $9, took_ms = $10, retry_at = $11, why = $12
		WHERE tenant = $1 AND delivery_id = $2 AND revision < $3`,
		e.Tenant, e.ID, e.Revision, string(status), a.Round, a.Number, string(a.Outcome), a.Status, at(a.CalledAt), a.TookMS, at(retryAt), why)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

func deliverySucceeded(ctx context.Context, tx Tx, e domain.Recorded[delivery.DeliverySucceeded]) error {
	news, err := attempted(ctx, tx, e, e.Data.Attempt, delivery.Delivered, time.Time{}, "")
	if err != nil || !news {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE webhook_endpoints SET failing = 0, delivered_at = $3 WHERE tenant = $1 AND endpoint_id = $2`,
		e.Tenant, e.Data.EndpointID, at(e.Data.At))
	return err
}

func deliveryAttemptFailed(ctx context.Context, tx Tx, e domain.Recorded[delivery.DeliveryAttemptFailed]) error {
	_, err := attempted(ctx, tx, e, e.Data.Attempt, delivery.Pending, e.Data.RetryAt, "")
	return err
}

func deliveryAbandoned(ctx context.Context, tx Tx, e domain.Recorded[delivery.DeliveryAbandoned]) error {
	news, err := attempted(ctx, tx, e, e.Data.Attempt, delivery.Abandoned, time.Time{}, e.Data.Why)
	if err != nil || !news {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE webhook_endpoints SET failing = failing + 1 WHERE tenant = $1 AND endpoint_id = $2`,
		e.Tenant, e.Data.EndpointID)
	return err
}

func redeliveryRequested(ctx context.Context, tx Tx, e domain.Recorded[delivery.RedeliveryRequested]) error {
	_, err := tx.ExecContext(ctx, `UPDATE webhook_deliveries SET revision = $3, status = 'pending', round = $4, attempts = 0, retry_at = 0, why = ''
		WHERE tenant = $1 AND delivery_id = $2 AND revision < $3`, e.Tenant, e.ID, e.Revision, e.Data.Round)
	return err
}

// WebhookEndpoint is where another system is called.
type WebhookEndpoint struct {
	ID            string    `json:"id"`
	URL           string    `json:"url"`
	Events        []string  `json:"events"` // types, or "*"
	Status        string    `json:"status" enum:"active,disabled,removed"`
	Why           string    `json:"why,omitzero"`           // it is disabled: "asked" or "gone"
	PreviousUntil time.Time `json:"previousUntil,omitzero"` // until when the secret before the last signs, too
	Failing       int       `json:"failing"`                // deliveries given up since the last that arrived
	DeliveredAt   time.Time `json:"deliveredAt,omitzero"`   // when the last arrived
	UpdatedAt     time.Time `json:"updatedAt"`
	Revision      int64     `json:"revision"`
	Position      uint64    `json:"position"` // of the registration in $all
}

const selectEndpoint = `SELECT endpoint_id, url, events, status, why, previous_until, failing, delivered_at, updated_at, revision, position
	FROM webhook_endpoints WHERE tenant = $1`

// WebhookEndpointByID returns one endpoint. If there is none, it returns [database/sql.ErrNoRows].
func WebhookEndpointByID(ctx context.Context, db DB, tenant, id string) (WebhookEndpoint, error) {
	return scanEndpoint(db.QueryRowContext(ctx, selectEndpoint+` AND endpoint_id = $2`, tenant, id))
}

// WebhookEndpoints returns the tenant's endpoints, newest first, and the cursor
// of the next page or "". Those that were removed are left out. A cursor that
// is not one is an [ErrCursor].
func WebhookEndpoints(ctx context.Context, db DB, tenant, cursor string, limit int) ([]WebhookEndpoint, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	key := func(e WebhookEndpoint) []string { return positionKey(e.Position) }
	return list(ctx, db, limit, scanEndpoint, key,
		selectEndpoint+` AND status <> 'removed' AND position < $2 ORDER BY position DESC LIMIT $3`, tenant, position)
}

func scanEndpoint(row scanner) (e WebhookEndpoint, err error) {
	var events string
	err = row.Scan(&e.ID, &e.URL, &events, &e.Status, &e.Why, instant{&e.PreviousUntil}, &e.Failing, instant{&e.DeliveredAt},
		instant{&e.UpdatedAt}, &e.Revision, &e.Position)
	e.Events = strings.Fields(events)
	return e, err
}

// WebhookDelivery is one event for one endpoint, and what became of it.
type WebhookDelivery struct {
	ID         string           `json:"id"` // the webhook-id
	EndpointID string           `json:"endpointId"`
	Type       string           `json:"type"`
	EventID    string           `json:"eventId"`
	Stream     string           `json:"stream"`
	EventAt    time.Time        `json:"eventAt"`
	Status     delivery.Status  `json:"status" enum:"pending,delivered,abandoned"`
	Round      int              `json:"round"`
	Attempts   int              `json:"attempts"`            // in the round
	Outcome    delivery.Outcome `json:"outcome,omitzero"`    // of the last attempt
	HTTPStatus int              `json:"httpStatus,omitzero"` // likewise; absent if there was no answer
	CalledAt   time.Time        `json:"calledAt,omitzero"`
	TookMS     int64            `json:"tookMs,omitzero"`
	RetryAt    time.Time        `json:"retryAt,omitzero"`
	Why        string           `json:"why,omitzero"` // it was given up
	Revision   int64            `json:"revision"`
	Position   uint64           `json:"position"` // of the request in $all
}

const selectDelivery = `SELECT delivery_id, endpoint_id, type, event_id, stream, event_at, status, round, attempts, outcome,
	http_status, called_at, took_ms, retry_at, why, revision, position FROM webhook_deliveries WHERE tenant = $1`

// WebhookDeliveryByID returns one delivery. If there is none, it returns [database/sql.ErrNoRows].
func WebhookDeliveryByID(ctx context.Context, db DB, tenant, id string) (WebhookDelivery, error) {
	return scanDelivery(db.QueryRowContext(ctx, selectDelivery+` AND delivery_id = $2`, tenant, id))
}

// WebhookDeliveryFilter narrows the deliveries. Zero fields narrow nothing.
type WebhookDeliveryFilter struct {
	EndpointID string
	Status     delivery.Status
}

// WebhookDeliveries returns the tenant's deliveries, newest first, and the
// cursor of the next page or "". A cursor that is not one is an [ErrCursor].
func WebhookDeliveries(ctx context.Context, db DB, tenant string, f WebhookDeliveryFilter, cursor string, limit int) ([]WebhookDelivery, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	const (
		from  = selectDelivery + ` AND position < $2`
		order = ` ORDER BY position DESC LIMIT `
	)
	query, args := from+order+`$3`, []any{tenant, position}
	switch {
	case f.EndpointID != "" && f.Status != "":
		query, args = from+` AND endpoint_id = $3 AND status = $4`+order+`$5`, append(args, f.EndpointID, string(f.Status))
	case f.EndpointID != "":
		query, args = from+` AND endpoint_id = $3`+order+`$4`, append(args, f.EndpointID)
	case f.Status != "":
		query, args = from+` AND status = $3`+order+`$4`, append(args, string(f.Status))
	}
	key := func(d WebhookDelivery) []string { return positionKey(d.Position) }
	return list(ctx, db, limit, scanDelivery, key, query, args...)
}

func scanDelivery(row scanner) (d WebhookDelivery, err error) {
	err = row.Scan(&d.ID, &d.EndpointID, &d.Type, &d.EventID, &d.Stream, instant{&d.EventAt}, &d.Status, &d.Round, &d.Attempts, &d.Outcome,
		&d.HTTPStatus, instant{&d.CalledAt}, &d.TookMS, instant{&d.RetryAt}, &d.Why, &d.Revision, &d.Position)
	return d, err
}
