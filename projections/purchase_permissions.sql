-- purchase_permissions has one row per partner, customer, resource and action of which there ever was a permission.
-- Written by purchase_permissions.go.
CREATE TABLE purchase_permissions (
    tenant      TEXT   NOT NULL, -- the customer's
    partner_id  TEXT   NOT NULL, -- the partner's tenant
    resource    TEXT   NOT NULL,
    action      TEXT   NOT NULL,
    status      TEXT   NOT NULL, -- "proposed", "granted", "revoked", "expired" or "relationship-ended"
    since       BIGINT NOT NULL, -- of the status; microseconds since 1970 UTC
    proposed_by TEXT   NOT NULL, -- the partner's person
    granted_by  TEXT   NOT NULL, -- the partner's person; empty if nobody has approved it
    expires_at  BIGINT NOT NULL, -- microseconds since 1970 UTC; 0 for never
    cap_minor   BIGINT NOT NULL, -- in minor units of the currency; 0 for no cap
    currency    TEXT   NOT NULL, -- ISO 4217; empty without a cap
    spent_minor BIGINT NOT NULL, -- of the cap
    purchases   BIGINT NOT NULL, -- how many there were under this permission
    products    TEXT   NOT NULL, -- the only ones that may be bought, as a JSON list
    revision    BIGINT NOT NULL, -- of the relationship's stream, as far as it is in this row
    PRIMARY KEY (tenant, partner_id, resource, action)
);
CREATE INDEX purchase_permissions_partner ON purchase_permissions (partner_id);
