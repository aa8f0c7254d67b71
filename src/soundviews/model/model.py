"""A loaded bundle: waveform in, embeddings out."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
import torch
from torch import Tensor, nn

from soundviews.core.bundle_files import bundle_hash
from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.encoders import create_encoder
from soundviews.features.log_mel import LogMel
from soundviews.features.patches import Clips, cut, cut_patches
from soundviews.model.bundle import load_bundle
from soundviews.model.config import BundleConfig
from soundviews.recipes.schema import Statistics
from soundviews.views import views

ENCODE_AT_ONCE = 64  # patches; bounds the memory of a batch of long clips


class Embedding(NamedTuple):
    """vectors: float32 (windows, embedding_size); starts: float64 (windows,), seconds."""

    vectors: np.ndarray
    starts: np.ndarray


class Windows(NamedTuple):
    """patches: (windows, frames, mels), standardised; clip: int64 (windows,), the row of the batch each comes
    from; starts: (windows,), seconds from the clip's start."""

    patches: Tensor
    clip: Tensor
    starts: Tensor


def load(path: str | Path, device: str | torch.device = "cpu") -> "Model":
    """Load a bundle, or the bundle of a run.

    Raises:
        SoundviewsError: where there is none, or its weights do not fit its config.
    """
    config, encoder, head = load_bundle(path)
    model = Model(config, encoder, head, name=Path(path).resolve().name, fingerprint=bundle_hash(path))
    return model.to(device)


class Model:
    """An encoder with the front-end and the windows it was trained for."""

    def __init__(
        self,
        config: BundleConfig,
        encoder: nn.Module,
        head: nn.Module | None = None,
        name: str = "",
        fingerprint: str = "",
    ) -> None:
        self.config, self.encoder = config, encoder.eval()
        self.head = None if head is None else head.eval()
        self.name, self.fingerprint = name, fingerprint
        self.sample_rate, self.embedding_size = config.sample_rate, config.embedding_size
        self.log_mel = LogMel(sample_rate=config.sample_rate, **config.features)
        self.device = torch.device("cpu")
        self.precision = torch.float32

    def to(self, device: str | torch.device) -> "Model":
        self.device = torch.device(device)
        for module in (self.encoder, self.log_mel, self.head):
            if module is not None:
                module.to(self.device)
        self.encoder.to(memory_format=torch.channels_last)
        return self

    def reinitialised(self, seed: int) -> "Model":
        """The same front-end and architecture with fresh weights, drawn from `seed`."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = create_encoder(self.config.encoder.name, **self.config.encoder.options)
        fresh = Model(self.config, encoder, name=f"{self.name} random", fingerprint=f"{self.fingerprint}-r{seed}")
        fresh.precision = self.precision
        return fresh.to(self.device)

    def with_hop(self, hop: int) -> "Model":
        """The same model with windows `hop` apart, in the unit of its windows (frames or samples)."""
        windows = self.config.windows.model_copy(update={"hop": hop})
        other = Model(
            self.config.model_copy(update={"windows": windows}),
            self.encoder,
            self.head,
            name=self.name,
            fingerprint=f"{self.fingerprint}-hop{hop}",
        )
        other.precision = self.precision
        return other.to(self.device)

    @property
    def seconds(self) -> float:
        """The length of one window."""
        return self.config.windows.size * self._unit_seconds()

    @property
    def hop_seconds(self) -> float:
        """The distance of neighbouring windows."""
        return self.config.windows.hop * self._unit_seconds()

    def embed(self, waveform: np.ndarray, sample_rate: int) -> Embedding:
        """Embed one clip or recording.

        Args:
            waveform: (samples,), or (channels, samples), which is mixed to mono.
            sample_rate: Its rate in Hz; it is resampled to the model's.

        Raises:
            SoundviewsError: for an empty waveform or one with NaN or infinite samples.
        """
        waveform = np.asarray(waveform, dtype=np.float32)
        if waveform.ndim == 2:
            if waveform.shape[0] > waveform.shape[1]:
                raise SoundviewsError(f"{waveform.shape} looks like (samples, channels): give its transpose")
            waveform = waveform.mean(axis=0)
        if waveform.ndim != 1 or waveform.size == 0:
            raise SoundviewsError(f"a waveform is (samples,) or (channels, samples), not {waveform.shape}")
        if not np.isfinite(waveform).all():
            raise SoundviewsError("the waveform has NaN or infinite samples")
        if sample_rate != self.sample_rate:
            waveform = soxr.resample(waveform, sample_rate, self.sample_rate, quality="HQ")
            if waveform.size == 0:
                raise SoundviewsError(f"the waveform is shorter than one sample at {self.sample_rate} Hz")
        samples = torch.from_numpy(np.ascontiguousarray(waveform))[None]
        vectors, _, starts = self.embed_clips(Clips(samples, torch.tensor([samples.shape[1]])))
        return Embedding(vectors.numpy(), starts.double().numpy())

    @torch.inference_mode()
    def embed_clips(self, clips: Clips, space: str = "h") -> tuple[Tensor, Tensor, Tensor]:
        """Embed a batch of clips, window by window.

        Args:
            clips: samples (batch, samples) zero-padded, lengths (batch,), at the model's sample rate.
            space: "h", or "z" for the head's projections (the bundle must have kept its head).

        Returns:
            vectors (windows, size) on the CPU, the row of the batch of each (windows,), starts (windows,) in s.
        """
        encode = self.encode if space == "h" else self.project
        clips = self._levelled(clips)
        starts, valid = self._window_starts(clips.lengths)
        step = max(1, ENCODE_AT_ONCE // len(starts))
        parts = [
            encode(self._patches(clips, some)[present]).float().cpu()
            for some, present in zip(starts.split(step, dim=1), valid.split(step, dim=1), strict=True)
        ]
        clip = torch.cat([present.nonzero()[:, 0] for present in valid.split(step, dim=1)]).cpu()
        seconds = (
            torch.cat(
                [
                    some[present]
                    for some, present in zip(starts.split(step, dim=1), valid.split(step, dim=1), strict=True)
                ]
            ).cpu()
            * self._unit_seconds()
        )
        order = clip.argsort(stable=True)
        return torch.cat(parts)[order], clip[order], seconds[order]

    def encode(self, patches: Tensor) -> Tensor:
        """h of standardised patches (n, frames, mels): (n, embedding_size)."""
        x = patches[:, None].to(self.device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            return self.encoder(x)

    def project(self, patches: Tensor) -> Tensor:
        """z of standardised patches, (n, projection_size), as the training objective saw it."""
        if self.head is None:
            raise SoundviewsError("this bundle has no head, so there is no z: use h")
        z: Tensor = self.head.project(self.encode(patches).float())  # type: ignore[operator]
        return z

    def windows(self, clips: Clips) -> Windows:
        """Cut clips into standardised patches as `config.windows` says."""
        clips = self._levelled(clips)
        starts, valid = self._window_starts(clips.lengths)
        return Windows(self._patches(clips, starts)[valid], valid.nonzero()[:, 0], starts[valid] * self._unit_seconds())

    def random_patches(self, clips: Clips, rng: Randomness) -> Tensor:
        """One standardised patch a clip, at a random place: (batch, frames, mels). For supervised training."""
        clips, size = self._levelled(clips), self.config.windows.crop
        starts = rng.integers((self._extent(clips.lengths) - size).clamp_min(0) + 1)
        return self._patches(clips, starts[:, None], size)[:, 0]

    def _window_starts(self, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Starts of every window in the windows' unit, (batch, k), and which of them exist, bool (batch, k)."""
        windows = self.config.windows
        beyond = (self._extent(lengths) - windows.size).clamp_min(0)
        count = 1 + (beyond + (windows.hop - 1 if windows.tail == "pad" else 0)) // windows.hop
        number = torch.arange(int(count.max()), device=lengths.device)
        valid = number[None] < count[:, None]
        return (number * windows.hop)[None] * valid, valid

    def _extent(self, lengths: Tensor) -> Tensor:
        """Length of each clip in the windows' unit: samples, or frames of the whole clip's log-mel."""
        if self.config.windows.unit == "waveform":
            return lengths
        return self.log_mel.frame_counts(lengths)

    def _unit_seconds(self) -> float:
        frames = self.config.windows.unit == "spectrogram"
        return (self.log_mel.hop_length if frames else 1) / self.sample_rate

    def _levelled(self, clips: Clips) -> Clips:
        clips = Clips(clips.samples.to(self.device), clips.lengths.to(self.device))
        name = {"peak": "peak_normalize", "l2_clip": "l2_normalize"}.get(self.config.level)
        return clips if name is None else views.create(name)(clips, Randomness())

    def _patches(self, clips: Clips, starts: Tensor, size: int | None = None) -> Tensor:
        """Standardised patches that start at `starts` (batch, k), in the windows' unit: (batch, k, frames, mels)."""
        fill: str = self.config.fill
        if size is None:  # the windows of evaluation: a short clip's only one is its last, incomplete one
            size = self.config.windows.size
            fill = "pad_end" if fill == "pad" and self.config.windows.tail == "pad" else fill
        samples, lengths = clips
        if self.config.windows.unit == "spectrogram":
            patches = cut_patches(self.log_mel, samples, lengths, starts, size, fill)
        else:
            snippets = cut(samples, lengths, starts, size, fill).flatten(0, 1)
            if self.config.level == "l2_window":
                snippets = snippets / snippets.norm(dim=1, keepdim=True).clamp_min(1e-9**0.5)
            patches = self.log_mel(snippets).unflatten(0, starts.shape)
        return standardize(patches, self.config.statistics)


def standardize(patches: Tensor, statistics: Statistics | None) -> Tensor:
    """(patches - mean) / std with the corpus's scalars; as they are where there are none."""
    return patches if statistics is None else (patches - statistics.mean) / statistics.std
