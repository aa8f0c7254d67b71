"""How good a separation is, where the sources are known: SI-SNR and what is built on it.

The definitions are those of the authors' evaluation on FUSS: no mean is removed, channels are matched to sources for
the best total SI-SNR, and a channel counts as active from -20 dB below the quietest source.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import naming_extras
from soundviews.separation.mixit import mixit

_ACTIVE_SHARE = 0.01


def si_snr(estimate: Tensor, target: Tensor) -> Tensor:
    """Scale-invariant signal-to-noise ratio in dB, within +-80; -80 where one of the two is silent.

    Args:
        estimate, target: (..., samples), of shapes that broadcast.

    Returns:
        (...).
    """
    estimate, target = _unit(estimate), _unit(target)
    cosine = (estimate * target).sum(-1)
    # 1 - cos^2 has no digits left in float32 where the estimate is good; the residual itself has.
    residual = (estimate - cosine[..., None] * target).square().sum(-1)
    return _ratio(cosine.square(), residual)


def si_snri(estimate: Tensor, target: Tensor, mixture: Tensor) -> Tensor:
    """Improvement of SI-SNR over taking the mixture as the estimate, in dB; (..., samples) each -> (...)."""
    return si_snr(estimate, target) - si_snr(mixture, target)


def snr(estimate: Tensor, target: Tensor) -> Tensor:
    """Signal-to-noise ratio in dB, where a wrong scale counts as noise; (..., samples) each -> (...)."""
    noise = (target - estimate).square().mean(-1)
    return 10 * torch.log10((target.square().mean(-1) + 1e-8) / (noise + 1e-8))


def pairwise_si_snr(estimates: Tensor, targets: Tensor) -> Tensor:
    """SI-SNR of every estimate against every target, without a copy of the samples for each pair.

    Args:
        estimates: (batch, estimates, samples).
        targets: (batch, targets, samples).

    Returns:
        (batch, targets, estimates), dB.
    """
    # In float64, 1 - cos^2 is exact far beyond the 80 dB where the ratio ends.
    squared = (_unit(targets.double()) @ _unit(estimates.double()).mT).square()
    return _ratio(squared, (1 - squared).clamp_min(0)).to(estimates.dtype)


def match(scores: Tensor) -> Tensor:
    """The one-to-one matching of estimates to targets that has the largest total score (Hungarian algorithm).

    Args:
        scores: (targets, estimates).

    Returns:
        (targets,) int64, the estimate of each target; -1 for a target that is left over where there are more
        targets than estimates.
    """
    with naming_extras():
        from scipy.optimize import linear_sum_assignment

    matched = torch.full((len(scores),), -1, dtype=torch.int64, device=scores.device)
    targets, estimates = linear_sum_assignment(scores.detach().cpu().numpy(), maximize=True)
    matched[torch.as_tensor(targets)] = torch.as_tensor(estimates).to(scores.device)
    return matched


def mom_improvement(estimates: Tensor, mixtures: Tensor, snr_max: float = 30.0) -> Tensor:
    """MoMi: SI-SNR of the best remixes against the mixtures that went in, less that of the mixture of mixtures.

    It needs no sources, and so can be watched on the recordings one trains on.

    Args:
        estimates: (batch, sources, samples), separated from the sum of the mixtures.
        mixtures: (batch, mixtures, samples).
        snr_max: As in `mixit`, whose assignment is used.

    Returns:
        (batch,) dB, the mean over the mixtures.
    """
    _, assignment = mixit(estimates, mixtures, snr_max)
    members = assignment[:, None] == torch.arange(mixtures.shape[1], device=assignment.device)[:, None]
    remixes = members.to(estimates.dtype) @ estimates
    return si_snri(remixes, mixtures, mixtures.sum(1, keepdim=True)).mean(1)


@dataclass(frozen=True)
class Quality:
    """Scores of separated examples; join those of several batches with `Quality.join`.

    sources, channels: (examples,) how many sources and how many channels are active.
    example: (pairs,) the example of each scored pair of an active source and its active channel.
    si_snr, si_snri: (pairs,) dB.
    """

    sources: np.ndarray
    channels: np.ndarray
    example: np.ndarray
    si_snr: np.ndarray
    si_snri: np.ndarray

    @staticmethod
    def join(parts: Iterable["Quality"]) -> "Quality":
        parts = list(parts)
        offsets = np.cumsum([0] + [len(part.sources) for part in parts])
        examples = [part.example + offset for part, offset in zip(parts, offsets, strict=False)]
        columns = [
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("sources", "channels", "si_snr", "si_snri")
        ]
        return Quality(columns[0], columns[1], np.concatenate(examples), columns[2], columns[3])

    def summary(self) -> dict[str, float]:
        """The published figures; NaN for one that no example speaks for.

        msi: mean SI-SNRi over the sources of examples with two or more.
        msi_K: the same, of the examples with K sources.
        single_source_si_snr: mean SI-SNR of the examples with one source.
        under, equal, over: share of examples with fewer, as many and more active channels than sources.
        examples: how many there are. Silent ones are left out of everything.
        """
        heard = self.sources > 0
        sources, channels = self.sources[heard], self.channels[heard]
        of_pair = self.sources[self.example]
        figures = {
            "msi": _mean(self.si_snri[of_pair >= 2]),
            "single_source_si_snr": _mean(self.si_snr[of_pair == 1]),
            "under": _mean(channels < sources),
            "equal": _mean(channels == sources),
            "over": _mean(channels > sources),
            "examples": float(len(sources)),
        }
        counts = sorted({int(count) for count in sources if count >= 2})
        return figures | {f"msi_{count}": _mean(self.si_snri[of_pair == count]) for count in counts}


def separation_quality(channels: Tensor, sources: Tensor, mixture: Tensor | None = None) -> Quality:
    """Score separated channels against the sources they should be.

    Args:
        channels: (batch, channels, samples).
        sources: (batch, sources, samples), all-zero where an example has fewer.
        mixture: (batch, samples), what was separated; None for the sum of the sources.

    Returns:
        A `Quality`. Sources beyond the number of channels, and sources whose channel is not active, have no pair.

    Raises:
        SoundviewsError: for shapes that do not fit.
    """
    if channels.ndim != 3 or sources.ndim != 3 or channels.shape[::2] != sources.shape[::2]:
        raise SoundviewsError(
            f"channels {tuple(channels.shape)} and sources {tuple(sources.shape)} must be (batch, ..., samples) of one "
            "batch and one length"
        )
    mixture = sources.sum(1) if mixture is None else mixture
    powers, channel_powers = sources.square().mean(2), channels.square().mean(2)
    heard = powers > 1e-16  # the RMS of 1e-8 below which the authors call a source zero
    quietest = powers.masked_fill(~heard, torch.inf).amin(1, keepdim=True)
    active = channel_powers > _ACTIVE_SHARE * quietest
    scores = pairwise_si_snr(channels, sources)
    baseline = pairwise_si_snr(mixture[:, None], sources)[..., 0]
    rows, values = [], []
    for example in range(len(channels)):
        found = heard[example].nonzero()[:, 0]
        chosen = match(scores[example, found])
        scored = (chosen >= 0) & active[example, chosen]
        pairs = scores[example, found[scored], chosen[scored]]
        rows.append(torch.full_like(found[scored], example))
        values.append(torch.stack([pairs, pairs - baseline[example, found[scored]]]))
    absolute, improvement = torch.cat(values, dim=1).cpu().numpy()
    return Quality(
        heard.sum(1).cpu().numpy(), active.sum(1).cpu().numpy(), torch.cat(rows).cpu().numpy(), absolute, improvement
    )


def _unit(x: Tensor) -> Tensor:
    return x * x.square().sum(-1, keepdim=True).clamp_min(1e-16).rsqrt()


def _ratio(squared_cosine: Tensor, residual: Tensor) -> Tensor:
    # A silent estimate leaves no residual, and is no match.
    residual = torch.where(squared_cosine > 0.99, residual, 1 - squared_cosine)
    return 10 * torch.log10((squared_cosine + 1e-8) / (residual + 1e-8))


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
