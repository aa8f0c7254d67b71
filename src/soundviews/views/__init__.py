"""Views: one augmentation a file, each registered under the name that recipes call it by."""

from soundviews.core.registry import import_all
from soundviews.views.pipeline import Branch, TwoViews
from soundviews.views.registry import View, views

__all__ = ["Branch", "TwoViews", "View", "register", "views"]

register = views.register

import_all(__name__, __path__)
