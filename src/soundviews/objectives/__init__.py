"""Objectives: a loss over the embeddings of two views or more, with the head that projects them.

`soundviews.objectives.base` says what an objective is and how to add one.
"""

from soundviews.core.registry import import_all
from soundviews.objectives.averaging import Average
from soundviews.objectives.base import Loss, objectives
from soundviews.objectives.bilinear import BilinearContrast, bilinear_contrast
from soundviews.objectives.byol import BYOL
from soundviews.objectives.coincidence import Coincidence, coincidence_loss
from soundviews.objectives.dot import DotContrast, dot_contrast
from soundviews.objectives.multi_crop import MultiCrop
from soundviews.objectives.nt_xent import NTXent, nt_xent
from soundviews.objectives.temporal_gap import TemporalGap, temporal_gap_loss
from soundviews.objectives.triplet import Triplet, triplet_loss

__all__ = [
    "BYOL",
    "Average",
    "BilinearContrast",
    "Coincidence",
    "DotContrast",
    "Loss",
    "MultiCrop",
    "NTXent",
    "TemporalGap",
    "Triplet",
    "bilinear_contrast",
    "coincidence_loss",
    "dot_contrast",
    "nt_xent",
    "objectives",
    "register",
    "temporal_gap_loss",
    "triplet_loss",
]

register = objectives.register

import_all(__name__, __path__)
