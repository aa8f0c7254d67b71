"""The block of the small networks: convolution, batch norm, ReLU, max pooling."""

import torch.nn.functional as F
from torch import Tensor, nn


class ConvBlock(nn.Module):
    """(batch, inputs, frames, mels) -> (batch, outputs, frames // pool[0], mels // pool[1]).

    With a stride of 2, frames and mels are halved first, an odd one rounded up. The convolution has no bias, because
    batch norm follows it.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, pool: tuple[int, int] | None = None, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        if self.pool is not None:
            x = F.max_pool2d(x, self.pool)  # ReLU rises, so it gives the same after pooling, on a quarter of the values
        return F.relu(x, inplace=True)
