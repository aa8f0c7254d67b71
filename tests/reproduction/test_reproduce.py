"""A table from the command to finished pages: interrupted on the way, gone on with, shared, and done once."""

import csv
import json
import re

import pytest
from typer.testing import CliRunner

import soundviews as sv
from soundviews.cli.app import app, load_verbs
from soundviews.core.errors import SoundviewsError
from soundviews.core.locks import locked
from soundviews.evaluation.intervals import student_t
from soundviews.reproduction import work as working
from soundviews.reproduction.writing import write_table

SMALL = {"stand_in": True, "scale": 1e-5, "workers": 0}


def figures(out) -> list[dict[str, str]]:
    with open(out / "tiny.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def interrupted_once(monkeypatch):
    """Stop the first judgement of an encoder, when its training is done, as Ctrl-C does."""
    done, real = [], working._try

    def stop(step, failures):
        if step.title.startswith("judge Mix") and not done:
            done.append(step)
            raise KeyboardInterrupt
        return real(step, failures)

    monkeypatch.setattr(working, "_try", stop)


def test_from_the_command_to_the_pages(tiny_table, tmp_path, interrupted_once, monkeypatch):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        sv.reproduce(tiny_table, out, **SMALL)
    assert [line["state"] for line in figures(out)] == ["", "0 of 1 seeds done", "not run: needs video"]
    trained = next((out / "trainings").iterdir()) / "bundle" / "model.safetensors"
    before = trained.stat().st_mtime_ns

    load_verbs()
    words = ["reproduce", str(tiny_table), "--stand-in", "scenes", "--scale", "1e-5", "--workers", "0", "-o", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert trained.stat().st_mtime_ns == before
    statistics, channel, pictures = figures(out)
    assert 0 < float(statistics["value"]) < 1 and 0 < float(channel["value"]) < 1 and pictures["value"] == ""
    assert channel["difference"] == "" and channel["published"] == "0.631" and len(channel["hash"]) == 12
    assert channel["made_by"].startswith(sv.__version__)
    page, html = ((out / f"tiny.{kind}").read_text(encoding="utf-8") for kind in ("md", "html"))
    for text in (page, html):
        assert text.index("STAND-IN") < text.index("not comparable") < text.index("0.631") and "needs video" in text
    assert not re.search(r"(src|href)=.?https?:", html)

    def never(step, failures):
        raise AssertionError(f"{step.title} is done again")

    monkeypatch.setattr(working, "_try", never)
    again = CliRunner().invoke(app, [*words, "--plan"])
    assert "5 steps, 0 to do" in again.output
    assert not sv.reproduce(tiny_table, out, **SMALL).failures


def test_a_row_that_fails_is_named_and_the_others_go_on(tiny_table, tmp_path):
    result = sv.reproduce(tiny_table, tmp_path / "out", separator=tmp_path / "nowhere", **SMALL)
    statistics, channel, _ = result.lines
    assert statistics.value is not None and channel.value is None
    assert channel.state.startswith("failed: ") and "nowhere" in channel.state
    assert "nowhere" in (tmp_path / "out/tiny.md").read_text(encoding="utf-8")


def test_what_another_process_is_at_is_left_to_it(tiny_table, tmp_path, monkeypatch):
    plan = sv.reproduce(tiny_table, tmp_path / "out", plan=True, **SMALL).plan
    statistics = next(step for step in plan.steps.values() if step.title.startswith("judge Statistics"))
    only = type(plan)(plan.table, plan.asked, plan.out, {statistics.folder: statistics}, plan.cells)
    waited = []

    def finish(seconds):
        waited.append(seconds)
        other.__exit__(None, None, None)
        statistics.done.parent.mkdir(parents=True)
        statistics.done.write_text(json.dumps({"rows": []}))

    monkeypatch.setattr(working.time, "sleep", finish)
    other = locked(statistics.folder)
    other.__enter__()
    assert working.work(only, lambda failures: None) == {} and len(waited) == 1


def test_the_mean_over_seeds_has_an_interval(tiny_table, tmp_path):
    out = tmp_path / "out"
    result = sv.reproduce(tiny_table, out, plan=True, seeds=3, **SMALL)
    cell = result.plan.cells[1]
    values = [0.2, 0.3, 0.7]
    for folder, value in zip(cell.judgements, values, strict=True):
        folder.mkdir(parents=True)
        row = {"measure": "mAP", "metrics": {"mAP": value}, "low": 0.1, "high": 0.9, "interval": "classes"}
        (folder / "evaluation.json").write_text(json.dumps({"rows": [row]}))
    line = sv.reproduce(tiny_table, out, plan=True, seeds=3, **SMALL).lines[1]
    assert line.value == pytest.approx(0.4) and line.seeds == 3 and line.state == ""
    assert (line.low, line.high) == student_t(values, "")[:2]


def test_tables_are_listed_and_wrong_words_are_errors():
    load_verbs()
    listed = CliRunner().invoke(app, ["reproduce"])
    assert listed.exit_code == 0 and "ssep/table4" in listed.output and "trainings" in listed.output
    with pytest.raises(SoundviewsError, match="ROLE=RECORDINGS"):
        CliRunner().invoke(app, ["reproduce", "ssep/table1", "--data", "AudioSet"], catch_exceptions=False)


def test_percent_is_written_as_the_paper_does(tiny_table, tmp_path):
    text = tiny_table.read_text().replace("test_split: test}", "test_split: test, percent: true}")
    tiny_table.write_text(text.replace("0.631", "0.4"))
    plan = sv.reproduce(tiny_table, tmp_path / "out", plan=True, data={"pretraining": "a", "qbe": "b"}).plan
    folder = plan.cells[1].judgements[0]
    folder.mkdir(parents=True)
    row = {"measure": "mAP", "metrics": {"mAP": 0.256}, "low": 0.1, "high": 0.9, "interval": "classes"}
    (folder / "evaluation.json").write_text(json.dumps({"rows": [row]}))
    page, *_ = write_table(plan, {})
    assert "| Mix vs chan | 0.4 | 25.6 | 10.0 to 90.0 | +25.2 | 1 |" in page.read_text(encoding="utf-8")
