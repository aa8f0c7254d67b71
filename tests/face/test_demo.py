"""The demonstration, tiny: separator, prepared channels, encoder, figures and report in one directory."""

import base64
import html
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from soundviews.cli.app import app, load_verbs
from soundviews.face.demo import demo
from soundviews.pretraining.log import read_metrics
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.separation.processor import find_processors

TINY_SEPARATOR = [
    "separator={tdcn: {filters: 8, bottleneck: 4, width: 6, repeats: 1, blocks: 2}}",
    "training.steps=3",
    "training.batch_size=2",
    "mixtures.seconds=0.5",
    "processors={F: 1, S1: 2}",
]
TINY = ["training.steps=2", "training.batch_size=4", "training.warmup_steps=0"]


@pytest.mark.usefixtures("random_base")
def test_the_demo_leaves_processors_channels_an_encoder_and_a_report_and_may_be_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundviews.face.demo.PROTOCOLS", [("qbe", {})])  # the probes take longer than all the rest
    monkeypatch.setattr("soundviews.face.demo_first.SCENES", 8)
    monkeypatch.setattr("soundviews.face.demo.JUDGED_SCENES", 2)
    words = ["--set", *" --set ".join(TINY).split(" "), "--set-separator", TINY_SEPARATOR[0]]
    words += [word for setting in TINY_SEPARATOR[1:] for word in ("--set-separator", setting)]
    load_verbs()
    said = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--clips", "40", *words])
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith("8 made-up recordings of one sound each, heard by the encoder base")
    report = tmp_path / "report.html"
    assert list(find_processors(tmp_path / "separator")) == ["N", "F", "S1", "S2"]
    prepared = sorted(json.loads(page.read_text())["name"] for page in tmp_path.glob("channels/*/*/about.json"))
    assert prepared == ["N", "S2"]  # those that the recipe's views name
    assert (tmp_path / "run" / "bundle" / "config.json").is_file()
    page = report.read_text()
    assert all(f"<td>{name}</td>" in page for name in ("N", "F", "S1", "S2", "log-mel statistics"))
    drawings = [base64.b64decode(text) for text in re.findall(r"base64,([^\"]+)", page)]
    assert len(drawings) >= 5 and all(b"<svg" in drawing for drawing in drawings)

    before = read_metrics(tmp_path / "run" / "metrics.csv")
    monkeypatch.setattr("soundviews.face.demo._further_sections", lambda *_: [])  # they were drawn above
    again = demo(tmp_path, TINY, 40, TINY_SEPARATOR)
    assert again.report == report
    assert said.stdout.splitlines()[-3:] == [
        again.answer,
        f"The report, with pictures: {report}",
        "Next, your own recordings: soundviews embed base MY_RECORDINGS --out archive.parquet",
    ]
    assert f'<p class="lead">{html.escape(again.answer)} Learned' in page
    assert read_metrics(tmp_path / "run" / "metrics.csv") == before


def test_only_the_positive_is_separated_and_otherwise_as_the_anchor() -> None:
    views = load_recipe("demo").views
    assert views.positive[1:] == views.anchor
    named = views.positive[0]["separate"]["processors"]
    assert set(named) <= set(load_separator_recipe("separator/demo").processors)
