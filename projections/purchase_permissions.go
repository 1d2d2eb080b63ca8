package projections

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"konto/domain"
	"konto/domain/relationship"
)

//go:embed purchase_permissions.sql
var purchasePermissionsSQL string

// PurchasePermissions is the register of what customers may buy at a
// partner's expense, with what has become of each permission.
var PurchasePermissions = Projection{
	Name: "purchase_permissions", Version: 1,
	Tables: []string{"purchase_permissions"},
	Schema: purchasePermissionsSQL,
	Handlers: []Handler{
		On(permissionProposed), On(permissionGranted), On(permissionRevoked), On(customerPurchased),
	},
}

func permissionProposed(ctx context.Context, tx Tx, e domain.Recorded[relationship.PurchasePermissionProposed]) error {
	d := e.Data
	return putPermission(ctx, tx, PurchasePermission{
		PartnerID: d.PartnerID, CustomerID: d.CustomerID, Allowance: d.Allowance, Status: "proposed", Since: d.At,
		ProposedBy: d.ProposedBy, Revision: e.Revision,
	})
}

func permissionGranted(ctx context.Context, tx Tx, e domain.Recorded[relationship.PurchasePermissionGranted]) error {
	d := e.Data
	return putPermission(ctx, tx, PurchasePermission{
		PartnerID: d.PartnerID, CustomerID: d.CustomerID, Allowance: d.Allowance, Status: "granted", Since: d.At,
		ProposedBy: d.ProposedBy, GrantedBy: d.GrantedBy, Revision: e.Revision,
	})
}

func putPermission(ctx context.Context, tx Tx, p PurchasePermission) error {
	products, err := json.Marshal(append([]string{}, p.Products...))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO purchase_permissions
		(tenant, partner_id, resource, action, status, since, proposed_by, granted_by, expires_at, cap_minor, currency,
		 spent_minor, purchases, products, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12, $13)
		ON CONFLICT (tenant, partner_id, resource, action) DO UPDATE
		SET status = excluded.status, since = excluded.since, proposed_by = excluded.proposed_by,
			granted_by = excluded.granted_by, expires_at = excluded.expires_at, cap_minor = excluded.cap_minor,
			currency = excluded.currency, spent_minor = 0, purchases = 0, products = excluded.products,
			revision = excluded.revision`,
		p.CustomerID, p.PartnerID, p.Resource, p.Action, p.Status, at(p.Since), p.ProposedBy, p.GrantedBy, at(p.ExpiresAt),
		p.CapMinor, p.Currency, string(products), p.Revision)
	return err
}

func permissionRevoked(ctx context.Context, tx Tx, e domain.Recorded[relationship.PurchasePermissionRevoked]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE purchase_permissions SET status = $5, since = $6, revision = $7
		WHERE tenant = $1 AND partner_id = $2 AND resource = $3 AND action = $4`,
		d.CustomerID, d.PartnerID, d.Resource, d.Action, string(d.Reason), at(d.At), e.Revision)
	return err
}

// customerPurchased adds up, so an event that the row has already seen must
// not count again.
func customerPurchased(ctx context.Context, tx Tx, e domain.Recorded[relationship.CustomerPurchaseRecorded]) error {
	d := e.Data
	_, err := tx.ExecContext(ctx, `UPDATE purchase_permissions
		SET purchases = purchases + 1, revision = $6,
			spent_minor = CASE WHEN cap_minor > 0 THEN spent_minor + $5 ELSE spent_minor END
		WHERE tenant = $1 AND partner_id = $2 AND resource = $3 AND action = $4 AND revision < $6`,
		d.CustomerID, d.PartnerID, d.Resource, d.Action, d.AmountMinor, e.Revision)
	return err
}

// PurchasePermission is what a customer may buy, or might, at a partner's expense.
type PurchasePermission struct {
	PartnerID  string `json:"partnerId"`  // a tenant
	CustomerID string `json:"customerId"` // a tenant
	relationship.Allowance
	Status     string    `json:"status"`             // "proposed", "granted", "revoked", "expired" or "relationship-ended"
	Since      time.Time `json:"since"`              // of the status
	ProposedBy string    `json:"proposedBy"`         // the partner's person
	GrantedBy  string    `json:"grantedBy,omitzero"` // the partner's person who approved it
	SpentMinor int64     `json:"spentMinor"`         // of the cap
	Purchases  int64     `json:"purchases"`          // how many there were
	Revision   int64     `json:"revision"`           // of the relationship's stream, as far as it is in the row
}

// PermissionRegister returns all permissions of which tenant is either side,
// also those that ended, and the cursor of the next page or "". A cursor that
// is not one is an [ErrCursor].
func PermissionRegister(ctx context.Context, db DB, tenant, cursor string, limit int) ([]PurchasePermission, string, error) {
	key, err := after(cursor, 4)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanPermission, func(p PurchasePermission) []string {
		return []string{p.CustomerID, p.PartnerID, p.Resource, p.Action}
	}, `SELECT tenant, partner_id, resource, action, status, since, proposed_by, granted_by, expires_at, cap_minor, currency,
			spent_minor, purchases, products, revision
		FROM purchase_permissions
		WHERE (tenant = $1 OR partner_id = $1) AND (tenant, partner_id, resource, action) > ($2, $3, $4, $5)
		ORDER BY tenant, partner_id, resource, action LIMIT $6`, tenant, key[0], key[1], key[2], key[3])
}

func scanPermission(row scanner) (p PurchasePermission, err error) {
	var products string
	err = row.Scan(&p.CustomerID, &p.PartnerID, &p.Resource, &p.Action, &p.Status, instant{&p.Since}, &p.ProposedBy, &p.GrantedBy,
		instant{&p.ExpiresAt}, &p.CapMinor, &p.Currency, &p.SpentMinor, &p.Purchases, &products, &p.Revision)
	if err != nil {
		return p, err
	}
	if err = json.Unmarshal([]byte(products), &p.Products); len(p.Products) == 0 {
		p.Products = nil
	}
	return p, err
}
