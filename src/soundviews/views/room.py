"""The snippet as it sounds in a room (acl, Sec. 2.1, RIR filtering)."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from soundviews.audio.corpus import Skipped
from soundviews.audio.responses import lead_samples, read_responses
from soundviews.core.randomness import Randomness
from soundviews.scenes.rooms import simulated_responses
from soundviews.views.registry import View, views


@views.register("room")
class Room(View):
    """Filter each snippet with a room's impulse response, drawn for each; what rings on after its end is cut off.

    The direct sound is not delayed.

    Args:
        responses: A folder of impulse responses (`soundviews.audio.responses`), or `simulated` for those of 500
            shoebox rooms (`soundviews.scenes.rooms`).
        probability: Share of the snippets that are filtered.
        level: `match` gives the result the snippet's RMS; `none` leaves what the response makes of it.
    """

    takes = gives = "snippets"

    def __init__(
        self, sample_rate: int, responses: str = "simulated", probability: float = 1.0, level: str = "match"
    ) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(f"probability is {probability}; it must lie within 0 and 1")
        if level not in ("match", "none"):
            raise ValueError(f"level is {level!r}; it must be 'match' or 'none'")
        self.responses, self.probability, self.keep_level = str(responses), probability, level == "match"
        self.sample_rate, self.lead = sample_rate, lead_samples(sample_rate)

    def load(self) -> list[Skipped]:
        """Read or simulate the responses now, and say what was left out; otherwise the first batch does it."""
        return list(_loaded(self.responses, self.sample_rate)[1])

    def __call__(self, snippets: Tensor, rng: Randomness) -> Tensor:
        bank = _on_device(self.responses, self.sample_rate, snippets.device)
        rows = rng.integers(torch.full((len(snippets),), len(bank), device=snippets.device))
        filtered = _filtered(snippets, bank, rows, self.lead)
        if self.keep_level:
            loudness, now = (torch.linalg.vector_norm(x, dim=1, keepdim=True) for x in (snippets, filtered))
            filtered = filtered * (loudness / now.clamp(min=torch.finfo(now.dtype).tiny))
        return filtered.where(rng.uniform(len(snippets), 1) < self.probability, snippets)


def _filtered(snippets: Tensor, bank: Tensor, rows: Tensor, lead: int) -> Tensor:
    """Snippets (batch, samples) convolved with `rows` (batch,) of the bank (responses, taps), whose time 0 is at tap
    `lead`; as many samples come out."""
    size = snippets.shape[1]
    taps = bank[:, : lead + size][rows]  # later ones reach no sample
    # What a circular convolution wraps around falls on the `lead` samples that are cut off.
    length = _fast_length(size + taps.shape[1] - 1 - lead)
    spectrum = torch.fft.rfft(snippets, length) * torch.fft.rfft(taps, length)
    return torch.fft.irfft(spectrum, length)[:, lead : lead + size]


def _fast_length(size: int) -> int:
    """The least 2^n or 3 * 2^n that is no less; powers of five, though closer, take the FFT twice as long."""
    power = 1 << (size - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= size else power


@lru_cache(maxsize=4)
def _loaded(responses: str, sample_rate: int) -> tuple[np.ndarray, tuple[Skipped, ...]]:
    if responses == "simulated":
        return simulated_responses(sample_rate), ()
    bank, skipped = read_responses(Path(responses), sample_rate)
    return bank, tuple(skipped)


@lru_cache(maxsize=4)
def _on_device(responses: str, sample_rate: int, device: torch.device) -> Tensor:
    return torch.from_numpy(_loaded(responses, sample_rate)[0]).to(device)
