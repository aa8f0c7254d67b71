"""How well a processor separates, and what its channels are like (ssep, Sec. 5.3; figures as on FUSS).

Where the sources of a clip are known, they are compared with the channels; MoMi and the character of the channels need
recordings only. Clips are separated one by one, and of a long one the first 10 s: memory does not grow with the corpus.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from soundviews.audio.corpus import Clip, Corpus
from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.datasets.sources import read_sources, source_files
from soundviews.separation.mixit import LARGEST_SEARCH
from soundviews.separation.mixtures import mix_pairs
from soundviews.separation.near_empty import channel_content, near_empty
from soundviews.separation.processor import Processor
from soundviews.separation.quality import Quality, mom_improvement, separation_quality

SECONDS = 10.0  # of a clip that are separated
_SILENCE = 1e-8  # RMS, as for sources in `separation_quality`


@dataclass(frozen=True)
class SeparationFigures:
    """What one processor does on some clips. A figure that nothing speaks for is NaN.

    processor, step, channels, digest: Which it is.
    clips, scored, pairs: How many clips were separated, how many of them have known sources, and how many mixtures
        of two of them were separated for MoMi.
    figures: By name; decibels or shares.
        msi, msi_K, single_source_si_snr, under, equal, over: As `Quality.summary` says.
        si_snr: Mean SI-SNR over the sources of clips with two or more.
        momi: Mean of `mom_improvement`, of pairs at one level.
        mixture_correlation, channel_correlation: Mean cosine of a channel and the mixture, and of two channels.
        level: Mean level of a channel relative to the mixture, dB, -80 for a silent one.
        near_empty: Share of channels that `near_empty` finds.
    unreadable: Why a clip was skipped, by path.
    """

    processor: str
    step: int
    channels: int
    digest: str
    clips: int
    scored: int
    pairs: int
    figures: dict[str, float]
    unreadable: dict[str, str]


def choose(corpus: Corpus, limit: int | None = None, sources: int | None = None) -> Corpus:
    """At most `limit` clips in an order drawn at random but always the same, so that neighbours differ.

    Args:
        corpus: To choose from.
        limit: How many at most; None for all.
        sources: Only clips with this many known sources.

    Raises:
        SoundviewsError: No clip is left.
    """
    rows = np.arange(len(corpus))
    if sources is not None:
        counts = np.array([len(source_files(Path(corpus.root, path))) for path in corpus.table["path"].to_pylist()])
        rows = np.flatnonzero(counts == sources)
        if not len(rows):
            known = ", ".join(map(str, np.unique(counts))) or "no clips"
            raise SoundviewsError(f"no clip has {sources} known sources; there are clips with {known}")
    if not len(rows):
        raise SoundviewsError("no clips to separate: there are none in these folds and splits")
    return corpus.select(np.random.default_rng(0).permutation(rows)[:limit])


@torch.no_grad()
def separation_figures(
    processor: Processor, corpus: Corpus, device: str = "cpu", advance: Callable[[int], None] = lambda count: None
) -> SeparationFigures:
    """Separate every clip and judge the channels.

    Args:
        processor: Moved to `device`.
        corpus: Neighbouring clips are paired for MoMi.
        device: Where to compute.
        advance: Told of each clip.

    Raises:
        SoundviewsError: No clip can be read.
    """
    processor.to(device)
    qualities: list[Quality] = []
    characters: list[dict[str, float]] = []
    improvements: list[float] = []
    unreadable: dict[str, str] = {}
    single: Tensor | None = None  # waits for its neighbour
    for row in range(len(corpus)):
        clip = corpus.clip(row)
        advance(1)
        try:
            mixture, sources = _load(clip, processor.sample_rate, device)
        except UnreadableClip as error:
            unreadable[clip.path] = str(error)
            continue
        channels = processor(mixture)
        characters.append(_character(channels, mixture))
        if sources is not None:
            qualities.append(separation_quality(channels, sources, mixture))
        if single is not None:
            improvements += _momi(processor, single, mixture)
        single = mixture if single is None else None
    if not characters:
        path, reason = next(iter(unreadable.items()))
        raise SoundviewsError(f"none of the {len(corpus)} clips can be read (the first: {path}: {reason})")
    figures = _quality_figures(qualities) | {"momi": _mean(improvements)}
    figures |= {name: _mean([each[name] for each in characters]) for name in characters[0]}
    return SeparationFigures(
        processor.name,
        processor.step,
        processor.sources,
        processor.digest,
        clips=len(characters),
        scored=len(qualities),
        pairs=len(improvements),
        figures=figures,
        unreadable=unreadable,
    )


def _load(clip: Clip, sample_rate: int, device: str) -> tuple[Tensor, Tensor | None]:
    """(1, samples) the mixture, and its sources (1, sources, samples) where they are known."""
    clip = clip._replace(end=min(clip.start + SECONDS, math.inf if clip.end is None else clip.end))
    if not source_files(clip.path):
        return torch.from_numpy(read(clip.path, clip.start, clip.duration, sample_rate))[None].to(device), None
    sources = torch.from_numpy(read_sources(clip, sample_rate))[None].to(device)
    mixture = sources.sum(1)
    if not _heard(mixture).all():
        raise UnreadableClip("all sources are silent")
    return mixture, sources


def _momi(processor: Processor, first: Tensor, second: Tensor) -> list[float]:
    """MoMi of two clips (1, samples), cut to the shorter; nothing if one is silent, or M beyond searching."""
    samples = min(first.shape[1], second.shape[1])
    clips = torch.cat([first[:, :samples], second[:, :samples]])
    if 2**processor.sources > LARGEST_SEARCH or not _heard(clips).all():
        return []
    mixed, mixtures = mix_pairs(clips)
    return [float(mom_improvement(processor(mixed), mixtures))]


def _character(channels: Tensor, mixture: Tensor) -> dict[str, float]:
    """The figures of one clip that need no sources; channels (1, channels, samples), mixture (1, samples)."""
    content = channel_content(channels, mixture)
    unit = F.normalize(channels[0], dim=1)
    between = (unit @ unit.T)[~torch.eye(len(unit), dtype=torch.bool, device=unit.device)]
    return {
        "mixture_correlation": float(content.cosine.mean()),
        "channel_correlation": float(between.mean()),
        "level": float(content.energy_db.mean()),
        "near_empty": float(near_empty(channels, mixture).float().mean()),
    }


def _quality_figures(qualities: list[Quality]) -> dict[str, float]:
    if not qualities:
        return dict.fromkeys(("si_snr", "msi", "single_source_si_snr", "under", "equal", "over"), math.nan)
    quality = Quality.join(qualities)
    figures = quality.summary()
    del figures["examples"]  # `scored`: silent clips do not come this far
    return {"si_snr": _mean(quality.si_snr[quality.sources[quality.example] >= 2])} | figures


def _heard(x: Tensor) -> Tensor:
    return x.square().mean(-1).sqrt() > _SILENCE


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else math.nan
