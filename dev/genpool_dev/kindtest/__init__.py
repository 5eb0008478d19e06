"""``make test-kind``: demo and e2e tests on a real kind, on a machine that has no Docker and pulls no image.

A Docker engine runs in namespaces of its own (``engine``), with images that are made here under the public ones' names
(``publicimages``) and a node image from Debian's packages and Go modules (``nodeimage``). When the run ends, however it
ends, the kernel takes engine, containers, bridges and firewall rules away with the namespaces.
"""
