"""Ends that no worker makes: cancelled and overdue tasks that wait, and what the broker dead-lettered by itself."""
