"""From clips to the standardised patches that an encoder reads, window by window."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.features.levels import level_clips, level_windows
from soundviews.features.patches import Clips, cut, cut_patches
from soundviews.features.registry import FrontEnd
from soundviews.model.config import BundleConfig
from soundviews.recipes.schema import Statistics


class Windows(NamedTuple):
    """patches: (windows, frames, mels), standardised; clip: int64 (windows,), the row of the batch each comes
    from; starts: (windows,), seconds from the clip's start."""

    patches: Tensor
    clip: Tensor
    starts: Tensor


class WindowCutter:
    """Cuts clips into windows as a bundle's config says: level, size, hop, tail, fill, statistics.

    Starts and sizes are in the windows' unit: frames of the whole clip's log-mel, or samples.

    Args:
        config: The bundle's.
        log_mel: Its front-end; the clips must be on its device.
    """

    def __init__(self, config: BundleConfig, log_mel: FrontEnd) -> None:
        self.config, self.log_mel = config, log_mel
        hop_length = log_mel.hop_length if config.windows.unit == "spectrogram" else 1
        self.unit_seconds = hop_length / config.sample_rate

    def cut(self, clips: Clips) -> Windows:
        """Every window of every clip, clip by clip."""
        clips = level_clips(clips, self.config.level)
        starts, exists = self._starts(clips.lengths)
        return self._windows(clips, starts, exists)

    def cut_in_parts(self, clips: Clips, most: int) -> Iterator[Windows]:
        """As `cut`, at most `most` windows (or one of each clip) at once: the clips' first windows, then their next."""
        clips = level_clips(clips, self.config.level)
        starts, exists = self._starts(clips.lengths)
        step = max(1, most // len(starts))
        for part, present in zip(starts.split(step, dim=1), exists.split(step, dim=1), strict=True):
            yield self._windows(clips, part, present)

    def random_crops(self, clips: Clips, rng: Randomness) -> Tensor:
        """One standardised patch of each clip, `windows.crop` long, at a random start: (batch, frames, mels)."""
        clips, size = level_clips(clips, self.config.level), self.config.windows.crop
        starts = rng.integers((self._extent(clips.lengths) - size).clamp_min(0) + 1)
        return self._patches(clips, starts[:, None], size, self.config.fill)[:, 0]

    def _starts(self, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Starts (batch, k) of the windows, and which of them exist, bool (batch, k): clips have different many."""
        windows = self.config.windows
        beyond = (self._extent(lengths) - windows.size).clamp_min(0)
        count = 1 + (beyond + (windows.hop - 1 if windows.tail == "pad" else 0)) // windows.hop
        number = torch.arange(int(count.max()), device=lengths.device)
        exists = number[None] < count[:, None]
        return (number * windows.hop)[None] * exists, exists

    def _extent(self, lengths: Tensor) -> Tensor:
        """Length (batch,) of each clip in the windows' unit."""
        return lengths if self.config.windows.unit == "waveform" else self.log_mel.frame_counts(lengths)

    def _windows(self, clips: Clips, starts: Tensor, exists: Tensor) -> Windows:
        # A short clip's only window is its last, incomplete one: where such a tail is padded, zeros go behind it.
        fill = "pad_end" if self.config.fill == "pad" and self.config.windows.tail == "pad" else self.config.fill
        patches = self._patches(clips, starts, self.config.windows.size, fill)
        return Windows(patches[exists], exists.nonzero()[:, 0], starts[exists] * self.unit_seconds)

    def _patches(self, clips: Clips, starts: Tensor, size: int, fill: str) -> Tensor:
        """Standardised patches (batch, k, frames, mels) that begin at `starts` (batch, k)."""
        samples, lengths = clips
        if self.config.windows.unit == "spectrogram":
            patches = cut_patches(self.log_mel, samples, lengths, starts, size, fill)
        else:
            snippets = level_windows(cut(samples, lengths, starts, size, fill).flatten(0, 1), self.config.level)
            patches = self.log_mel(snippets).unflatten(0, starts.shape)
        return standardize(patches, self.config.statistics)


def standardize(patches: Tensor, statistics: Statistics | None) -> Tensor:
    """(patches - mean) / std with the corpus's scalars; as they are where there are none."""
    return patches if statistics is None else (patches - statistics.mean) / statistics.std
