CREATE EXTENSION IF NOT EXISTS unaccent;

-- Removes accents, niqqud, harakat, tatweel and apostrophes, and replaces ligatures, wide letters, the final sigma, digits
-- of Arabic, and the Persian forms of Arabic letters. unaccent knows the letters that have no decomposition, such as ł
-- and ß. The letters й, ї and ў stay, because they are not accented и, і and у. If nothing is left, the word stays.
CREATE FUNCTION fold_word(word text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(translate(normalize(translate(regexp_replace(
        lower(unaccent(normalize(translate(lower(normalize(word, NFKC)), 'йїў', U&'\E000\E001\E002'), NFKD))),
        '[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]',
        '', 'g'), 'ςىیکةھ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹''', 'σييكهه01234567890123456789'), NFKC), U&'\E000\E001\E002', 'йїў'), ''), word)
$$;

-- The vocabulary now has folded words without stop words.
DELETE FROM vocabulary WHERE word <> fold_word(word) OR ts_lexize('english_stem', word) = '{}';
