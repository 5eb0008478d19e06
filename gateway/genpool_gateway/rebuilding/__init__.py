"""The task store from the ledgers: after the events queue was full, by itself; after a lost database, on demand."""
