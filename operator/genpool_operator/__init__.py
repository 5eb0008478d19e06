"""The operator: kopf around one level-triggered reconcile."""
