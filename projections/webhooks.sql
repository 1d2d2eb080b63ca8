-- webhook_endpoints has one row per endpoint that other systems are called at. Written by webhooks.go.
CREATE TABLE webhook_endpoints (
    tenant          TEXT    NOT NULL,
    endpoint_id     TEXT    NOT NULL,
    position        BIGINT  NOT NULL, -- commit position in $all of the registration
    url             TEXT    NOT NULL,
    events          TEXT    NOT NULL, -- types, separated by spaces
    status          TEXT    NOT NULL, -- active, disabled or removed
    why             TEXT    NOT NULL, -- it is disabled
    previous_until  BIGINT  NOT NULL, -- until when the secret before signs, too; microseconds since 1970 UTC
    failing         BIGINT  NOT NULL, -- deliveries given up since the last that arrived
    delivered_at    BIGINT  NOT NULL, -- when the last arrived
    updated_at      BIGINT  NOT NULL,
    revision        BIGINT  NOT NULL, -- of the stream, as far as it is in the row
    PRIMARY KEY (tenant, endpoint_id)
);
CREATE INDEX webhook_endpoints_position ON webhook_endpoints (tenant, position);

-- webhook_deliveries has one row per event and endpoint.
CREATE TABLE webhook_deliveries (
    tenant          TEXT    NOT NULL,
    delivery_id     TEXT    NOT NULL, -- the webhook-id
    position        BIGINT  NOT NULL, -- commit position in $all of the request
    endpoint_id     TEXT    NOT NULL,
    type            TEXT    NOT NULL,
    event_id        TEXT    NOT NULL,
    stream          TEXT    NOT NULL, -- of the account that the event is of
    event_at        BIGINT  NOT NULL, -- microseconds since 1970 UTC
    status          TEXT    NOT NULL, -- pending, delivered or abandoned
    round           BIGINT  NOT NULL,
    attempts        BIGINT  NOT NULL, -- in the round
    outcome         TEXT    NOT NULL, -- of the last attempt
    http_status     BIGINT  NOT NULL, -- likewise; 0 if there was no answer
    called_at       BIGINT  NOT NULL,
    took_ms         BIGINT  NOT NULL,
    retry_at        BIGINT  NOT NULL, -- 0 if none is to come
    why             TEXT    NOT NULL, -- it was given up
    revision        BIGINT  NOT NULL,
    PRIMARY KEY (tenant, delivery_id)
);
CREATE INDEX webhook_deliveries_position ON webhook_deliveries (tenant, position);
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (tenant, endpoint_id, position);
CREATE INDEX webhook_deliveries_status ON webhook_deliveries (tenant, status, position);
