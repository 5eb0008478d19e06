"""The gateway: today the dispatcher of signed callbacks."""
