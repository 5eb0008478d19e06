"""What the operator decides, as pure functions over values; ``now`` is an argument. Each has a table that tests it."""
