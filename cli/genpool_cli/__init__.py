"""``genpool``: the command line. It talks to the gateway's API; what a person can do here, a program can do there."""
