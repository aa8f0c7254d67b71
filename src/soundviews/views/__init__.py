"""Views: one augmentation a file, each registered under the name that recipes call it by."""

from soundviews.views import (
    blur,
    compression,
    crop,
    gaussian_noise,
    l2_normalize,
    log_mel,
    mix_back,
    noise,
    patch,
    peak_normalize,
    resized_crop,
    shift,
    spec_augment,
    time_reversal,
)
from soundviews.views.registry import views

__all__ = [
    "blur",
    "compression",
    "crop",
    "gaussian_noise",
    "l2_normalize",
    "log_mel",
    "mix_back",
    "noise",
    "patch",
    "peak_normalize",
    "resized_crop",
    "shift",
    "spec_augment",
    "time_reversal",
    "views",
]
