"""The device that a verb computes on."""

from typing import Annotated

import typer

from soundviews.core.devices import chosen_device

__all__ = ["Device", "chosen_device"]

Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
