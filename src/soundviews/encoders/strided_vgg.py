"""A small VGG whose first convolution has a stride of 2: the encoder of the recipe `base`, made for CPUs."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from soundviews.encoders.base import encoders, require_patches
from soundviews.encoders.conv_block import ConvBlock


@encoders.register("strided_vgg")
class StridedVGG(nn.Module):
    """A 5x5 convolution of stride 2, then 3x3 convolutions, all but the last with 2x2 max pooling, and no dense layer.

    Patches (batch, 1, frames, mels), with the default widths at least 15 frames and 15 bands -> h (batch, widths[-1]),
    not negative: the mean over the bands, of which mean and maximum over time are added.

    With the default widths 0.69 M weights, and 36 million multiplications for a patch of 100 frames by 64 bands.

    Args:
        widths: Filters of each convolution; the last is the size of h.
        dynamic_range: If given, h depends on what a patch sounds like and not on how loud it is: the encoder reads how
            far each bin lies above the loudest one less this range, as a share of it, and 0 below. In the patch's unit;
            70 dB are 8.06 in natural logarithms of magnitudes.
        silence: A bin's value in digital silence, the logarithm of the front-end's floor. It is read as 0, and the
            loudest bin counts as at least `dynamic_range` above it: next to nothing is not raised to full level.
    """

    def __init__(
        self,
        widths: Sequence[int] = (16, 32, 64, 128, 512),
        dynamic_range: float | None = None,
        silence: float = -11.513,
    ) -> None:
        super().__init__()
        if len(widths) < 3 or min(widths) < 1:
            raise ValueError(f"widths are three or more numbers of filters, not {list(widths)}")
        if dynamic_range is not None and not dynamic_range > 0:
            raise ValueError(f"dynamic_range must be positive, not {dynamic_range}")
        self.embedding_size = widths[-1]
        self.dynamic_range, self.silence = dynamic_range, silence
        pooled = [ConvBlock(inputs, outputs, 3, pool=(2, 2)) for inputs, outputs in pairwise(widths[:-1])]
        self.blocks = nn.Sequential(ConvBlock(1, widths[0], 5, stride=2), *pooled, ConvBlock(widths[-2], widths[-1], 3))
        self._fewest = 2 ** (len(pooled) + 1) - 1  # frames and bands that leave one after the stride and the poolings

    def forward(self, x: Tensor) -> Tensor:
        require_patches(x, "strided_vgg", frames=self._fewest, mels=self._fewest)
        if self.dynamic_range is not None:
            loudest = x.amax((2, 3), keepdim=True).clamp(min=self.silence + self.dynamic_range)
            x = ((x - loudest) / self.dynamic_range + 1).clamp(min=0)
        frames = self.blocks(x).mean(3)
        return frames.mean(2) + frames.amax(2)
