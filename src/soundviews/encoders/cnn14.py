"""CNN14: as published in PANNs (Kong et al., 2020), and as ssep changed it (Sec. 4.2)."""

from itertools import pairwise
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.encoders.base import encoders, require_patches

CHANNELS = (64, 128, 256, 512, 1024, 2048)
BLOCK_DROPOUT, DROPOUT = 0.2, 0.5
SMALLEST = 32  # frames and mel bands; five 2x2 poolings leave one


class Block(nn.Module):
    """Two 3x3 convolutions, each with ReLU and, if wanted, batch norm; then average pooling."""

    def __init__(self, inputs: int, outputs: int, pool: int, batch_norm: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers.append(nn.Conv2d(channels, outputs, 3, padding=1, bias=not batch_norm))
            layers += [nn.BatchNorm2d(outputs)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
        self.layers, self.pool = nn.Sequential(*layers), pool

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(x)
        return x if self.pool == 1 else F.avg_pool2d(x, self.pool)


def _blocks(width: float, batch_norm: bool) -> tuple[nn.ModuleList, int]:
    """The six blocks, the last unpooled, and the number of channels they end in."""
    if width <= 0:
        raise SoundviewsError(f"cnn14: width must be positive, not {width}")
    channels = [1, *(max(1, round(c * width)) for c in CHANNELS)]
    blocks = [
        Block(inputs, outputs, pool=2 if i < 5 else 1, batch_norm=batch_norm)
        for i, (inputs, outputs) in enumerate(pairwise(channels))
    ]
    return nn.ModuleList(blocks), channels[-1]


class PublishedCNN14(nn.Module):
    """PANNs' CNN14 up to the layer before its classifier: batch norm over mel bands, six blocks with dropout, mean
    over mel, maximum plus mean over time, one dense layer with ReLU."""

    def __init__(self, embedding_size: int | None, width: float, mels: int) -> None:
        super().__init__()
        self.mels = mels
        self.bn0 = nn.BatchNorm2d(mels)
        self.blocks, channels = _blocks(width, batch_norm=True)
        self.embedding_size = embedding_size or channels
        self.fc1 = nn.Linear(channels, self.embedding_size)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        require_patches(x, "cnn14", frames=SMALLEST, mels=self.mels, most_mels=self.mels)
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)
        for block in self.blocks:
            x = F.dropout(block(x), BLOCK_DROPOUT, self.training)
        x = x.mean(3)
        x = F.dropout(x.amax(2) + x.mean(2), DROPOUT, self.training)
        return F.relu(self.fc1(x))


class PlainCNN14(nn.Module):
    """ssep's CNN14: neither batch norm nor dropout; a 1x1 convolution to `embedding_size` filters and a global
    maximum take the place of the dense layers, and h is linear.

    The paper leaves the kernel and the biases open; 1x1 with biases is the plain reading of its 76 M weights.
    """

    def __init__(self, embedding_size: int, width: float) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.blocks, channels = _blocks(width, batch_norm=False)
        self.embedding = nn.Conv2d(channels, embedding_size, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # Without batch norm, Xavier's scale would fade over twelve ReLU layers; He's does not.
                last = module is self.embedding
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear" if last else "relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        require_patches(x, "cnn14", frames=SMALLEST, mels=SMALLEST)
        for block in self.blocks:
            x = block(x)
        return self.embedding(x).amax((2, 3))


@encoders.register("cnn14", example={"width": 1 / 16, "mels": 96})
def cnn14(
    embedding_size: int | None = None,
    normalization: Literal["batch", "none"] = "batch",
    width: float = 1.0,
    mels: int = 64,
) -> nn.Module:
    """Patches (batch, 1, frames, mels), at least 32 frames -> h (batch, embedding_size).

    Args:
        embedding_size: Size of h; 2048 * width (published form) or 128 (ssep's) where it is not given.
        normalization: "batch" for the network as published, "none" for ssep's.
        width: Multiplies the channels of every block; 0.25 makes it sixteen times cheaper.
        mels: Mel bands of the patches; only the published form is tied to their number.
    """
    if normalization == "batch":
        return PublishedCNN14(embedding_size, width, mels)
    if normalization == "none":
        return PlainCNN14(embedding_size or 128, width)
    raise ValueError(f"normalization must be 'batch' or 'none', not {normalization!r}")
