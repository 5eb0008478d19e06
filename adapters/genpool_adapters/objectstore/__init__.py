"""The object store of a pool: its port, and S3 behind it."""
