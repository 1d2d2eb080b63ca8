package projections

import (
	"context"

	"konto/domain"
	"konto/domain/collection"
)

// A subscription is suspended while one of its invoices has its service off:
// collecting says so, and the subscription's own stream does not. One whose
// case was cancelled stays so until the subscription itself is.

func subscriptionSuspended(ctx context.Context, tx Tx, e domain.Recorded[collection.ServiceSuspended]) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO subscription_suspensions
		(tenant, subscription_id, invoice_id, suspended_at, access_until, data_until) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant, subscription_id, invoice_id) DO UPDATE
		SET suspended_at = excluded.suspended_at, access_until = excluded.access_until, data_until = excluded.data_until`,
		e.Tenant, e.Data.SubscriptionID, e.ID, at(e.Data.At), at(e.Data.CancelAt), at(e.Data.DataUntil))
	return err
}

func suspensionEnded(ctx context.Context, tx Tx, e domain.Recorded[collection.AccountRecovered]) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM subscription_suspensions
		WHERE tenant = $1 AND subscription_id = $2 AND invoice_id = $3`, e.Tenant, e.Data.SubscriptionID, e.ID)
	return err
}

// suspendedAt is when the subscription s was suspended for the first of its
// unpaid invoices; zero if it is not.
const suspendedAt = `(SELECT COALESCE(MIN(x.suspended_at), 0) FROM subscription_suspensions x
		WHERE x.tenant = s.tenant AND x.subscription_id = s.subscription_id)`

// suspension is suspendedAt, until when a payment brings it back, and when its
// data is gone: the invoice whose time is over first counts.
const suspension = suspendedAt + `,
	(SELECT COALESCE(MIN(x.access_until), 0) FROM subscription_suspensions x
		WHERE x.tenant = s.tenant AND x.subscription_id = s.subscription_id),
	(SELECT COALESCE(MIN(x.data_until), 0) FROM subscription_suspensions x
		WHERE x.tenant = s.tenant AND x.subscription_id = s.subscription_id)`
