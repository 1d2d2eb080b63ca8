-- organization_profiles has one row per organization whose profile was saved.
-- Written by organization_profiles.go.
CREATE TABLE organization_profiles (
    tenant            TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    address           TEXT,            -- sealed JSON object: the sold-to address
    address_grade     TEXT   NOT NULL, -- how far the address was checked
    phone             TEXT,            -- sealed JSON string, E.164
    technical_contact TEXT,            -- sealed JSON string: a mail address
    contact_email     TEXT,            -- sealed JSON string: a mail address; NULL: none
    language          TEXT   NOT NULL, -- BCP 47
    invoices_attached BIGINT NOT NULL, -- 1: to billing messages
    updated_at        BIGINT NOT NULL, -- microseconds since 1970 UTC
    revision          BIGINT NOT NULL, -- of the stream, as far as it is in this row
    PRIMARY KEY (tenant)
);
