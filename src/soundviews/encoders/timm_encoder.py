"""Any timm backbone as an encoder, and the two that the papers use: ResNet-18 and EfficientNet-B0."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import naming_extras
from soundviews.core.registry import nearest
from soundviews.encoders.base import encoders, require_patches

OURS = ("in_chans", "num_classes")


class TimmEncoder(nn.Module):
    """A timm backbone with one input channel, without its classifier.

    Patches (batch, 1, frames, mels) -> h (batch, embedding_size).

    Args:
        name: timm's name of the backbone, with a tag where it has several weights: `resnet18.a1_in1k`.
        input_scale: Patches are multiplied by it first.
        pretrained: Whether timm fetches the weights that it knows for the name; those of its colour channels are
            summed. On the meta device, where recipes are checked, nothing is fetched.
        options: Go to `timm.create_model`.

    Raises:
        SoundviewsError: timm has no such backbone, or its weights cannot be fetched.
    """

    def __init__(self, name: str, input_scale: float = 1.0, pretrained: bool = False, **options: Any) -> None:
        with naming_extras():
            import timm  # slow to import, and not every encoder needs it

        super().__init__()
        if not timm.is_model(name):
            raise SoundviewsError(f"timm has no backbone {name!r}: {nearest(name, timm.list_models())}")
        for option in OURS:
            if option in options:
                raise SoundviewsError(f"encoder 'timm/{name}': {option!r} is not an option, it is fixed here")
        self.name, self.input_scale = name, input_scale
        fetched = pretrained and torch.get_default_device().type != "meta"
        try:
            self.backbone = timm.create_model(name, pretrained=fetched, in_chans=1, num_classes=0, **options)
        except (OSError, RuntimeError) as error:  # no network, or no weights
            if not fetched:
                raise
            raise SoundviewsError(
                f"encoder 'timm/{name}': its pretrained weights cannot be had ({_first_line(error)}): connect to the "
                "network once, after which they are kept, or leave out pretrained"
            ) from error
        # Some backbones (mobilenetv3, vgg) keep a wider layer between their features and their classifier.
        width: Any = getattr(self.backbone, "head_hidden_size", None) or self.backbone.num_features
        self.embedding_size = int(width)

    def forward(self, x: Tensor) -> Tensor:
        require_patches(x, self.name, frames=1, mels=1)
        if self.input_scale != 1.0:
            x = x * self.input_scale
        try:
            return self.backbone(x)
        except AssertionError as error:  # what backbones of one fixed input size raise
            raise SoundviewsError(
                f"{self.name}: {error} (it takes one size only: try its option img_size: [frames, mels])"
            ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


@encoders.register("resnet18")
def resnet18() -> nn.Module:
    """ResNet-18 with one input channel (uclser's best encoder): h (batch, 512), the mean over the last map.

    Every residual branch starts active, as in the authors' release; timm would zero its last scale.
    """
    return TimmEncoder("resnet18", zero_init_last=False)


@encoders.register("efficientnet_b0")
def efficientnet_b0(
    drop_path_rate: float = 0.2,
    pooling: Literal["max", "avg"] = "max",
    input_scale: float = 1.0,
) -> nn.Module:
    """EfficientNet-B0 with one input channel (cola's and acl's encoder): h (batch, 1280).

    Args:
        drop_path_rate: Drop connect, rising linearly over the blocks; 0.2 is what cola's Keras network hides.
        pooling: Over the last map.
        input_scale: cola's Keras network also hides a division by 255 (input_scale: 0.00392157). It only makes the
            stem's output small against batch norm's epsilon, so it is off here.
    """
    return TimmEncoder("efficientnet_b0", input_scale, drop_path_rate=drop_path_rate, global_pool=pooling)
