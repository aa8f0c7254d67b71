"""Processors: frozen checkpoints of a separator, used as augmentation (ssep, Sec. 5.3).

Each is a bundle of `config.json` and `model.safetensors`; a run of `soundviews separate train` keeps several in
`processors/`, by default N (0 steps), F (500), S1 (5,000) and S2 (the last).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from soundviews.core.bundle_files import bundle_hash, write_bundle
from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError, words
from soundviews.core.newer import naming_newer
from soundviews.core.pages import read_json
from soundviews.core.registry import Registry, nearest
from soundviews.core.weights import naming_bundle, require_exact
from soundviews.separation.tdcn import TDCN

separators = Registry("separator")
separators.register("tdcn")(TDCN)
CASCADE = ">"
FORMAT = 1


class ProcessorConfig(BaseModel):
    """What a processor's `config.json` says.

    name, step: what the checkpoint is called, and the optimiser steps before it.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    format: int = Field(default=FORMAT, ge=1)
    kind: Literal["processor"] = "processor"
    name: str
    step: int = Field(ge=0)
    sample_rate: int = Field(ge=1000, le=192000)
    separator: Component
    recipe: str
    created_by: str = ""


@dataclass(frozen=True)
class Processor:
    """A frozen separator. digest: 16 hexadecimal digits that change when its weights or settings do."""

    name: str
    step: int
    sample_rate: int
    sources: int
    digest: str
    network: nn.Module

    def to(self, device: Any) -> "Processor":
        self.network.to(device)
        return self

    def __call__(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, samples) -> (batch, sources, samples), without gradient; `lengths` as for `TDCN.forward`."""
        separated: Tensor = self.network(samples, lengths)
        return separated


class Cascade(nn.Module):
    """One separator after the other: every channel of the first is separated by the second.

    (batch, samples) -> (batch, first sources * second sources, samples), which sum to the input, too.
    """

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, mixture: Tensor, lengths: Tensor | None = None) -> Tensor:
        channels = self.first(mixture, lengths)
        repeated = None if lengths is None else lengths.repeat_interleave(channels.shape[1])
        separated: Tensor = self.second(channels.flatten(0, 1), repeated)
        return separated.unflatten(0, channels.shape[:2]).flatten(1, 2)


def save_processor(directory: Path, config: ProcessorConfig, network: nn.Module) -> Path:
    """Write a processor whole or not at all."""
    return write_bundle(directory, config, network.state_dict())


def load_processor(directory: Path) -> Processor:
    """Read one processor's bundle.

    Raises:
        SoundviewsError: there is none, or it cannot be read.
    """
    try:
        page = read_json(directory / "config.json")
    except (OSError, ValueError) as error:
        raise SoundviewsError(f"{directory} is no processor that this version reads: {error}") from error
    with naming_newer(page.get("created_by") if isinstance(page, dict) else None, directory):
        return _read(directory, page)


def _read(directory: Path, page: Any) -> Processor:
    with naming_bundle(directory):
        config = ProcessorConfig.model_validate(page)
        if config.format > FORMAT:
            raise SoundviewsError(f"it has format {config.format}, and this version reads up to {FORMAT}")
        tensors = _tensors(directory / "model.safetensors")
        with torch.device("meta"):  # takes no memory, whatever sizes config.json says
            require_exact(tensors, separators.create(config.separator.name, config.separator.options))
        network = separators.create(config.separator.name, config.separator.options)
        network.load_state_dict(tensors)
    network.eval().requires_grad_(False)
    digest = bundle_hash(directory)
    return Processor(config.name, config.step, config.sample_rate, network.sources, digest, network)


def _tensors(file: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(file)
    except (OSError, safetensors.SafetensorError) as error:
        raise SoundviewsError(f"its weights cannot be read: {error}") from error


def find_processors(path: Path) -> dict[str, Path]:
    """The processors at `path` by name, the least trained first: one bundle, a folder of them, or a training's run.

    Raises:
        SoundviewsError: there is none.
    """
    bundles = []
    for folder in (path, *sorted(path.glob("*/")), *sorted((path / "processors").glob("*/"))):
        if folder is not path and folder.name.startswith("."):  # half written, left by a run that was killed
            continue
        if config := _config(folder):
            bundles.append((config.step, config.name, folder))
    if not bundles:
        raise SoundviewsError(
            f"no processor at {path}: expected a run of "
            f"{words('soundviews separate train', 'soundviews.train_separator')}, or one of its processors/"
        )
    return {name: folder for _, name, folder in sorted(bundles)}


def _config(folder: Path) -> ProcessorConfig | None:
    """What the processor in `folder` says of itself, if there is one."""
    page: Any = None
    try:
        page = read_json(folder / "config.json")
        return ProcessorConfig.model_validate(page)
    except (OSError, ValueError):
        if not isinstance(page, dict) or page.get("kind") != "processor":
            return None
        with naming_newer(page.get("created_by"), folder), naming_bundle(folder):
            raise


def load_processors(path: Path, names: Sequence[str] | None = None) -> list[Processor]:
    """Processors by name, in the order of `names`; None takes all there are. "S2>N" is N after S2, in cascade.

    Raises:
        SoundviewsError: one is missing, or they differ in sample rate.
    """
    bundles = find_processors(path)
    single: dict[str, Processor] = {}
    wanted = [name.split(CASCADE) for name in names or bundles]
    for part in chain.from_iterable(wanted):
        if part not in bundles:
            raise SoundviewsError(f"{path} has no processor {part!r}: {nearest(part, bundles)}")
        if part not in single:
            single[part] = load_processor(bundles[part])
    rates = {processor.sample_rate for processor in single.values()}
    if len(rates) > 1:
        raise SoundviewsError(f"the processors at {path} have different sample rates: {sorted(rates)}")
    return [_chained([single[part] for part in parts]) for parts in wanted]


def _chained(parts: list[Processor]) -> Processor:
    whole = parts[0]
    for part in parts[1:]:
        whole = Processor(
            name=whole.name + CASCADE + part.name,
            step=max(whole.step, part.step),
            sample_rate=part.sample_rate,
            sources=whole.sources * part.sources,
            digest=hashlib.blake2b((whole.digest + part.digest).encode(), digest_size=8).hexdigest(),
            network=Cascade(whole.network, part.network),
        )
    return whole
