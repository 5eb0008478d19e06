"""The ComfyUI stand-in: answers as a real ComfyUI does, and needs neither GPU nor models.

It exists so that tests, the demo and a newcomer's machine can run the whole way of a task. It makes
real PNGs, but draws them: nothing here is generated. `python -m genpool_dev.comfyui` starts it.
Its image holds aiohttp and Pillow only, so nothing here may import another package of the project.
"""
