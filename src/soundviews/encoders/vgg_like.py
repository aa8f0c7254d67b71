"""The VGG-like encoder of uclser (reference network of Sec. 3.2; details from the authors' release)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.encoders.base import encoders, require_patches
from soundviews.encoders.conv_block import ConvBlock


@encoders.register("vgg_like")
class VGGLike(nn.Module):
    """3x3 convolutions 32, 32, 32 | 64, 64 | 128 with 2x2 max pooling between, then one dense layer.

    Patches (batch, 1, frames, mels), at least 8 frames and 8 mel bands -> h (batch, embedding_size), not negative.
    """

    def __init__(self, embedding_size: int = 512) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.blocks = nn.Sequential(
            ConvBlock(1, 32, 3),
            ConvBlock(32, 32, 3),
            ConvBlock(32, 32, 3, pool=(2, 2)),
            ConvBlock(32, 64, 3),
            ConvBlock(64, 64, 3, pool=(2, 2)),
            ConvBlock(64, 128, 3, pool=(2, 2)),
        )
        self.dense = nn.Linear(256, embedding_size)

    def forward(self, x: Tensor) -> Tensor:
        require_patches(x, "vgg_like", frames=8, mels=8)
        x = self.blocks(x)
        return F.relu(self.dense(torch.cat([x.amax((2, 3)), x.mean((2, 3))], dim=1)))
