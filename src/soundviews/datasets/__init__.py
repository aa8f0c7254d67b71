"""Public datasets: one file each, from the official layout on disk to a corpus."""

from soundviews.datasets import (  # noqa: F401  (each registers itself)
    audioset,
    dcase2018_birdsong,
    desed,
    esc50,
    fsdnoisy18k,
    fuss,
    librispeech,
    musan,
    nsynth,
    scenes,
    speech_commands,
    tut_urban2018,
    voxceleb1,
    voxforge,
)
from soundviews.datasets.registry import datasets

__all__ = ["datasets"]
