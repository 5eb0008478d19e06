"""The local provider's node: one process with namespaces of its own, and all programs inside it.

Its first process (``pause``) is process 1 of a PID namespace and keeps a mount, an IPC and, by name, a
network namespace. Whatever runs in the node, down to the containers of its pods, ends with that process,
and every mount made in the node goes with it: the kernel does the cleaning.
"""
