"""The page about ESC-50, from results made up here."""

import json
from pathlib import Path

import pytest

from studies import _page, esc50


def keep(step: esc50.Step, value: float) -> None:
    """The results of a step, and the record that it ran."""
    step.out.mkdir(parents=True)
    if step.command.arguments[0] == "pretrain":
        (step.out / "environment.json").write_text(json.dumps({"corpus": {"clips": 800, "skipped": 1}}))
        (step.out / "recipe.yaml").write_text("training: {seed: 3}")
        (step.out / "metrics.csv").write_text("step,loss,eval_accuracy\n9,4,\n19,3,0.125\n29,2,\n39,1,0.25\n")
    if step.command.arguments[0] == "evaluate":
        row = {"protocol": "knn", "options": {"k": 20}, "system": "mine", "measure": "accuracy", "value": value}
        row |= {"low": 0.1, "high": 0.9, "interval": "clips"}
        page = {"model": "mine", "rows": [row], "notes": ["a note"]}
        (step.out / "evaluation.json").write_text(json.dumps(page))
    logs = step.out.parent / "logs"
    logs.mkdir(exist_ok=True)
    written = {"arguments": step.command.arguments, "commit": "abc1234", "seconds": 90}
    (logs / f"{step.command.name}.json").write_text(json.dumps(written))


def test_every_command_stands_above_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work, page = tmp_path / "work", tmp_path / "results" / "esc50.md"
    page.parent.mkdir()
    page.with_name("esc50_notes.md").write_text("By hand.\n")
    steps = esc50.steps(f"{tmp_path}/data", work, f"{tmp_path}/weights.pth")
    for number, step in enumerate(steps):
        keep(step, number / 100)
    esc50.main([f"{tmp_path}/data", str(work), "--released", f"{tmp_path}/weights.pth"], page)

    text = page.read_text()
    assert text.count("\n## ") == len(steps) == 11
    assert str(tmp_path) not in text and "python -m studies.esc50" in text and "ran at abc1234" in text
    assert "\nBy hand.\n" in text
    assert "soundviews pretrain ESC50 --folds 1,2 --recipe uclser/small -o runs/uclser --evaluation-data ESC50" in text
    assert "soundviews convert uclser20 weights.pth runs/released_vgg" in text
    assert "800 clips, seed 3, 1 skipped. Loss 4.00 where it was first logged, 2.00 at the end." in text
    assert "0.125 after 20 steps, 0.250 after 40 steps." in text
    assert "| knn:k=20 | **this encoder** | mean per-class accuracy | 0.010 | 0.100 to 0.900 (clips) |" in text
    assert capsys.readouterr().out == f"{page}\n"  # nothing ran


def test_the_page_of_the_repository_is_the_one_that_is_written() -> None:
    assert esc50.main.__defaults__ == (None, _page.RESULTS / "esc50.md")
