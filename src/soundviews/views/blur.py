"""Gaussian blur with a random kernel (uclser)."""

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.features.log_mel import continued
from soundviews.views.registry import View, views


@views.register("blur")
class Blur(View):
    """Blur each patch with a Gaussian kernel whose odd size is uniform on 1, 3, .. max_kernel, for each axis.

    The patch is reflected at its edges.

    Args:
        max_kernel: Largest size, odd.
        sigma: Deviation of the Gaussian in bins; large ones make a plain average of the kernel's size.
    """

    takes = gives = "patches"

    def __init__(self, max_kernel: int = 5, sigma: float = 20.0) -> None:
        if max_kernel < 1 or max_kernel % 2 == 0:
            raise ValueError(f"max_kernel is {max_kernel}; it must be odd")
        if sigma <= 0:
            raise ValueError(f"sigma is {sigma}; it must be positive")
        self.reach, self.sigma = max_kernel // 2, sigma

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        kernels = self.kernels(2 * len(patches), rng)
        over_time, over_bands = kernels.chunk(2)
        return _filtered(_filtered(patches, over_time).mT, over_bands).mT

    def kernels(self, count: int, rng: Randomness) -> Tensor:
        """Kernels (count, max_kernel) that sum to 1, zero beyond each one's own size."""
        offset = torch.arange(-self.reach, self.reach + 1, device=rng.device)
        reach = rng.integers(torch.full((count, 1), self.reach + 1, device=rng.device))
        weights = torch.exp(-0.5 * (offset / self.sigma) ** 2) * (offset.abs() <= reach)
        return weights / weights.sum(dim=1, keepdim=True)


def _filtered(x: Tensor, kernels: Tensor) -> Tensor:
    """(batch, bins, other) filtered along `bins` with odd kernels (batch, taps)."""
    bins, reach = x.shape[1], kernels.shape[1] // 2
    index, _ = continued(torch.arange(-reach, bins + reach, device=x.device), bins, "reflect")
    windows = x[:, index].unfold(1, bins, 1)  # (batch, taps, other, bins)
    return torch.einsum("bkop,bk->bpo", windows, kernels)
