"""What a training says of its length, and asks."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.pretraining import forecast
from soundviews.pretraining.run import pretrain
from soundviews.recipes.schema import Recipe

Make = Callable[..., Recipe]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Every look at the clock is so many seconds later than the one before: one at the start, one a step."""

    def every(seconds: float) -> None:
        now = [0.0]

        def monotonic() -> float:
            now[0] += seconds
            return now[0]

        monkeypatch.setattr(forecast, "time", SimpleNamespace(monotonic=monotonic))

    return every


def test_after_the_third_step_it_says_what_all_of_them_take(
    tiny_recipe: Make, labelled: Path, tmp_path: Path, slow: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    slow(20)
    with caplog.at_level("INFO", "soundviews"):
        pretrain(tiny_recipe("training.steps=6"), labelled, tmp_path / "run", workers=0)
    assert [line for line in caplog.messages if line.startswith("about")] == [
        "about 2 minutes in all: 6 steps of 20 seconds on this machine"
    ]
    assert "12 recordings, 5 seconds: 12 clips of up to 30 s" in caplog.text


def test_more_than_a_day_is_asked_about(
    tiny_recipe: Make, labelled: Path, tmp_path: Path, slow: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    recipe, asked = tiny_recipe("training.steps=5"), []
    slow(86400)

    def consent(text: str) -> bool:
        asked.append(text)
        return len(asked) > 1

    with pytest.raises(SoundviewsError, match=r"not trained, since it would take about 5 days in all.*training\.steps"):
        pretrain(recipe, labelled, tmp_path / "run", workers=0, consent=consent)
    assert not (tmp_path / "run").exists()
    pretrain(recipe, labelled, tmp_path / "run", workers=0, consent=consent)
    assert (tmp_path / "run" / "bundle").is_dir() and len(asked) == 2
    pretrain(recipe, labelled, tmp_path / "from Python", workers=0)
    assert "takes more than a day" in caplog.text and (tmp_path / "from Python" / "bundle").is_dir()


def test_a_day_or_less_is_not_asked_about(
    tiny_recipe: Make, labelled: Path, tmp_path: Path, slow: Callable[[float], None]
) -> None:
    slow(16000)
    pretrain(tiny_recipe("training.steps=5"), labelled, tmp_path / "run", workers=0, consent=lambda text: False)
    assert (tmp_path / "run" / "bundle").is_dir()
