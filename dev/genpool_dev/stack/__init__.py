"""GenPool installed on a cluster as a user would, and what one needs around it to see it work.

Shared by the demo and the e2e tests: chart, Secrets, bucket and pools (``install``, ``pools``), readings of broker and
bucket (``broker``, ``bucket``), the gateway's API (``gateway``), and two servers on this machine, for photos and for
callbacks (``servers``).
"""
