-- Several deliveries of one upload can run at the same time. The first one that ends creates the media item. If this
-- item is deleted, another delivery may store the image at Cloudinary again afterwards. Therefore the row of an upload
-- that was attempted more than once stays until no attempt can be under way, also after the upload has finished.
ALTER TABLE upload
    ADD COLUMN attempts integer NOT NULL DEFAULT 1,
    ADD COLUMN is_finished boolean NOT NULL DEFAULT false;
