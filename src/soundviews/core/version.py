"""The version of the package; everything that a run or bundle leaves behind names it."""

__version__ = "0.2.0"
