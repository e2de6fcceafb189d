CREATE TABLE media (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    url text NOT NULL,
    content_type text NOT NULL,
    bytes bigint NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX media_newest ON media (owner_id, created_at DESC, id DESC);
