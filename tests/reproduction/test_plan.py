"""The plan of every table: steps in order, each once, with commands that the command line takes."""

import shlex
from pathlib import Path

import pytest
from typer.main import get_command

import soundviews as sv
from soundviews.cli.app import app, load_verbs
from soundviews.core.errors import SoundviewsError
from soundviews.reproduction.asked import Asked, missing_recordings
from soundviews.reproduction.page import list_tables, load_table
from soundviews.reproduction.plan import make_plan


def planned(name: str, **asked):
    table = load_table(name)
    if "stand_in" not in asked:
        asked.setdefault("data", {role: f"my {role}" for role in table.data})
    return make_plan(table, Asked(**asked), Path("work"))


def takes(command: str) -> None:
    """Fail unless the command line takes these words."""
    load_verbs()
    words = shlex.split(command)[1:]
    verb = get_command(app)
    while hasattr(verb, "commands"):
        verb = verb.commands[words.pop(0)]
    verb.make_context(words[0], words)


@pytest.mark.parametrize("asked", [{}, {"stand_in": "scenes", "scale": 0.001, "seeds": 2}])
@pytest.mark.parametrize("name", list_tables())
def test_every_table_has_a_plan(name, asked):
    plan = planned(name, **asked)
    before: set[Path] = set()
    for step in plan.steps.values():
        assert set(step.needs) <= before
        before.add(step.folder)
    for cell in plan.cells:
        assert bool(cell.reason) != bool(cell.judgements) and set(cell.steps) <= before
    assert len(plan.to_do) == len(plan.steps)


@pytest.mark.parametrize("name", ["ssep/table4", "acl/table1", "uclser/table3"])
def test_the_commands_of_a_plan_are_commands(name):
    steps = planned(name, overrides={"training.precision": "bf16-mixed"}, workers=2).steps
    assert steps
    for step in steps.values():
        takes(step.command)  # raises where the command line does not


def test_the_same_training_is_one_step_of_two_tables():
    def trainings(name):
        return {folder for folder in planned(name).steps if folder.parent.name == "trainings"}

    assert len(trainings("ssep/table1") & trainings("ssep/table2")) == 2
    assert len(trainings("uclser/table2")) == 8  # of nine rows
    assert len({folder for folder in planned("ssep/table1", seeds=3).steps if folder.parent.name == "trainings"}) == 12


def test_separated_channels_are_made_once_with_all_processors():
    steps = [step for step in planned("ssep/table4").steps.values() if step.folder.parent.name == "channels"]
    assert len(steps) == 1 and "--processors S2,S1,F,N" in steps[0].command
    given = planned("ssep/table4", separator="runs/separator")
    assert not any(folder.parent.name == "separators" for folder in given.steps)


def test_other_data_or_a_moved_folder():
    table = load_table("ssep/table2")
    data = {"pretraining": "a", "qbe": "b", "evaluation": "c"}
    folders = [folder.name for folder in make_plan(table, Asked(data=data), Path("here")).steps]
    assert folders == [folder.name for folder in make_plan(table, Asked(data=data), Path("there")).steps]
    other = make_plan(table, Asked(data=data | {"pretraining": "d"}), Path("here")).steps
    assert not {folder.name for folder in other} & set(folders)


def test_missing_recordings_are_all_named_before_anything_is_done(tmp_path):
    nowhere = {"pretraining": str(tmp_path / "nowhere")}
    evaluation, pretraining, qbe = missing_recordings(load_table("ssep/table2"), Asked(data=nowhere))
    assert evaluation.startswith("evaluation is not given: AudioSet") and qbe.startswith("qbe is not given")
    assert "no corpus at" in pretraining and "nowhere" in pretraining
    with pytest.raises(SoundviewsError, match=r"cannot be made: evaluation is not given.*pretraining: no corpus at"):
        sv.reproduce("ssep/table2", tmp_path / "out", nowhere)
    assert not (tmp_path / "out").exists()
    plan = sv.reproduce("ssep/table2", tmp_path / "out", plan=True)
    assert len(plan.missing) == 3 and "prepare PRETRAINING" in "".join(step.command for step in plan.plan.to_do)
    with pytest.raises(SoundviewsError, match="did you mean 'pretraining'"):
        missing_recordings(load_table("ssep/table2"), Asked(data={"pretrainng": "x"}))


def test_a_split_that_is_not_there_is_named(tmp_path, write_audio):
    write_audio("a.wav")
    (tmp_path / "all.csv").write_text("path,split\na.wav,unbalanced\n")
    asked = Asked(data={"pretraining": str(tmp_path / "all.csv")})
    _, pretraining, _ = missing_recordings(load_table("ssep/table2"), asked)
    assert "none of the 1 clips is in" in pretraining and "the splits there are unbalanced" in pretraining


def test_figures_without_their_recordings_may_be_left_out():
    plan = planned("ssep/table2", data={"pretraining": "a", "qbe": "b"}, skip_missing=True)
    assert [cell.reason for cell in plan.cells[:2]] == ["", "no recordings are given as evaluation"]


def test_stand_ins_take_the_place_of_all_recordings():
    assert Asked(stand_in="scenes").recordings(load_table("uclser/table1"), "evaluation") == (
        "scenes:clips=500,max_events=1"
    )
    with pytest.raises(SoundviewsError, match="stands in for all recordings"):
        Asked(stand_in="scenes", data={"qbe": "x"})


def test_a_corpus_of_ones_own_stands_in_with_its_own_parts(tmp_path, write_audio):
    for fold in (1, 2, 3):
        for label in ("cat", "dog"):
            write_audio(f"{label}{fold}.wav")
    lines = [f"{label}{fold}.wav,{label},{fold}" for fold in (1, 2, 3) for label in ("cat", "dog")]
    (tmp_path / "mine.csv").write_text("\n".join(["path,label,fold", *lines]) + "\n")
    asked = Asked(stand_in=str(tmp_path / "mine.csv"))
    table = load_table("ssep/table1")
    assert missing_recordings(table, asked) == [] and asked.learned(table) == {"folds": [1, 2]}
    assert not asked.comparable and "mine.csv stand in" in asked.warnings()[0]
