"""The detector of near-empty channels on channels whose content is known."""

import pytest
import torch

from soundviews.separation.near_empty import channel_content, discard_worst, near_empty, worst_channel


@pytest.fixture
def noises() -> torch.Tensor:
    return torch.randn(4, 16000, generator=torch.Generator().manual_seed(0))


def test_content_of_a_separated_source(noises: torch.Tensor) -> None:
    channels = noises[None] * torch.tensor([1.0, 1.0, 0.3, 0.01])[:, None]
    content = channel_content(channels, channels.sum(1))
    shares = torch.tensor([1, 1, 0.09, 0.0001]) / 2.0901
    torch.testing.assert_close(content.energy_db[0], 10 * shares.log10(), atol=0.1, rtol=0)
    torch.testing.assert_close(content.cosine[0], shares.sqrt(), atol=0.02, rtol=0)


def test_faint_short_and_made_up_channels_are_near_empty(noises: torch.Tensor) -> None:
    source, other, noise, made_up = noises
    click = torch.zeros(16000)
    click[100:150] = other[100:150]
    channels = torch.stack([source, click, 0.02 * noise, other])[None]
    assert near_empty(channels, channels.sum(1)).tolist() == [[False, True, True, False]]
    cancelling = torch.stack([source + made_up, -made_up, 0.5 * other])[None]
    assert near_empty(cancelling, cancelling.sum(1)).tolist() == [[False, True, False]]


def test_the_worst_is_discarded(noises: torch.Tensor) -> None:
    channels = torch.stack([noises * gains[:, None] for gains in torch.tensor([[1, 0.5, 0.1, 2], [0.1, 1, 1, 1.0]])])
    mixture = channels.sum(1)
    assert worst_channel(channels, mixture).tolist() == [2, 0]
    kept = discard_worst(channels, mixture)
    assert torch.equal(kept[0], channels[0, [0, 1, 3]]) and torch.equal(kept[1], channels[1, 1:])


def test_a_channel_that_cancels_others_is_the_worst(noises: torch.Tensor) -> None:
    opposed = torch.stack([1.5 * noises[0], -0.5 * noises[0], 0.1 * noises[2]])[None]
    assert worst_channel(opposed, opposed.sum(1)).item() == 1


def test_silence_is_near_empty_throughout() -> None:
    channels, mixture = torch.zeros(1, 3, 50), torch.zeros(1, 50)
    content = channel_content(channels, mixture)
    assert content.energy_db.tolist() == [[-80, -80, -80]] and not content.cosine.any()
    assert near_empty(channels, mixture).all()
    assert discard_worst(channels, mixture).shape == (1, 2, 50)
