-- audit_sessions has one row per audit session. audit_reads has one per recorded
-- reading and per bundle that was taken along. Written by audit_access.go.
CREATE TABLE audit_sessions (
    tenant     TEXT   NOT NULL,
    session    TEXT   NOT NULL,
    auditor    TEXT   NOT NULL, -- an admin's ID
    purpose    TEXT,            -- sealed; NULL if none was given
    scope      TEXT   NOT NULL, -- JSON
    since      BIGINT NOT NULL, -- microseconds since 1970 UTC
    until      BIGINT NOT NULL, -- when it ends by itself
    ended_at   BIGINT NOT NULL, -- 0 while nobody has recorded its end
    ended_by   TEXT   NOT NULL, -- who closed it; empty if nobody did
    readings   BIGINT NOT NULL, -- that were recorded
    exports    BIGINT NOT NULL, -- bundles that were taken along
    position   BIGINT NOT NULL, -- of its beginning in $all
    revision   BIGINT NOT NULL, -- of the auditor's stream, as far as it is in this row
    PRIMARY KEY (tenant, session)
);
CREATE INDEX audit_sessions_newest ON audit_sessions (tenant, position);

CREATE TABLE audit_reads (
    tenant     TEXT   NOT NULL,
    position   BIGINT NOT NULL, -- of the record in $all
    session    TEXT   NOT NULL,
    auditor    TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- a way of reading, or "export"
    account    TEXT   NOT NULL, -- the stream that was read; empty for all of them
    bound_from TEXT   NOT NULL, -- a revision, a position or a time; empty for none
    bound_to   TEXT   NOT NULL,
    event_type TEXT   NOT NULL, -- the only type of events; empty for all
    checkpoint TEXT   NOT NULL, -- the position that the log had reached
    events     BIGINT NOT NULL, -- of an export: how many it holds
    digest     TEXT   NOT NULL, -- of an export: SHA-256 in hexadecimal
    at         BIGINT NOT NULL, -- microseconds since 1970 UTC
    PRIMARY KEY (tenant, position)
);
