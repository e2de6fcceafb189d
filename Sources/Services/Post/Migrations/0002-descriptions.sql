-- Events arrive in any order, so the time shows whether a description is newer than the stored one.
ALTER TABLE media ADD COLUMN description text, ADD COLUMN described_at timestamptz;
