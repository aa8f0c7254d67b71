"""Baselines that every encoder must beat."""

import torch
from torch import Tensor

from soundviews.features.log_mel import LogMel
from soundviews.features.patches import Clips


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
