package projections

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"konto/domain"
	"konto/domain/billing"
	"konto/domain/postal"
)

func subscriptionRegistered(ctx context.Context, tx Tx, e domain.Recorded[billing.SubscriptionRegistered]) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO subscriptions
		(tenant, subscription_id, product, bought_by, kind, po_number, licences, cancelled_at, admin_access_until,
		 data_until, unpaid_invoice, deleted_at, registered_at, updated_at, revision)
		VALUES ($1, $2, $3, $4, 'card', '', $7, 0, 0, 0, '', 0, $5, $5, $6) ON CONFLICT (tenant, subscription_id) DO NOTHING`,
		e.Tenant, e.ID, e.Data.Product, e.Data.BoughtBy, at(e.Data.At), e.Revision, e.Data.Licences)
	if err != nil {
		return err
	}
	return putCard(ctx, tx, e.Tenant, e.ID, e.Data.CardID, 0, e.Data.BoughtBy)
}

func backupCardAdded(ctx context.Context, tx Tx, e domain.Recorded[billing.BackupCardAdded]) error {
	if err := putCard(ctx, tx, e.Tenant, e.ID, e.Data.CardID, e.Data.Priority, e.Data.AddedBy); err != nil {
		return err
	}
	return touchSubscription(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func primaryCardChanged(ctx context.Context, tx Tx, e domain.Recorded[billing.PrimaryCardChanged]) error {
	return newPrimary(ctx, tx, e.Tenant, e.ID, e.Data.Old, e.Data.New, e.At, e.Revision)
}

func cardPromoted(ctx context.Context, tx Tx, e domain.Recorded[billing.CardPromotedToPrimary]) error {
	return newPrimary(ctx, tx, e.Tenant, e.ID, e.Data.Old, e.Data.CardID, e.At, e.Revision)
}

// newPrimary takes the old primary card off the subscription. The new one may
// have been a backup.
func newPrimary(ctx context.Context, tx Tx, tenant, id, was, is string, t time.Time, revision int64) error {
	if err := dropCard(ctx, tx, tenant, id, was); err != nil {
		return err
	}
	if err := putCard(ctx, tx, tenant, id, is, 0, ""); err != nil {
		return err
	}
	return touchSubscription(ctx, tx, tenant, id, t, revision)
}

// backupCardChanged gives the new card the old one's place, unless it has one
// already: then the old one's place is gone.
func backupCardChanged(ctx context.Context, tx Tx, e domain.Recorded[billing.BackupCardChanged]) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO subscription_cards (tenant, subscription_id, card_id, priority, added_by)
		SELECT tenant, subscription_id, $4, priority, added_by FROM subscription_cards
		WHERE tenant = $1 AND subscription_id = $2 AND card_id = $3
		ON CONFLICT (tenant, subscription_id, card_id) DO NOTHING`,
		e.Tenant, e.ID, e.Data.Old, e.Data.New)
	if err != nil {
		return err
	}
	if err := dropCard(ctx, tx, e.Tenant, e.ID, e.Data.Old); err != nil {
		return err
	}
	return touchSubscription(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func paymentKindChanged(ctx context.Context, tx Tx, e domain.Recorded[billing.PaymentMethodKindChanged]) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET kind = $3, po_number = $4
		WHERE tenant = $1 AND subscription_id = $2`, e.Tenant, e.ID, string(e.Data.New), e.Data.PONumber)
	if err != nil {
		return err
	}
	for _, id := range e.Data.Released {
		if err := dropCard(ctx, tx, e.Tenant, e.ID, id); err != nil {
			return err
		}
	}
	return touchSubscription(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func backupCardsReordered(ctx context.Context, tx Tx, e domain.Recorded[billing.BackupCardsReordered]) error {
	for i, id := range e.Data.CardIDs {
		_, err := tx.ExecContext(ctx, `UPDATE subscription_cards SET priority = $4
			WHERE tenant = $1 AND subscription_id = $2 AND card_id = $3`, e.Tenant, e.ID, id, i+1)
		if err != nil {
			return err
		}
	}
	return touchSubscription(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func backupCardRemoved(ctx context.Context, tx Tx, e domain.Recorded[billing.BackupCardRemoved]) error {
	if err := dropCard(ctx, tx, e.Tenant, e.ID, e.Data.CardID); err != nil {
		return err
	}
	return touchSubscription(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func licencesRecorded(ctx context.Context, tx Tx, e domain.Recorded[billing.AssignedLicencesRecorded]) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET licences = $3, updated_at = $4, revision = $5
		WHERE tenant = $1 AND subscription_id = $2`, e.Tenant, e.ID, e.Data.Licences, at(e.At), e.Revision)
	return err
}

func cancellationRequested(ctx context.Context, tx Tx, e domain.Recorded[billing.SubscriptionCancellationRequested]) error {
	return touchSubscription(ctx, tx, e.Tenant, e.ID, e.At, e.Revision)
}

func subscriptionCanceled(ctx context.Context, tx Tx, e domain.Recorded[billing.SubscriptionCanceled]) error {
	return setEnd(ctx, tx, e.Tenant, e.ID, e.Data, e.At, e.Revision)
}

func subscriptionReactivated(ctx context.Context, tx Tx, e domain.Recorded[billing.SubscriptionReactivated]) error {
	return setEnd(ctx, tx, e.Tenant, e.ID, billing.SubscriptionCanceled{}, e.At, e.Revision)
}

func setEnd(ctx context.Context, tx Tx, tenant, id string, end billing.SubscriptionCanceled, t time.Time, revision int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions
		SET cancelled_at = $3, admin_access_until = $4, data_until = $5, updated_at = $6, revision = $7, unpaid_invoice = $8
		WHERE tenant = $1 AND subscription_id = $2`, tenant, id,
		at(end.At), at(end.AdminAccessUntil), at(end.DataUntil), at(t), revision, end.UnpaidInvoice)
	return err
}

func subscriptionDeleted(ctx context.Context, tx Tx, e domain.Recorded[billing.SubscriptionDeleted]) error {
	for _, id := range e.Data.Released {
		if err := dropCard(ctx, tx, e.Tenant, e.ID, id); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET deleted_at = $3, updated_at = $4, revision = $5
		WHERE tenant = $1 AND subscription_id = $2`, e.Tenant, e.ID, at(e.Data.At), at(e.At), e.Revision)
	return err
}

func serviceUsageChanged(ctx context.Context, tx Tx, e domain.Recorded[billing.ServiceUsageAddressChanged]) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET service_usage = $3, updated_at = $4, revision = $5
		WHERE tenant = $1 AND subscription_id = $2`, e.Tenant, e.ID, seal(e.Data.Address), at(e.At), e.Revision)
	return err
}

func billToChanged(ctx context.Context, tx Tx, e domain.Recorded[billing.BillToAddressChanged]) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET bill_to = $3, updated_at = $4, revision = $5
		WHERE tenant = $1 AND subscription_id = $2`, e.Tenant, e.ID, seal(e.Data.BillTo), at(e.At), e.Revision)
	return err
}

func putCard(ctx context.Context, tx Tx, tenant, id, card string, priority int, addedBy string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO subscription_cards (tenant, subscription_id, card_id, priority, added_by)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant, subscription_id, card_id) DO UPDATE SET priority = excluded.priority`,
		tenant, id, card, priority, addedBy)
	return err
}

func dropCard(ctx context.Context, tx Tx, tenant, id, card string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM subscription_cards
		WHERE tenant = $1 AND subscription_id = $2 AND card_id = $3`, tenant, id, card)
	return err
}

func touchSubscription(ctx context.Context, tx Tx, tenant, id string, t time.Time, revision int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET updated_at = $3, revision = $4
		WHERE tenant = $1 AND subscription_id = $2`, tenant, id, at(t), revision)
	return err
}

// SubscriptionStatus is whether a subscription runs.
type SubscriptionStatus string

// The statuses of a subscription.
const (
	SubscriptionActive    SubscriptionStatus = "active"
	SubscriptionSuspended SubscriptionStatus = "suspended" // disabled until what is owed is paid
	SubscriptionCancelled SubscriptionStatus = "cancelled" // disabled; its data is there
	SubscriptionGone      SubscriptionStatus = "deleted"
)

// SubscriptionRow is how a subscription is paid for.
type SubscriptionRow struct {
	ID               string                          `json:"id"`
	Product          string                          `json:"product"`
	BoughtBy         string                          `json:"boughtBy"` // an admin's ID
	Kind             billing.Kind                    `json:"kind"`     // how it is paid for
	PONumber         string                          `json:"poNumber,omitzero"`
	Primary          string                          `json:"primary"` // a card's ID; empty if it is paid for by invoice
	Backups          []billing.Backup                `json:"backups"` // in order of priority
	Status           SubscriptionStatus              `json:"status"`
	Licences         int                             `json:"licences,omitzero"`         // assigned to users
	ServiceUsage     domain.Personal[postal.Address] `json:"serviceUsage,omitzero"`     // where most users are
	BillTo           domain.Personal[billing.BillTo] `json:"billTo,omitzero"`           // to whom invoices go
	SuspendedAt      time.Time                       `json:"suspendedAt,omitzero"`      // for an unpaid invoice; zero unless it is suspended
	CancelledAt      time.Time                       `json:"cancelledAt,omitzero"`      // zero unless it is cancelled
	UnpaidInvoice    string                          `json:"unpaidInvoice,omitzero"`    // for which it was cancelled, if it was
	AdminAccessUntil time.Time                       `json:"adminAccessUntil,omitzero"` // until then it may be taken back or, if suspended, paid back
	DataUntil        time.Time                       `json:"dataUntil,omitzero"`
	DeletedAt        time.Time                       `json:"deletedAt,omitzero"`
	RegisteredAt     time.Time                       `json:"registeredAt"`
	UpdatedAt        time.Time                       `json:"updatedAt"`
	Revision         int64                           `json:"revision"` // of the stream, as far as it is in the row
}

const selectSubscription = `SELECT subscription_id, product, bought_by, kind, po_number, licences, service_usage, bill_to,
	cancelled_at, admin_access_until, data_until, unpaid_invoice, deleted_at, registered_at, updated_at, revision,
	` + suspension + `,
	(SELECT string_agg(c.card_id || '=' || c.priority || '=' || c.added_by, ' ') FROM subscription_cards c
		WHERE c.tenant = s.tenant AND c.subscription_id = s.subscription_id)
	FROM subscriptions s WHERE tenant = $1`

// SubscriptionByID returns a subscription. If there is none, it returns [sql.ErrNoRows].
func SubscriptionByID(ctx context.Context, db DB, tenant, id string) (SubscriptionRow, error) {
	return scanSubscription(db.QueryRowContext(ctx, selectSubscription+` AND subscription_id = $2`, tenant, id))
}

// SubscriptionList returns the tenant's subscriptions in the order of their
// IDs, and the cursor of the next page or "". A cursor that is not one is an
// [ErrCursor].
func SubscriptionList(ctx context.Context, db DB, tenant, cursor string, limit int) ([]SubscriptionRow, string, error) {
	key, err := after(cursor, 1)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanSubscription, func(s SubscriptionRow) []string { return []string{s.ID} },
		selectSubscription+` AND subscription_id > $2 ORDER BY subscription_id LIMIT $3`, tenant, key[0])
}

func scanSubscription(row scanner) (s SubscriptionRow, err error) {
	var cards sql.NullString
	var off, payUntil, dataUntil time.Time
	err = row.Scan(&s.ID, &s.Product, &s.BoughtBy, &s.Kind, &s.PONumber, &s.Licences,
		sealed[postal.Address]{&s.ServiceUsage}, sealed[billing.BillTo]{&s.BillTo}, instant{&s.CancelledAt},
		instant{&s.AdminAccessUntil}, instant{&s.DataUntil}, &s.UnpaidInvoice, instant{&s.DeletedAt}, instant{&s.RegisteredAt}, instant{&s.UpdatedAt}, &s.Revision,
		instant{&off}, instant{&payUntil}, instant{&dataUntil}, &cards)
	if err != nil {
		return s, err
	}
	if s.Status = subscriptionStatus(off, s.CancelledAt, s.DeletedAt); s.Status == SubscriptionSuspended {
		s.SuspendedAt, s.AdminAccessUntil, s.DataUntil = off, payUntil, dataUntil
	}
	s.Backups = []billing.Backup{}
	for c := range strings.FieldsSeq(cards.String) {
		id, rest, _ := strings.Cut(c, "=")
		turn, by, _ := strings.Cut(rest, "=")
		priority, err := strconv.Atoi(turn)
		if err != nil {
			return s, fmt.Errorf("cards of subscription %s: %w", s.ID, err)
		}
		if priority == 0 {
			s.Primary = id
			continue
		}
		s.Backups = append(s.Backups, billing.Backup{CardID: id, Priority: priority, AddedBy: by})
	}
	slices.SortFunc(s.Backups, func(a, b billing.Backup) int { return cmp.Compare(a.Priority, b.Priority) })
	return s, nil
}

func subscriptionStatus(suspendedAt, cancelledAt, deletedAt time.Time) SubscriptionStatus {
	switch {
	case !deletedAt.IsZero():
		return SubscriptionGone
	case !cancelledAt.IsZero():
		return SubscriptionCancelled
	case !suspendedAt.IsZero():
		return SubscriptionSuspended
	}
	return SubscriptionActive
}
