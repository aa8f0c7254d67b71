"""Near-empty channels: those with almost nothing of the mixture in them (ssep, Appendix A).

With four channels, clips of one or two dominant sources leave some that are almost empty, or hold faint noise or a
very short sound; positives made of them hurt. The appendix names energy and cosine similarity as the signs, and leaves
open how they are used. Here: a channel that is separated well and has the share p of the mixture's energy has the
cosine sqrt(p) with the mixture; a loud one that has less was made up, and cancels out in the sum of the channels.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class ChannelContent(NamedTuple):
    """energy_db: (batch, channels) relative to the mixture; cosine: (batch, channels) with the mixture."""

    energy_db: Tensor
    cosine: Tensor


def channel_content(channels: Tensor, mixture: Tensor) -> ChannelContent:
    """How much of the mixture is in each channel.

    Args:
        channels: (batch, channels, samples).
        mixture: (batch, samples).

    Returns:
        A `ChannelContent`; for silence, -80 dB (the least there is) and a cosine of 0.
    """
    energy, whole = channels.square().sum(2), mixture.square().sum(1, keepdim=True)
    inner = (channels @ mixture[..., None])[..., 0]
    heard = whole > 1e-16
    ratio = torch.where(heard, energy / whole.clamp_min(1e-16), 0)
    return ChannelContent(10 * torch.log10(ratio + 1e-8), inner / (energy * whole).sqrt().clamp_min(1e-16))


def near_empty(channels: Tensor, mixture: Tensor, energy_db: float = -20.0, similarity: float = 0.1) -> Tensor:
    """Which channels hold next to nothing of the mixture.

    Args:
        channels: (batch, channels, samples).
        mixture: (batch, samples).
        energy_db: Below this energy relative to the mixture, a channel is near-empty.
        similarity: Below this cosine similarity with the mixture it is, too; 0.1 is what a well separated source
            of -20 dB has.

    Returns:
        (batch, channels) bool.
    """
    content = channel_content(channels, mixture)
    return (content.energy_db < energy_db) | (content.cosine < similarity)


def worst_channel(channels: Tensor, mixture: Tensor) -> Tensor:
    """The channel with the least of the mixture in it: the smallest cosine times relative amplitude.

    That product is the coefficient of the mixture in the channel; over channels that sum to the mixture it adds up
    to one.

    Args:
        channels: (batch, channels, samples).
        mixture: (batch, samples).

    Returns:
        (batch,) int64.
    """
    return (channels @ mixture[..., None])[..., 0].argmin(1)


def discard_worst(channels: Tensor, mixture: Tensor) -> Tensor:
    """channels (batch, channels, samples) -> (batch, channels - 1, samples) in their order, less the worst."""
    keep = torch.arange(channels.shape[1], device=channels.device) != worst_channel(channels, mixture)[:, None]
    return channels[keep].unflatten(0, (len(channels), -1))
