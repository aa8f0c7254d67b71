"""Every registered front-end, swept, and what a front-end from outside can and cannot do."""

import pytest
import torch
from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.features import FrontEnd, create_front_end, cut_patches, front_ends
from soundviews.features.registry import LOG_MEL
from soundviews.views import views

RATE = 16000


def make(name: str) -> FrontEnd:
    return create_front_end({"front_end": name, **front_ends.example(name)}, RATE)


def waveforms(samples: int, rows: int = 3) -> Tensor:
    return 0.1 * torch.randn(rows, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", front_ends.names())
class TestEveryFrontEnd:
    def test_frames_and_bands_are_those_it_says(self, name: str) -> None:
        front_end = make(name)
        for samples in (RATE // 2, RATE // 2 + 1, RATE):
            patches = front_end(waveforms(samples))
            assert patches.shape == (3, front_end.frames(samples), front_end.n_mels)
            assert patches.dtype == torch.float32 and patches.isfinite().all()
        counts = front_end.frame_counts(torch.tensor([samples, RATE // 2]))
        assert counts.tolist() == [front_end.frames(samples), front_end.frames(RATE // 2)]
        for frames in (1, 20):
            fewest = front_end.samples(frames)
            assert front_end.frames(fewest) == frames
            assert fewest == 1 or front_end.frames(fewest - 1) == frames - 1

    def test_silence_is_finite_and_the_input_stays(self, name: str) -> None:
        front_end, x = make(name), waveforms(RATE)
        before = x.clone()
        assert front_end(torch.zeros(2, RATE)).isfinite().all()
        assert torch.equal(front_end(x), front_end(x)) and torch.equal(x, before)

    def test_rows_do_not_know_one_another(self, name: str) -> None:
        front_end, x = make(name), waveforms(RATE)
        torch.testing.assert_close(front_end(x)[1:2], front_end(x[1:2]))

    def test_a_patch_is_cut_in_the_shape_it_is_asked_for(self, name: str) -> None:
        front_end, lengths = make(name), torch.tensor([RATE, RATE // 2, 700])
        patches = cut_patches(front_end, waveforms(RATE), lengths, torch.tensor([[0], [3], [0]]), 20)
        assert patches.shape == (3, 1, 20, front_end.n_mels) and patches.isfinite().all()


class Magnitudes(FrontEnd):
    """A spectrum that nothing is known of but its shape."""

    def __init__(self, sample_rate: int, size: int = 256) -> None:
        super().__init__()
        self.hop_length = self.window_length = size
        self.n_mels = size // 2 + 1

    def forward(self, samples: Tensor) -> Tensor:
        return torch.fft.rfft(samples.unfold(-1, self.window_length, self.hop_length)).abs()


@pytest.fixture(autouse=True)
def magnitudes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_ends, "_registered", dict(front_ends._registered))
    front_ends.register("magnitudes")(Magnitudes)


def test_a_page_without_a_name_means_log_mel() -> None:
    assert type(create_front_end({"n_mels": 40}, RATE)) is front_ends.get(LOG_MEL)
    assert create_front_end({"front_end": "magnitudes", "size": 64}, RATE).n_mels == 33
    with pytest.raises(SoundviewsError, match="front-end 'magnitudes' has no option 'n_mels'"):
        create_front_end({"front_end": "magnitudes", "n_mels": 40}, RATE)
    with pytest.raises(SoundviewsError, match="unknown front-end 'magnitude': did you mean 'magnitudes'"):
        create_front_end({"front_end": "magnitude"}, RATE)


def test_a_view_that_needs_a_log_scale_says_so() -> None:
    front_end = create_front_end({"front_end": "magnitudes"}, RATE)
    with pytest.raises(SoundviewsError, match="mix_back mixes on the linear scale, to which Magnitudes"):
        views.create("mix_back", {"alpha": 0.1}, log_mel=front_end)


def test_weights_to_learn_and_strange_classes_are_refused() -> None:
    class Learned(Magnitudes):
        def __init__(self, sample_rate: int) -> None:
            super().__init__(sample_rate)
            self.gains = nn.Parameter(torch.ones(self.n_mels))

    front_ends.register("learned")(Learned)
    front_ends.register("strange")(lambda sample_rate: nn.Identity())
    with pytest.raises(SoundviewsError, match="front-end 'learned' has weights"):
        create_front_end({"front_end": "learned"}, RATE)
    with pytest.raises(SoundviewsError, match="does not inherit from soundviews"):
        create_front_end({"front_end": "strange"}, RATE)
