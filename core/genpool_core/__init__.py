"""The contract of GenPool: models, names, messages and decisions, all pure."""
