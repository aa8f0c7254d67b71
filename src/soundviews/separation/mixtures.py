"""Mixtures of mixtures, what MixIT learns from, and the trap of assignments that teach nothing.

Where two mixtures differ by more than 10 log10(2 M - 1) dB (4.8 dB for two sources), giving all estimates to the
louder one fits an untrained separator best; with mixture consistency, the error is then the quieter mixture, whatever
the network does, and the gradient is exactly zero.
"""

import warnings
from typing import Any

import torch
from torch import Tensor

from soundviews.core.errors import SoundviewsError


def match_levels(mixtures: Tensor) -> Tensor:
    """Scale the mixtures of each example to one RMS, the geometric mean of theirs.

    That mean keeps the levels of training around those of the corpus, which the separator meets when it is used.

    Args:
        mixtures: (batch, mixtures, samples).

    Returns:
        The same shape. Silence stays silence, and has no say in the level.
    """
    rms = mixtures.square().mean(2, keepdim=True).sqrt()
    heard = rms > 1e-8
    logarithms = torch.where(heard, rms, 1.0).log()
    level = (logarithms.sum(1, keepdim=True) / heard.sum(1, keepdim=True).clamp_min(1)).exp()
    return mixtures * torch.where(heard, level / rms.clamp_min(1e-8), 1.0)


def mix_pairs(clips: Tensor, level_match: bool = True) -> tuple[Tensor, Tensor]:
    """Pair neighbouring clips and add them up.

    Args:
        clips: (2 * batch, samples).
        level_match: Bring both clips of a pair to one level first.

    Returns:
        The mixtures of mixtures (batch, samples), and the mixtures in them (batch, 2, samples).

    Raises:
        SoundviewsError: for an odd number of clips.
    """
    if clips.ndim != 2 or len(clips) % 2 or not len(clips):
        raise SoundviewsError(
            f"mixtures of mixtures need an even number of clips, (clips, samples), not {tuple(clips.shape)}"
        )
    mixtures = clips.unflatten(0, (-1, 2))
    if level_match:
        mixtures = match_levels(mixtures)
    return mixtures.sum(1), mixtures


def degenerate(assignment: Tensor, mixtures: int = 2) -> Tensor:
    """Whether an assignment (batch, sources) leaves some mixture without an estimate; (batch,) bool."""
    given = assignment[:, None] == torch.arange(mixtures, device=assignment.device)[:, None]
    return ~given.any(2).all(1)


class DegenerateShare:
    """Follows the share of degenerate assignments, and warns once when it stays high.

    Args:
        limit: The share that is too high.
        patience: Over how many steps it is averaged, and how many pass before the first warning.
    """

    def __init__(self, limit: float = 0.5, patience: int = 500) -> None:
        self.limit, self.patience = limit, patience
        self.share = 0.0
        self._steps, self._warned = 0, False

    def update(self, assignment: Tensor, mixtures: int = 2) -> float:
        """assignment (batch, sources) of one step -> the share so far, over the last `patience` steps or so."""
        self._steps += 1
        now = float(degenerate(assignment, mixtures).float().mean())
        self.share += (now - self.share) / min(self._steps, self.patience)
        if self._steps >= self.patience and self.share > self.limit and not self._warned:
            self._warned = True
            warnings.warn(
                f"{self.share:.0%} of the assignments give one mixture no channel: such examples teach the separator "
                "nothing. Mixtures of unequal levels do this; match their levels.",
                stacklevel=2,
            )
        return self.share

    def state_dict(self) -> dict[str, float | int | bool]:
        """What a resumed training goes on from."""
        return {"share": self.share, "steps": self._steps, "warned": self._warned}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.share, self._steps, self._warned = state["share"], state["steps"], state["warned"]
