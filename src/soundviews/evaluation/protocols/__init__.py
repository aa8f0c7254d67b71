"""Protocols, one a file; importing the package registers them all."""

from soundviews.core.registry import import_all

import_all(__name__, __path__)
