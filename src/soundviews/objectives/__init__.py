"""Objectives: a loss over the projections of two views, with the head that makes them.

Each registered class takes `embedding_size` and its own options; `forward(h_a, h_b)` gives a `Loss`,
`project(h)` gives z, where it has one. To add one: a file here whose class is registered.
"""

from soundviews.core.registry import import_all
from soundviews.objectives.base import Loss, objectives
from soundviews.objectives.bilinear import BilinearContrast, bilinear_contrast
from soundviews.objectives.coincidence import Coincidence, coincidence_loss
from soundviews.objectives.dot import DotContrast, dot_contrast
from soundviews.objectives.nt_xent import NTXent, nt_xent

__all__ = [
    "BilinearContrast",
    "Coincidence",
    "DotContrast",
    "Loss",
    "NTXent",
    "bilinear_contrast",
    "coincidence_loss",
    "dot_contrast",
    "nt_xent",
    "objectives",
]

import_all(__name__, __path__)
