"""Pretraining with separated channels: prepared or on the fly, draws for each objective, and what stops it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from soundviews.audio.loader import ClipBatch, training_loader
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.model import load
from soundviews.pretraining.module import Pretraining
from soundviews.pretraining.run import pretrain, resume
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.schema import Statistics
from soundviews.separation.preparing import prepare
from soundviews.separation.processor import load_processors

from .processes import command, kill_after_checkpoint, read_rows

SMALL = """
base: ssep
audio: {sample_rate: 8000}
features: {n_fft: 256, window_length: 200, hop_length: 80, n_mels: 32, f_max: 4000}
encoder: {cnn14: {width: 0.03, embedding_size: 16}}
training: {steps: 6, batch_size: 4, clips_per_step: null, checkpoint_steps: 2}
evaluation: null
"""
# Without batch norm, an untrained encoder's loss is the same for all examples to six digits.
TELLING = "encoder={cnn14: {width: 0.03, embedding_size: 16, mels: 32, normalization: batch}}"
CHANNELS = {"mix-chan": (None, {}), "mix-any": (None, {"mixture": True}), "chan-chan": ({}, {})}


def weights(run: Path) -> bytes:
    return (run / "bundle" / "model.safetensors").read_bytes()


def test_training_does_not_know_where_its_channels_come_from(
    corpus: Path, small: Path, make_separator: Callable[..., Path], tmp_path: Path
) -> None:
    recipe, separator = load_recipe(small, [TELLING]), make_separator(8000)
    prepare(open_corpus(str(corpus)).cut(10), load_processors(separator), tmp_path / "channels", bits=24, workers=1)
    losses = []
    for name, channels in (("fly", None), ("kept", str(tmp_path / "channels"))):
        run = pretrain(recipe, str(corpus), tmp_path / name, workers=0, separator=str(separator), channels=channels)
        losses.append([float(row["loss"]) for row in read_rows(run)])
    assert len(losses[0]) == 6
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


def test_killed_and_resumed_equals_uninterrupted(
    corpus: Path, small: Path, make_separator: Callable[..., Path], tmp_path: Path
) -> None:
    cache, whole, broken = tmp_path / "cache", tmp_path / "whole", tmp_path / "broken"
    separator = make_separator(8000)
    changes = ["training.steps=16"]
    new = ["pretrain", str(corpus), "-r", str(small), "-s", *changes, "--separator", str(separator)]
    output, _ = command(*new, "-o", str(whole), cache=cache).communicate(timeout=180)
    assert (whole / "bundle").exists(), output
    process = command(*new, "-o", str(broken), cache=cache)
    kill_after_checkpoint(process, broken / "checkpoints" / "last.ckpt")
    assert not (broken / "bundle").exists()
    process = command("pretrain", "--resume", str(broken), cache=cache)
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    assert weights(whole) == weights(broken)


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # a step without a trainer
def test_two_processes_train_with_prepared_channels(
    corpus: Path, small: Path, make_separator: Callable[..., Path], tmp_path: Path
) -> None:
    """The first process's first loss is that of its share of the batch with channels made here."""
    separator, kept, run, clips = make_separator(8000), tmp_path / "channels", tmp_path / "run", open_corpus(corpus)
    prepare(clips.cut(10), load_processors(separator), kept, bits=24, workers=1)
    new = ["pretrain", str(corpus), "-r", str(small), "-s", "training.steps=2", "-s", TELLING, "-o", str(run)]
    options = ["--workers", "0", "--devices", "2", "--separator", str(separator), "--channels", str(kept)]
    process = command(*new, *options, cache=tmp_path / "cache")
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    assert (run / "bundle").is_dir()

    recipe = load_recipe(small, [TELLING])
    statistics = Statistics.model_validate_json((run / "statistics.json").read_text())
    module = Pretraining(recipe, build(recipe), 2, statistics)
    module.processors = load_processors(separator, module.views.processors)
    share = training_loader(
        clips.cut(10), 8000, 4, recipe.training.seed, start_step=0, steps=1, workers=0, rank=0, world_size=2
    )
    expected = module.training_step(next(iter(share)), 0).item()
    losses = [float(row["loss"]) for row in read_rows(run)]
    assert len(losses) == 2 and np.isfinite(losses).all()
    assert losses[0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("comparison", CHANNELS)
@pytest.mark.parametrize("processors", [["S2"], ["S2", "F", "N"], ["S2>N"]])
def test_comparisons_and_processors(
    comparison: str,
    processors: list[str],
    corpus: Path,
    small: Path,
    make_separator: Callable[..., Path],
    tmp_path: Path,
) -> None:
    patch, branches = {"patch": {"frames": 96}}, {}
    for branch, options in zip(("anchor", "positive"), CHANNELS[comparison], strict=True):
        separate = [] if options is None else [{"separate": {"processors": processors, **options}}]
        branches[branch] = [*separate, patch]
    recipe = load_recipe(small, ["training.steps=2", f"views={branches}".replace("True", "true")])
    run = pretrain(recipe, str(corpus), tmp_path / "run", workers=0, separator=str(make_separator(8000)))
    assert np.isfinite([float(row["loss"]) for row in read_rows(run)]).all()


def test_each_objective_has_draws_of_its_own(small: Path, make_separator: Callable[..., Path]) -> None:
    samples = torch.randn(4, 16000, generator=torch.Generator().manual_seed(0)) * 0.1
    batch = ClipBatch(torch.arange(4), samples, torch.full((4,), 16000))
    processors = load_processors(make_separator(8000), ["S2", "F", "N"])
    for own, count in ((True, 2), (False, 1)):
        recipe = load_recipe(small, [f"views.per_objective={str(own).lower()}"])
        module = Pretraining(recipe, build(recipe), 1, None, processors)
        pairs = module.make_views(batch, 3)
        assert len(pairs) == count and all(view.shape == (4, 96, 32) for pair in pairs for view in pair)
        if own:
            similarity, coincidence = module.draw(3, 0, 4)
            assert not np.array_equal(similarity.uniform, coincidence.uniform)
            assert not torch.equal(pairs[0][0], pairs[1][0]) and not torch.equal(pairs[0][1], pairs[1][1])


def test_joint_loss_is_the_sum_of_both(
    corpus: Path, small: Path, make_separator: Callable[..., Path], tmp_path: Path
) -> None:
    run = pretrain(load_recipe(small), str(corpus), tmp_path / "run", workers=0, separator=str(make_separator(8000)))
    for row in read_rows(run):
        assert float(row["loss"]) == pytest.approx(
            float(row["nt_xent_loss"]) + float(row["coincidence_loss"]), rel=1e-5
        )


def test_a_bundle_keeps_the_head_that_projects(
    corpus: Path, small: Path, make_separator: Callable[..., Path], tmp_path: Path
) -> None:
    separator, clip = str(make_separator(8000)), np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    for name, objectives, has_head in (
        ("joint", "[coincidence: {}, nt_xent: {head_batch_norm: false}]", True),
        ("coincidence", "[coincidence: {}]", False),
    ):
        recipe = load_recipe(small, ["training.steps=1", f"objectives={objectives}"])
        model = load(pretrain(recipe, str(corpus), tmp_path / name, workers=0, separator=separator))
        assert model.embed(clip, 8000).vectors.shape[1] == 16
        patches = torch.zeros(2, 96, 32)
        if has_head:
            assert model.project(patches).shape == (2, 512)
        else:
            with pytest.raises(SoundviewsError, match="no head"):
                model.project(patches)


def test_silence_among_the_clips_is_left_out_and_named(
    corpus: Path, small: Path, make_separator: Callable[..., Path], write_audio: Callable[..., Path], tmp_path: Path
) -> None:
    write_audio("corpus/silent.wav", sample_rate=8000, samples=np.zeros(8000))
    write_audio("corpus/faint.wav", sample_rate=8000, samples=np.r_[np.zeros(16000), 1e-4 * np.ones(10)])
    recipe = load_recipe(small, ["training.steps=8"])
    run = pretrain(recipe, str(corpus), tmp_path / "run", workers=0, separator=str(make_separator(8000)))
    assert np.isfinite([float(row["loss"]) for row in read_rows(run)]).all()
    assert "silent.wav" in (run / "skipped.csv").read_text()


def test_what_stops_it_before_it_starts(
    corpus: Path, small: Path, make_separator: Callable[..., Path], tmp_path: Path
) -> None:
    recipe, separator, out = load_recipe(small), make_separator(8000), tmp_path / "run"
    with pytest.raises(SoundviewsError, match="say separator= RUN"):
        pretrain(recipe, str(corpus), out, workers=0)
    with pytest.raises(SoundviewsError, match="does not separate"):
        alone = load_recipe(small, ["edit_views={separate: null}"])
        pretrain(alone, str(corpus), out, workers=0, separator=str(separator))
    with pytest.raises(SoundviewsError, match=r"16000 Hz, but recipe .* 8000"):
        pretrain(recipe, str(corpus), out, workers=0, separator=str(make_separator(16000)))
    with pytest.raises(SoundviewsError, match=r"no processor 'S3'.*'S2'"):
        wrong = load_recipe(small, ["edit_views={separate: {processors: [S3]}}"])
        pretrain(wrong, str(corpus), out, workers=0, separator=str(separator))
    with pytest.raises(SoundviewsError, match="less the worst one"):
        steps = "[separate: {processors: [S2], discard_worst: true}, patch: {frames: 96}]"
        same = load_recipe(small, [f"views.anchor={steps}", f"views.positive={steps}"])
        pretrain(same, str(corpus), out, workers=0, separator=str(separator))
    with pytest.raises(SoundviewsError, match="soundviews prepare"):
        pretrain(recipe, str(corpus), out, workers=0, separator=str(separator), channels=str(tmp_path / "none"))
    one = tmp_path / "one"
    one.mkdir()
    (corpus / "0.wav").rename(one / "0.wav")
    with pytest.raises(SoundviewsError, match="every clip needs others to differ from"):
        pretrain(recipe, str(one), out, workers=0, separator=str(separator))


def test_a_run_does_not_go_on_with_other_processors(
    corpus: Path, small: Path, make_separator: Callable[..., Path], tmp_path: Path
) -> None:
    separator = make_separator(8000)
    run = pretrain(
        load_recipe(small, ["training.steps=1"]), str(corpus), tmp_path / "run", workers=0, separator=str(separator)
    )
    shutil.copy(separator / "S1" / "model.safetensors", separator / "S2")
    with pytest.raises(SoundviewsError, match=r"processors .* have changed"):
        resume(run)
