"""Node classes that make, show and save text, and one that saves pictures as no core class does."""

from __future__ import annotations

from genpool_dev.comfyui.schema import ANY_TYPE, Input, NodeSchema

TEXT_FORMATS = ("txt", "md", "json")


def text_schemas(*, save_text: bool) -> tuple[NodeSchema, ...]:
    """Return the classes of a server; ``SaveText`` came late."""
    schemas = (
        NodeSchema(
            "PrimitiveString",
            "utils/primitive",
            (Input("value", "STRING", default=""),),
            (("STRING", "STRING"),),
            display_name="String",
        ),
        NodeSchema(
            "PreviewAny",
            "utilities",
            (Input("source", ANY_TYPE),),
            (("STRING", "STRING"),),
            output_node=True,
            display_name="Preview as Text",
        ),
        NodeSchema(
            "StandinSaveImageAt",
            "standin",
            (Input("images", "IMAGE"), Input("path", "STRING", default="latest.png")),
            output_node=True,
            display_name="Save Image at a Fixed Path (stand-in)",
            description="Saves the first image over what is there, as save nodes of several packs do.",
            python_module="custom_nodes.standin",
        ),
    )
    return (*schemas, _save_text()) if save_text else schemas


def _save_text() -> NodeSchema:
    return NodeSchema(
        "SaveText",
        "text",
        (
            Input("text", "STRING", options={"forceInput": True}),
            Input("filename_prefix", "STRING", default="ComfyUI"),
            Input("format", "COMBO", default="txt", choices=TEXT_FORMATS),
        ),
        (("STRING", "text"),),
        output_node=True,
        display_name="Save Text",
        python_module="comfy_extras.nodes_text",
    )
