-- security_contacts has one row per slot of a person's security info that ever held a contact.
-- Written by security_info.go.
CREATE TABLE security_contacts (
    tenant        TEXT    NOT NULL, -- that the person works for
    admin_id      TEXT    NOT NULL,
    slot          TEXT    NOT NULL, -- "mobile", "alternateMobile", "office" or "alternateEmail"
    verified      TEXT,             -- sealed JSON string: the contact in use; NULL for none
    verified_at   BIGINT  NOT NULL, -- microseconds since 1970 UTC; 0: no contact is in use
    verified_type TEXT    NOT NULL, -- kind of line of the phone in use
    pending       TEXT,             -- sealed JSON string: the contact that waits for its code; NULL for none
    pending_type  TEXT    NOT NULL, -- kind of line of the phone that waits
    waiting       INTEGER NOT NULL, -- 1: a contact waits
    verification  TEXT    NOT NULL, -- ID of its verification; empty: its code ran out
    channel       TEXT    NOT NULL, -- how its code travels
    expires_at    BIGINT  NOT NULL, -- of its code; microseconds since 1970 UTC, or 0
    failures      INTEGER NOT NULL, -- wrong codes so far
    tries         INTEGER NOT NULL, -- wrong codes that end the verification; 0: as version 1 of the policy says
    usable_from   BIGINT  NOT NULL, -- when the contact in use may first recover the account; microseconds since 1970 UTC, or 0
    undo_change   TEXT    NOT NULL, -- ID of the last change of the contact in use that may be undone; empty: none
    undo_until    BIGINT  NOT NULL, -- until when; microseconds since 1970 UTC, or 0
    email_mac     TEXT    NOT NULL, -- keyed hash of the address that was last in use; empty for phones
    invalidated   TEXT    NOT NULL, -- why the contact in use stopped counting; empty if it did not
    updated_at    BIGINT  NOT NULL, -- microseconds since 1970 UTC
    revision      BIGINT  NOT NULL, -- of the stream, as far as it is in this row
    PRIMARY KEY (tenant, admin_id, slot)
);
CREATE INDEX security_contacts_email ON security_contacts (tenant, email_mac);
-- security_accounts has one row per person whose account can be recovered. Written by security_info.go.
CREATE TABLE security_accounts (
    tenant       TEXT   NOT NULL,
    admin_id     TEXT   NOT NULL,
    reconfirm_by BIGINT NOT NULL, -- when they are asked whether their contacts are right; microseconds since 1970 UTC, or 0
    asked_at     BIGINT NOT NULL, -- when they were asked and did not answer yet; microseconds since 1970 UTC, or 0
    revision     BIGINT NOT NULL, -- of the stream's last event that is in no row of security_contacts; -1: none
    PRIMARY KEY (tenant, admin_id)
);
-- security_roles has one row per role that a person has: they decide the gate. Written by security_info.go.
CREATE TABLE security_roles (
    tenant   TEXT NOT NULL,
    admin_id TEXT NOT NULL,
    role     TEXT NOT NULL,
    PRIMARY KEY (tenant, admin_id, role)
);
-- security_tenants and security_domains have what decides the gate of an organization's people.
-- Written by security_gate.go.
CREATE TABLE security_tenants (
    tenant      TEXT   NOT NULL PRIMARY KEY,
    trial_since BIGINT NOT NULL -- microseconds since 1970 UTC; 0: no trial
);
CREATE TABLE security_domains (
    tenant TEXT NOT NULL,
    domain TEXT NOT NULL, -- A-label; the initial one, too
    PRIMARY KEY (tenant, domain)
);
-- security_terms has the published versions of the policy account-recovery. Written by security_gate.go.
CREATE TABLE security_terms (
    number       INTEGER NOT NULL PRIMARY KEY,
    effective_at BIGINT  NOT NULL, -- microseconds since 1970 UTC
    rules        TEXT    NOT NULL  -- JSON
);
