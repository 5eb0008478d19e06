"""The ledger's I/O: records in the bucket, the lease of a claim, and the check of the store's conditional put."""
