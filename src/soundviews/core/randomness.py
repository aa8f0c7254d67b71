"""Randomness without state: every draw is a function of (seed, step, rank, branch, name)."""

import hashlib
from functools import cached_property
from typing import Any

import torch
from torch import Tensor


def hashed_seed(*keys: Any) -> int:
    """A 63-bit seed from any printable keys; the same on every machine."""
    digest = hashlib.blake2b(repr(keys).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class Randomness:
    """A stream of random tensors for one step of one branch.

    Views draw their per-example parameters from it. `child` gives an independent stream for a nested name, so
    that adding a step to a recipe leaves the other steps' draws alone; `shared` is a second stream, which is the same
    in every branch (the same patch, the same mixing weight).
    """

    def __init__(
        self, *keys: Any, branch: int = 0, path: tuple[Any, ...] = (), device: torch.device | str = "cpu"
    ) -> None:
        self.keys, self.branch, self.path, self.device = keys, branch, path, torch.device(device)

    def __repr__(self) -> str:
        keys = ", ".join(map(repr, self.keys))
        return f"Randomness({keys}, branch={self.branch}, path={self.path}, device={str(self.device)!r})"

    @cached_property
    def generator(self) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(hashed_seed(self.keys, self.branch, self.path))

    def child(self, *names: Any) -> "Randomness":
        """The stream of what is called `names` below this one, from its start."""
        return Randomness(*self.keys, branch=self.branch, path=(*self.path, *names), device=self.device)

    @cached_property
    def shared(self) -> "Randomness":
        """The stream that does not know its branch; like this one, it goes on with every draw."""
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
