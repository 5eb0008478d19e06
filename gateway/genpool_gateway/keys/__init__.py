"""Who may do what: API keys, roles, identities that a trusted proxy names."""
