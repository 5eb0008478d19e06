"""What developers and newcomers run: local cluster, ComfyUI stand-in, demo."""
