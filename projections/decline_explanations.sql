-- decline_explanations has one row per declined attempt to charge a card for an invoice. It holds only what may be
-- shown to anybody with the card in hand: a decline that must be masked is stored as the generic one that it is shown
-- as. Operators alone are shown unknown_code. Written by decline_explanations.go.
CREATE TABLE decline_explanations (
    tenant          TEXT    NOT NULL,
    invoice_id      TEXT    NOT NULL,
    attempt         INTEGER NOT NULL, -- 1 is the invoice's first
    position        BIGINT  NOT NULL, -- commit position in $all
    subscription_id TEXT    NOT NULL,
    card_id         TEXT    NOT NULL,
    owner           TEXT    NOT NULL, -- of the card: an admin's ID
    brand           TEXT    NOT NULL, -- of the card when it was charged
    last4           TEXT    NOT NULL, -- likewise
    exp_month       INTEGER NOT NULL, -- likewise; 1-12
    exp_year        INTEGER NOT NULL, -- likewise; four digits
    valid_until     BIGINT  NOT NULL, -- when the card stops being valid; microseconds since 1970 UTC, or 0
    amount_minor    BIGINT  NOT NULL, -- in the currency's smallest unit
    currency        TEXT    NOT NULL, -- ISO 4217
    class           TEXT    NOT NULL, -- what kind of decline it is
    code            TEXT    NOT NULL, -- the gateway's code, or the generic one
    unknown_code    TEXT    NOT NULL, -- the gateway's code if no list has it, else empty
    retry           TEXT    NOT NULL, -- when the same card may be charged again
    who_fixes       TEXT    NOT NULL, -- "customer", "bank", "time", "system" or empty for nobody
    checklist_item  TEXT    NOT NULL, -- what to look at first; empty for none
    check_line1     TEXT    NOT NULL, -- what the issuer said: "pass", "fail", "unavailable", "unchecked" or empty
    check_postal    TEXT    NOT NULL, -- likewise
    check_cvc       TEXT    NOT NULL, -- likewise
    address_check   TEXT    NOT NULL, -- JSON object: what the tables of its country say of the billing address; holds nothing of it
    holder          TEXT,             -- sealed JSON string: the holder's name when the card was charged
    bill_to         TEXT,             -- sealed JSON object: the billing address when the card was charged
    paid            INTEGER NOT NULL, -- 1: the invoice is paid
    at              BIGINT  NOT NULL, -- when the card was charged; microseconds since 1970 UTC
    PRIMARY KEY (tenant, invoice_id, attempt)
);
-- The tenant's declines, newest first.
CREATE INDEX decline_explanations_position ON decline_explanations (tenant, position);
-- Codes that somebody should look at.
CREATE INDEX decline_explanations_unknown ON decline_explanations (unknown_code) WHERE unknown_code <> '';
-- One card's declines.
CREATE INDEX decline_explanations_card ON decline_explanations (tenant, card_id, position);
-- declinable_cards has one row per card: what a person typed about it, as it is now. Written by decline_explanations.go.
CREATE TABLE declinable_cards (
    tenant    TEXT    NOT NULL,
    card_id   TEXT    NOT NULL,
    last4     TEXT    NOT NULL,
    exp_month INTEGER NOT NULL, -- 1-12; 0 if it may not be kept
    exp_year  INTEGER NOT NULL, -- four digits; likewise
    holder    TEXT,             -- sealed JSON string
    bill_to   TEXT,             -- sealed JSON object
    PRIMARY KEY (tenant, card_id)
);
