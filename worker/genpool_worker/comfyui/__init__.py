"""One prompt on ComfyUI: submit it, wait for its end, read its result."""
