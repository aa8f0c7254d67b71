"""Room impulse responses for `pretrain --rooms`; they are no corpus."""

from soundviews.datasets.origin import Archive, Origin

FOLDER = "RIRS_NOISES"  # what the archive brings; the noises beside the responses are left alone by who reads these
ROOMS = Origin(
    about="OpenSLR 28: simulated and recorded impulse responses of rooms, 1.3 GB",
    licence="Apache 2.0",
    archives=(Archive("https://www.openslr.org/resources/28/rirs_noises.zip", "md5:e6f48e257286e05de56413b4779d8ffb"),),
)
