"""Every registered view, swept: a new view is tested by being registered (with an `example` of options)."""

import random

import numpy as np
import pytest
import soundfile
import torch

from soundviews.core.randomness import Randomness
from soundviews.features import Clips, LogMel
from soundviews.views import View, views

FILES: dict[str, dict[str, str]] = {}  # options that name files
BATCH = 32
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(scope="module", autouse=True)
def responses(tmp_path_factory):
    """Eight impulse responses for `room`."""
    folder = tmp_path_factory.mktemp("responses")
    for number in range(8):
        decay = np.random.default_rng(number).standard_normal(2000) * np.exp(-np.arange(2000) / 400)
        soundfile.write(folder / f"{number}.wav", 0.2 * decay, 16000)
    FILES["room"] = {"responses": str(folder)}


def make(name, device="cpu"):
    options = {**views.example(name), **FILES.get(name, {})}
    return views.create(name, options, log_mel=LogMel(16000).to(device), sample_rate=16000, fill="repeat")


def example(kind, alike=False, scale=0.1, device="cpu"):
    """A batch of what a view takes; `alike`: every row the same."""
    shape = {"clips": (16000,), "snippets": (8000,), "patches": (101, 96)}[kind]
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1 if alike else BATCH, *shape, generator=generator).mul(scale).expand(BATCH, *shape).clone()
    if kind == "patches":
        x = x - 3.0
    if kind != "clips":
        return x.to(device)
    lengths = torch.full((BATCH,), 16000) if alike else torch.arange(BATCH) * 400 + 500
    return Clips((x * (torch.arange(16000) < lengths[:, None])).to(device), lengths.to(device))


def samples_of(x):
    return x.samples if isinstance(x, Clips) else x


def draws(view, x):
    """Whether the view draws anything."""
    stream = rng()
    view(x, stream)
    return bool({"generator", "shared"} & vars(stream).keys())


def rng(step=0, branch=0, device="cpu"):
    return Randomness(0, step, 0, branch=branch, device=device)


@pytest.mark.parametrize("name", views.names())
class TestEveryView:
    @pytest.mark.parametrize("scale", [0.1, 0.0])
    def test_shapes_and_finite_values(self, name, scale):
        view = make(name)
        x = example(view.takes, scale=scale)
        before = samples_of(x).clone()
        y = view(x, rng())
        assert torch.equal(samples_of(x), before), "the input was changed"
        assert samples_of(y).dtype == torch.float32
        assert torch.isfinite(samples_of(y)).all()
        rows = BATCH // 2 if view.needs_background else BATCH
        if view.gives == "clips":
            assert len(y.samples) == len(y.lengths) == BATCH
            assert y.lengths.min() > 0 and y.lengths.max() <= y.samples.shape[1]
            columns = torch.arange(y.samples.shape[1])
            assert not y.samples[columns >= y.lengths[:, None]].any(), "samples behind the end of a clip"
        elif view.takes == view.gives:
            assert y.shape == (rows, *x.shape[1:])
        else:
            assert y.ndim == {"snippets": 2, "patches": 3}[view.gives]
            assert len(y) == rows

    def test_a_function_of_the_keys_alone(self, name):
        view = make(name)
        x = example(view.takes)
        state = torch.get_rng_state()
        first = samples_of(view(x, rng()))
        assert torch.equal(torch.get_rng_state(), state), "a global stream was used"
        for seed in (1, 2):  # what made the original's workers repeat each other must not matter
            torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)
            assert torch.equal(samples_of(view(x, rng())), first)
        assert torch.equal(samples_of(view(x, rng(step=1))), first) != draws(view, x)

    def test_every_example_has_its_own_parameters(self, name):
        view = make(name)
        x = example(view.takes, alike=True)
        if view.needs_background:
            x[BATCH // 2 :] = x[BATCH // 2 :].flip(2)  # backgrounds alike, too, but not the examples themselves
        y = samples_of(view(x, rng()))
        different = sum(not torch.allclose(row, y[0], atol=1e-6) for row in y[1:])
        assert different >= 0.3 * (len(y) - 1) if draws(view, x) else different == 0

    @pytest.mark.parametrize("device", DEVICES)
    def test_on_the_device_of_the_batch(self, name, device):
        view = make(name, device)
        y = view(example(view.takes, device=device), rng(device=device))
        assert samples_of(y).device.type == device

    def test_what_augments_draws_and_what_prepares_says_its_window(self, name):
        view = make(name)
        if not view.augments:
            cuts = view.takes == "clips" and view.gives != "clips"
            assert (view.window is not None) == cuts
        assert view.load() == [] and isinstance(view, View)
