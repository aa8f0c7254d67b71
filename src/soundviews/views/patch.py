"""A random patch of each clip's log-mel (uclser, section 4.1)."""

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips, cut_patches, last_start
from soundviews.features.registry import FrontEnd
from soundviews.views.registry import View, views


@views.register("patch", example={"frames": 20})
class Patch(View):
    """Cut `frames` frames out of each clip's log-mel; only those are computed.

    Args:
        frames: Frames of a patch.
        pair: How the two branches' patches lie: `random`: each anywhere, the last start included; `same`: at the
            same place; an integer d: the second starts d frames after the first, which is uniform over the starts
            that leave room (in clips that are too short for d, as far apart as they can be: uclser, table 1).
    """

    takes, gives = "clips", "patches"
    augments = False

    def __init__(self, frames: int, log_mel: FrontEnd, pair: str | int = "random", fill: str = "repeat") -> None:
        is_distance = isinstance(pair, int) and not isinstance(pair, bool) and pair >= 0
        if not is_distance and pair not in ("random", "same"):
            raise ValueError(f"pair is {pair!r}; it must be 'random', 'same' or a distance in frames")
        if frames < 1:
            raise ValueError(f"frames is {frames}; a patch has at least one")
        self.frames, self.log_mel, self.pair, self.fill = frames, log_mel, pair, fill
        self.window = ("frames", frames)

    def __call__(self, clips: Clips | Tensor, rng: Randomness) -> Tensor:
        """Patches (batch, frames, mels) of clips, or of the log-mels (batch, longer, mels) of whole clips."""
        if isinstance(clips, Tensor):
            last = torch.full((len(clips),), clips.shape[1] - self.frames, device=clips.device)
            row = torch.arange(len(clips), device=clips.device)
            return clips.unfold(1, self.frames, 1)[row, self.starts(last, rng)].transpose(1, 2).float()
        starts = self.starts(last_start(self.log_mel, clips.lengths, self.frames), rng)
        samples, lengths = clips
        return cut_patches(self.log_mel, samples, lengths, starts[:, None], self.frames, self.fill)[:, 0]

    def position(self, lengths: Tensor, rng: Randomness) -> Tensor:
        return self.starts(last_start(self.log_mel, lengths, self.frames), rng) * self.log_mel.hop_length

    def starts(self, last: Tensor, rng: Randomness) -> Tensor:
        """First frames (batch,) of this branch's patches, each of 0 .. last."""
        if self.pair == "random":
            return rng.integers(last + 1)
        distance = torch.zeros_like(last) if self.pair == "same" else last.clamp(max=int(self.pair))
        return rng.shared.integers(last - distance + 1) + distance * (rng.branch > 0)
