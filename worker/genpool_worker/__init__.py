"""The worker: turns messages into files, with exactly one end for each task."""
