"""The pools as the gateway knows them, and the checks at its door. All pure but the adapters behind ``source``."""
