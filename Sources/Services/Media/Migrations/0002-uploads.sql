-- Uploads under way: a row is there from before a picture may be at the media host until its row of media is, and seldom
-- beyond, where two deliveries met. What a command that never succeeds has left at the host is found by it.
CREATE TABLE upload (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    -- When the last attempt began.
    begun_at timestamptz NOT NULL DEFAULT now(),
    -- When a sweeper began to remove the picture: until it has, nobody uploads under that id.
    swept_at timestamptz
);
CREATE INDEX upload_oldest ON upload (begun_at);
