-- orphaned_items has one row per card or subscription that a leaver left
-- behind. Written by orphaned_items.go.
CREATE TABLE orphaned_items (
    tenant     TEXT   NOT NULL,
    admin_id   TEXT   NOT NULL, -- the leaver
    item_id    TEXT   NOT NULL, -- a card's or a subscription's
    why        TEXT   NOT NULL, -- "own-card", "paying" or "bought"
    settled    TEXT   NOT NULL, -- how somebody else came to look after it; empty: nobody does
    settled_by TEXT   NOT NULL, -- who took it over; empty: nobody said so
    due_at     BIGINT NOT NULL, -- microseconds since 1970 UTC: when the leaver's data goes
    found_at   BIGINT NOT NULL, -- microseconds since 1970 UTC
    settled_at BIGINT NOT NULL, -- microseconds since 1970 UTC; 0: not yet
    PRIMARY KEY (tenant, admin_id, item_id)
);
