"""What is decided about a task before anything is done for it: the same for the worker and the gateway."""
