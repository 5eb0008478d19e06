"""The ledger of a task in the bucket: claims, the end record, and what a delivery means in their light."""
