"""Randomness without state: every draw is a function of (seed, step, rank, place)."""

import hashlib
from typing import Any

import torch
from torch import Tensor


def hashed_seed(*keys: Any) -> int:
    """A 63-bit seed from any printable keys; the same on every machine."""
    digest = hashlib.blake2b(repr(keys).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class Randomness:
    """A stream of random tensors for one place in one step.

    Views draw their per-example parameters from it. `child` gives an independent stream for a nested place, so
    that adding a step to a recipe leaves the other steps' draws alone; `shared` is the stream that both branches
    of a step see alike (the same patch, the same mixing weight).
    """

    def __init__(
        self, *keys: Any, branch: int = 0, path: tuple[Any, ...] = (), device: torch.device | str = "cpu"
    ) -> None:
        self.keys, self.branch, self.path, self.device = keys, branch, path, torch.device(device)
        self._generator: torch.Generator | None = None

    @property
    def generator(self) -> torch.Generator:
        if self._generator is None:
            self._generator = torch.Generator(self.device)
            self._generator.manual_seed(hashed_seed(self.keys, self.branch, self.path))
        return self._generator

    def child(self, *place: Any) -> "Randomness":
        return Randomness(*self.keys, branch=self.branch, path=(*self.path, *place), device=self.device)

    @property
    def shared(self) -> "Randomness":
        """The stream of this place that does not know its branch. Each access starts it anew."""
        return Randomness(*self.keys, branch=-1, path=self.path, device=self.device)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """U(low, high), float32."""
        return torch.rand(shape, generator=self.generator, device=self.device) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        """N(0, 1), float32."""
        return torch.randn(shape, generator=self.generator, device=self.device)

    def integers(self, high: Tensor) -> Tensor:
        """Integers uniform on 0 .. high-1, one for each entry of `high` (int64, at least 1)."""
        draw = torch.rand(high.shape, generator=self.generator, device=self.device, dtype=torch.float64)
        return (draw * high).long().clamp_(max=high - 1)
