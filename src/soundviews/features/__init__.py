"""Waveform to patch: front-ends, each registered under the name that recipes call it by, and what cuts patches out."""

from soundviews.core.registry import import_all
from soundviews.features.log_mel import LogMel
from soundviews.features.patches import Clips, cut, cut_patches
from soundviews.features.registry import FrontEnd, create_front_end, front_ends

__all__ = ["Clips", "FrontEnd", "LogMel", "create_front_end", "cut", "cut_patches", "front_ends", "register"]

register = front_ends.register

import_all(__name__, __path__)
