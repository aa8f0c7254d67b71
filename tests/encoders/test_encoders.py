"""Every registered encoder, and what is particular to each."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import soundviews as sv
from soundviews.core.errors import SoundviewsError
from soundviews.encoders import create_architecture, create_encoder, encoders, list_encoders


def patches(frames: int = 101, batch: int = 2, mels: int = 96) -> torch.Tensor:
    return torch.randn(batch, 1, frames, mels, generator=torch.Generator().manual_seed(1))


def example(name: str, **options: Any) -> nn.Module:
    """An encoder as its registration shows it, with further options."""
    return create_encoder(name, **{**encoders.example(name), **options})


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def on_meta(name: str, **options) -> nn.Module:
    with torch.device("meta"):
        return create_encoder(name, **options)


@pytest.mark.parametrize(
    ("name", "outputs", "count"),
    [("vgg_like", 20, 290_292), ("crnn", 20, 948_116), ("resnet18", 20, 11_180_500), ("cnn14", 527, 80_753_615)],
)
def test_published_parameter_counts(name: str, outputs: int, count: int) -> None:
    """With the output layer that the published networks end in."""
    encoder = on_meta(name)
    assert parameters(encoder) + parameters(nn.Linear(encoder.embedding_size, outputs)) == count


def test_cnn14_without_batch_norm_has_the_weights_of_the_ssep_paper() -> None:
    encoder = on_meta("cnn14", normalization="none", embedding_size=128)
    assert parameters(encoder) == 75_731_520
    assert not any(isinstance(m, nn.BatchNorm2d | nn.Dropout) for m in encoder.modules())


def test_efficientnet_b0_counts_as_kerass_without_top_and_with_one_channel() -> None:
    # Keras, include_top=False: 4,007,548 trainable with three channels; the stem has 32 3x3 filters for each.
    assert parameters(on_meta("efficientnet_b0")) == 4_007_548 - 2 * 32 * 9


@pytest.mark.parametrize("name", list_encoders())
def test_every_encoder_maps_patches_to_embeddings(name: str) -> None:
    encoder = example(name)
    for frames in (101, 96, 64):
        x = patches(frames)
        h = encoder(x)
        assert h.shape == (2, encoder.embedding_size)
        assert h.dtype == torch.float32 and h.isfinite().all()
    h.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoder.parameters())


@pytest.mark.parametrize("name", list_encoders())
def test_evaluation_is_deterministic_and_knows_no_batch(name: str) -> None:
    encoder = example(name).eval()
    x = patches(batch=3)
    with torch.inference_mode():
        whole, single = encoder(x), torch.cat([encoder(x[i : i + 1]) for i in range(3)])
        torch.testing.assert_close(whole, single, rtol=1e-4, atol=1e-5)
        strided = encoder.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(whole, strided, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", list_encoders())
def test_every_encoder_runs_in_bfloat16(name: str) -> None:
    encoder = example(name)
    with torch.autocast("cpu", torch.bfloat16):
        h = encoder(patches())
    h.float().sum().backward()
    assert h.isfinite().all()


@pytest.mark.parametrize("name", list_encoders())
def test_short_patches_are_read_or_a_clear_error(name: str) -> None:
    encoder, sizes = example(name).eval(), []
    for frames in (1, 7, 31):
        with contextlib.suppress(SoundviewsError):
            sizes.append(encoder(patches(frames=frames)).shape[1])
    assert set(sizes) <= {encoder.embedding_size}


@pytest.mark.parametrize(("name", "fewest"), [("vgg_like", 8), ("cnn14", 32), ("strided_vgg", 15)])
def test_too_short_patches_are_a_clear_error(name: str, fewest: int) -> None:
    with pytest.raises(SoundviewsError, match=f"{name} needs patches of at least {fewest} frames"):
        example(name)(patches(frames=fewest - 1))


@pytest.mark.parametrize("name", list_encoders())
def test_weights_that_are_kept_make_the_same_encoder(name: str) -> None:
    encoder = example(name).eval()
    again = create_architecture(name, encoders.example(name)).eval()
    again.load_state_dict(encoder.state_dict())
    with torch.inference_mode():
        assert torch.equal(again(patches()), encoder(patches()))


@pytest.mark.parametrize("name", list_encoders())
def test_patches_without_the_channel_axis_are_a_clear_error(name: str) -> None:
    encoder = example(name)
    with pytest.raises(SoundviewsError, match=r"takes patches \(batch, 1, frames, mels\)"):
        encoder(patches()[:, 0])


@pytest.mark.parametrize("name", ["crnn", "cnn14"])
def test_other_numbers_of_mel_bands_than_built_for_are_a_clear_error(name: str) -> None:
    encoder = example(name)
    with pytest.raises(SoundviewsError, match="mel bands"):
        encoder(torch.zeros(1, 1, 101, 128))
    with pytest.raises(SoundviewsError, match="mel bands"):
        encoder(torch.zeros(1, 1, 101, 40))
    assert example(name, mels=128).eval()(torch.zeros(1, 1, 101, 128)).shape[0] == 1


def test_crnn_multiplies_both_directions_at_the_last_frame() -> None:
    encoder = create_encoder("crnn").eval()
    x = patches()
    with torch.inference_mode():
        maps = encoder.blocks(x)
        assert maps.shape == (2, 128, 12, 2)
        features = torch.stack([torch.cat([maps[:, :, t, band] for band in range(2)], dim=1) for t in range(12)], dim=1)
        gru = encoder.gru
        h = torch.zeros(2, 64)
        for t in range(12):
            h = _gru_cell(features[:, t], h, gru, "")
        back = _gru_cell(features[:, -1], torch.zeros(2, 64), gru, "_reverse")  # its first frame is the last
        torch.testing.assert_close(encoder(x), h * back, rtol=1e-4, atol=1e-6)


def _gru_cell(x: torch.Tensor, h: torch.Tensor, gru: nn.GRU, way: str) -> torch.Tensor:
    """One step of a GRU by its equations, gates in the order reset, update, new."""
    inputs = x @ getattr(gru, f"weight_ih_l0{way}").T + getattr(gru, f"bias_ih_l0{way}")
    hidden = h @ getattr(gru, f"weight_hh_l0{way}").T + getattr(gru, f"bias_hh_l0{way}")
    (r, z, n), (hr, hz, hn) = inputs.chunk(3, 1), hidden.chunk(3, 1)
    update = torch.sigmoid(z + hz)
    return (1 - update) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + update * h


def test_cnn14_pools_five_times_and_keeps_its_last_map() -> None:
    encoder = create_encoder("cnn14", normalization="none", width=1 / 16).eval()
    with torch.inference_mode():
        x = torch.randn(1, 1, 96, 64)
        for block in encoder.blocks:
            x = block(x)
    assert x.shape == (1, 128, 3, 2)


def test_cnn14_without_batch_norm_neither_fades_nor_explodes() -> None:
    torch.manual_seed(0)
    encoder = create_encoder("cnn14", normalization="none", width=1 / 8, embedding_size=64)
    with torch.inference_mode():
        h = encoder(torch.randn(16, 1, 96, 64))
    assert 0.01 < h.square().mean().sqrt() < 10  # Xavier's scale would leave 0.0008
    assert h.min() < 0  # linear: no ReLU after the embedding convolution


def test_cnn14_width_scales_its_channels() -> None:
    narrow = on_meta("cnn14", width=0.25)
    assert narrow.embedding_size == 512
    assert [block.layers[0].out_channels for block in narrow.blocks] == [16, 32, 64, 128, 256, 512]


def test_cnn14_published_drops_out_only_in_training() -> None:
    torch.manual_seed(0)
    encoder = create_encoder("cnn14", width=1 / 16)
    x = patches(mels=64)
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()  # what remains random is dropout
    assert not torch.equal(encoder(x), encoder(x))
    encoder.eval()
    assert torch.equal(encoder(x), encoder(x))


def test_strided_vgg_is_as_small_as_it_says() -> None:
    encoder = on_meta("strided_vgg")
    assert parameters(encoder) == 400 + 9 * (16 * 32 + 32 * 64 + 64 * 128 + 128 * 512) + 2 * (16 + 32 + 64 + 128 + 512)
    with FlopCounterMode(display=False) as counter:
        encoder(torch.zeros(1, 1, 100, 64, device="meta"))
    assert 36e6 < counter.get_total_flops() / 2 < 37e6
    assert parameters(on_meta("strided_vgg", widths=[24, 48, 96, 192, 512])) > 1.1e6


def test_strided_vgg_adds_mean_and_maximum_over_time_of_the_mean_over_bands() -> None:
    encoder, x = create_encoder("strided_vgg").eval(), patches(100, mels=64)
    with torch.inference_mode():
        maps = encoder.blocks(x)
        assert maps.shape == (2, 512, 6, 4)
        bands = maps.double().sum(3) / 4
        torch.testing.assert_close(encoder(x).double(), bands.sum(2) / 6 + bands.amax(2), rtol=1e-5, atol=1e-6)


def test_strided_vgg_with_a_dynamic_range_does_not_mind_how_loud_a_patch_is() -> None:
    encoder = create_encoder("strided_vgg", dynamic_range=2.0, silence=-16.0).eval()
    x = patches()
    fainter = torch.where(x < x.amax((2, 3), keepdim=True) - 2.0, x - 5, x)  # beyond the range, which is not heard
    assert not torch.equal(fainter, x)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(x + 3), encoder(x), rtol=1e-4, atol=1e-5)
        assert torch.equal(encoder(fainter), encoder(x))


def test_strided_vgg_reads_digital_silence_as_nothing_and_not_as_the_loudest_patch() -> None:
    encoder = create_encoder("strided_vgg", dynamic_range=8.0, silence=-16.0).eval()
    read: list[torch.Tensor] = []
    encoder.blocks.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    nearly = torch.full((1, 1, 100, 64), -16.0)
    nearly[0, 0, 50, 20] = -15.0
    encoder(torch.full((1, 1, 100, 64), -16.0)), encoder(nearly), encoder(torch.zeros(1, 1, 100, 64))
    silent, faint, loud = read
    assert (silent == 0).all() and faint.max() == pytest.approx(1 / 8) and (loud == 1).all()


def test_resnet18_starts_with_active_branches() -> None:
    encoder = create_encoder("resnet18")
    assert all(
        (block.bn2.weight == 1).all() for layer in (1, 4) for block in getattr(encoder.backbone, f"layer{layer}")
    )


def test_efficientnet_drops_paths_like_kerass_drop_connect() -> None:
    """Keras: 0.2 * b / 16 for block b; only blocks with a shortcut have it."""
    encoder = create_encoder("efficientnet_b0")
    blocks = [block for stage in encoder.backbone.blocks for block in stage]
    assert len(blocks) == 16
    for b, block in enumerate(blocks):
        if block.has_skip:
            assert getattr(block.drop_path, "drop_prob", 0.0) == pytest.approx(0.2 * b / 16)


def test_efficientnet_pools_the_maximum_of_a_4_by_2_map() -> None:
    encoder = create_encoder("efficientnet_b0").eval()
    x = torch.randn(2, 1, 98, 64)
    with torch.inference_mode():
        maps = encoder.backbone.forward_features(x)
        assert maps.shape == (2, 1280, 4, 2)
        torch.testing.assert_close(encoder(x), maps.amax((2, 3)))


def test_input_scale_multiplies_the_patches() -> None:
    torch.manual_seed(0)
    encoder = create_encoder("efficientnet_b0", input_scale=1 / 255).eval()
    x = torch.randn(1, 1, 98, 64) - 5
    with torch.inference_mode():
        scaled = encoder(x)
        encoder.input_scale = 1.0
        torch.testing.assert_close(scaled, encoder(x / 255))


@pytest.mark.parametrize("name", ["timm/mobilenetv3_small_050", "timm/regnetx_002"])
def test_any_timm_backbone(name: str) -> None:
    encoder = create_encoder(name).eval()
    assert encoder(torch.randn(2, 1, 98, 64)).shape == (2, encoder.embedding_size)


def test_options_reach_timm() -> None:
    encoder = create_encoder("timm/vit_tiny_patch16_224", img_size=[96, 64], depth=1).eval()
    assert encoder(torch.randn(2, 1, 96, 64)).shape == (2, 192)
    with pytest.raises(SoundviewsError, match="98"):
        encoder(torch.randn(2, 1, 98, 64))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("vgg_lik", {}, "did you mean 'vgg_like'"),
        ("timm/resnet81", {}, "did you mean"),
        ("vgg_like", {"embeding_size": 3}, "did you mean 'embedding_size'"),
        ("timm/resnet18", {"wings": 2}, "wings"),
        ("timm/resnet18", {"in_chans": 3}, "'in_chans' is not an option"),
        ("cnn14", {"normalization": "layer"}, "'batch' or 'none'"),
        ("cnn14", {"width": 0}, "width must be positive"),
        ("crnn", {"mels": 32}, "at least 40"),
        ("strided_vgg", {"widths": [16, 32]}, "three or more numbers of filters"),
        ("strided_vgg", {"dynamic_range": 0}, "dynamic_range must be positive"),
    ],
)
def test_wrong_names_and_options_are_clear_errors(name: str, options: dict, message: str) -> None:
    with pytest.raises(SoundviewsError, match=message):
        create_encoder(name, **options)


@pytest.fixture
def released(tmp_path: Path) -> dict[str, Any]:
    """Options that make timm read "its" weights, of three colour channels, from a file."""
    torch.manual_seed(5)
    save_file(timm.create_model("resnet10t", pretrained=False).state_dict(), tmp_path / "weights.safetensors")
    return {"pretrained": True, "pretrained_cfg_overlay": {"file": str(tmp_path / "weights.safetensors")}}


def test_pretrained_weights_are_those_of_timm_with_the_colours_summed(released: dict[str, Any]) -> None:
    torch.manual_seed(5)
    colours = timm.create_model("resnet10t", pretrained=False)
    encoder = create_encoder("timm/resnet10t", **released)
    torch.testing.assert_close(encoder.backbone.conv1[0].weight, colours.conv1[0].weight.sum(1, keepdim=True))
    assert torch.equal(encoder.backbone.layer1[0].conv1.weight, colours.layer1[0].conv1.weight)


def test_nothing_is_fetched_on_the_meta_device_or_for_an_architecture(
    released: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    create_model = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda *a, **k: asked.append(k["pretrained"]) or create_model(*a, **k))
    on_meta("timm/resnet10t", **released)
    create_architecture("timm/resnet10t", released)
    assert asked == [False, False]
    create_encoder("timm/resnet10t", **released)
    assert asked[-1] is True


@pytest.mark.parametrize("error", [ConnectionError("no route to the hub\nmore"), RuntimeError("no weights exist")])
def test_weights_that_cannot_be_fetched_are_one_line(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(SoundviewsError, match="its pretrained weights cannot be had") as raised:
        create_encoder("timm/resnet10t", pretrained=True)
    assert "\n" not in str(raised.value)
    with pytest.raises(type(error)):
        create_encoder("timm/resnet10t")


def test_the_public_names() -> None:
    assert {"cnn14", "vgg_like", "crnn", "resnet18", "efficientnet_b0"} <= set(sv.list_encoders())
    assert sv.create_encoder("vgg_like", embedding_size=7).embedding_size == 7
