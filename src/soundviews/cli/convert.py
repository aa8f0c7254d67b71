"""`soundviews convert`: checkpoints of other programs -> bundles."""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli.app import app
from soundviews.core.messages import say

convert = typer.Typer(no_args_is_help=True, help="Turn checkpoints of other programs into bundles.")
app.add_typer(convert, name="convert")


@convert.callback()
def formats() -> None:
    """Turn checkpoints of other programs into bundles."""


@convert.command("uclser20")
def uclser20(
    file: Annotated[Path, typer.Argument(help="A checkpoint released by the authors of uclser (.pth).")],
    bundle: Annotated[Path, typer.Argument(help="The bundle's directory; an older bundle there is replaced.")],
) -> None:
    """Convert uclser's released vgg, crnn or resnet18; which one it is shows in the file."""
    from soundviews.model.converters.uclser20 import convert_uclser20

    config = convert_uclser20(file, bundle)
    say(f"{bundle}: {config.encoder.name}, embeddings of {config.embedding_size} at {config.sample_rate} Hz")
