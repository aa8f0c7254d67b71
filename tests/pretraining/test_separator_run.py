"""The separator's run: processors at their steps, exact resume, and what stops it before it starts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.pretraining.run import resume as pretraining_resume
from soundviews.pretraining.separator_module import SeparatorTraining
from soundviews.pretraining.separator_run import resume, train
from soundviews.recipes.loading import load_separator_recipe
from soundviews.separation.processor import find_processors, load_processor, load_processors

from .processes import command, kill_after_checkpoint, read_rows

SMALL = """
base: separator
audio: {sample_rate: 8000}
separator: {tdcn: {window: 20, hop: 10, filters: 8, bottleneck: 4, width: 6, repeats: 2, blocks: 2}}
mixtures: {seconds: 0.5}
training: {steps: 24, batch_size: 2, checkpoint_steps: 3}
processors: {N: 0, F: 4, S1: 10, S2: last}
"""


def test_processors_are_kept_at_their_steps(corpus: Path, small: Path, tmp_path: Path) -> None:
    run = train(load_separator_recipe(small), str(corpus), tmp_path / "run", workers=0)
    assert list(find_processors(run)) == ["N", "F", "S1", "S2"]
    processors = load_processors(run)
    assert [processor.step for processor in processors] == [0, 4, 10, 24]
    assert len({processor.digest for processor in processors}) == 4
    untrained = SeparatorTraining(load_separator_recipe(small), 1).network.state_dict()
    assert all(torch.equal(value, untrained[key]) for key, value in processors[0].network.state_dict().items())
    rows = read_rows(run)
    assert {"loss", "snr", "degenerate"} <= rows[0].keys()
    assert np.isfinite([float(row["loss"]) for row in rows]).all()
    for file in ("recipe.yaml", "environment.json", "checkpoints/last.ckpt"):
        assert (run / file).is_file()


def test_a_cascade_is_one_processor_after_the_other(corpus: Path, small: Path, tmp_path: Path) -> None:
    run = train(load_separator_recipe(small, ["training.steps=10"]), str(corpus), tmp_path / "run", workers=0)
    first, second, both = load_processors(run, ["S2", "N", "S2>N"])
    mixture = torch.randn(2, 3000, generator=torch.Generator().manual_seed(0))
    channels = both(mixture)
    assert both.sources == 4 and channels.shape == (2, 4, 3000)
    torch.testing.assert_close(channels[:, 2:], second(first(mixture)[:, 1]))
    torch.testing.assert_close(channels.sum(1), mixture, atol=1e-5, rtol=0)


def test_killed_and_resumed_equals_uninterrupted(corpus: Path, small: Path, tmp_path: Path) -> None:
    cache, whole, broken = tmp_path / "cache", tmp_path / "whole", tmp_path / "broken"
    new = ["separate", "train", str(corpus), "-r", str(small)]
    output, _ = command(*new, "-o", str(whole), cache=cache).communicate(timeout=180)
    assert (whole / "processors" / "S2").exists(), output
    kill_after_checkpoint(command(*new, "-o", str(broken), cache=cache), broken / "checkpoints" / "last.ckpt")
    assert not (broken / "processors" / "S2").exists()
    process = command("separate", "train", "--resume", str(broken), cache=cache)
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    for name, place in find_processors(whole).items():
        found = (broken / "processors" / name / "model.safetensors").read_bytes()
        assert found == (place / "model.safetensors").read_bytes(), name
    wanted = {row["step"]: row["degenerate"] for row in read_rows(whole)}
    assert {row["step"]: row["degenerate"] for row in read_rows(broken)}.items() <= wanted.items()


@pytest.mark.parametrize("sources", [2, 4, 8])
def test_any_number_of_channels(corpus: Path, small: Path, tmp_path: Path, sources: int) -> None:
    changes = ["training.steps=1", f"separator.tdcn.sources={sources}", "processors={F: null, S1: null}"]
    run = train(load_separator_recipe(small, changes), str(corpus), tmp_path / "run", workers=0)
    assert load_processor(run / "processors" / "S2").sources == sources


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("separator.tdcn.sources=1", "at least 2"),
        ("separator.tdcn.sources=32", "at most 16"),
        ("training.steps=5", "processors.S1 is the separator after 10 steps, but the training ends after 5"),
        ("training.batch_size=8", "has 10 clips, fewer than the 16"),
        ("separator.tdcn.filtres=8", "did you mean 'filters'"),
        ("mixtures.second=1", "did you mean 'seconds'"),
        ("processors={../N: 0}", "letters, digits"),
    ],
)
def test_what_stops_it_before_it_starts(corpus: Path, small: Path, tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(SoundviewsError, match=message):
        train(load_separator_recipe(small, [change]), str(corpus), tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def test_a_recipe_of_the_other_kind_names_the_right_verb() -> None:
    with pytest.raises(SoundviewsError, match=r"trains an encoder: soundviews\.pretrain"):
        load_separator_recipe("uclser")


def test_a_run_of_the_other_kind_names_the_right_verb(corpus: Path, small: Path, tmp_path: Path) -> None:
    changes = ["training.steps=1", "processors={F: null, S1: null}"]
    run = train(load_separator_recipe(small, changes), str(corpus), tmp_path / "run", workers=0)
    with pytest.raises(SoundviewsError, match=r"trains a separator: soundviews\.train_separator"):
        pretraining_resume(run)
    (run / "recipe.yaml").write_text("name: x\nencoder: {cnn14: {}}\n")
    with pytest.raises(SoundviewsError, match=r"trains an encoder: soundviews\.pretrain"):
        resume(run)


def test_unequal_levels_are_reported(write_audio: Callable[..., Path], small: Path, tmp_path: Path) -> None:
    """Without level matching, the quieter mixture gets no channel of an untrained separator, and that is logged."""
    noise = np.random.default_rng(0).standard_normal((6, 5000))
    for index in range(6):
        write_audio(f"loud/{index}.wav", sample_rate=8000, samples=noise[index] * (0.001 if index % 2 else 0.1))
    shares = []
    for match in ("true", "false"):
        changes = ["training.steps=4", "processors={F: null, S1: null}", f"mixtures.level_match={match}"]
        run = train(load_separator_recipe(small, changes), str(tmp_path / "loud"), tmp_path / match, workers=0)
        shares.append(float(read_rows(run)[-1]["degenerate"]))
    assert shares[0] == 0 and shares[1] > 0.3


def test_weights_that_are_no_longer_finite_are_not_kept(corpus: Path, small: Path, tmp_path: Path) -> None:
    recipe = load_separator_recipe(small, ["training.optimizer={adam: {lr: 1e30}}"])
    with pytest.raises(SoundviewsError, match=r"diverged: at step \d"):
        train(recipe, str(corpus), tmp_path / "run", workers=0)
    assert not (tmp_path / "run" / "checkpoints" / "last.ckpt").exists()
    assert "N" in find_processors(tmp_path / "run")
    for name in find_processors(tmp_path / "run"):
        network = load_processor(tmp_path / "run" / "processors" / name).network
        assert all(parameter.isfinite().all() for parameter in network.parameters())


def test_what_a_killed_run_left_half_written_is_no_processor(corpus: Path, small: Path, tmp_path: Path) -> None:
    changes = ["training.steps=1", "processors={F: null, S1: null}"]
    kept = train(load_separator_recipe(small, changes), str(corpus), tmp_path / "run", workers=0) / "processors"
    (kept / "S2").rename(kept / ".S2-abc")
    assert list(find_processors(kept)) == ["N"] == list(find_processors(tmp_path / "run"))
