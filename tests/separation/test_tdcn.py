"""TDCN against the authors' own network, its published sizes, and what it promises of any input."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.separation import TDCN

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = {"filters": 8, "bottleneck": 4, "width": 6, "repeats": 3, "blocks": 3}
CLOSE = {"rtol": 0, "atol": 1e-5}


def busy(network: TDCN) -> TDCN:
    """With every parameter off its start, so that biases and gains have a say."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return network


@pytest.fixture(scope="module")
def oracle() -> dict[str, Any]:
    """Weights, input and output of the released network at a tiny size."""
    path = Path(os.environ.get("SOUNDVIEWS_ORACLES", REPOSITORY.parent / "shared/oracles")) / "tdcn_small.json"
    if not path.is_file():
        pytest.skip("tdcn_small.json is not at hand: set SOUNDVIEWS_ORACLES to the folder that holds it")
    return json.loads(path.read_text())


def state_of(weights: dict[str, Any], repeats: int = 3, blocks: int = 3) -> dict[str, torch.Tensor]:
    """The released network's variables under our names and in our layouts."""

    def get(name: str) -> torch.Tensor:
        return torch.tensor(weights[f"{name}:0"])

    def dense(ours: str, theirs: str, bias: bool) -> dict[str, torch.Tensor]:
        found = {
            f"{ours}.weight": get(f"{theirs}/dense/kernel").T[..., None],
            f"{ours}.scale": get(f"{theirs}/dense_scale/scale_layer"),
        }
        return found | ({f"{ours}.bias": get(f"{theirs}/dense/bias")} if bias else {})

    state = {
        "encoder.weight": get("conv_encoder/dense/kernel").T[:, None],
        "mask_head.weight": get("dense/kernel").T[..., None],
        "decoder.weight": get("conv_decoder/dense_1/kernel")[:, None],
        "weight_head.weight": get("mix_weights/dense/kernel").T,
    } | dense("core.first", "initial_dense", bias=True)
    for b in range(repeats * blocks):
        ours, theirs = f"core.blocks.{b}.layers", f"improved_tdcn/conv_block_{b}/tdcn_block"
        state |= dense(f"{ours}.0", f"{theirs}/dense1", bias=False)
        state |= dense(f"{ours}.6", f"{theirs}/dense2", bias=False)
        state[f"{ours}.3.weight"] = get(f"{theirs}/timeconv/separable_conv/depthwise_kernel")[:, 0, :, 0].T[:, None]
        state[f"{ours}.3.bias"] = get(f"{theirs}/timeconv/separable_conv/bias")
        for at, name in ((1, "normact1"), (4, "normact2")):
            state[f"{ours}.{at}.weight"] = get(f"{theirs}/{name}/prelu/prelu")[None]
            state[f"{ours}.{at + 1}.gain"] = get(f"{theirs}/{name}/instance_norm/gamma")
            state[f"{ours}.{at + 1}.bias"] = get(f"{theirs}/{name}/instance_norm/beta")
    for start, end in ((0, 1), (0, 2), (1, 2)):
        theirs = f"improved_tdcn/res_dense_{start * blocks}_to_{end * blocks}"
        if f"{theirs}/dense/kernel:0" in weights:
            state |= dense(f"core.skips.{start}-{end}", theirs, bias=True)
    return state


@pytest.mark.parametrize("long_skips", [False, True])
def test_equals_the_released_network(oracle: dict[str, Any], long_skips: bool) -> None:
    numbers = oracle[f"skip_{long_skips}"]
    network = TDCN(2, long_skips, **SMALL)
    network.load_state_dict(state_of(numbers["weights"]))
    assert sum(p.numel() for p in network.parameters()) == (1532 if long_skips else 1469)
    mixture = torch.tensor(numbers["input"])[:, 0]
    with torch.no_grad():
        features = network.core(network.encode(mixture))
        masks, channels = network.masks(features), network(mixture)
        weights = network.weight_head(features.mean(2)).softmax(1)
    torch.testing.assert_close(masks, torch.tensor(numbers["mask"])[:, :, 0].mT, **CLOSE)
    torch.testing.assert_close(weights, torch.tensor(numbers["mix_weights"]), **CLOSE)
    torch.testing.assert_close(channels, torch.tensor(numbers["output"]), **CLOSE)


@pytest.mark.parametrize(
    ("sources", "long_skips", "parameters"),
    [
        (2, False, 8_672_257),
        (4, False, 8_803_841),
        (8, False, 9_067_009),
        (16, False, 9_593_345),
        (2, True, 8_672_257 + 394_758),
        (8, True, 9_067_009 + 394_758),
    ],
)
def test_published_parameter_counts(sources: int, long_skips: bool, parameters: int) -> None:
    with torch.device("meta"):
        network = TDCN(sources, long_skips)
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_dilations_and_scales_of_the_published_network() -> None:
    with torch.device("meta"):
        blocks = TDCN().core.blocks
    assert [block.layers[3].dilation[0] for block in blocks] == 4 * [1, 2, 4, 8, 16, 32, 64, 128]
    torch.manual_seed(0)
    scales = [block.layers[6].scale.item() for block in TDCN(**SMALL).core.blocks]
    assert scales == pytest.approx([0.9**b for b in range(9)])


def test_untrained_channels_are_as_alike_as_the_released_ones() -> None:
    """Untrained, the authors' network gives correlations of .963-.970 with the input and .863-.880 of its two outputs.

    That depends on the initialisation of every layer: torch's own for the depthwise kernels would show.
    """
    torch.manual_seed(1)
    network = TDCN()
    tone = 0.3 * torch.sin(2 * torch.pi * 440 * torch.arange(8000) / 16000)
    mixture = tone + 0.05 * torch.randn(8000)
    with torch.no_grad():
        channels = network(mixture[None])[0]
        masks = network.masks(network.core(network.encode(mixture[None])))
    correlation = torch.corrcoef(torch.cat([channels, mixture[None]]))
    assert correlation[0, 1] == pytest.approx(0.87, abs=0.05)
    assert correlation[2, :2].tolist() == pytest.approx([0.965, 0.965], abs=0.02)
    assert masks.mean() == pytest.approx(0.5, abs=0.01) and masks.std() == pytest.approx(0.26, abs=0.03)


@pytest.mark.parametrize("consistency", ["learned", "magsq", "uniform"])
@pytest.mark.parametrize("sources", [1, 2, 4])
def test_channels_sum_to_the_input(consistency: str, sources: int) -> None:
    network = TDCN(sources, consistency=consistency, **SMALL)
    mixture = torch.randn(3, 333)
    channels = network(mixture)
    assert channels.shape == (3, sources, 333)
    torch.testing.assert_close(channels.sum(1), mixture, rtol=0, atol=1e-5)


@pytest.mark.parametrize("consistency", ["learned", "magsq", "uniform"])
def test_silence_gives_silence_and_finite_gradients(consistency: str) -> None:
    network = TDCN(consistency=consistency, **SMALL)
    channels = network(torch.zeros(2, 500))
    assert not channels.any()
    channels.square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("samples", [1, 39, 40, 41, 60, 61])
def test_any_length(samples: int) -> None:
    channels = TDCN(**SMALL)(torch.randn(1, samples))
    assert channels.shape == (1, 2, samples) and channels.isfinite().all()


def test_examples_do_not_reach_each_other() -> None:
    network, mixture = TDCN(3, long_skips=True, **SMALL), torch.randn(3, 400)
    torch.testing.assert_close(network(mixture)[1:2], network(mixture[1:2]))


def test_channels_sum_to_the_input_in_mixed_precision() -> None:
    network, mixture = TDCN(**SMALL), torch.randn(2, 300)
    with torch.autocast("cpu", torch.bfloat16):
        channels = network(mixture)
    assert channels.dtype == torch.float32
    torch.testing.assert_close(channels.sum(1), mixture, rtol=0, atol=1e-5)


def test_every_parameter_learns() -> None:
    network = TDCN(2, long_skips=True, **SMALL)
    network(torch.randn(2, 400))[:, 0].square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sources": 0}, "at least 1"),
        ({"hop": 50}, "gaps"),
        ({"kernel": 4}, "odd"),
        ({"consistency": "sum"}, "learned, magsq, uniform"),
    ],
)
def test_impossible_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SoundviewsError, match=message):
        TDCN(**options)


@pytest.mark.parametrize("shape", [(400,), (1, 2, 400), (2, 0)])
def test_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(SoundviewsError, match="batch, samples"):
        TDCN(**SMALL)(torch.zeros(shape))


@pytest.mark.parametrize("consistency", ["learned", "magsq", "uniform"])
@pytest.mark.parametrize("long_skips", [False, True])
def test_a_padded_clip_is_separated_as_if_alone(consistency: str, long_skips: bool) -> None:
    network = busy(TDCN(3, long_skips, consistency=consistency, **SMALL))
    lengths = torch.tensor([1, 39, 41, 59, 60, 61, 777, 1000])
    mixture = torch.randn(len(lengths), 1000)  # what lies behind the ends must not matter either
    channels = network(mixture, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = network(mixture[row : row + 1, :length])[0]
        # Other shapes may be multiplied by other kernels, which round by 1e-7. Norms of clips of few frames divide by
        # small deviations and make 2e-5 of it; a leak of what lies behind would be of the size of the channels, 1.
        torch.testing.assert_close(channels[row, :, :length], alone, rtol=0, atol=2e-4)
        assert not channels[row, :, length:].any()


def test_a_padded_clip_is_the_released_network_s(oracle: dict[str, Any]) -> None:
    numbers = oracle["skip_True"]
    network = TDCN(2, True, **SMALL)
    network.load_state_dict(state_of(numbers["weights"]))
    mixture = torch.tensor(numbers["input"])[:, 0]
    count, width = mixture.shape
    padded = torch.cat([torch.nn.functional.pad(mixture, (0, 500)), torch.randn(1, width + 500)])
    lengths = torch.tensor(count * [width] + [width + 500])
    with torch.no_grad():
        channels = network(padded, lengths)
    torch.testing.assert_close(channels[:count, :, :width], torch.tensor(numbers["output"]), **CLOSE)


def test_lengths_of_the_whole_width_change_no_bit() -> None:
    network, mixture = busy(TDCN(**SMALL)), torch.randn(3, 400)
    assert torch.equal(network(mixture, torch.tensor([400, 400, 400])), network(mixture))


def test_empty_and_silent_clips_of_a_padded_batch() -> None:
    network = busy(TDCN(**SMALL))
    mixture = torch.randn(3, 400)
    mixture[1] = 0
    channels = network(mixture, torch.tensor([0, 100, 400]))
    assert not channels[:2].any() and channels.isfinite().all()


def test_padded_clips_train_alike() -> None:
    network, mixture = busy(TDCN(**SMALL)).double(), torch.randn(2, 400, dtype=torch.float64)
    network(mixture, torch.tensor([150, 400]))[:, 0].square().sum().backward()
    padded = [p.grad.clone() for p in network.parameters()]
    network.zero_grad()
    for row, length in enumerate((150, 400)):
        network(mixture[row : row + 1, :length])[:, 0].square().sum().backward()
    for ours, alone in zip(padded, network.parameters(), strict=True):
        torch.testing.assert_close(ours, alone.grad)


def test_padded_channels_sum_to_the_input_in_mixed_precision() -> None:
    network, mixture = TDCN(**SMALL), torch.randn(2, 300)
    mixture[0, 120:] = 0
    with torch.autocast("cpu", torch.bfloat16):
        channels = network(mixture, torch.tensor([120, 300]))
    assert channels.dtype == torch.float32
    torch.testing.assert_close(channels.sum(1), mixture, rtol=0, atol=1e-5)


@pytest.mark.parametrize("lengths", [[400], [400, 401], [-1, 400], [[400, 400]]])
def test_lengths_that_do_not_fit(lengths: list[Any]) -> None:
    with pytest.raises(SoundviewsError, match="length"):
        TDCN(**SMALL)(torch.randn(2, 400), torch.tensor(lengths))
