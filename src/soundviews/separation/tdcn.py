"""The improved time-domain convolutional network (TDCN++) that separates a mixture into channels.

The form that was released with MixIT (Wisdom et al., 2020; ssep, Sec. 3.2): a learned basis, masks from a stack of
dilated convolutions, overlap-add, and a projection after which the channels sum to the mixture.
"""

import math
from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.separation.consistency import mixture_consistency

Consistency = Literal["learned", "magsq", "uniform"]
_EPS = 1e-3  # of the variances; not small beside those of quiet features


DEEPEST = 30  # a dilation of 2^30 frames is longer than any recording


class Extent(NamedTuple):
    """Where the clips of a padded batch are.

    samples, frames: (batch, 1), how many of each. inside: (batch, width) bool, the samples of a clip. valid:
    (batch, 1, frames of the width) bool, the frames it has alone.
    """

    samples: Tensor
    frames: Tensor
    inside: Tensor
    valid: Tensor


class TDCN(nn.Module):
    """Separate (batch, samples) into (batch, sources, samples); the sum over sources is the input.

    The defaults are the published network: 16 kHz, windows of 2.5 ms, 8.67 million parameters for two sources.
    It is not gain-equivariant: keep to one convention of levels in training and use. Silence gives exact zeros.

    Args:
        sources: How many channels come out, M.
        long_skips: Add the input of each repeat, through a dense layer, to the input of every later repeat.
            (Described in the paper, absent from the released separator.)
        window, hop: Samples of one frame and between frames.
        filters: Size of the learned basis.
        bottleneck, width: Channels between the blocks and within one.
        repeats, blocks: The dilation doubles over `blocks` blocks, from 1, and starts again `repeats` times.
        kernel: Taps of the dilated convolutions; odd.
        consistency: Weighting of the projection onto the mixture: learned from the features ("learned"), by the
            power of the channels ("magsq"), or equal ("uniform").
    """

    def __init__(
        self,
        sources: int = 2,
        long_skips: bool = False,
        window: int = 40,
        hop: int = 20,
        filters: int = 256,
        bottleneck: int = 256,
        width: int = 512,
        repeats: int = 4,
        blocks: int = 8,
        kernel: int = 3,
        consistency: Consistency = "learned",
    ) -> None:
        super().__init__()
        if min(sources, window, hop, filters, bottleneck, width, repeats, blocks, kernel) < 1:
            raise SoundviewsError("every size of a TDCN must be at least 1")
        if max(repeats, blocks) > DEEPEST:
            raise SoundviewsError(f"a TDCN has at most {DEEPEST} repeats of at most {DEEPEST} blocks")
        if hop > window:
            raise SoundviewsError(f"a hop of {hop} samples leaves gaps between windows of {window}")
        if kernel % 2 == 0:
            raise SoundviewsError(f"the kernel must be odd to keep the frames in place, not {kernel}")
        if consistency not in get_args(Consistency):
            raise SoundviewsError(f"no consistency {consistency!r}; there are {', '.join(get_args(Consistency))}")
        self.sources, self.window, self.hop = sources, window, hop
        self.consistency = consistency
        self.encoder = nn.Conv1d(1, filters, window, stride=hop, bias=False)
        self.core = Core(filters, bottleneck, width, repeats, blocks, kernel, long_skips)
        self.mask_head = nn.Conv1d(bottleneck, sources * filters, 1, bias=False)
        self.decoder = nn.ConvTranspose1d(filters, 1, window, stride=hop, bias=False)
        self.weight_head = nn.Linear(bottleneck, sources, bias=False) if consistency == "learned" else None
        self.apply(_initialize)

    def forward(self, mixture: Tensor, lengths: Tensor | None = None) -> Tensor:
        """mixture (batch, samples) -> channels (batch, sources, samples).

        Args:
            mixture: Clips, the shorter ones filled up at their end.
            lengths: (batch,) int64, the samples of each clip; None where all fill the width. Channels are those of
                the clip alone, and zeros behind its end.

        Raises:
            SoundviewsError: for another number of dimensions, no samples, or lengths that do not fit.
        """
        if mixture.ndim != 2 or mixture.shape[1] == 0:
            raise SoundviewsError(f"TDCN takes (batch, samples), not {tuple(mixture.shape)}")
        extent = self._extent(mixture, lengths)
        if extent is not None:
            mixture = mixture * extent.inside
        basis = self.encode(mixture)
        if extent is not None:
            # Alone, a clip has no frames that begin within its last window.
            basis = basis * extent.valid
        features = self.core(basis, extent)
        channels = self.decode(self.masks(features) * basis.unsqueeze(1), mixture.shape[1])
        if extent is not None:
            channels = channels * extent.inside.unsqueeze(1)
        # At 16 bit the channels would not sum to the mixture.
        with torch.autocast(mixture.device.type, enabled=False):
            channels = channels.to(mixture.dtype)
            return mixture_consistency(channels, mixture, self._weighting(features, channels, extent))

    def encode(self, mixture: Tensor) -> Tensor:
        """mixture (batch, samples) -> basis activations (batch, filters, frames), zeros padded at the end only."""
        samples = mixture.shape[1]
        frames = self._frames(samples)
        padded = F.pad(mixture, (0, (frames - 1) * self.hop + self.window - samples))
        return F.relu(self.encoder(padded.unsqueeze(1)))

    def masks(self, features: Tensor) -> Tensor:
        """features (batch, bottleneck, frames) -> masks (batch, sources, filters, frames) in [0, 1]."""
        return self.mask_head(features).unflatten(1, (self.sources, -1)).sigmoid()

    def decode(self, masked: Tensor, samples: int) -> Tensor:
        """masked (batch, sources, filters, frames) -> channels (batch, sources, samples), by overlap-add."""
        waveforms: Tensor = self.decoder(masked.flatten(0, 1)).squeeze(1)
        return waveforms[:, :samples].unflatten(0, (-1, self.sources))

    def _frames(self, samples: int) -> int:
        return math.ceil(max(samples - self.window, 0) / self.hop) + 1

    def _extent(self, mixture: Tensor, lengths: Tensor | None) -> Extent | None:
        """None where every clip fills the width."""
        batch, width = mixture.shape
        if lengths is None:
            return None
        if lengths.shape != (batch,):
            raise SoundviewsError(f"{tuple(lengths.shape)} lengths for {batch} clips")
        shortest, longest = torch.stack(lengths.aminmax()).tolist()
        if shortest < 0 or longest > width:
            raise SoundviewsError(f"lengths from {shortest} to {longest} do not fit a batch of {width} samples")
        if shortest == width:
            return None
        samples = lengths.to(mixture.device).unsqueeze(1)
        frames = ((samples - self.window).clamp_min(0) + self.hop - 1) // self.hop + 1
        inside = torch.arange(width, device=mixture.device) < samples
        valid = torch.arange(self._frames(width), device=mixture.device) < frames
        return Extent(samples, frames, inside, valid.unsqueeze(1))

    def _weighting(
        self, features: Tensor, channels: Tensor, extent: Extent | None
    ) -> Tensor | Literal["magsq", "uniform"]:
        if self.weight_head is not None:
            mean = features.mean(2) if extent is None else _mean(features, extent)
            return self.weight_head(mean.to(self.weight_head.weight.dtype)).softmax(1)
        if self.consistency == "magsq" and extent is not None:
            return 1e-8 + channels.square().sum(2) / extent.samples.clamp_min(1)
        return "magsq" if self.consistency == "magsq" else "uniform"


class Core(nn.Module):
    """basis (batch, filters, frames) -> features (batch, bottleneck, frames): repeats of dilated blocks."""

    def __init__(
        self, filters: int, bottleneck: int, width: int, repeats: int, blocks: int, kernel: int, long_skips: bool
    ) -> None:
        super().__init__()
        self.repeats = repeats
        self.first = Dense(filters, bottleneck)
        # Later blocks start out as ever smaller corrections: 0.9^b, counted over all repeats.
        self.blocks = nn.ModuleList(
            Block(bottleneck, width, kernel, dilation=2 ** (b % blocks), scale=0.9**b) for b in range(repeats * blocks)
        )
        pairs = [(start, end) for end in range(repeats) for start in range(end)] if long_skips else []
        self.skips = nn.ModuleDict({f"{start}-{end}": Dense(bottleneck, bottleneck) for start, end in pairs})

    def forward(self, basis: Tensor, extent: Extent | None = None) -> Tensor:
        x = self.first(basis)
        per_repeat = len(self.blocks) // self.repeats
        starts: list[Tensor] = []  # what entered each repeat, earlier skips included
        for b, block in enumerate(self.blocks):
            if self.skips and b % per_repeat == 0:
                x = x + sum(self.skips[f"{start}-{len(starts)}"](entered) for start, entered in enumerate(starts))
                starts.append(x)
            x = block(x, extent)
        return x


class Block(nn.Module):
    """Residual block: dense, PReLU, norm, dilated depthwise convolution, PReLU, norm, dense."""

    def __init__(self, channels: int, width: int, kernel: int, dilation: int, scale: float) -> None:
        super().__init__()
        same = dilation * (kernel - 1) // 2
        self.layers = nn.Sequential(
            Dense(channels, width, bias=False),
            nn.PReLU(init=0.1),
            FeatureNorm(),
            nn.Conv1d(width, width, kernel, padding=same, dilation=dilation, groups=width),
            nn.PReLU(init=0.1),
            FeatureNorm(),
            Dense(width, channels, bias=False, scale=scale),
        )

    def forward(self, x: Tensor, extent: Extent | None = None) -> Tensor:
        y = x
        for layer in self.layers:
            # The norm also leaves zeros behind a clip's end, which the dilated convolution then reaches.
            y = layer(y, extent) if isinstance(layer, FeatureNorm) else layer(y)
        return x + y


class Dense(nn.Conv1d):
    """A dense layer on the channels of every frame, times one learned scale."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True, scale: float = 1.0) -> None:
        super().__init__(inputs, outputs, 1, bias=bias)
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        # Scaling the weights is scaling the output, without another pass over all frames.
        return F.conv1d(x, self.weight * self.scale, None if self.bias is None else self.bias * self.scale)


class FeatureNorm(nn.Module):
    """Every channel to zero mean and unit variance over the clip's frames; one gain and one bias for all channels."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, extent: Extent | None = None) -> Tensor:
        if extent is None:
            frames = x.shape[-1]
            return F.layer_norm(x, (frames,), self.gain.expand(frames), self.bias.expand(frames), eps=_EPS)
        x = x.to(_wide(x))
        centred = (x - _mean(x, extent).unsqueeze(2)) * extent.valid
        variance = torch.linalg.vector_norm(centred, dim=2).square() / extent.frames
        factor = self.gain * (variance + _EPS).rsqrt()
        return torch.addcmul(self.bias * extent.valid, centred, factor.unsqueeze(2)).to(self.gain.dtype)


def _mean(x: Tensor, extent: Extent) -> Tensor:
    """x (batch, channels, frames) -> (batch, channels), over the frames of each clip."""
    return (x * extent.valid).sum(2, dtype=_wide(x)) / extent.frames


def _wide(x: Tensor) -> torch.dtype:
    # Sums over thousands of frames leave the range of 16 bit.
    return torch.promote_types(x.dtype, torch.float32)


def _initialize(module: nn.Module) -> None:
    """Glorot-uniform kernels and zero biases, with the fans that Keras counts.

    They differ from torch's for the depthwise kernels (taps x channels and taps). It matters in spite of the norm
    that follows: its eps of 1e-3 is not small beside the variance of such weak kernels' output.
    """
    if isinstance(module, nn.Conv1d) and module.groups > 1:
        limit = math.sqrt(6 / (module.kernel_size[0] * (module.groups + 1)))
        nn.init.uniform_(module.weight, -limit, limit)
    elif isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
        # The encoder and the decoder are dense layers over a window: their fans are the window and the filters.
        inputs, outputs = module.weight[0].numel(), len(module.weight)
        limit = math.sqrt(6 / (inputs + outputs))
        nn.init.uniform_(module.weight, -limit, limit)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    if isinstance(module, nn.Conv1d) and module.bias is not None:
        nn.init.zeros_(module.bias)
