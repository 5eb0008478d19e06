"""Kubernetes' JSON as our programs read it, and what its refusals mean. All pure."""
