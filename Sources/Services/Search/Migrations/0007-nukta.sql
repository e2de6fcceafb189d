-- Also removes the nukta of Hindi, which many people leave out (क़लम, कलम), and replaces the Arabic alef wasla.
CREATE OR REPLACE FUNCTION fold_word(word text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(translate(normalize(translate(regexp_replace(
        lower(unaccent(normalize(translate(lower(normalize(word, NFKC)), 'йїў', U&'\E000\E001\E002'), NFKD))),
        '[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u093c]',
        '', 'g'), 'ςىیکةھٱ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹''', 'σييكهها01234567890123456789'), NFKC), U&'\E000\E001\E002', 'йїў'), ''), word)
$$;

DELETE FROM vocabulary WHERE word ~ '[\u093c\u0671]';
