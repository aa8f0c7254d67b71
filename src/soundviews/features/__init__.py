"""Waveform to log-mel patch."""

from soundviews.features.log_mel import LogMel
from soundviews.features.patches import Clips, cut, cut_patches

__all__ = ["Clips", "LogMel", "cut", "cut_patches"]
