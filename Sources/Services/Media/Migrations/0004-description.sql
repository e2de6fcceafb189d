ALTER TABLE media
    ADD COLUMN description text,
    -- The time at which the description was changed last; null if it is that of the upload.
    ADD COLUMN described_at timestamptz;
