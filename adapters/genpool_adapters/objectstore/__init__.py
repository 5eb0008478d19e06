"""The object store of a pool: its port, and behind it S3 or a folder."""
