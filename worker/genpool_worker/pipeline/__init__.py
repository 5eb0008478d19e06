"""The way of one task: decode, validate, process, attempt, settle, end record."""
