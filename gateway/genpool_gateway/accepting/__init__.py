"""Accepting of tasks: stored in groups, published with confirms, and answered only when the broker has them."""
