"""A recipe that makes no sense, or is made to do harm, is an error in one short line before any audio is read."""

from pathlib import Path
from typing import Any

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.recipes.loading import load_recipe

BOMB = "a0: &a0 [lol]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))

PAGES = {
    "base a number": "base: 5",
    "base a list": "base: [cola]",
    "base a mapping": "base: {cola: 1}",
    "views a text": "base: cola\nviews: hello",
    "views a text, edited": "base: cola\nviews: hello\nedit_views: {crop: null}",
    "a branch a number": "base: cola\nviews: {anchor: 5}\nedit_views: {crop: null}",
    "edit_views a number": "base: cola\nedit_views: 5",
    "edit_views a list": "base: cola\nedit_views: [crop]",
    "edit_views of a number": "base: cola\nedit_views: {crop: 5}",
    "a step of two": "base: cola\nviews: {anchor: [{crop: {}, noise: {}}]}",
    "a step a number": "base: cola\nviews: {anchor: [5]}",
    "a step null": "base: cola\nviews: {anchor: [null]}",
    "options a number": "base: cola\nviews: {anchor: [crop: 5, log_mel: {}]}",
    "endless clips": "base: cola\naudio: {clip_seconds: .inf}",
    "clips of no length": "base: cola\naudio: {clip_seconds: 1e-9}",
    "epochs no number": "base: uclser\ntraining: {epochs: .nan}",
    "epochs without end": "base: uclser\ntraining: {epochs: 1e308}",
    "gradient_clip no number": "base: cola\ntraining: {gradient_clip: .nan}",
    "steps below 0": "base: cola\ntraining: {steps: -1}",
    "no steps": "base: cola\ntraining: {steps: 0}",
    "a batch of a million millions": "base: cola\ntraining: {batch_size: 1000000000000}",
    "a rate of 1 GHz": "base: cola\naudio: {sample_rate: 1000000000}",
    "n_fft without end": "base: cola\nfeatures: {n_fft: 1000000000000}",
    "n_mels without end": "base: cola\nfeatures: {n_mels: 1000000000}",
    "a text for a number": "base: cola\nfeatures: {hop_length: '160'}",
    "windows without end": "base: cola\ninference: {windows: {size: 1000000000000}}",
    "a name of aliases": f"{BOMB}\nbase: cola\nname: *a9",
    "an encoder of two": "base: cola\nencoder: {vgg_like: {}, crnn: {}}",
    "an encoder a text": "base: cola\nencoder: vgg_like",
    "2,000 unknown keys": "base: cola\n" + "\n".join(f"k{n}: 1" for n in range(2_000)),
    "a long unknown key": "base: cola\n? " + "k" * 100_000 + "\n: 1",
    "a long value": "base: cola\ntraining: {precision: " + "p" * 100_000 + "}",
    "a key with an escape": 'base: cola\n"\\e[31m\\n": 1',
    "5,000 deep": "base: cola\nviews: " + "[" * 5000 + "]" * 5000,
    "49 deep": "base: cola\nviews: {anchor: " + "[" * 46 + "]" * 46 + "}",
    "2 MB": "base: cola\nabout: " + "x" * 2_000_000,
    "no mapping": "- cola",
    "nothing": "",
}


def in_one_line(error: pytest.ExceptionInfo[SoundviewsError]) -> None:
    message = str(error.value)
    assert message.isprintable() and len(message) < 2000


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_a_page_that_cannot_be(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.yaml").write_text(text)
    with pytest.raises(SoundviewsError) as error:
        load_recipe(tmp_path / "page.yaml")
    in_one_line(error)


@pytest.mark.parametrize(
    "override",
    [
        "training.steps=-1",
        "training.steps=0",
        "training.steps=.inf",
        "training.seed=" + "9" * 1000,
        "views=hello",
        "edit_views=5",
        "encoder=[vgg_like]",
        "uses=5",
        "name=[1]",
        "x" * 10_000 + "=1",
        "training.steps=" + "[" * 5000,
        "=5",
    ],
    ids=lambda text: text[:20],
)
def test_an_override_that_cannot_be(override: str) -> None:
    with pytest.raises(SoundviewsError) as error:
        load_recipe("cola", [override])
    in_one_line(error)


@pytest.mark.parametrize("page", [{"base": 5}, {"base": "cola", "views": {"anchor": object()}}])
def test_a_page_of_python(page: dict[str, Any]) -> None:
    with pytest.raises(SoundviewsError) as error:
        load_recipe(page)
    in_one_line(error)
