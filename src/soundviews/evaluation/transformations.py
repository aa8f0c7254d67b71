"""What invariance is measured against: the blocks of acl (section 2.1), noise, another level, a part of the clip."""

import importlib.util
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.views import views
from soundviews.views.pipeline import View

SIMULATED = "simulated"


class NoiseAtSnr:
    """Add white Gaussian noise, `snr` dB below each clip's own mean power."""

    takes = gives = "clips"

    def __init__(self, snr: float) -> None:
        self.ratio = 10 ** (-snr / 20)

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        samples, lengths = clips
        rms = (samples.square().sum(1) / lengths).sqrt()
        noise = rng.normal(*samples.shape).mul_(self.ratio * rms[:, None])
        return Clips(noise.mul_(_inside(clips)).add_(samples), lengths)


class Gain:
    """Make every clip louder by `decibels`."""

    takes = gives = "clips"

    def __init__(self, decibels: float) -> None:
        self.factor = 10 ** (decibels / 20)

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        return Clips(clips.samples * self.factor, clips.lengths)


class LouderHalf:
    """Keep the first or the second half of each clip, whichever has more energy; nothing is drawn."""

    takes = gives = "clips"

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        samples, lengths = clips
        half = (lengths + 1) // 2
        place = torch.arange(samples.shape[1], device=samples.device)
        power = samples.square()
        first = (power * (place < half[:, None])).sum(1)
        second = (power * (place >= (lengths - half)[:, None])).sum(1)
        start = (lengths - half) * (second > first)
        index = (start[:, None] + place[: int(half.max())]).clamp(max=samples.shape[1] - 1)
        kept = Clips(samples.gather(1, index), half)
        return Clips(kept.samples * _inside(kept), half)


_MAKERS: dict[str, Callable[[int, str], Any]] = {
    "stretch 0.9": lambda rate, rooms: _view("time_stretch", rate, probability=1.0, rates=[0.9]),
    "stretch 1.1": lambda rate, rooms: _view("time_stretch", rate, probability=1.0, rates=[1.1]),
    "room": lambda rate, rooms: _view("room", rate, responses=rooms),
    "masks": lambda rate, rooms: _view("spec_augment", rate, freq_width=10, time_width=10),  # as the recipe acl
    "noise 20 dB": lambda rate, rooms: NoiseAtSnr(20.0),
    "noise 10 dB": lambda rate, rooms: NoiseAtSnr(10.0),
    "gain -6 dB": lambda rate, rooms: Gain(-6.0),
    "louder half": lambda rate, rooms: LouderHalf(),
}
NAMES = tuple(_MAKERS)


def create(name: str, sample_rate: int, rooms: str = SIMULATED) -> View:
    """A transformation by its name.

    Args:
        name: One of NAMES.
        rooms: Where "room" has its responses from: a folder of them, or "simulated".
    """
    made: View = _MAKERS[name](sample_rate, rooms)
    return made


def missing(name: str, patches: bool, rooms: str = SIMULATED) -> str:
    """Why a transformation cannot be had, "" if it can.

    Args:
        patches: Whether the encoder is one that patches are given to.
    """
    if name == "masks" and not patches:
        return "it has no patches to mask"
    if name == "room" and rooms == SIMULATED and importlib.util.find_spec("pyroomacoustics") is None:
        return "pyroomacoustics is not installed"
    return ""


def transformed(view: View, clips: Clips, rng: Randomness) -> Clips:
    """A batch of clips through a transformation that takes waveforms, as a whole where it takes snippets."""
    if view.takes == "snippets":
        return Clips(view(clips.samples, rng) * _inside(clips), clips.lengths)
    result: Clips = view(clips, rng)
    return result


def _inside(clips: Clips) -> Tensor:
    """bool (batch, longest): the samples that are the clip's own."""
    return torch.arange(clips.samples.shape[1], device=clips.lengths.device) < clips.lengths[:, None]


def _view(name: str, sample_rate: int, **options: Any) -> Any:
    return views.create(name, options, sample_rate=sample_rate)
