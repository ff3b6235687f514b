"""The page docs/cli.md as the commands' own help says it; `make docs` writes it."""

import sys

import typer
from typer.cli import get_docs_for_click


def reference() -> str:
    """The reference of every command, in Markdown."""
    from rekindle.cli.app import app

    command = typer.main.get_command(app)
    return get_docs_for_click(obj=command, ctx=typer.Context(command), name="rekindle", title="Commands").strip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
