"""Channels made in the training step: the drawn ones, whatever else is in the batch."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from soundviews.separation import on_the_fly
from soundviews.separation.draw import Wanted
from soundviews.separation.near_empty import worst_channel
from soundviews.separation.on_the_fly import separate_wanted
from soundviews.separation.processor import Processor
from soundviews.separation.tdcn import TDCN

LENGTHS = [700, 1000, 431, 1000, 1, 655]


def processor(name: str, sources: int, seed: int) -> Processor:
    torch.manual_seed(seed)
    network = TDCN(sources, filters=8, bottleneck=8, width=12, repeats=1, blocks=3).eval()
    return Processor(name, 0, 16000, sources, name, network)


@pytest.fixture
def processors() -> list[Processor]:
    return [processor("a", 2, 1), processor("b", 4, 2)]


@pytest.fixture
def clips() -> tuple[Tensor, Tensor]:
    lengths = torch.tensor(LENGTHS)
    return torch.randn(6, 1000) * (torch.arange(1000) < lengths[:, None]), lengths


def drawn(seed: int, **said: bool) -> Wanted:
    rng = np.random.default_rng(seed)
    options = {"second": False, "mixture": False, "discard_worst": False} | said
    return Wanted(rng.integers(0, 2, 6), rng.random((6, 2)), **options)


def one_by_one(processors: list[Processor], samples: Tensor, lengths: Tensor, wanted: list[Wanted]) -> Tensor:
    """Each block and clip by itself, without padding."""
    result = torch.zeros(len(wanted), *samples.shape)
    for block, draw in enumerate(wanted):
        for row, length in enumerate(lengths.tolist()):
            mixture = samples[row, :length]
            channels = processors[draw.processor[row]](mixture[None])[0]
            worst = np.array([int(worst_channel(channels[None], mixture[None]))])
            own = draw._replace(processor=draw.processor[[row]], uniform=draw.uniform[[row]])
            chosen = int(own.channel(np.array([len(channels)]), worst)[0])
            result[block, row, :length] = mixture if chosen < 0 else channels[chosen]
    return result


@pytest.mark.parametrize("mixture", [False, True])
@pytest.mark.parametrize("discard_worst", [False, True])
def test_every_clip_gets_the_channel_drawn_for_it(processors, clips, mixture, discard_worst):
    said = {"mixture": mixture, "discard_worst": discard_worst}
    wanted = [drawn(0, **said), drawn(0, second=True, **said), drawn(7)]
    found = separate_wanted(processors, *clips, wanted)
    torch.testing.assert_close(found, one_by_one(processors, *clips, wanted), rtol=0, atol=1e-6)


def test_chunks_of_clips_give_what_each_alone_gives(processors, clips, monkeypatch):
    wanted = [drawn(0), drawn(3, mixture=True, discard_worst=True)]
    alone = separate_wanted(processors, *clips, wanted)
    monkeypatch.setattr(on_the_fly, "_at_once", lambda samples, sources: 3)
    assert [len(part) for part, _ in on_the_fly.separated(processors[0], *clips, np.arange(5))] == [3, 2]
    torch.testing.assert_close(separate_wanted(processors, *clips, wanted), alone, rtol=0, atol=1e-5)


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.clips = 0

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        self.clips += len(samples)
        return torch.stack([samples, torch.zeros_like(samples)], dim=1)


def test_a_processor_separates_each_clip_once_and_only_those_that_are_wanted(clips):
    counting = [Processor(name, 0, 16000, 2, name, Counting()) for name in ("a", "b", "c")]
    some = np.array([0, 0, 1, 1, 0, 0])
    wanted = [Wanted(some, np.zeros((6, 2)), second, False, False) for second in (False, True)]
    separate_wanted(counting, *clips, wanted)
    assert [one.network.clips for one in counting] == [4, 2, 0]
    mixtures = Wanted(some, np.full((6, 2), 0.99), False, True, False)  # the last choice is the mixture
    assert torch.equal(separate_wanted(counting, *clips, [mixtures])[0], clips[0])
    assert [one.network.clips for one in counting] == [4, 2, 0]


def test_silence_gives_silence(processors):
    found = separate_wanted(processors, torch.zeros(6, 500), torch.full((6,), 500), [drawn(0), drawn(1)])
    assert not found.any()


def test_a_training_at_16_bit_gets_what_others_get(processors, clips):
    wanted = [drawn(0)]
    plain = separate_wanted(processors, *clips, wanted)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(separate_wanted(processors, *clips, wanted), plain)
