"""Generated files: the CRD and its copy in the chart, the field reference, the schemas of messages and values.

``make generate`` writes them, ``make verify`` fails where one differs from its source.
"""

from genpool_dev.generate.run import main

__all__ = ["main"]
