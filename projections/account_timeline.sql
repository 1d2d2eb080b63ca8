-- account_timeline has one row per event of any account. Written by account_timeline.go.
CREATE TABLE account_timeline (
    tenant      TEXT   NOT NULL, -- that owns the aggregate
    position    BIGINT NOT NULL, -- commit position in $all: order, with gaps
    stream      TEXT   NOT NULL, -- "<category>-<aggregate ID>"
    revision    BIGINT NOT NULL, -- of the event in its stream, from 0
    event_id    TEXT   NOT NULL, -- UUID
    type        TEXT   NOT NULL, -- wire name, as stored
    summary     TEXT   NOT NULL, -- what happened, for a message catalogue: "<code>" or "<code>/<detail>"
    at          BIGINT NOT NULL, -- microseconds since 1970 UTC
    actor_id    TEXT   NOT NULL, -- who did it
    actor_kind  TEXT   NOT NULL, -- "person", "gateway" or "system"
    correlation TEXT   NOT NULL, -- the same for all that one request led to
    policies    TEXT   NOT NULL, -- JSON object: versions of the policies that it was decided under, by name; or ""
    PRIMARY KEY (tenant, position)
);
-- One account's page of its own timeline.
CREATE INDEX account_timeline_stream ON account_timeline (tenant, stream, position);
