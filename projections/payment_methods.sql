-- payment_methods has one row per card that was ever added. Written by payment_methods.go.
CREATE TABLE payment_methods (
    tenant               TEXT    NOT NULL,
    card_id              TEXT    NOT NULL,
    owner                TEXT    NOT NULL, -- the admin who added it
    brand                TEXT    NOT NULL,
    last4                TEXT    NOT NULL, -- last four digits
    exp_month            INTEGER NOT NULL, -- 1-12; 0 if it may not be kept
    exp_year             INTEGER NOT NULL, -- four digits
    funding              TEXT    NOT NULL, -- "credit", "debit", "prepaid" or "unknown"
    issuer_country       TEXT    NOT NULL, -- ISO 3166-1 alpha-2
    country              TEXT    NOT NULL, -- of the billing address when it was added; ISO 3166-1 alpha-2
    holder               TEXT,             -- sealed JSON string: the name on the card
    bill_to              TEXT,             -- sealed JSON object: the billing address
    phone                TEXT,             -- sealed JSON string
    check_line1          TEXT    NOT NULL, -- what the issuer last said: "pass", "fail", "unavailable", "unchecked" or empty
    check_postal         TEXT    NOT NULL, -- likewise
    check_cvc            TEXT    NOT NULL, -- likewise
    last_checked_at      BIGINT  NOT NULL, -- when the gateway last used or checked it; microseconds since 1970 UTC
    last_decline_class   TEXT    NOT NULL, -- what may be shown of it; empty if the last charge succeeded
    last_decline_code    TEXT    NOT NULL, -- what may be shown of it
    last_decline_invoice TEXT    NOT NULL, -- invoice ID
    manual_above_minor   BIGINT  NOT NULL, -- the most that is charged without the holder; 0: no such limit
    manual_above_currency TEXT   NOT NULL, -- of that; ISO 4217 or empty
    warned_days          INTEGER NOT NULL, -- of the last warning that it is expiring; 0 for none
    said_expired         INTEGER NOT NULL, -- 1: it was recorded as expired
    blocked              INTEGER NOT NULL, -- 1: the bank accepts it no more
    removed_at           BIGINT  NOT NULL, -- microseconds since 1970 UTC; 0: it is there
    added_at             BIGINT  NOT NULL, -- microseconds since 1970 UTC
    updated_at           BIGINT  NOT NULL, -- when its details last changed; microseconds since 1970 UTC
    revision             BIGINT  NOT NULL, -- of the card's stream, as far as it is in this row
    PRIMARY KEY (tenant, card_id)
);
-- subscriptions has one row per subscription. Written by subscriptions.go.
CREATE TABLE subscriptions (
    tenant          TEXT   NOT NULL,
    subscription_id TEXT   NOT NULL,
    product         TEXT   NOT NULL,
    bought_by       TEXT   NOT NULL, -- an admin's ID
    kind            TEXT   NOT NULL, -- how it is paid for: "card" or "invoice"
    po_number       TEXT   NOT NULL, -- of the customer's purchase order; empty for none
    licences        INTEGER NOT NULL, -- assigned to users
    service_usage   TEXT,            -- sealed JSON object: where most users are
    bill_to         TEXT,            -- sealed JSON object: to whom invoices go
    cancelled_at    BIGINT NOT NULL, -- microseconds since 1970 UTC; 0 unless it is cancelled
    admin_access_until BIGINT NOT NULL, -- of a cancelled one; likewise
    data_until      BIGINT NOT NULL, -- of a cancelled one; likewise
    unpaid_invoice  TEXT   NOT NULL, -- for which it was cancelled; empty if that was not why
    deleted_at      BIGINT NOT NULL, -- microseconds since 1970 UTC; 0: its data is there
    registered_at   BIGINT NOT NULL, -- microseconds since 1970 UTC
    updated_at      BIGINT NOT NULL, -- microseconds since 1970 UTC
    revision        BIGINT NOT NULL, -- of the subscription's stream, as far as it is in this row
    PRIMARY KEY (tenant, subscription_id)
);
-- subscription_cards has one row per card on a subscription. Written by subscriptions.go.
CREATE TABLE subscription_cards (
    tenant          TEXT    NOT NULL,
    subscription_id TEXT    NOT NULL,
    card_id         TEXT    NOT NULL,
    priority        INTEGER NOT NULL, -- 0: the primary card; else the backup's turn
    added_by        TEXT    NOT NULL, -- an admin's ID; empty if a replacement put it there
    PRIMARY KEY (tenant, subscription_id, card_id)
);
-- What a card is on.
CREATE INDEX subscription_cards_card ON subscription_cards (tenant, card_id);
-- subscription_suspensions has one row per invoice for which a subscription's service is off. Written by suspensions.go.
CREATE TABLE subscription_suspensions (
    tenant          TEXT   NOT NULL,
    subscription_id TEXT   NOT NULL,
    invoice_id      TEXT   NOT NULL,
    suspended_at    BIGINT NOT NULL, -- microseconds since 1970 UTC
    access_until    BIGINT NOT NULL, -- until then a payment brings it back; likewise
    data_until      BIGINT NOT NULL, -- likewise
    PRIMARY KEY (tenant, subscription_id, invoice_id)
);
