-- Names and addresses are ASCII: the collation "C" folds them alike on every server.
CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    username text NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX accounts_username ON accounts (lower(username COLLATE "C"));
CREATE UNIQUE INDEX accounts_email ON accounts (lower(email COLLATE "C"));

-- A login and all the refresh tokens that follow from it. The row is the lock of them all; without it, none is valid.
CREATE TABLE refresh_families (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX refresh_families_account ON refresh_families (account_id);
CREATE INDEX refresh_families_expiry ON refresh_families (expires_at);

-- Tokens as their SHA-256. A used one keeps its successor, encrypted with a key that only its bearer can derive.
CREATE TABLE refresh_tokens (
    hash bytea PRIMARY KEY,
    family_id uuid NOT NULL REFERENCES refresh_families ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    successor bytea,
    CHECK ((used_at IS NULL) = (successor IS NULL))
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
