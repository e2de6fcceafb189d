CREATE TABLE posts (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL,
    author_name text NOT NULL,
    content text NOT NULL,
    media_ids uuid[] NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX posts_newest ON posts (created_at DESC, id DESC);
-- Most posts have no media: those are not in it.
CREATE INDEX posts_media ON posts USING gin (media_ids) WHERE media_ids <> '{}';

-- What the service has heard of media. A deletion that comes before its upload stays as a row without a URL.
CREATE TABLE media (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    url text,
    is_deleted boolean NOT NULL DEFAULT false
);

-- How many posts there are, spread over slots so that writers seldom wait for one another, and no list counts.
CREATE TABLE post_count (
    slot integer PRIMARY KEY,
    posts bigint NOT NULL DEFAULT 0
);
INSERT INTO post_count (slot) SELECT generate_series(0, 15);
