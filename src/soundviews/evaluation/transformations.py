"""What invariance is measured against: the blocks of acl (section 2.1), noise, another level, a part of the clip."""

import importlib.util
from typing import Any

import torch
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.core.registry import Registry
from soundviews.features.patches import Clips
from soundviews.views import views
from soundviews.views.registry import View

SIMULATED = "simulated"


class NoiseAtSnr(View):
    """Add white Gaussian noise, `snr` dB below each clip's own mean power."""

    takes = gives = "clips"

    def __init__(self, snr: float) -> None:
        self.ratio = 10 ** (-snr / 20)

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        samples, lengths = clips
        rms = (samples.square().sum(1) / lengths).sqrt()
        noise = rng.normal(*samples.shape).mul_(self.ratio * rms[:, None])
        return Clips(noise.mul_(_inside(clips)).add_(samples), lengths)


class Gain(View):
    """Make every clip louder by `decibels`."""

    takes = gives = "clips"

    def __init__(self, decibels: float) -> None:
        self.factor = 10 ** (decibels / 20)

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        return Clips(clips.samples * self.factor, clips.lengths)


class LouderHalf(View):
    """Keep the first or the second half of each clip, whichever has more energy; nothing is drawn."""

    takes = gives = "clips"

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        samples, lengths = clips
        half = (lengths + 1) // 2
        position = torch.arange(samples.shape[1], device=samples.device)
        power = samples.square()
        first = (power * (position < half[:, None])).sum(1)
        second = (power * (position >= (lengths - half)[:, None])).sum(1)
        start = (lengths - half) * (second > first)
        index = (start[:, None] + position[: int(half.max())]).clamp(max=samples.shape[1] - 1)
        kept = Clips(samples.gather(1, index), half)
        return Clips(kept.samples * _inside(kept), half)


transformations = Registry("transformation")
"""Each makes a View that gives what it takes; a maker may ask for `sample_rate` (Hz) and `rooms`, as `create` says."""
register = transformations.register


def _register_view(name: str, view: str, **options: Any) -> None:
    register(name)(lambda sample_rate: views.create(view, options, sample_rate=sample_rate))


_register_view("stretch 0.9", "time_stretch", probability=1.0, rates=[0.9])
_register_view("stretch 1.1", "time_stretch", probability=1.0, rates=[1.1])
register("room")(lambda sample_rate, rooms: views.create("room", {"responses": rooms}, sample_rate=sample_rate))
_register_view("masks", "spec_augment", freq_width=10, time_width=10)  # as the recipe acl
register("noise 20 dB")(lambda: NoiseAtSnr(20.0))
register("noise 10 dB")(lambda: NoiseAtSnr(10.0))
register("gain -6 dB")(lambda: Gain(-6.0))
register("louder half")(lambda: LouderHalf())

# What the protocol measures where nothing else is asked for: what is installed must not change anybody's figures.
NAMES = ("stretch 0.9", "stretch 1.1", "room", "masks", "noise 20 dB", "noise 10 dB", "gain -6 dB", "louder half")


def create(name: str, sample_rate: int, rooms: str = SIMULATED) -> View:
    """A transformation by its name.

    Args:
        name: A registered one.
        rooms: Where "room" has its responses from: a folder of them, or "simulated".

    Raises:
        SoundviewsError: there is none of that name, or it turns clips into something else.
    """
    view: View = transformations.create(name, sample_rate=sample_rate, rooms=rooms)
    if view.takes != view.gives:
        raise SoundviewsError(f"transformation {name!r} takes {view.takes} and gives {view.gives}; it must give them")
    return view


def missing(name: str, view: View, patches: bool, rooms: str = SIMULATED) -> str:
    """Why a transformation cannot be had, "" if it can.

    Args:
        view: What `create` made of the name.
        patches: Whether the encoder is one that patches are given to.
    """
    if view.takes == "patches" and not patches:
        return "it has no patches"
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
