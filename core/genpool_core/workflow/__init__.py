"""Workflow templates: the parameters they take, and how a task's values become a ComfyUI graph. All pure."""
