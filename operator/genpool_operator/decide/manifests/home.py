"""What a usual ComfyUI image needs to start as a user that its maker did not think of.

Such an image belongs to root. Under another user ComfyUI cannot make its folder ``user`` and ends; a user with no name
lets ``getpass.getuser()`` fail, which PyTorch's compiler calls; and caches are looked for in ``/`` or ``/root``. So the
scratch volume has a home and a user folder. Variables that the pool sets win, and so does its own ``--user-directory``.
"""

from __future__ import annotations

from collections.abc import Sequence

from genpool_core.jsontypes import JsonObject

USER_FOLDER = "user"
HOME_FOLDER = "home"
#: Folders of the scratch volume that only ComfyUI mounts.
COMFYUI_FOLDERS = (USER_FOLDER, HOME_FOLDER)
USER_OPTION = "--user-directory"
_NAME = "comfyui"


def user_arguments(own: Sequence[str], scratch: str) -> list[str]:
    """ComfyUI's argument for its user folder, unless ``own`` has it already. The folder must exist, and does."""
    chosen = any(argument.split("=")[0] == USER_OPTION for argument in own)
    return [] if chosen else [USER_OPTION, f"{scratch}/{USER_FOLDER}"]


def environment(own: Sequence[JsonObject], scratch: str) -> list[JsonObject]:
    """Variables of ComfyUI's container: those of the pool, after ours with other names.

    ``HF_HOME`` and ``TORCH_HOME`` are not set: they lie in ``XDG_CACHE_HOME`` by themselves, and an image that has
    models in another place sets them.
    """
    home = f"{scratch}/{HOME_FOLDER}"
    ours = {
        "HOME": home,
        "USER": _NAME,
        "LOGNAME": _NAME,
        "XDG_CACHE_HOME": f"{home}/.cache",
        "XDG_CONFIG_HOME": f"{home}/.config",
        "XDG_DATA_HOME": f"{home}/.local/share",
        "MPLCONFIGDIR": f"{home}/.config/matplotlib",
        "NUMBA_CACHE_DIR": f"{home}/.cache/numba",
        "TORCHINDUCTOR_CACHE_DIR": f"{home}/.cache/torchinductor",
        "TRITON_CACHE_DIR": f"{home}/.cache/triton",
    }
    taken = {str(entry.get("name")) for entry in own}
    kept: list[JsonObject] = [
        {"name": name, "value": value} for name, value in ours.items() if name not in taken
    ]
    return [*kept, *own]
