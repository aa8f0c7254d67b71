"""The convolutional recurrent encoder of uclser (reference network of Sec. 3.2; details from the release)."""

from torch import Tensor, nn

from soundviews.encoders.base import encoders, require_patches
from soundviews.encoders.conv_block import ConvBlock

MEL_POOLING = 5 * 4 * 2


@encoders.register("crnn")
class CRNN(nn.Module):
    """Three 5x5 convolutions of 128 filters, then a bidirectional GRU over the frames that remain.

    Patches (batch, 1, frames, mels), at least 8 frames -> h (batch, 64): the elementwise product of both
    directions' outputs at the last frame. There the backward direction has seen one frame only; that is how the
    published network is, and its weights expect it.

    Args:
        mels: Mel bands of the patches, at least 40. The GRU's input is 128 for every 40 bands.
    """

    embedding_size = 64

    def __init__(self, mels: int = 96) -> None:
        super().__init__()
        if mels < MEL_POOLING:
            raise ValueError(f"mels must be at least {MEL_POOLING}, not {mels}")
        self.bands = mels // MEL_POOLING
        self.blocks = nn.Sequential(
            ConvBlock(1, 128, 5, pool=(2, 5)),
            ConvBlock(128, 128, 5, pool=(2, 4)),
            ConvBlock(128, 128, 5, pool=(2, 2)),
        )
        self.gru = nn.GRU(128 * self.bands, self.embedding_size, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        fewest = self.bands * MEL_POOLING
        require_patches(x, "crnn", frames=8, mels=fewest, most_mels=fewest + MEL_POOLING - 1)
        frames = self.blocks(x).permute(0, 2, 3, 1).flatten(2)  # features of a frame: band-major, as released
        forward, backward = self.gru(frames)[0][:, -1].chunk(2, dim=1)
        return forward * backward
