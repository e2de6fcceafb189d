CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- A deletion that comes before its creation stays as a row without content, which a creation does not overwrite.
CREATE TABLE documents (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL,
    author_name text NOT NULL DEFAULT '',
    content text NOT NULL DEFAULT '',
    created_at timestamptz,
    is_deleted boolean NOT NULL DEFAULT false,
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', content)) STORED
);
CREATE INDEX documents_words ON documents USING gin (words);
CREATE INDEX documents_trigrams ON documents USING gin (content gin_trgm_ops);
