CREATE EXTENSION IF NOT EXISTS unaccent;

-- Returns a word as people compare words: without accents, ligatures, wide letters, the vowel signs of Arabic and Hebrew
-- and the Arabic tatweel, which are usually left out, and with one form of the Greek sigma. unaccent knows the letters
-- that have no decomposition, such as ł and ß. A word that consists of such signs only stays as it is.
CREATE FUNCTION fold_word(word text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(normalize(translate(regexp_replace(
        unaccent(normalize(lower(normalize(word, NFKC)), NFKD)),
        '[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]',
        '', 'g'), 'ς', 'σ'), NFKC), ''), word)
$$;
