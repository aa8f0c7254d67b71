"""Log-mel spectrograms, flexible enough to be exactly the front-end of each paper."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.features.mel import mel_centres, mel_filters
from soundviews.features.registry import FrontEnd, front_ends
from soundviews.features.tapers import taper

_CHOICES: dict[str, tuple[Any, ...]] = {
    "mel_scale": ("htk", "slaney"),
    "norm": (None, "slaney"),
    "triangles": ("hertz", "mel"),
    "power": (1.0, 2.0),
    "log": ("ln", "log10", "db"),
    "floor_mode": ("clip", "add"),
    "pad_mode": ("reflect", "constant"),
}

LARGEST_FFT, MOST_MELS = 65_536, 512  # a third of a second at 192 kHz; the filters take 134 MB

# Frames transformed at once. On a CPU a block's spectrum (4 MB at n_fft 1024) must stay in cache: three times as
# fast as one large transform. On a GPU the block only bounds the memory.
_CPU_BLOCK, _GPU_BLOCK = 1024, 65536


@front_ends.register("log_mel")
class LogMel(FrontEnd):
    """Waveforms (batch, samples) to log-mel spectrograms (batch, frames, mels), float32 also under autocast.

    Frame t starts at sample t * hop_length and is window_length long; zeros fill it up to n_fft. With `center` its
    middle is at t * hop_length instead, and the waveform goes on beyond its ends as `pad_mode` says (librosa).

    Args:
        sample_rate: Hz.
        n_fft: Size of the Fourier transform.
        window_length: Samples, at most n_fft.
        hop_length: Samples from frame to frame.
        n_mels: Bands.
        f_min: Lower edge of the lowest band, Hz.
        f_max: Upper edge of the highest band, Hz.
        window: `hann`, `hamming`, ...: one of `features.tapers.tapers()`, periodic.
        mel_scale: `htk` or `slaney`.
        norm: None: triangles of height 1; `slaney`: of area 1.
        triangles: `hertz`: sides straight over Hz (librosa); `mel`: straight over mels (TensorFlow).
        power: 1: magnitudes |X|, 2: powers |X|^2.
        log: `ln`, `log10`, or `db` (10 log10 of powers, 20 log10 of magnitudes).
        floor: Smallest mel value before the logarithm.
        floor_mode: `clip`: log(max(mel, floor)); `add`: log(mel + floor).
        waveform_offset: Added to every sample, padding included (uclser adds 1.1e-8).
        center: Frames centred on t * hop_length instead of starting there.
        pad_mode: `reflect` or `constant` (zeros); only with `center`.

    Raises:
        SoundviewsError: A setting that cannot be.
    """

    window_samples: Tensor
    filters: Tensor

    def __init__(
        self,
        sample_rate: int,
        n_fft: int = 1024,
        window_length: int = 400,
        hop_length: int = 160,
        n_mels: int = 64,
        f_min: float = 60.0,
        f_max: float = 7800.0,
        window: str = "hann",
        mel_scale: str = "htk",
        norm: str | None = None,
        triangles: str = "hertz",
        power: float = 1.0,
        log: str = "ln",
        floor: float = 1e-5,
        floor_mode: str = "clip",
        waveform_offset: float = 0.0,
        center: bool = False,
        pad_mode: str = "reflect",
    ) -> None:
        super().__init__()
        self._config = {key: value for key, value in locals().items() if key not in ("self", "__class__")}
        for name, known in _CHOICES.items():
            if self._config[name] not in known:
                raise SoundviewsError(f"log_mel: {name} is {self._config[name]!r}; it must be one of {known}")
        if not 0 < window_length <= n_fft or hop_length < 1 or n_mels < 1:
            raise SoundviewsError("log_mel: need 0 < window_length <= n_fft, hop_length >= 1, n_mels >= 1")
        if max(n_fft, hop_length) > LARGEST_FFT or n_mels > MOST_MELS:
            most = f"n_fft and hop_length are at most {LARGEST_FFT}, n_mels at most {MOST_MELS}"
            raise SoundviewsError(f"log_mel: {most}")
        if not 0 < floor < math.inf:
            raise SoundviewsError(f"log_mel: floor must be above 0, not {floor!r}: the log of silence")
        self.sample_rate, self.n_fft, self.n_mels = sample_rate, n_fft, n_mels
        self.window_length, self.hop_length = window_length, hop_length
        self.power, self.log, self.floor, self.floor_mode = power, log, floor, floor_mode
        self.waveform_offset, self.center, self.pad_mode = waveform_offset, center, pad_mode
        # How many samples before t * hop_length frame t begins. librosa puts the window in the middle of n_fft.
        self.lead = n_fft // 2 - (n_fft - window_length) // 2 if center else 0
        self.nats = {"ln": 1.0, "log10": math.log(10), "db": math.log(10) * power / 20}[log]
        self.decibels = self.nats * 20 / (math.log(10) * power)
        self.hertz = tuple(mel_centres(n_mels, f_min, f_max, mel_scale).tolist())
        filters = mel_filters(sample_rate, n_fft, n_mels, f_min, f_max, mel_scale, norm, triangles)
        padded = np.pad(taper(window, window_length), (0, n_fft - window_length))
        self.register_buffer("window_samples", torch.from_numpy(padded).float(), persistent=False)
        self.register_buffer("filters", torch.from_numpy(filters).float(), persistent=False)

    def config(self) -> dict[str, Any]:
        """The constructor's arguments: `LogMel(**log_mel.config())` is this front-end again."""
        return dict(self._config)

    @property
    def slack(self) -> int:
        return 2 * (self.n_fft // 2) - self.n_fft if self.center else -self.window_length

    def forward(self, samples: Tensor) -> Tensor:
        """(batch, samples) to (batch, frames, mels).

        Raises:
            SoundviewsError: The waveforms are too short for one frame.
        """
        count = self.frames(samples.shape[-1])
        if count < 1:
            raise SoundviewsError(
                f"log_mel: {samples.shape[-1]} samples are too few: one frame needs {self.samples(1)}"
            )
        if self.center:
            index = torch.arange(self.span(count), device=samples.device) - self.lead
            index, inside = continued(index, samples.shape[-1], self.pad_mode)
            samples = samples[:, index] * inside
        return self.spectrogram(samples)

    def spectrogram(self, samples: Tensor) -> Tensor:
        """(batch, samples) to (batch, frames, mels) with frame t beginning at sample t * hop_length, centred or not:
        what is beyond the ends is already in `samples`."""
        with torch.autocast(samples.device.type, enabled=False):
            samples = samples.to(self.window_samples.dtype) + self.waveform_offset
            frames = F.pad(samples, (0, self.n_fft - self.window_length)).unfold(-1, self.n_fft, self.hop_length)
            block = _CPU_BLOCK if samples.device.type == "cpu" else _GPU_BLOCK
            blocks = frames.split(max(1, block // max(1, len(samples))), dim=1)
            return torch.cat([self._log_mel(frame_block) for frame_block in blocks], dim=1)

    def _log_mel(self, frames: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(frames * self.window_samples)
        # Several times faster than spectrum.abs().
        power = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
        mel = (power if self.power == 2 else power.sqrt()) @ self.filters
        mel = mel.clamp(min=self.floor) if self.floor_mode == "clip" else mel + self.floor
        if self.log == "ln":
            return mel.log()
        return mel.log10() * (20.0 / self.power if self.log == "db" else 1.0)

    def extra_repr(self) -> str:
        return ", ".join(f"{key}={value!r}" for key, value in self._config.items())


def continued(index: Tensor, length: Tensor | int, pad_mode: str) -> tuple[Tensor, Tensor]:
    """Read positions of a waveform for an index that may lie beyond its ends.

    Args:
        index: Positions, int64, any shape; negative before the beginning.
        length: Samples of the waveform, broadcast against `index`.
        pad_mode: `reflect` about the first and last sample (again and again for far positions), or `constant`.

    Returns:
        Positions within 0 .. length-1 and a mask that is False where the waveform is zero.
    """
    length = torch.as_tensor(length, device=index.device)
    if pad_mode == "constant":
        return index.clamp(min=0).minimum(length - 1), (index >= 0) & (index < length)
    period = (2 * (length - 1)).clamp(min=1)
    folded = index.remainder(period)
    return folded.minimum(period - folded).minimum(length - 1), torch.ones_like(index, dtype=torch.bool)
