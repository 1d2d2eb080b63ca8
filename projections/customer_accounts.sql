-- customer_accounts has one row per customer of any partner. Written by customer_accounts.go.
CREATE TABLE customer_accounts (
    tenant               TEXT   NOT NULL PRIMARY KEY, -- the customer's
    registered_by        TEXT   NOT NULL, -- the partner's tenant
    company_name         TEXT   NOT NULL,
    company_key          TEXT   NOT NULL, -- the company name in lower case
    registration_number  TEXT   NOT NULL, -- of the organization; empty for none
    country              TEXT   NOT NULL, -- ISO 3166-1 alpha-2
    domain               TEXT   NOT NULL,
    language             TEXT   NOT NULL, -- BCP 47
    billing_company_name TEXT   NOT NULL, -- of the billing profile; empty if never set
    billing_culture      TEXT   NOT NULL, -- BCP 47 with a region; empty if never set
    billing_language     TEXT   NOT NULL, -- BCP 47; empty if never set
    contact              TEXT,            -- sealed JSON object: who gets the bill
    address              TEXT,            -- sealed JSON object: where the bill goes
    phone                TEXT,            -- sealed JSON string: the company's, where countries ask for one
    registered_at        BIGINT NOT NULL, -- microseconds since 1970 UTC
    updated_at           BIGINT NOT NULL, -- microseconds since 1970 UTC
    revision             BIGINT NOT NULL  -- of the stream, as far as it is in this row
);
-- customer_partners has one row per pair of a customer and a partner that ever asked to be one. Written by
-- relationships.go.
CREATE TABLE customer_partners (
    tenant      TEXT   NOT NULL, -- the customer's
    partner_id  TEXT   NOT NULL, -- the partner's tenant
    type        TEXT   NOT NULL, -- "reseller", "advisor", "syndication" or "support"
    status      TEXT   NOT NULL, -- "requested", "active" or "ended"
    since       BIGINT NOT NULL, -- of the status; microseconds since 1970 UTC
    ended_by    TEXT   NOT NULL, -- a tenant; empty unless ended
    reason      TEXT,            -- sealed JSON string: why it ended
    company_key TEXT   NOT NULL, -- as in customer_accounts; empty if not registered yet
    revision    BIGINT NOT NULL, -- of the relationship's stream
    PRIMARY KEY (tenant, partner_id)
);
-- A partner's customers in the order of their names.
CREATE INDEX customer_partners_partner ON customer_partners (partner_id, status, company_key, tenant);
