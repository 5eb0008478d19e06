"""Deletion of what a task contains, where its owner asks for it."""
