"""Seeded splits for datasets that come without official ones; no package's random numbers decide them."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt


def divide(
    groups: Sequence[str], shares: Mapping[str, float], seed: int, within: Sequence[str] | None = None
) -> list[str]:
    """The split of each clip; clips of one group are never in two splits.

    The groups, in the order of a hash of (seed, group), are cut in consecutive parts. So neither the order of the clips
    nor whether a few are missing moves more than the groups at a cut. Every split gets a group if there are enough.

    Args:
        groups: (clips,) what must stay together, such as the speaker; the clip's own path for a split by clip.
        shares: Split to its share of the groups; they sum to 1.
        seed: Another seed, another split.
        within: (clips,) divide the groups of each of these (the clip's class) by themselves: a stratified split. All
            clips of a group must have the same.
    """
    parts: dict[str, set[str]] = defaultdict(set)
    for group, part in zip(groups, within if within is not None else [""] * len(groups), strict=True):
        parts[part].add(group)
    split: dict[str, str] = {}
    for members in parts.values():
        order = sorted(members, key=lambda group: hashlib.blake2b(f"{seed}/{group}".encode()).digest())
        names = np.repeat(list(shares), np.diff(_cuts(len(order), list(shares.values())), prepend=0))
        split.update(zip(order, names.tolist(), strict=True))
    return [split[group] for group in groups]


def _cuts(groups: int, shares: Sequence[float]) -> npt.NDArray[np.int64]:
    """Where each part ends, rounded, so that none is empty unless there are fewer groups than parts."""
    place = np.arange(len(shares))
    ends = np.round(np.cumsum(shares) * groups).astype(int)
    if groups < len(shares):
        return ends
    ends = np.clip(ends, place + 1, groups - place[::-1])
    return np.maximum.accumulate(ends - place) + place
