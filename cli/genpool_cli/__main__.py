"""``python -m genpool_cli``."""

from genpool_cli.app import main

main()
