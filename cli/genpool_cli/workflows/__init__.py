"""Workflows on their way from ComfyUI into a pool: checked, given parameters, put on a cluster."""
