-- Trigrams of whole contents cost a write more than everything else. Typing errors are found by the words that posts
-- have used instead, of which a usual post brings no new one. Words stay when their posts go.
DROP INDEX documents_trigrams;

-- In the order of bytes, so that the words with one beginning lie together.
CREATE TABLE vocabulary (word text COLLATE "C" PRIMARY KEY);
INSERT INTO vocabulary (word)
SELECT DISTINCT lexeme FROM documents, unnest(to_tsvector('simple', content))
WHERE length(lexeme) BETWEEN 3 AND 40 AND lexeme ~ '^[[:alnum:]]+$' AND lexeme ~ '[[:alpha:]]';
CREATE INDEX vocabulary_trigrams ON vocabulary USING gin (word gin_trgm_ops);

-- For a rebuild, which walks the posts by their age.
CREATE INDEX documents_created ON documents (created_at);
