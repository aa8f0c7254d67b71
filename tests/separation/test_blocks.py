"""Long recordings through a separator: the whole is the sum, the channels keep their order, memory stays."""

import itertools
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from soundviews.core.errors import UnreadableClip
from soundviews.separation.blocks import continue_channels, cut_blocks, separate_blocks
from soundviews.separation.processor import Processor
from soundviews.separation.tdcn import TDCN


def processor_of(network: nn.Module, sources: int) -> Processor:
    return Processor("N", 0, 8000, sources, "0" * 16, network.eval().requires_grad_(False))


class Shuffled(nn.Module):
    """A separator that knows the answer, and gives it in another order every time."""

    def __init__(self, split: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.somewhere = nn.Parameter(torch.zeros(1))
        self.split, self.calls = split, 0

    def forward(self, mixture: Tensor, lengths: Tensor | None = None) -> Tensor:
        self.calls += 1
        channels = self.split(mixture[0])
        return channels[torch.randperm(len(channels))][None]


def chunked(samples: np.ndarray, sizes: tuple[int, ...]) -> Iterator[np.ndarray]:
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(samples):
            return
        yield samples[start : start + size]
        start += size


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=samples).astype(np.float32)


@pytest.mark.parametrize("sizes", [(1000,), (7,), (40, 1, 13), (200,)])
@pytest.mark.parametrize("samples", [1, 39, 40, 41, 59, 60, 61, 100, 233])
def test_blocks_cover_the_recording(samples: int, sizes: tuple[int, ...]) -> None:
    recording = noise(samples)
    blocks = list(cut_blocks(chunked(recording, sizes), 40))
    starts = [start for start, _ in blocks]
    if samples <= 40:
        assert starts == [0]
    else:
        assert starts[:-1] == list(range(0, 20 * (len(starts) - 1), 20)) and starts[-1] == samples - 40
        assert max(np.diff(starts)) <= 20 and min(np.diff(starts)) > 0
    for start, block in blocks:
        np.testing.assert_array_equal(block, recording[start : start + min(40, samples)])


def test_blocks_of_an_odd_length() -> None:
    recording = noise(50)
    assert [start for start, _ in cut_blocks(chunked(recording, (8,)), 7)] == [*range(0, 43, 4), 43]


def test_a_recording_of_one_block_is_what_the_network_gives() -> None:
    torch.manual_seed(0)
    network = TDCN(3, filters=8, bottleneck=4, width=6, repeats=2, blocks=2)
    recording = noise(4000)
    (channels,) = separate_blocks(processor_of(network, 3), chunked(recording, (1500,)), 4000)
    # The samples lie elsewhere in memory, for which a kernel may sum in another order: some roundings of float32.
    np.testing.assert_allclose(channels, network(torch.from_numpy(recording)[None])[0].numpy(), rtol=1e-5, atol=1e-6)


def test_channels_of_many_blocks_sum_to_the_recording() -> None:
    torch.manual_seed(0)
    network = TDCN(4, filters=8, bottleneck=4, width=6, repeats=2, blocks=2)
    recording = noise(3333)
    pieces = list(separate_blocks(processor_of(network, 4), chunked(recording, (500,)), 800))
    assert len(pieces) > 5
    np.testing.assert_allclose(np.concatenate(pieces, axis=1).sum(0), recording, rtol=0, atol=1e-5)


@pytest.mark.parametrize("sources", [2, 6])
def test_channels_keep_their_order_across_blocks(sources: int) -> None:
    torch.manual_seed(0)
    bands = torch.arange(513) * sources // 513

    def split(mixture: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(mixture, 1024)
        return torch.stack([torch.fft.irfft(spectrum * (bands == band), 1024) for band in range(sources)])[
            :, : len(mixture)
        ]

    recording = noise(1024 * 30)
    network = Shuffled(split)
    channels = np.concatenate(list(separate_blocks(processor_of(network, sources), [recording], 1024)), axis=1)
    assert network.calls == 59
    homes = []
    for channel in channels:
        energy = np.abs(np.fft.rfft(channel)) ** 2
        shares = [part.sum() / energy.sum() for part in np.array_split(energy, sources)]
        assert max(shares) > 0.9  # mixed up, a channel would have a bit of every band
        homes.append(int(np.argmax(shares)))
    assert sorted(homes) == list(range(sources))


def test_a_join_is_a_fade_of_matched_channels() -> None:
    before = torch.tensor([[1.0, 1, 1, 1], [-1, -1, -1, -1]])
    channels = torch.tensor([[-3.0, -3, -3, -3, -3], [3, 3, 3, 3, 3]])
    joined = continue_channels(before, channels)
    fade = np.sin(np.pi / 2 * np.array([0.125, 0.375, 0.625, 0.875])) ** 2
    np.testing.assert_allclose(joined[0], [*(1 + 2 * fade), 3], rtol=1e-6)
    torch.testing.assert_close(joined[1], -joined[0])


def test_silence_stays_silence() -> None:
    network = TDCN(filters=8, bottleneck=4, width=6, repeats=2, blocks=2)
    pieces = list(separate_blocks(processor_of(network, 2), [np.zeros(1000, np.float32)], 300))
    assert sum(piece.shape[1] for piece in pieces) == 1000
    assert not any(piece.any() for piece in pieces)


def test_a_pause_does_not_break_the_rest() -> None:
    torch.manual_seed(0)
    network = TDCN(filters=8, bottleneck=4, width=6, repeats=2, blocks=2)
    recording = np.concatenate([noise(700), np.zeros(900, np.float32), noise(500)])
    channels = np.concatenate(list(separate_blocks(processor_of(network, 2), [recording], 300)), axis=1)
    np.testing.assert_allclose(channels.sum(0), recording, rtol=0, atol=1e-5)


def test_overflow_is_an_unreadable_recording() -> None:
    network = TDCN(filters=8, bottleneck=4, width=6, repeats=2, blocks=2)
    with pytest.raises(UnreadableClip, match="too large"):
        list(separate_blocks(processor_of(network, 2), [np.full(300, 1e38, np.float32)], 300))


def test_memory_does_not_grow_with_the_recording() -> None:
    network = Shuffled(lambda mixture: torch.stack([mixture, torch.zeros_like(mixture)]))

    def most(chunks: int) -> tuple[int, int]:
        read = 0

        def recording() -> Iterator[np.ndarray]:
            nonlocal read
            for number in range(chunks):
                read += 1
                yield noise(5000, number)

        ahead, separated = 0, 0
        tracemalloc.start()
        for piece in separate_blocks(processor_of(network, 2), recording(), 2000):
            ahead = max(ahead, 5000 * read - separated)
            separated += piece.shape[1]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert separated == 5000 * chunks
        return peak, ahead

    most(2)  # what is allocated once
    (short, _), (long, ahead) = most(10), most(100)
    assert long < 1.2 * short + 20_000
    assert ahead <= 5000 + 3 * 2000
