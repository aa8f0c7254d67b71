"""How loud a clip or a window is made before its log-mel is computed: the conventions of the published programs.

`none`: as recorded. `peak`: each clip by its peak (uclser). `l2_clip`: each clip to unit energy (cola's training).
`l2_window`: each window to unit energy (cola's evaluation).
"""

import torch
from torch import Tensor

from soundviews.features.patches import Clips


def peak_normalize(clips: Clips, margin: float = 0.005) -> Clips:
    """Subtract each clip's mean, then divide by its largest magnitude + `margin`.

    The margin keeps the noise of near-silent clips from being raised to full level.
    """
    samples, lengths = clips
    behind = torch.arange(samples.shape[1], device=samples.device) >= lengths[:, None]
    mean = samples.sum(dim=1, keepdim=True) / lengths[:, None]
    level = (samples - mean).masked_fill_(behind, 0.0)
    # Two one-sided reductions are far faster on a CPU than aminmax or an infinity norm.
    peak = torch.maximum(level.amax(dim=1, keepdim=True), -level.amin(dim=1, keepdim=True))
    return Clips(level.mul_(1.0 / (peak + margin)), lengths)


def l2_normalize(samples: Tensor, eps: float = 1e-9) -> Tensor:
    """Divide each row of (batch, samples) by its L2 norm, sqrt(max(sum x^2, eps))."""
    norm = torch.linalg.vector_norm(samples, dim=1, keepdim=True)
    return samples / norm.clamp(min=eps**0.5)


def level_clips(clips: Clips, level: str) -> Clips:
    """Whole clips at the level that the convention `level` gives them; as they are if it is one of windows."""
    if level == "peak":
        return peak_normalize(clips)
    return Clips(l2_normalize(clips.samples), clips.lengths) if level == "l2_clip" else clips


def level_windows(windows: Tensor, level: str) -> Tensor:
    """Windows (n, samples) at the level that the convention `level` gives them; as they are if it is one of clips."""
    return l2_normalize(windows) if level == "l2_window" else windows
