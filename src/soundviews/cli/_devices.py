"""The device that a verb computes on."""

from typing import Annotated

import typer

Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]


def chosen_device(device: str) -> str:
    """ "auto" to the GPU where there is one, else the CPU; other names stay."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
