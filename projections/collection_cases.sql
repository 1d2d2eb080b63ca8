-- collection_cases has one row per invoice whose collecting was opened. Written by collection_cases.go.
CREATE TABLE collection_cases (
    tenant          TEXT    NOT NULL,
    invoice_id      TEXT    NOT NULL,
    position        BIGINT  NOT NULL, -- commit position in $all of the event that opened it last
    subscription_id TEXT    NOT NULL,
    card_id         TEXT    NOT NULL, -- that was declined or charged back
    owner           TEXT    NOT NULL, -- of the card: an admin's ID
    brand           TEXT    NOT NULL, -- of the card
    last4           TEXT    NOT NULL, -- of the card
    phase           TEXT    NOT NULL, -- "retrying", "accelerated", "past_due", "chargeback", "suspended", "recovered", "canceled" or "deleted"
    mode            TEXT    NOT NULL, -- "regular", "accelerated" or "chargeback"
    policy_version  INTEGER NOT NULL, -- of the policy "dunning"
    amount_minor    BIGINT  NOT NULL, -- in the currency's smallest unit
    currency        TEXT    NOT NULL, -- ISO 4217
    disputed        INTEGER NOT NULL, -- 1: the bank decides on a chargeback
    opened_at       BIGINT  NOT NULL, -- microseconds since 1970 UTC, as all times here; 0 for none
    grace_until     BIGINT  NOT NULL, -- when the service is suspended
    retry_at        BIGINT  NOT NULL, -- when the next attempt is planned
    retry_card_id   TEXT    NOT NULL, -- on which card; empty for none
    cancel_at       BIGINT  NOT NULL, -- of a suspended one: until when a payment brings the service back
    data_until      BIGINT  NOT NULL, -- of a suspended one: when data are gone
    by_hand         TEXT    NOT NULL, -- the card with which somebody was asked to pay; empty for none
    revision        BIGINT  NOT NULL, -- of the stream, as far as it is in the row
    PRIMARY KEY (tenant, invoice_id)
);
-- The tenant's cases, newest first.
CREATE INDEX collection_cases_position ON collection_cases (tenant, position);
-- Each attempt that counts towards what a card network allows for an invoice.
CREATE TABLE collection_attempts (
    tenant     TEXT   NOT NULL,
    invoice_id TEXT   NOT NULL,
    attempt    TEXT   NOT NULL, -- the request's ID, or the gateway event's of a charge that nobody asked for
    network    TEXT   NOT NULL, -- a card's brand, lower case
    at         BIGINT NOT NULL, -- when it was made, or must have been
    PRIMARY KEY (tenant, invoice_id, attempt)
);
-- What card networks allow, as far as a case has asked.
CREATE TABLE collection_budgets (
    tenant     TEXT    NOT NULL,
    invoice_id TEXT    NOT NULL,
    network    TEXT    NOT NULL,
    attempts   INTEGER NOT NULL, -- at most
    days       INTEGER NOT NULL, -- in a window of so many
    PRIMARY KEY (tenant, invoice_id, network)
);
-- Charges that the gateway's side has been asked for and has not answered.
CREATE TABLE due_charges (
    tenant          TEXT   NOT NULL,
    request_id      TEXT   NOT NULL,
    position        BIGINT NOT NULL, -- commit position in $all
    invoice_id      TEXT   NOT NULL,
    subscription_id TEXT   NOT NULL,
    card_id         TEXT   NOT NULL,
    gateway_token   TEXT   NOT NULL, -- what the gateway knows the card by
    amount_minor    BIGINT NOT NULL,
    currency        TEXT   NOT NULL,
    reason          TEXT   NOT NULL, -- "schedule", "backup", "change" or "settle"
    requested_at    BIGINT NOT NULL,
    until           BIGINT NOT NULL, -- it must not be carried out after this
    PRIMARY KEY (tenant, request_id)
);
-- The tenant's due charges, oldest first.
CREATE INDEX due_charges_position ON due_charges (tenant, position);
-- The charges that wait for an invoice.
CREATE INDEX due_charges_invoice ON due_charges (tenant, invoice_id);
