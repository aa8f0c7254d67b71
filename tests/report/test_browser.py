"""The reports in a browser: narrow and wide, light and dark, and on paper, nothing reaches out of the page."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from soundviews.evaluation.compare import Comparison, Difference
from soundviews.evaluation.result import Evaluation, JudgedClip, Row
from soundviews.evaluation.score import Score
from soundviews.evaluation.systems import System
from soundviews.features.log_mel import LogMel
from soundviews.report.channels import channel_spectrograms
from soundviews.report.compare import write_comparison
from soundviews.report.evaluation import write_evaluation
from soundviews.report.html import Code, Figure, Section, Table, Text, write_report
from soundviews.report.spectrograms import units_of

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--virtual-time-budget=10000",
]
SCHEMES = {"dark": 0, "light": 1}  # as blink numbers them
PAPER = 718  # pixels of the width of A4 less usual margins

MEASURE = """<script>addEventListener("load", () => {
  const page = document.documentElement, box = element => element.getBoundingClientRect();
  const holders = [...document.querySelectorAll(".scroll, pre")];
  parent.postMessage(JSON.stringify({
    name: "NAME", wide: page.scrollWidth, screen: innerWidth,
    paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
    cut: holders.filter(holder => holder.scrollWidth > holder.clientWidth).length, holders: holders.length,
    players: [...document.querySelectorAll("audio")].filter(player => box(player).width > 0).length,
    small: [...document.querySelectorAll("figure img")].filter(image =>
      box(image).width < Math.min(500, parseFloat(image.style.width))).length,
  }), "*");
});</script>"""
LISTEN = """<!doctype html><body><script>addEventListener("message", event => {
  const said = document.createElement("pre"); said.className = "said"; said.textContent = event.data;
  document.body.append(said);
});</script>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome on the path")

CLASSES = ["a_class_with_a_name_that_goes_on_and_on_without_any_space_in_it", *(f"class {i}" for i in range(11))]


def browse(page: Path, scheme: str, *options: str) -> str:
    """Open a page in a browser that has never been used; what it prints."""
    assert BROWSER is not None
    profile = page.parent / f"profile-{scheme}-{len(list(page.parent.glob('profile-*')))}"
    command = [
        BROWSER,
        *FLAGS,
        f"--user-data-dir={profile}",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
    ]
    done = subprocess.run([*command, *options, page.as_uri()], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def row(protocol: str, system: str, value: float) -> Row:
    per_class = {name: value * index / len(CLASSES) for index, name in enumerate(CLASSES)}
    metrics = {name: value for name in ("accuracy", "clip_accuracy", "macro_f1", "micro_f1", "weighted_precision")}
    confusion = (np.eye(len(CLASSES), dtype=int) * 5 + 1).tolist()
    fixed = (value - 0.05, value + 0.05, "bootstrap over test clips", metrics, per_class, {"k": 1}, [], 1.0)
    options = {"style": "uclser", "epochs": 200, "lr": 0.001}
    made = Row(system, protocol, options, "accuracy", value, *fixed, f1=per_class, confusion=confusion)
    return replace(made, predicted=[CLASSES[(i * 5) % 12] for i in range(24)])


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An evaluation, a comparison, and a page of the other parts; long names, long paths, and recordings at hand."""
    folder = tmp_path_factory.mktemp("reports")
    paths = [folder / f"recording-{i}.wav" for i in range(24)]
    for path in paths[::2]:
        path.write_bytes(b"RIFF")
    clips = [JudgedClip(str(path), 0.0, None, (CLASSES[i % 12],)) for i, path in enumerate(paths)]
    rows = [
        row(protocol, system, value)
        for protocol in ("linear", "finetune")
        for system, value in (
            ("a/run/with/a/long/path/and-a-long-name-0123456789-0123456789", 0.4),
            ("log-mel statistics", 0.3),
        )
    ]
    found = {"noise 20 dB": {"invariance": 0.7, "found_again": 0.5, "own": 0.9, "unrelated": 0.3}}
    scores = [[Score({"invariance": 0.7}, {"noise 20 dB": 0.7}, {"transformations": found})]]
    rows.append(replace(row("invariance", rows[0].system, 0.7), measure="invariance", scores=scores, predicted=[]))
    tasks, notes = ["train: fold 1, 2 (800 clips); test: fold 3 (400 clips)"], ["a note " * 20]
    unreadable = {"/a/folder/" + "x" * 150 + ".wav": "not a sound file"}
    shared = {"tasks": tasks, "rows": rows, "notes": notes, "unreadable": unreadable, "classes": CLASSES}
    evaluation = Evaluation(rows[0].system, "a/corpus/" + "y" * 80, clips=clips, **shared)
    systems = [System(name, (name,)) for name in (rows[0].system, rows[1].system)]
    less = [
        Difference(one.label, one.system, systems[0].name, -0.1, -0.2, 0.0, 0.3, 0.31, "400 test clips")
        for one in rows[1:4:2]
    ]
    comparison = Comparison("both", "a/corpus", clips=clips, systems=systems, differences=less, **shared)
    write_evaluation(folder / "evaluation.html", evaluation)
    write_comparison(folder, comparison)
    log_mel = LogMel(16000)
    patch = np.linspace(0, -8, 100 * 64, dtype=np.float32).reshape(100, 64)
    drawing = channel_spectrograms(patch, {"S2": np.stack([patch] * 2)}, units_of(log_mel, 16000))
    parts = [
        Text("word " * 50),
        Code("soundviews " + "evaluate " * 30),
        Figure(drawing, "Spectrograms."),
        Table(["name", "value"], [["z" * 90, 0.5]]),
        Table(["class", *(f"linear:style=uclser, system {i}" for i in range(20))], [["a class", *20 * [0.5]]]),
    ]
    sections = [Section(name, parts) for name in ("One", "Two", "Three")]
    facts = [("clips", "500"), ("folder", "w" * 60), ("minutes", "3.2")]
    write_report(folder / "parts.html", "A first encoder", sections, "It works.\nIt does.", facts, "footer")
    return {
        "evaluation": folder / "evaluation.html",
        "comparison": folder / "report.html",
        "parts": folder / "parts.html",
    }


@pytest.fixture(scope="module", params=list(SCHEMES))
def measured(request: pytest.FixtureRequest, reports: dict[str, Path]) -> tuple[str, dict[str, dict]]:
    """Scheme, and what each page measures of itself by its name and width; all frames in one start of the browser.

    A window is at least 500 pixels wide, a frame may be narrower. On paper: with the rules for print.
    """
    frames = []
    for name, page in reports.items():
        for width in (390, 1200, PAPER):
            html = page.read_text().replace("</body>", MEASURE.replace("NAME", f"{name} {width}") + "</body>")
            if width == PAPER:
                html = html.replace("@media print", "@media all")
            copy = page.with_name(f"copy-{name}-{width}.html")
            copy.write_text(html)
            frames.append(f'<iframe src="{copy.name}" style="width: {width}px; height: 900px; border: 0"></iframe>')
    page = next(iter(reports.values())).with_name("frames.html")
    page.write_text(LISTEN + "".join(frames) + "</body>")
    said = re.findall(r'<pre class="said">(.*?)</pre>', browse(page, request.param, "--dump-dom"))
    found = [json.loads(unescape(one)) for one in said]
    assert len(found) == len(frames)
    return request.param, {one["name"]: one for one in found}


@pytest.mark.parametrize("name", ["evaluation", "comparison", "parts"])
@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_reaches_out_of_the_screen(measured: tuple[str, dict[str, dict]], name: str, width: int) -> None:
    scheme, pages = measured
    page = pages[f"{name} {width}"]
    assert page["screen"] == width
    assert page["wide"] <= width
    assert page["small"] == 0  # figures are moved sideways rather than shrunk beyond reading
    assert (page["players"] > 0) == (name != "parts")
    ink, paper = (sum(map(int, re.findall(r"\d+", page[which])[:3])) for which in ("ink", "paper"))
    assert ink > paper + 400 if scheme == "dark" else paper > ink + 400


@pytest.mark.parametrize("name", ["evaluation", "comparison", "parts"])
def test_paper_shows_all(measured: tuple[str, dict[str, dict]], name: str) -> None:
    page = measured[1][f"{name} {PAPER}"]
    assert page["wide"] <= PAPER
    assert page["holders"] > 2 and page["cut"] == 0
    assert page["players"] == 0
    assert page["paper"] == "rgb(255, 255, 255)" and page["ink"] == "rgb(0, 0, 0)"


@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_the_screenshot_is_light_or_dark(reports: dict[str, Path], scheme: str, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    browse(reports["evaluation"], scheme, f"--screenshot={shot}", "--window-size=1200,900")
    picture = imread(shot)[..., :3]
    assert picture.shape[1] == 1200
    corner = float(picture[:20, :20].mean())
    assert corner < 0.15 if scheme == "dark" else corner > 0.95
    assert float(picture.std()) > 0.05  # there is something on it
