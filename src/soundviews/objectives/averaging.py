"""A network that follows another one slowly: the target of BYOL, the key encoder of MoCo."""

import copy

import torch
from torch import Tensor, nn


class Average(nn.Module):
    """A copy of a network whose weights are an exponential moving average of the network's.

    No gradient reaches it. It is in training mode like the network, so that its batch norm sees the statistics of the
    batch; running statistics are its own.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module, momentum: float) -> None:
        """average <- momentum * average + (1 - momentum) * network, weight by weight."""
        for average, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            average.lerp_(weight, 1 - momentum)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)
