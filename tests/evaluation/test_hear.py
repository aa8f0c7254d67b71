"""A module with HEAR's functions, written for each test, stands where an encoder does."""

import sys
import types
from collections.abc import Callable

import numpy as np
import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import evaluate, hear, open_tasks
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.hear import HearModel
from soundviews.evaluation.opening import open_model
from soundviews.features.patches import Clips

# Length, mean and largest sample of each clip: the caller's padding and scaling would show.
MODULE = """
import torch

class Encoder(torch.nn.Module):
    sample_rate = 8000
    scene_embedding_size = 3
    scale = 1.0

seen = []

def load_model(model_file_path=""):
    model = Encoder()
    model.train()
    if model_file_path:
        model.scale = float(open(model_file_path).read())
    return model

def get_scene_embeddings(audio, model):
    assert not model.training and not torch.is_grad_enabled() and audio.dtype == torch.float32
    seen.append(tuple(audio.shape))
    length = torch.full((len(audio),), float(audio.shape[1]))
    return model.scale * torch.stack([length, audio.mean(1), audio.abs().amax(1)], dim=1)
"""


@pytest.fixture
def module(tmp_path, monkeypatch) -> Callable[..., str]:
    """Write a module into the working directory, give its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    names = []

    def write(text: str = MODULE) -> str:
        names.append(f"hear_of_{tmp_path.name.replace('-', '_')}_{len(names)}")
        (tmp_path / f"{names[-1]}.py").write_text(text)
        return names[-1]

    yield write
    for name in names:
        sys.modules.pop(name, None)


def batch(*clips: torch.Tensor) -> Clips:
    lengths = torch.tensor([len(clip) for clip in clips])
    return Clips(torch.nn.utils.rnn.pad_sequence(list(clips), batch_first=True), lengths)


def test_every_clip_is_embedded_at_its_own_length(module):
    model = open_model(f"hear:{module()}")
    short, long, other = 0.5 * torch.ones(70), torch.ones(100), -0.25 * torch.ones(70)
    vectors, clip, starts = model.embed_clips(batch(short, long, other))
    expected = [[70, 0.5, 0.5], [100, 1, 1], [70, -0.25, 0.25]]
    np.testing.assert_allclose(vectors, expected)
    assert clip.tolist() == [0, 1, 2] and starts.tolist() == [0, 0, 0]
    assert model.module.seen == [(2, 70), (1, 100)]
    assert (model.sample_rate, model.fingerprint, model.head) == (8000, "", None)


def test_clips_beyond_full_scale_are_scaled_down_to_it(module):
    model = open_model(f"hear:{module()}")
    vectors, _, _ = model.embed_clips(batch(torch.tensor([4.0, 0.0]), torch.tensor([0.4, 0.0])))
    np.testing.assert_allclose(vectors, [[2, 0.5, 1], [2, 0.2, 0.4]])


def test_a_clip_is_embedded_once_in_a_process(module, monkeypatch):
    model = open_model(f"hear:{module()}")
    first, second, third = torch.rand(3, 50)
    before = model.embed_clips(batch(first, second))[0]
    after = model.embed_clips(batch(second, third, first))[0]
    assert torch.equal(after[[2, 0]], before) and model.module.seen == [(2, 50), (1, 50)]
    monkeypatch.setattr(hear, "MOST_KEPT", 0)
    fourth = model.embed_clips(batch(torch.ones(50)))[0]
    assert torch.equal(fourth, model.embed_clips(batch(torch.ones(50)))[0]) and len(model.module.seen) == 4


def test_weights_reach_load_model(module, tmp_path):
    (tmp_path / "half.txt").write_text("0.5")
    name = module()
    model = open_model(f"hear:{name}@half.txt")
    assert model.embed_clips(batch(torch.ones(60)))[0].tolist() == [[30, 0.5, 0.5]]
    assert model.name == f"{name}@half.txt"


def test_arrays_and_tensorflow_are_understood():
    """TensorFlow is not there; what stands for it has the two names that are used."""
    model = types.SimpleNamespace(sample_rate=8000.0, scene_embedding_size=2)
    half = types.SimpleNamespace(get_scene_embeddings=lambda audio, model: torch.ones(len(audio), 2).bfloat16())
    assert HearModel(half, model, "half").embed_clips(batch(torch.ones(5)))[0].dtype == torch.float32
    arrays = types.SimpleNamespace(get_scene_embeddings=lambda audio, model: np.ones((len(audio), 2), dtype=np.float64))
    assert HearModel(arrays, model, "arrays").embed_clips(batch(torch.ones(5)))[0].dtype == torch.float32

    class Tensorflow:
        Module = types.SimpleNamespace

        @staticmethod
        def convert_to_tensor(array):
            assert isinstance(array, np.ndarray)
            return array * 2

    sums = types.SimpleNamespace(get_scene_embeddings=lambda audio, model: np.stack([audio.sum(1), audio.max(1)], 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tensorflow", Tensorflow)
        assert HearModel(sums, model, "sums").embed_clips(batch(torch.ones(5)))[0].tolist() == [[10, 2]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("def load_model", "def load"), "has no function load_model"),
        (("def get_scene_embeddings", "def scenes"), "has no function get_scene_embeddings"),
        (("import torch", "import torch, not_installed_anywhere"), "not_installed_anywhere"),
        (("import torch", "import torch; 1 / 0"), "cannot be imported: ZeroDivisionError"),
        (("model_file_path=", "model_file_path, unused="), r"load_model raised TypeError.*@FILE"),
        (("sample_rate = 8000", "rate = 8000"), "sample_rate must be a whole number, and is none"),
        (("embedding_size = 3", "embedding_size = 'x'"), "scene_embedding_size must be a whole number, and is 'x'"),
        (("return model.scale *", "return model.missing *"), r"of \(1, 9\) at 8000 Hz raised AttributeError"),
        (("dim=1)", "dim=0)"), r"1 clips returned \(3, 1\), not \(1, 3\)"),
        (("scale = 1.0", "scale = float('nan')"), "NaN or infinite"),
    ],
)
def test_what_is_wrong_with_a_module_is_said(module, change, message):
    assert change[0] in MODULE
    name = module(MODULE.replace(*change))
    with pytest.raises(SoundviewsError, match=message):
        open_model(f"hear:{name}").embed_clips(batch(torch.ones(9)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hear:no_such_module_here", "no module no_such_module_here is installed or lies in"),
        ("hear:soundviews.no_such_part", "no module soundviews.no_such_part"),
        ("hear:", "names no module"),
        ("hear:json@missing.pt", "has no function load_model"),
        ("/no/such/bundle", "no bundle at"),
    ],
)
def test_what_cannot_be_opened_is_said(text, message):
    with pytest.raises(SoundviewsError, match=message):
        open_model(text)


def test_missing_weights_and_projections_are_said(module):
    name = module()
    with pytest.raises(SoundviewsError, match=r"there is no file missing\.pt"):
        open_model(f"hear:{name}@missing.pt")
    with pytest.raises(SoundviewsError, match="has no head"):
        open_model(f"hear:{name}").embed_clips(batch(torch.ones(9)), space="z")


def test_the_protocols_judge_a_module_beside_ours(tones, module):
    """Zero crossings tell pitches apart; the corpus has clips of many lengths."""
    model = open_model(
        "hear:"
        + module(
            MODULE.replace(
                "[length, audio.mean(1), audio.abs().amax(1)]",
                "[(audio[:, 1:] * audio[:, :-1] < 0).float().mean(1)] * 3",
            )
        )
    )
    task = open_tasks(tones, batch_size=4)[0]
    row = evaluate(model, [task], [("linear", {"style": "logistic"})]).rows[0]
    assert row.value == 1.0 and row.system == model.name
    calls = len(model.module.seen)
    evaluate(model, [task], [("qbe", {}), ("linear", {"style": "cola", "epochs": 2})], seeds=[0, 1])
    assert len(model.module.seen) == calls
    with pytest.raises(SoundviewsError, match="has none"):
        evaluate(model, [task], [("finetune", {})])


def test_logmel_is_the_statistics():
    assert isinstance(open_model("logmel"), LogMelStatistics)
