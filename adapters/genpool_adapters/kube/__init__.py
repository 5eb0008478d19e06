"""The Kubernetes API: login, requests, watches."""
