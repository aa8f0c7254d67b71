"""Every command that the studies run is one that the command line takes, with recipes that exist."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soundviews.audio.corpus import Corpus
from soundviews.recipes.reading import list_recipes
from studies import _ssep, acl, cola_tasks, esc50, ssep_scenes
from studies._acl import ROWS, Study
from studies._page import Command

SEEDS = [0, 1]


def of_acl(work: Path) -> Iterator[Command]:
    for recipes, judge in ((acl.SMALL, ["--train-folds", "1,2", "--test-folds", "3"]), (acl.LARGE, [])):
        study = Study("esc50", work, recipes, ["esc50"], judge, "epochs=3", ["training.steps=2"])
        yield from (make(row, 0) for row in ROWS for make in (study.pretrain, study.finetune))
        yield from (study.compare(list(ROWS), SEEDS), study.random(SEEDS), study.scratch(SEEDS))


def of_ssep(work: Path) -> Iterator[Command]:
    study = _ssep.Study("esc50", work, work / "separator", SEEDS, ["--folds", "1"], [], _ssep.for_a_cpu(10))
    yield from (make(row, 0) for row in _ssep.ROWS for make in (study.pretrain, study.evaluate))
    held_out = Corpus.from_columns(work, ["a.wav"])
    separator = _ssep.Separator(study, ["esc50"], _ssep.QUICK_SEPARATOR, ["--data", "esc50"], held_out)
    yield from (study.prepare(), study.baselines(), separator.train(), separator.evaluate(), separator.show())
    yield ssep_scenes.judge_events(study, 20)


def of_esc50(work: Path) -> Iterator[Command]:
    yield from (step.command for step in esc50.steps("esc50", work, "weights.pth"))


def of_cola(work: Path) -> Iterator[Command]:
    yield from (cola_tasks.command(task, "run", Path(task), work, 1) for task in cola_tasks.TASKS)


@pytest.mark.parametrize("commands", [of_acl, of_ssep, of_esc50, of_cola])
def test_the_command_line_takes_them(
    commands: Callable[[Path], Iterator[Command]], tmp_path: Path, parse_command: Callable[[list[str]], None]
) -> None:
    recipes, names = list_recipes(), []
    for command in commands(tmp_path):
        parse_command(command.arguments)
        names.append(command.name)
        if "--recipe" in command.arguments:
            assert command.arguments[command.arguments.index("--recipe") + 1] in recipes
    assert len(names) == len(set(names)) or commands is of_acl  # acl's rows are there at both sizes


def test_an_option_that_is_not_there_is_an_error(parse_command: Callable[[list[str]], None]) -> None:
    with pytest.raises(Exception, match="no-such-option"):
        parse_command(["pretrain", "data", "--no-such-option"])
