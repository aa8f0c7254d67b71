"""Mixture invariant training (MixIT, Wisdom et al., 2020): learn to separate from mixtures of mixtures.

The estimates are assigned to the mixtures that went in, each to exactly one, so that the remixes fit best. The squared
error of every remix is a quadratic form of the inner products of estimates and mixtures, so the search over all
assignments never touches the samples: one Gram matrix, then 2^M forms.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from soundviews.core.errors import SoundviewsError

LARGEST_SEARCH = 2**20
_CHUNK = 2**18  # elements of the widest intermediate: 2 MiB of float64, whatever M and the batch
_BLOCK = 8192  # samples turned to float64 at a time, which stay in the cache
_TIE_DB = 1e-7  # above what float64 rounds, far below what matters


def mixit(
    estimates: Tensor, mixtures: Tensor, snr_max: float = 30.0, assignments: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Thresholded SNR loss under the best of all assignments of estimates to mixtures.

    Of each mixture x and its remix: 10 log10(|x - remix|^2 + 10^(-snr_max / 10) |x|^2 + 1e-8), with sums over time;
    the mean over the mixtures. Perfect estimates do not reach -infinity but the threshold.

    Args:
        estimates: (batch, sources, samples).
        mixtures: (batch, mixtures, samples), mostly two of them.
        snr_max: dB beyond which a better fit earns next to nothing.
        assignments: (count, sources) int64, the only ones to consider; None for all.

    Returns:
        loss (batch,), in dB, differentiable through the chosen assignment only; and that assignment,
        (batch, sources) int64, the mixture that each estimate went to. Of equally good ones it is the first in the
        order of counting, the last source counting fastest.

    Raises:
        SoundviewsError: for shapes that do not fit, fewer estimates than mixtures, or too many sources to search.
    """
    _check(estimates, mixtures, assignments)
    with torch.autocast(estimates.device.type, enabled=False):
        if estimates.dtype in (torch.float16, torch.bfloat16):
            estimates = estimates.float()
        mixtures = mixtures.to(estimates.dtype)
        best = _search(estimates.detach(), mixtures.detach(), snr_max, assignments)
        remixes = _membership(best, mixtures.shape[1], estimates.dtype) @ estimates
        errors = (mixtures - remixes).square().sum(-1)
        loss = _decibels(errors, mixtures.square().sum(-1), snr_max).mean(1)
    return loss, best


def _search(estimates: Tensor, mixtures: Tensor, snr_max: float, assignments: Tensor | None) -> Tensor:
    """(batch, sources), the best assignment of each example."""
    gram = _gram(estimates, mixtures)
    batch, sources, count = len(estimates), estimates.shape[1], mixtures.shape[1]
    energies = gram.diagonal(dim1=1, dim2=2)[:, sources:]
    best_loss = gram.new_full((batch,), torch.inf)
    best = torch.zeros(batch, sources, dtype=torch.int64, device=gram.device)
    chunk = max(1, _CHUNK // (batch * count * gram.shape[1]))
    for candidates in _candidates(sources, count, chunk, assignments, gram.device):
        # A column is 1 at a mixture and -1 at the estimates given to it: |x - remix|^2 is its form in the Gram matrix.
        members = _membership(candidates, count, gram.dtype).flatten(0, 1).T
        own = torch.eye(count, dtype=gram.dtype, device=gram.device).repeat(1, len(candidates))
        columns = torch.cat([-members, own])  # (signals, candidates * mixtures)
        errors = ((gram @ columns) * columns).sum(1).unflatten(1, (-1, count)).clamp_min(0)
        losses = _decibels(errors, energies[:, None], snr_max).mean(2)
        lowest = losses.amin(1, keepdim=True)
        first = (losses <= lowest + _TIE_DB).int().argmax(1)
        better = lowest[:, 0] < best_loss - _TIE_DB
        best_loss = torch.where(better, lowest[:, 0], best_loss)
        best = torch.where(better[:, None], candidates[first], best)
    return best


def _gram(estimates: Tensor, mixtures: Tensor) -> Tensor:
    """(batch, signals, signals) float64, the inner products of [estimates; mixtures]."""
    gram = estimates.new_zeros((), dtype=torch.float64)
    for some in zip(estimates.split(_BLOCK, dim=2), mixtures.split(_BLOCK, dim=2), strict=True):
        # float64: errors are small differences of large energies.
        signals = torch.cat(some, dim=1).double()
        gram = gram + signals @ signals.mT
    return gram


def _candidates(
    sources: int, mixtures: int, chunk: int, given: Tensor | None, device: torch.device
) -> Iterator[Tensor]:
    """Chunks (chunk, sources) of the given assignments, or of all in the order of counting."""
    if given is not None:
        yield from given.to(device).split(chunk)
        return
    places = mixtures ** torch.arange(sources - 1, -1, -1, device=device)
    for indices in torch.arange(mixtures**sources, device=device).split(chunk):
        yield indices[:, None] // places % mixtures


def _membership(assignments: Tensor, mixtures: int, dtype: torch.dtype) -> Tensor:
    """assignments (count, sources) -> (count, mixtures, sources) of ones and zeros."""
    return (assignments[:, None] == torch.arange(mixtures, device=assignments.device)[:, None]).to(dtype)


def _decibels(errors: Tensor, energies: Tensor, snr_max: float) -> Tensor:
    return 10 * torch.log10(errors + 10 ** (-snr_max / 10) * energies + 1e-8)


def _check(estimates: Tensor, mixtures: Tensor, assignments: Tensor | None) -> None:
    shapes = f"estimates {tuple(estimates.shape)} and mixtures {tuple(mixtures.shape)}"
    if estimates.ndim != 3 or mixtures.ndim != 3:
        raise SoundviewsError(f"mixit takes (batch, sources, samples) and (batch, mixtures, samples), not {shapes}")
    if (len(estimates), estimates.shape[2]) != (len(mixtures), mixtures.shape[2]):
        raise SoundviewsError(f"{shapes} differ in batch or samples")
    sources, count = estimates.shape[1], mixtures.shape[1]
    if sources < count:
        raise SoundviewsError(f"{sources} estimates cannot fill {count} mixtures")
    if assignments is None and count**sources > LARGEST_SEARCH:
        raise SoundviewsError(f"{count}^{sources} assignments are too many to search; use fewer sources")
    if assignments is not None and (assignments.ndim != 2 or assignments.shape[1] != sources or not len(assignments)):
        raise SoundviewsError(f"assignments must be (count, {sources}), not {tuple(assignments.shape)}")
