"""Signs that an encoder learns, without labels: how large embeddings are, and how alike those of different clips."""

import torch
import torch.nn.functional as F
from torch import Tensor

ALIKE = 0.999  # mean cosine between different clips from which on they are one and the same; fresh encoders reach 0.99
COLLAPSED = (
    "the encoder has collapsed: it gives nearly the same embedding for every clip (mean cosine between clips {:.4f}, "
    "norm {:.2g}). Start anew with a lower learning rate (training.optimizer), a longer training.warmup_steps or a "
    "larger training.batch_size"
)


def health_of(h: Tensor) -> dict[str, Tensor]:
    """The mean norm of embeddings, and the mean cosine of two different ones.

    Args:
        h: (clips, embedding_size), one of each clip.

    Returns:
        `h_norm` and `h_cosine`, scalars; the sum of all cosines is the squared norm of the sum of the directions.
    """
    h, count = h.float(), len(h)
    directions = F.normalize(h, dim=1)
    cosine = (directions.sum(0).square().sum() - directions.square().sum()) / max(count * (count - 1), 1)
    return {"h_norm": torch.linalg.vector_norm(h, dim=1).mean(), "h_cosine": cosine}


def collapse_of(h: Tensor) -> str:
    """What to do about embeddings of different clips that are all alike; "" if they are not."""
    norm, cosine = (float(value) for value in health_of(h).values())
    return COLLAPSED.format(cosine, norm) if not (norm > 1e-6 and cosine < ALIKE) else ""
