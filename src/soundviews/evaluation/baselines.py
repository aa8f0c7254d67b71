"""Baselines that every encoder must beat."""

import hashlib

import torch
from torch import Tensor

from soundviews.core.component import Component
from soundviews.features import create_front_end
from soundviews.features.log_mel import LogMel
from soundviews.features.patches import Clips
from soundviews.model.config import BundleConfig
from soundviews.model.windows import WindowCutter
from soundviews.recipes.loading import load_recipe


class LogMelStatistics:
    """The baseline every encoder must beat: mean, deviation and maximum of a clip's log-mel over time."""

    name = fingerprint = "log-mel statistics"
    head = None

    def __init__(self, sample_rate: int = 22050, n_mels: int = 64) -> None:
        self.sample_rate = sample_rate
        self.log_mel = LogMel(
            sample_rate=sample_rate,
            f_max=min(11000.0, sample_rate / 2),
            n_mels=n_mels,
            power=2.0,
            floor=1e-10,
        )
        self.embedding_size = 3 * n_mels

    @torch.inference_mode()
    def embed_clips(self, clips: Clips, space: str = "h") -> tuple[Tensor, Tensor, Tensor]:
        """As `Model.embed_clips`, with one window a clip: vectors (batch, 3 * mels)."""
        samples, lengths = clips
        shortest = self.log_mel.window_length
        if samples.shape[1] < shortest:
            samples = torch.nn.functional.pad(samples, (0, shortest - samples.shape[1]))
        x = self.log_mel(samples)
        frames = self.log_mel.frame_counts(lengths).clamp(min=1)
        inside = (torch.arange(x.shape[1])[None] < frames[:, None])[..., None]
        mean = (x * inside).sum(1) / frames[:, None]
        deviation = (((x - mean[:, None]) ** 2 * inside).sum(1) / frames[:, None]).sqrt()
        maximum = x.masked_fill(~inside, -torch.inf).amax(1)
        vectors = torch.cat([mean, deviation, maximum], dim=1)
        return vectors, torch.arange(len(vectors)), torch.zeros(len(vectors))


class LogMelPatches:
    """A recipe's log-mel spectrogram as it is: each window that its encoder would hear, row after row (ssep, Table 1).

    Args:
        recipe: As `load_recipe` takes it. Level, front-end and windows are those of its encoder; no statistics.
    """

    head = None

    def __init__(self, recipe: str) -> None:
        page = load_recipe(recipe)
        log_mel = create_front_end(page.features, page.audio.sample_rate)
        windows = page.inference.windows
        frames = windows.size if windows.unit == "spectrogram" else log_mel.frames(windows.size)
        config = BundleConfig(
            sample_rate=page.audio.sample_rate,
            level=page.inference.level,
            fill=page.audio.fill,
            features=page.features,
            windows=windows,
            statistics=None,
            encoder=Component(name="none"),
            embedding_size=frames * log_mel.n_mels,
            recipe=page.name,
        )
        self.name, self.sample_rate, self.embedding_size = (
            log_mel_name(recipe),
            config.sample_rate,
            config.embedding_size,
        )
        self.fingerprint = "log-mel patches " + hashlib.sha256(config.model_dump_json().encode()).hexdigest()
        self._cutter = WindowCutter(config, log_mel)

    @torch.inference_mode()
    def embed_clips(self, clips: Clips, space: str = "h") -> tuple[Tensor, Tensor, Tensor]:
        """As `Model.embed_clips`: vectors (windows, frames * mels)."""
        patches, clip, starts = self._cutter.cut(clips)
        return patches.flatten(1), clip, starts


def log_mel_name(recipe: str) -> str:
    """What the log-mel spectrogram of a recipe is called in results."""
    return f"log-mel of {recipe}"
