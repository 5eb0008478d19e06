"""`python -m genpool_dev.comfyui`."""

import sys

from genpool_dev.comfyui.app import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
