-- admins has one row per person's account. Written by admins.go.
CREATE TABLE admins (
    tenant         TEXT   NOT NULL, -- that the person works for
    admin_id       TEXT   NOT NULL,
    sign_in_name   TEXT,             -- sealed JSON string: a mail address
    display_name   TEXT,             -- sealed JSON string
    primary_email  TEXT,             -- sealed JSON string: where mail goes; NULL: to the sign-in name
    locale         TEXT   NOT NULL, -- BCP 47; empty: the organization's
    status         TEXT   NOT NULL, -- "active", "blocked", "off-boarded" or "gone"
    retained_until BIGINT NOT NULL, -- microseconds since 1970 UTC; 0: the person has not left
    added_at       BIGINT NOT NULL, -- microseconds since 1970 UTC
    updated_at     BIGINT NOT NULL, -- microseconds since 1970 UTC
    revision       BIGINT NOT NULL, -- of the stream, as far as it is in this row
    PRIMARY KEY (tenant, admin_id)
);
-- admin_roles has one row per role that a person has. Written by admins.go.
CREATE TABLE admin_roles (
    tenant   TEXT NOT NULL,
    admin_id TEXT NOT NULL,
    role     TEXT NOT NULL, -- code, the same in every language
    PRIMARY KEY (tenant, admin_id, role)
);
-- admin_aliases has one row per further mail address of a person. Written by admins.go.
CREATE TABLE admin_aliases (
    tenant   TEXT   NOT NULL,
    admin_id TEXT   NOT NULL,
    revision BIGINT NOT NULL, -- of the event that added it: their order
    email    TEXT,            -- sealed JSON string
    PRIMARY KEY (tenant, admin_id, revision)
);
