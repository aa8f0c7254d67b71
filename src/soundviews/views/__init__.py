"""Views: one augmentation a file, each registered under the name that recipes call it by."""

from soundviews.core.registry import import_all
from soundviews.views.registry import views

__all__ = ["views"]

import_all(__name__, __path__)
