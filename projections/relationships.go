package projections

import (
	"context"
	"time"

	"konto/domain"
	"konto/domain/relationship"
)

func relationshipRequested(ctx context.Context, tx Tx, e domain.Recorded[relationship.RelationshipRequested]) error {
	return putRelationship(ctx, tx, Relationship{
		PartnerID: e.Data.PartnerID, CustomerID: e.Data.CustomerID, Type: e.Data.Type,
		Status: relationship.StatusRequested, Since: e.Data.At, Revision: e.Revision,
	})
}

func relationshipEstablished(ctx context.Context, tx Tx, e domain.Recorded[relationship.RelationshipEstablished]) error {
	return putRelationship(ctx, tx, Relationship{
		PartnerID: e.Data.PartnerID, CustomerID: e.Data.CustomerID, Type: e.Data.Type,
		Status: relationship.StatusActive, Since: e.Data.At, Revision: e.Revision,
	})
}

func relationshipEnded(ctx context.Context, tx Tx, e domain.Recorded[relationship.RelationshipEnded]) error {
	return putRelationship(ctx, tx, Relationship{
		PartnerID: e.Data.PartnerID, CustomerID: e.Data.CustomerID, Type: e.Data.Type,
		Status: relationship.StatusEnded, Since: e.Data.At, EndedBy: e.Data.EndedBy, Reason: e.Data.Reason, Revision: e.Revision,
	})
}

func putRelationship(ctx context.Context, tx Tx, r Relationship) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO customer_partners
		(tenant, partner_id, type, status, since, ended_by, reason, company_key, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7,
			COALESCE((SELECT c.company_key FROM customer_accounts c WHERE c.tenant = $1), ''), $8)
		ON CONFLICT (tenant, partner_id) DO UPDATE
		SET type = excluded.type, status = excluded.status, since = excluded.since, ended_by = excluded.ended_by,
			reason = excluded.reason, revision = excluded.revision`,
		r.CustomerID, r.PartnerID, string(r.Type), string(r.Status), at(r.Since), r.EndedBy, seal(r.Reason), r.Revision)
	return err
}

// Relationship is how a partner and a customer stand.
type Relationship struct {
	PartnerID  string                  `json:"partnerId"`  // a tenant
	CustomerID string                  `json:"customerId"` // a tenant
	Type       relationship.Type       `json:"type"`
	Status     relationship.Status     `json:"status"`
	Since      time.Time               `json:"since"`            // of the status
	EndedBy    string                  `json:"endedBy,omitzero"` // a tenant
	Reason     domain.Personal[string] `json:"reason,omitzero"`  // why it ended
	Revision   int64                   `json:"revision"`         // of the stream, as far as it is in the row
}

// ID returns the ID of the relationship's stream.
func (r Relationship) ID() string { return relationship.ID(r.PartnerID, r.CustomerID) }

// Relationships returns all relationships of which tenant is either side, also
// ended ones, and the cursor of the next page or "". A cursor that is not one
// is an [ErrCursor].
func Relationships(ctx context.Context, db DB, tenant, cursor string, limit int) ([]Relationship, string, error) {
	key, err := after(cursor, 2)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanRelationship, func(r Relationship) []string { return []string{r.CustomerID, r.PartnerID} },
		`SELECT partner_id, tenant, type, status, since, ended_by, reason, revision FROM customer_partners
		WHERE (tenant = $1 OR partner_id = $1) AND (tenant, partner_id) > ($2, $3)
		ORDER BY tenant, partner_id LIMIT $4`, tenant, key[0], key[1])
}

func scanRelationship(row scanner) (r Relationship, err error) {
	err = row.Scan(&r.PartnerID, &r.CustomerID, &r.Type, &r.Status, instant{&r.Since}, &r.EndedBy,
		sealed[string]{&r.Reason}, &r.Revision)
	return r, err
}
