"""The node classes that the stand-in has: those of the shipped workflows and of common exports."""

from __future__ import annotations

from genpool_dev.comfyui.catalog_text import text_schemas
from genpool_dev.comfyui.schema import Catalog, Input, NodeSchema

_RESOLUTION = 16384
_BATCH = 4096
_SEED = 0xFFFFFFFFFFFFFFFF
_SAMPLERS = (
    *("euler", "euler_cfg_pp", "euler_ancestral", "euler_ancestral_cfg_pp", "heun", "heunpp2"),
    *("dpm_2", "dpm_2_ancestral", "lms", "dpm_fast", "dpm_adaptive", "dpmpp_2s_ancestral"),
    *("dpmpp_sde", "dpmpp_sde_gpu", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_2m_sde_gpu"),
    *("dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "ddpm", "lcm", "ipndm", "ipndm_v", "deis"),
    *("res_multistep", "gradient_estimation", "er_sde", "ddim", "uni_pc", "uni_pc_bh2"),
)
_SCHEDULERS = (
    *("simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal"),
    *("linear_quadratic", "kl_optimal"),
)
_UPSCALE = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
_DDCOLOR = (
    "ddcolor_paper_tiny.pth",
    "ddcolor_paper.pth",
    "ddcolor_modelscope.pth",
    "ddcolor_artistic.pth",
)
_DDCOLOR_LEGACY = ("ddcolor-imagenet", "ddcolor-artistic", "ddcolor-paper", "ddcolor-paper-tiny")

DEFAULT_CHECKPOINTS = (
    "realisticVisionV60B1_v51VAE.safetensors",
    "sd_xl_base_1.0.safetensors",
    "v1-5-pruned-emaonly.safetensors",
)
"""The checkpoints on offer unless `--standin-checkpoints` names others."""

NODE_PACKS = ("ddcolor", "ddcolor-legacy")
"""The photo colouring packs; one of them is installed."""


def _size(name: str, default: int, low: int) -> Input:
    return Input(name, "INT", default=default, min=low, max=_RESOLUTION)


def _batch_size() -> Input:
    return Input("batch_size", "INT", default=1, min=1, max=_BATCH)


def _text(name: str, default: str | None = None) -> Input:
    return Input(name, "STRING", default=default, options={"multiline": default is None})


def _loaders_and_text(checkpoints: tuple[str, ...]) -> tuple[NodeSchema, ...]:
    return (
        NodeSchema(
            "CheckpointLoaderSimple",
            "loaders",
            (Input("ckpt_name", "COMBO", choices=checkpoints),),
            (("MODEL", "MODEL"), ("CLIP", "CLIP"), ("VAE", "VAE")),
            display_name="Load Checkpoint",
        ),
        NodeSchema(
            "CLIPTextEncode",
            "conditioning",
            (_text("text"), Input("clip", "CLIP")),
            (("CONDITIONING", "CONDITIONING"),),
            display_name="CLIP Text Encode (Prompt)",
        ),
    )


def _sampling() -> tuple[NodeSchema, ...]:
    return (
        NodeSchema(
            "EmptyLatentImage",
            "latent",
            (_size("width", 512, 16), _size("height", 512, 16), _batch_size()),
            (("LATENT", "LATENT"),),
            display_name="Empty Latent Image",
        ),
        NodeSchema(
            "KSampler",
            "sampling",
            (
                Input("model", "MODEL"),
                Input("seed", "INT", default=0, min=0, max=_SEED),
                Input("steps", "INT", default=20, min=1, max=10000),
                Input("cfg", "FLOAT", default=8.0, min=0.0, max=100.0),
                Input("sampler_name", "COMBO", choices=_SAMPLERS),
                Input("scheduler", "COMBO", choices=_SCHEDULERS),
                Input("positive", "CONDITIONING"),
                Input("negative", "CONDITIONING"),
                Input("latent_image", "LATENT"),
                Input("denoise", "FLOAT", default=1.0, min=0.0, max=1.0),
            ),
            (("LATENT", "LATENT"),),
        ),
        NodeSchema(
            "VAEDecode",
            "latent",
            (Input("samples", "LATENT"), Input("vae", "VAE")),
            (("IMAGE", "IMAGE"),),
            display_name="VAE Decode",
        ),
        NodeSchema(
            "VAEEncode",
            "latent",
            (Input("pixels", "IMAGE"), Input("vae", "VAE")),
            (("LATENT", "LATENT"),),
            display_name="VAE Encode",
        ),
    )


def _images() -> tuple[NodeSchema, ...]:
    return (
        NodeSchema(
            "LoadImage",
            "image",
            (Input("image", "COMBO", input_file=True, options={"image_upload": True}),),
            (("IMAGE", "IMAGE"), ("MASK", "MASK")),
            display_name="Load Image",
        ),
        NodeSchema(
            "EmptyImage",
            "image",
            (
                _size("width", 512, 1),
                _size("height", 512, 1),
                _batch_size(),
                Input("color", "INT", default=0, min=0, max=0xFFFFFF),
            ),
            (("IMAGE", "IMAGE"),),
        ),
        NodeSchema(
            "ImageInvert",
            "image",
            (Input("image", "IMAGE"),),
            (("IMAGE", "IMAGE"),),
            display_name="Invert Image",
        ),
        NodeSchema(
            "ImageScale",
            "image/upscaling",
            (
                Input("image", "IMAGE"),
                Input("upscale_method", "COMBO", choices=_UPSCALE),
                _size("width", 512, 0),
                _size("height", 512, 0),
                Input("crop", "COMBO", choices=("disabled", "center")),
            ),
            (("IMAGE", "IMAGE"),),
            display_name="Upscale Image",
        ),
        NodeSchema(
            "SaveImage",
            "image",
            (Input("images", "IMAGE"), _text("filename_prefix", "ComfyUI")),
            output_node=True,
            display_name="Save Image",
        ),
        NodeSchema(
            "PreviewImage",
            "image",
            (Input("images", "IMAGE"),),
            output_node=True,
            display_name="Preview Image",
        ),
    )


def _colouring(pack: str) -> NodeSchema:
    if pack == "ddcolor-legacy":
        return NodeSchema(
            "DDColor-DDColorize",
            "DDColor",
            (
                Input("image", "IMAGE"),
                Input("size", "INT", default=512, min=32, max=4096),
                Input("model", "COMBO", choices=_DDCOLOR_LEGACY),
            ),
            (("IMAGE", "IMAGE"),),
            python_module="custom_nodes.ComfyUI-DDColor",
        )
    return NodeSchema(
        "DDColor_Colorize",
        "DDColor",
        (
            Input("image", "IMAGE"),
            Input("model_input_size", "INT", default=512, min=32, max=4096),
            Input("checkpoint", "COMBO", default="ddcolor_paper.pth", choices=_DDCOLOR),
        ),
        (("IMAGE", "colorized_image"),),
        python_module="custom_nodes.ComfyUI-DDColor",
    )


def _looking() -> NodeSchema:
    return NodeSchema(
        "StandinLook",
        "stand-in",
        (_text("filename_prefix", "look"),),
        output_node=True,
        display_name="Look for secrets",
        python_module="custom_nodes.standin",
    )


def build_catalog(
    checkpoints: tuple[str, ...], node_pack: str, *, save_text: bool = True, looking: bool = False
) -> Catalog:
    """Return the node classes of a server with these checkpoints and this colouring pack; not all save text."""
    schemas = (
        *([_looking()] if looking else []),
        *_loaders_and_text(checkpoints),
        *_sampling(),
        *_images(),
        *text_schemas(save_text=save_text),
        _colouring(node_pack),
    )
    return {schema.name: schema for schema in schemas}
