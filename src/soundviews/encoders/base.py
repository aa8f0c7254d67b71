"""What all encoders share: the registry, and the check of what they are given."""

from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import Registry

encoders = Registry("encoder")


def require_patches(x: Tensor, name: str, frames: int, mels: int, most_mels: int | None = None) -> None:
    """Refuse what an encoder cannot read, before a kernel does it with a message about strides.

    Args:
        x: What was given; must be (batch, 1, frames, mels).
        name: The encoder's name, for the message.
        frames, mels: Fewest that survive the encoder's pooling.
        most_mels: The most mel bands, for an encoder that is tied to their number.
    """
    if x.ndim != 4 or x.shape[1] != 1:
        raise SoundviewsError(f"{name} takes patches (batch, 1, frames, mels), not {tuple(x.shape)}")
    if x.shape[2] < frames:
        raise SoundviewsError(f"{name} needs patches of at least {frames} frames, not {x.shape[2]}")
    if x.shape[3] < mels:
        raise SoundviewsError(f"{name} needs at least {mels} mel bands, not {x.shape[3]}")
    if most_mels is not None and x.shape[3] > most_mels:
        raise SoundviewsError(
            f"{name} was built for at most {most_mels} mel bands, not {x.shape[3]}: its option is `mels`"
        )
