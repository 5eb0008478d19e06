"""``make test-current``: demo and e2e tests on a cluster that somebody else has, which is the same afterwards.

``yours`` is that cluster: one of the local provider with addresses, folder and context of its own, a StorageClass, a
registry to pull from, and no GenPool. ``registry`` is the registry. ``inventory`` says what is on a cluster.
``parts`` runs demo and tests there, each to another end, and looks that nothing is left.
"""
