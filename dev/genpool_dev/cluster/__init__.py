"""The cluster that developers, the demo and the e2e tests use: local, kind, or the current context.

``api`` is what others import. ``providers`` make a Kubernetes; ``artifacts`` are what goes in
(binaries, images); ``node`` holds the namespaces and programs of the local provider.
"""
