"""One prompt on ComfyUI: run it to its end, read its result."""
