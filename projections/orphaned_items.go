package projections

import (
	"context"
	_ "embed"
	"time"

	"konto/domain"
	"konto/domain/offboarding"
)

//go:embed orphaned_items.sql
var orphanedItemsSQL string

// OrphanedItems lists what leavers left behind.
var OrphanedItems = Projection{
	Name: "orphaned_items", Version: 1,
	Tables:   []string{"orphaned_items"},
	Schema:   orphanedItemsSQL,
	Handlers: []Handler{On(orphansFound), On(orphanSettled), On(orphansClosed)},
}

func orphansFound(ctx context.Context, tx Tx, e domain.Recorded[offboarding.OrphanedItemsFound]) error {
	for _, found := range []struct {
		why offboarding.Why
		ids []string
	}{{offboarding.OwnCard, e.Data.Cards}, {offboarding.Paying, e.Data.Subscriptions}, {offboarding.Bought, e.Data.Bought}} {
		for _, id := range found.ids {
			_, err := tx.ExecContext(ctx, `INSERT INTO orphaned_items
				(tenant, admin_id, item_id, why, settled, settled_by, due_at, found_at, settled_at)
				VALUES ($1, $2, $3, $4, '', '', $5, $6, 0)
				ON CONFLICT (tenant, admin_id, item_id) DO UPDATE SET why = $4, settled = '', settled_by = '', due_at = $5, found_at = $6, settled_at = 0`,
				e.Tenant, e.ID, id, string(found.why), at(e.Data.DueAt), at(e.At))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func orphanSettled(ctx context.Context, tx Tx, e domain.Recorded[offboarding.OrphanedItemSettled]) error {
	_, err := tx.ExecContext(ctx, `UPDATE orphaned_items SET settled = $4, settled_by = $5, settled_at = $6
		WHERE tenant = $1 AND admin_id = $2 AND item_id = $3`,
		e.Tenant, e.ID, e.Data.ItemID, string(e.Data.How), e.Data.By, at(e.At))
	return err
}

// orphansClosed leaves nothing open: the employee is back, or nobody can be
// asked any more.
func orphansClosed(ctx context.Context, tx Tx, e domain.Recorded[offboarding.OffboardingClosed]) error {
	_, err := tx.ExecContext(ctx, `UPDATE orphaned_items SET settled = $3, settled_at = $4
		WHERE tenant = $1 AND admin_id = $2 AND settled_at = 0`, e.Tenant, e.ID, string(e.Data.Why), at(e.At))
	return err
}

// OrphanedItem is a card or a subscription that a leaver left behind.
type OrphanedItem struct {
	AdminID   string    `json:"adminId"`
	ItemID    string    `json:"itemId"`
	Why       string    `json:"why"`                // an [offboarding.Why]
	Settled   string    `json:"settled,omitzero"`   // an [offboarding.How] or [offboarding.End]; absent: it is open
	SettledBy string    `json:"settledBy,omitzero"` // an admin's ID
	DueAt     time.Time `json:"dueAt"`
	FoundAt   time.Time `json:"foundAt"`
	SettledAt time.Time `json:"settledAt,omitzero"`
}

// OrphanedItemList returns what leavers left behind, of one leaver or, with an
// empty ID, of all, and of it what is open or all; and the cursor of the next
// page or "". A cursor that is not one is an [ErrCursor].
func OrphanedItemList(ctx context.Context, db DB, tenant, adminID string, settled bool, cursor string, limit int) ([]OrphanedItem, string, error) {
	key, err := after(cursor, 2)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanOrphan, func(i OrphanedItem) []string { return []string{i.AdminID, i.ItemID} },
		`SELECT admin_id, item_id, why, settled, settled_by, due_at, found_at, settled_at FROM orphaned_items
		WHERE tenant = $1 AND ($2 = '' OR admin_id = $2) AND ($3 = 1 OR settled_at = 0)
		AND (admin_id > $4 OR admin_id = $4 AND item_id > $5) ORDER BY admin_id, item_id LIMIT $6`,
		tenant, adminID, flag(settled), key[0], key[1])
}

func scanOrphan(row scanner) (i OrphanedItem, err error) {
	err = row.Scan(&i.AdminID, &i.ItemID, &i.Why, &i.Settled, &i.SettledBy,
		instant{&i.DueAt}, instant{&i.FoundAt}, instant{&i.SettledAt})
	return i, err
}
