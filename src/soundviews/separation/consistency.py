"""Mixture consistency: move the estimates so that they sum to the mixture (ssep, Sec. 3.2)."""

from typing import Literal, get_args

import torch
from torch import Tensor

from soundviews.core.errors import SoundviewsError

Weighting = Literal["uniform", "magsq"]


def mixture_consistency(estimates: Tensor, mixture: Tensor, weights: Tensor | Weighting | None = None) -> Tensor:
    """Spread what the estimates lack of the mixture over them: s_m + w_m (x - sum_k s_k).

    Args:
        estimates: (..., sources, samples).
        mixture: (..., samples), x.
        weights: How the rest is shared out. None or "uniform": equally. "magsq": by the power of each estimate,
            so that a silent one stays nearly silent. A tensor (..., sources) or (sources,), as TDCN learns it;
            it is divided by its sum.

    Returns:
        (..., sources, samples), whose sum over sources is the mixture.

    Raises:
        SoundviewsError: for shapes that do not fit, or a weighting of another name.
    """
    if mixture.shape != estimates.shape[:-2] + estimates.shape[-1:]:
        raise SoundviewsError(
            f"a mixture of shape {tuple(mixture.shape)} does not fit estimates of shape {tuple(estimates.shape)}"
        )
    rest = (mixture - estimates.sum(-2)).unsqueeze(-2)
    return estimates + _shares(estimates, weights).unsqueeze(-1) * rest


def _shares(estimates: Tensor, weights: Tensor | str | None) -> Tensor:
    """(..., sources) weights that sum to one."""
    sources = estimates.shape[-2]
    if isinstance(weights, Tensor):
        if weights.shape[-1:] != (sources,):
            raise SoundviewsError(f"weights of shape {tuple(weights.shape)} for {sources} sources")
    elif weights is None or weights == "uniform":
        weights = estimates.new_ones(sources)
    elif weights == "magsq":
        # The constant shares the rest equally where all estimates are silent.
        weights = 1e-8 + estimates.square().mean(-1)
    else:
        raise SoundviewsError(f"no weighting {weights!r}: give a tensor or one of {', '.join(get_args(Weighting))}")
    return weights / torch.sum(weights, dim=-1, keepdim=True)
