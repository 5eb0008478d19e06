"""What workers announce: into the task store, and to those who watch."""
