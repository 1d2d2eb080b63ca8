-- notification_log has one row per message that was to tell somebody something. Written by notification_log.go.
CREATE TABLE notification_log (
    tenant            TEXT    NOT NULL, -- of the event that caused it
    notification_id   TEXT    NOT NULL, -- ID of the effect that asked for it
    position          BIGINT  NOT NULL, -- of the outcome in $all
    template          TEXT    NOT NULL, -- which message
    template_version  TEXT    NOT NULL, -- which wording of it
    locale            TEXT    NOT NULL, -- BCP 47, of the text
    channel           TEXT    NOT NULL, -- "mail", "sms" or "voice"
    person            TEXT    NOT NULL, -- an admin's ID; empty for an address of nobody's account
    cause             TEXT    NOT NULL, -- ID of the event that asked for it
    outcome           TEXT    NOT NULL, -- "sent", "failed" or "suppressed"
    reason            TEXT    NOT NULL, -- why it failed or was left out; empty if sent
    attempts          INTEGER NOT NULL, -- how often it was tried
    recipient_digests TEXT    NOT NULL, -- keyed hashes of the addresses, separated by spaces
    text_hash         TEXT    NOT NULL, -- of the text that was sent
    message_id        TEXT    NOT NULL, -- as the mail server or gateway knows it
    at                BIGINT  NOT NULL, -- of the outcome; microseconds since 1970 UTC
    PRIMARY KEY (tenant, notification_id)
);
-- The log, newest first.
CREATE INDEX notification_log_position ON notification_log (tenant, position);
-- What one person was told.
CREATE INDEX notification_log_person ON notification_log (tenant, person, position);
-- Who was told of one event.
CREATE INDEX notification_log_cause ON notification_log (tenant, cause, position);
