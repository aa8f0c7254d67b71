"""Separation: a mixture into channels that sum to it, learned from mixtures alone."""

from soundviews.separation.consistency import mixture_consistency
from soundviews.separation.mixit import mixit
from soundviews.separation.quality import si_snr
from soundviews.separation.tdcn import TDCN

__all__ = ["TDCN", "mixit", "mixture_consistency", "si_snr"]
