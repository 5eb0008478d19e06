"""The ways to get a Kubernetes: one module each behind one small protocol."""
