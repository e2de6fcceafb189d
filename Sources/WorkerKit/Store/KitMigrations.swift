package import Postgres

/// The migrations of the inbox and outbox tables, which every service's database has.
package enum KitMigrations {
    /// The migrations in the order in which they are applied. The services' own tables do not depend on them.
    package static let all = [
        Migration(
            name: "kit-0001-inbox-outbox",
            sql: """
                CREATE TABLE inbox (
                    id uuid PRIMARY KEY,
                    type text NOT NULL,
                    subject uuid,
                    status integer NOT NULL,
                    content_type text,
                    location text,
                    etag text,
                    body bytea NOT NULL,
                    handled_at timestamptz NOT NULL DEFAULT now()
                );
                CREATE INDEX inbox_handled_at ON inbox USING brin (handled_at);
                CREATE TABLE outbox (
                    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    id uuid NOT NULL,
                    type text NOT NULL,
                    body bytea NOT NULL
                );
                """),
        // Rows that are older than this migration have no fingerprint.
        Migration(name: "kit-0002-inbox-fingerprint", sql: "ALTER TABLE inbox ADD COLUMN fingerprint bytea"),
        // An event that the broker has refused is published again at `due_at`.
        Migration(
            name: "kit-0003-outbox-refusals",
            sql: """
                ALTER TABLE outbox ADD COLUMN refusals integer NOT NULL DEFAULT 0, ADD COLUMN due_at timestamptz
                """),
        // The relay finds new events and due events without reading the events that are postponed.
        Migration(
            name: "kit-0004-outbox-order",
            sql: """
                CREATE INDEX outbox_new ON outbox (due_at, number) WHERE due_at IS NULL;
                CREATE INDEX outbox_postponed ON outbox (due_at, number) WHERE due_at IS NOT NULL;
                """),
        // The commands that were given up. If an operator replays such a command, its reply goes to the inbox.
        Migration(
            name: "kit-0005-failed-commands",
            sql: """
                CREATE TABLE failed_commands (
                    id uuid PRIMARY KEY,
                    subject uuid,
                    status integer NOT NULL,
                    body bytea NOT NULL,
                    failed_at timestamptz NOT NULL
                )
                """),
    ]
}
