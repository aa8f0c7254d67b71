"""The four tones of which the authors' losses are known, and random numbers that stay."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor


class Tones(NamedTuple):
    """sources: (4, samples), s0 to s3; mixtures: (1, 2, samples), s0 + s2 and s1 + s3."""

    sources: Tensor
    mixtures: Tensor


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def tones() -> Tones:
    time = torch.arange(1600, dtype=torch.float64) / 16000
    waves = [a * torch.sin(2 * torch.pi * f * time) for f, a in ((200, 1), (350, 0.5), (500, 0.25), (700, 0.125))]
    s0, s1, s2, s3 = sources = torch.stack(waves).float()
    return Tones(sources, torch.stack([s0 + s2, s1 + s3])[None])
