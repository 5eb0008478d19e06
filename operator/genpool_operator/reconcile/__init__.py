"""A pass for one pool: observe, plan, execute. The plan is a pure function."""
