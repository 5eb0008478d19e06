"""API keys."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from genpool_cli.commands.options import Output, examples, reach_of
from genpool_cli.show.output import Format, age, as_json, note, table

app = typer.Typer(no_args_is_help=True, help="API keys: list, make, revoke.")


@app.command("list", epilog=examples("keys list"))
def list_(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List keys; never the keys themselves."""
    found = reach_of(context).gateway.get("/v1/keys")["keys"]
    if output is Format.JSON:
        as_json(found)
        return
    table(
        ("id", "name", "role", "pools", "max queued", "made", "revoked"),
        (
            (
                key["id"],
                key["name"],
                key["role"],
                "all" if key["pools"] is None else ", ".join(key["pools"]),
                key["max_queued"],
                age(key["created_at"]),
                age(key["revoked_at"]),
            )
            for key in found
        ),
        empty="No key was made; the first one is the Secret of the install.",
    )


@app.command(epilog=examples("keys make 'the album app' --pool art/text --max-queued 1000"))
def make(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="For whom or what it is.", show_default=False)],
    role: Annotated[str, typer.Option(help="user, operator or admin.")] = "user",
    pool: Annotated[list[str] | None, typer.Option(help="namespace/name; all when left out.")] = None,
    max_queued: Annotated[int | None, typer.Option(help="Most unfinished tasks.", min=1)] = None,
    output: Output = Format.TABLE,
) -> None:
    """Make a key. It is printed once, by itself, on standard output."""
    wanted = {"name": name, "role": role, "pools": pool or None, "max_queued": max_queued}
    body = {field: value for field, value in wanted.items() if value is not None}
    found = reach_of(context).gateway.post("/v1/keys", body)
    if output is Format.JSON:
        as_json(found)
        return
    note(f"Key {found['id']} ({found['role']}) for {found['name']}. It is not shown again:")
    typer.echo(found["key"])


@app.command(epilog=examples("keys revoke k-7f3a"))
def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Id of a key (not the key).", show_default=False)],
) -> None:
    """Revoke a key: it opens nothing any more."""
    reach_of(context).gateway.delete(f"/v1/keys/{quote(key, safe='')}")
    note(f"Key {key} is revoked.")
