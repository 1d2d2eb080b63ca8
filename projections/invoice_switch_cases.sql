-- invoice_switch_cases has one row per wish to pay a subscription by invoice. Written by invoice_switch_cases.go.
CREATE TABLE invoice_switch_cases (
    tenant          TEXT    NOT NULL,
    case_id         TEXT    NOT NULL,
    position        BIGINT  NOT NULL, -- commit position in $all of the request
    subscription_id TEXT    NOT NULL,
    status          TEXT    NOT NULL, -- "requested", "approved", "denied" or "applied"
    reason          TEXT    NOT NULL, -- "amount-rises" or "card-not-needed"
    why             TEXT    NOT NULL, -- of a denied one: the condition that is not met, or "other"
    requested_by    TEXT    NOT NULL, -- an admin's ID
    opened_by       TEXT    NOT NULL, -- who of billing support opened it for them; empty for nobody
    amount_minor    BIGINT  NOT NULL, -- of a month, in the currency's smallest unit
    currency        TEXT    NOT NULL, -- ISO 4217
    country         TEXT    NOT NULL, -- where the invoice goes: ISO 3166-1 alpha-2
    po_number       TEXT    NOT NULL, -- the customer's purchase order; empty for none
    case_ref        TEXT    NOT NULL, -- billing support's reference; empty for none
    credit          TEXT    NOT NULL, -- "passed", "failed" or empty for not known
    credit_due      BIGINT  NOT NULL, -- when the credit check is due; microseconds since 1970 UTC, or 0 for none
    checks          TEXT    NOT NULL, -- the conditions as JSON; empty until they were judged
    contact         TEXT,             -- sealed: whom the invoice goes to
    requested_at    BIGINT  NOT NULL, -- microseconds since 1970 UTC
    updated_at      BIGINT  NOT NULL, -- likewise
    revision        BIGINT  NOT NULL, -- of the stream, as far as it is in the row
    PRIMARY KEY (tenant, case_id)
);
-- The tenant's cases, newest first.
CREATE INDEX invoice_switch_cases_position ON invoice_switch_cases (tenant, position);
