"""What an endless sound is made of: its numbers, all in [0, 1], and how a nearby sound is found.

Clip number `index` of a seed has 1 to 3 layers of five kinds. Each layer has numbers that mean something (`COMMON` and
those of its kind) and a vector of 64 more that shape its timbre; each clip has 16 numbers (`CLIP`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from soundviews.core.randomness import hashed_seed

KINDS = ("tonal", "vocal", "noise", "modal", "granular")
MOST_LAYERS = 3
LAYER_COUNTS = (0.5, 0.8, 1.0)  # the share of clips with at most 1, 2 and 3 layers

COMMON = (
    "level", "rate", "time_jitter", "attack", "decay", "sustain", "gain_spread", "left_out", "am_rate", "am_depth",
    "swell_rate", "swell_depth", "begin", "finish", "filter_motion", "tilt", "tilt_later", "low_edge", "high_edge",
    "peak_gain", "peak_width", "flutter",
)  # fmt: skip
VOICED = (
    "pitch", "pitch_spread", "glide", "arch", "vibrato_rate", "vibrato_depth", "pitch_jitter", "slope", "harmonics",
    "odd_even", "roughness", "breath",
)  # fmt: skip
RINGING = ("lowest", "stretch", "ringing", "damping", "brightness")
OF_KIND = {
    "tonal": (*VOICED, "fm_ratio", "fm_depth"),
    "vocal": (*VOICED, "tract", "opening", "opening_later", "fronting", "fronting_later", "formant_width"),
    "noise": ("gust_rate", "gust_depth"),
    "modal": (*RINGING, "rub"),
    "granular": (*RINGING, "density", "burst", "heaviness"),
}
CLIP = (
    "reverb_time", "reverb_level", "reverb_colour", "background", "background_tilt", "background_peak",
    "background_height", "background_width", "eq_1", "eq_2", "eq_3", "eq_4", "eq_5", "eq_depth", "low_pass",
    "high_pass",
)  # fmt: skip
NUMBERS, VECTOR = len(COMMON) + max(len(names) for names in OF_KIND.values()), 64


@dataclass(frozen=True)
class Numbers:
    """The numbers of a batch of clips.

    Attributes:
        kinds: (batch, 3) int64, positions in KINDS.
        count: (batch,) int64, how many of the three layers sound.
        layers: (batch, 3, NUMBERS), vectors: (batch, 3, 64), clip: (batch, 16): all in [0, 1].
    """

    kinds: Tensor
    count: Tensor
    layers: Tensor
    vectors: Tensor
    clip: Tensor


def draw_rows(keys: Sequence[tuple[object, ...]], size: int) -> Tensor:
    """A row of uniform numbers for each key, (keys, size): a function of the key alone, whatever stands beside it."""
    generator = torch.Generator()
    rows = torch.empty(len(keys), size)
    for row, key in zip(rows, keys, strict=True):
        torch.rand(size, generator=generator.manual_seed(hashed_seed(*key)), out=row)
    return rows


def draw_numbers(seed: int, index: Sequence[int]) -> Numbers:
    """The numbers of the clips `index` of a seed."""
    per_layer = NUMBERS + VECTOR
    rows = draw_rows([(seed, "numbers", number) for number in index], 1 + MOST_LAYERS * (1 + per_layer) + len(CLIP))
    count, kinds, layers, clip = rows.split([1, MOST_LAYERS, MOST_LAYERS * per_layer, len(CLIP)], dim=1)
    layers = layers.unflatten(1, (MOST_LAYERS, per_layer))
    return Numbers(
        kinds=(kinds * len(KINDS)).long(),
        count=1 + (count > torch.tensor(LAYER_COUNTS[:-1])).sum(1),
        layers=layers[..., :NUMBERS],
        vectors=layers[..., NUMBERS:],
        clip=clip,
    )


def perturb(numbers: Numbers, distance: float, seed: int, index: Sequence[int]) -> Numbers:
    """Nearby numbers: each moves by U(-distance, distance) and is reflected at 0 and 1; kinds and layers stay.

    Cherep and Singh, Audio Doppelgaengers, ICLR 2025, section 3: a positive pair is two sounds of nearby parameters.
    """
    parts = [numbers.layers.flatten(1), numbers.vectors.flatten(1), numbers.clip]
    sizes = [part.shape[1] for part in parts]
    moves = draw_rows([(seed, "perturb", number) for number in index], sum(sizes)) * (2 * distance) - distance
    layers, vectors, clip = ((part + move).abs() for part, move in zip(parts, moves.split(sizes, 1), strict=True))
    layers, vectors, clip = (torch.where(part > 1, 2 - part, part) for part in (layers, vectors, clip))
    return replace(
        numbers,
        layers=layers.view_as(numbers.layers),
        vectors=vectors.view_as(numbers.vectors),
        clip=clip,
    )


class Dials:
    """Numbers in [0, 1] by name, read onto the scale where they mean something.

    Args:
        values: (rows, numbers).
        names: Of the columns, from the first.
    """

    def __init__(self, values: Tensor, names: Sequence[str]) -> None:
        self.values, self.column = values, {name: number for number, name in enumerate(names)}

    def __getitem__(self, name: str) -> Tensor:
        """(rows, 1) in [0, 1]."""
        column = self.column[name]
        return self.values[:, column : column + 1]

    def linear(self, name: str, low: float, high: float) -> Tensor:
        """(rows, 1) between low and high."""
        return low + (high - low) * self[name]

    def ratio(self, name: str, low: float, high: float) -> Tensor:
        """(rows, 1) between low and high, whose logarithm is uniform: pitches and rates are heard as ratios."""
        return low * (high / low) ** self[name]

    def above(self, name: str, threshold: float) -> Tensor:
        """(rows, 1) 0 up to the threshold, then rising to 1: what many sounds do not have at all."""
        return ((self[name] - threshold) / (1 - threshold)).clamp(min=0)

    def gain(self, name: str, low: float, high: float) -> Tensor:
        """(rows, 1) factors, of low to high dB."""
        return 10 ** (self.linear(name, low, high) / 20)
