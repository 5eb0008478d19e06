"""``make demo``: the whole way of 24 tasks on a real Kubernetes, from an API and two producers to pictures in a folder.

``run`` is the order of things; ``plan`` says which tasks; ``publish`` runs the producers and calls the API; ``watch``
and ``table`` show what happens; ``pictures`` checks the results; ``figures`` computes and judges them; ``state``
remembers what runs.
"""
