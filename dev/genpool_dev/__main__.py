"""``python -m genpool_dev``."""

from genpool_dev.cli import main

main()
