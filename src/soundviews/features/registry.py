"""The registry of front-ends, and what a front-end is.

To add a front-end: a file in this folder (or a module of your own, see docs/components.md) with a class that inherits
from `FrontEnd` and is registered under the name that recipes say as `features: {front_end: NAME, option: value}`.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import Registry

front_ends = Registry("front-end")
LOG_MEL = "log_mel"  # what a page means that names no front-end


class FrontEnd(nn.Module):
    """Waveforms (batch, samples) to patches (batch, frames, n_mels), float32. What learns is the encoder.

    A constructor sets the three numbers and `forward` computes; it may ask for `sample_rate` (Hz). Frame t is made of
    the `window_length` samples from t * hop_length on, so that a patch can be cut out of a clip (the view `patch`,
    windows of the unit `spectrogram`) without computing the rest; what looks further sees no more than the patch.

    Attributes:
        n_mels: Bands.
        hop_length: Samples from frame to frame.
        window_length: Samples that a frame is made of.
        nats: Natural logarithms in one unit of a patch, where patches are logarithms of what adds up when sounds are
            mixed; None where they are not, and then `mix_back` cannot mix.
        hertz: The bands' centres, rising, where bands are of frequency; decibels: dB in one unit of a patch. None where
            they are not known; pictures then have no such unit.
        center, pad_mode, lead: Of front-ends whose first frame begins `lead` samples before the waveform, which goes on
            there as `pad_mode` says: "reflect" or "constant". Then `spectrogram` is called instead of `forward` with
            waveforms that already go on.
    """

    n_mels: int
    hop_length: int
    window_length: int
    nats: float | None = None
    hertz: tuple[float, ...] | None = None
    decibels: float | None = None
    center: bool = False
    pad_mode: str = "constant"
    lead: int = 0

    @property
    def slack(self) -> int:
        """Samples of a waveform of no length that frames may use: those beyond its ends, less those of one frame."""
        return -self.window_length

    def frames(self, samples: int) -> int:
        """Frames of a waveform of that many samples; 0 if it is too short for one."""
        return max(0, 1 + (samples + self.slack) // self.hop_length)

    def frame_counts(self, lengths: Tensor) -> Tensor:
        """`frames` of each entry of an int64 tensor."""
        return (1 + (lengths + self.slack) // self.hop_length).clamp(min=0)

    def samples(self, frames: int) -> int:
        """The fewest samples that give so many frames."""
        return max(1, (frames - 1) * self.hop_length - self.slack)

    def span(self, frames: int) -> int:
        """Samples from the beginning of the first of so many frames to the end of the last."""
        return (frames - 1) * self.hop_length + self.window_length

    def spectrogram(self, samples: Tensor) -> Tensor:
        """(batch, span(frames)) to (batch, frames, n_mels): what is beyond the ends is already in `samples`."""
        patches: Tensor = self(samples)
        return patches


def create_front_end(features: Mapping[str, Any], sample_rate: int) -> FrontEnd:
    """The front-end of a recipe or a bundle.

    Args:
        features: Its options, and its name as `front_end` unless it is log_mel.
        sample_rate: Hz.

    Raises:
        SoundviewsError: an unknown name or option, or no front-end.
    """
    options = {key: value for key, value in features.items() if key != "front_end"}
    name = str(features.get("front_end", LOG_MEL))
    front_end = front_ends.create(name, options, sample_rate=sample_rate)
    if not isinstance(front_end, FrontEnd):
        raise SoundviewsError(f"front-end {name!r} does not inherit from soundviews.features.FrontEnd")
    if next(front_end.parameters(), None) is not None:
        raise SoundviewsError(
            f"front-end {name!r} has weights, but views are made without gradients and a bundle keeps the encoder's "
            "weights only: make them buffers, or learn them in an encoder"
        )
    return front_end
