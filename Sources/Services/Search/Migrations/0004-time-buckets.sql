-- A search reads the index in parts, from the newest posts to the oldest, and stops when it has counted enough posts.
-- A part is a set of time buckets. The buckets of the level n (0 to 6) are 16^(n+1) seconds long and have the numbers
-- n, n + 8, n + 16, …, so that few buckets cover a long time. The search service computes the same numbers.
-- The function has only immutable operators, so the planner can replace a call with its body.
CREATE FUNCTION time_buckets(at timestamptz) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[
        (date_part('epoch', at - timestamptz '1970-01-01 00:00:00Z')::bigint >> 4) * 8,
        (date_part('epoch', at - timestamptz '1970-01-01 00:00:00Z')::bigint >> 8) * 8 + 1,
        (date_part('epoch', at - timestamptz '1970-01-01 00:00:00Z')::bigint >> 12) * 8 + 2,
        (date_part('epoch', at - timestamptz '1970-01-01 00:00:00Z')::bigint >> 16) * 8 + 3,
        (date_part('epoch', at - timestamptz '1970-01-01 00:00:00Z')::bigint >> 20) * 8 + 4,
        (date_part('epoch', at - timestamptz '1970-01-01 00:00:00Z')::bigint >> 24) * 8 + 5,
        (date_part('epoch', at - timestamptz '1970-01-01 00:00:00Z')::bigint >> 28) * 8 + 6]
$$;

-- Each part of a search reads the whole list of pending entries, so the list is limited to 1 MB (default: 4 MB). With a
-- shorter list, inserts are slower.
SET LOCAL maintenance_work_mem = '256MB';
CREATE INDEX documents_search ON documents USING gin (words, time_buckets(created_at))
    WITH (gin_pending_list_limit = 1024);
-- While DROP INDEX waits for a lock, searches wait behind it.
SET LOCAL lock_timeout = '60s';
DROP INDEX documents_words;
