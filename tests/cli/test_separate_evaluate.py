"""`soundviews separate evaluate` from arguments to files."""

import csv
import json

import pytest
import torch
from typer.testing import CliRunner

from soundviews.cli.app import app, load_verbs
from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError
from soundviews.scenes.folder import SceneOptions, write_scenes
from soundviews.separation import TDCN
from soundviews.separation.processor import ProcessorConfig, save_processor

SIZES = {"filters": 8, "bottleneck": 4, "width": 6, "repeats": 2, "blocks": 2}


@pytest.fixture
def run_directory(tmp_path):
    """A run with two processors."""
    torch.manual_seed(0)
    for name, step in (("N", 0), ("S2", 20)):
        component = Component(name="tdcn", options=SIZES)
        config = ProcessorConfig(name=name, step=step, sample_rate=16000, separator=component, recipe="")
        save_processor(tmp_path / "run" / "processors" / name, config, TDCN(**SIZES))
    return tmp_path / "run"


@pytest.fixture
def scenes(tmp_path):
    write_scenes(tmp_path / "scenes", SceneOptions(clips=10, min_seconds=1, max_seconds=1), workers=1)
    return tmp_path / "scenes"


def run(*arguments: object):
    load_verbs()
    return CliRunner().invoke(app, ["separate", "evaluate", *map(str, arguments)])


def test_every_processor_of_a_run_is_judged_and_written(run_directory, scenes, tmp_path):
    out = tmp_path / "new" / "result.json"
    result = run(run_directory, "--data", scenes, "--splits", "train", "--limit", 4, "--out", out)
    assert result.exit_code == 0, result.output
    assert "SI-SNRi" in result.output and "4 clips, 4 of them with known sources; 2 pairs" in result.output
    page = json.loads(out.read_text())
    assert page["splits"] == "train" and page["limit"] == 4
    assert [(row["processor"], row["step"], row["clips"]) for row in page["processors"]] == [("N", 0, 4), ("S2", 20, 4)]
    figures = page["processors"][0]["figures"]
    assert figures["single_source_si_snr"] is None and -80 < figures["msi"] < 80
    assert figures["under"] + figures["equal"] + figures["over"] == pytest.approx(1)


def test_a_cascade_to_csv(run_directory, scenes, tmp_path):
    out = tmp_path / "result.csv"
    result = run(run_directory, "--data", scenes, "--processors", "S2>N,N", "--folds", "1,2", "--out", out)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(out.open()))
    assert [(row["processor"], row["channels"], row["unreadable"]) for row in rows] == [
        ("S2>N", "4", "0"),
        ("N", "2", "0"),
    ]
    assert all(float(row["near_empty"]) >= 0 and row["single_source_si_snr"] == "" for row in rows)


def test_recordings_without_known_sources_say_why(run_directory, write_tone, tmp_path):
    for number in range(3):
        write_tone(f"tones/{number}.wav", seconds=0.5, frequency=300 * number + 200, seed=number)
    result = run(run_directory, "--data", tmp_path / "tones", "--processors", "N")
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "3 clips, 0 of them with known sources; 1 pairs" in said
    assert "no SI-SNRi, 1S, under/equal/over: the sources of" in said and "_sources" in said


def test_unreadable_clips_are_named(run_directory, scenes):
    broken = sorted((scenes / "sources").iterdir())[3]
    (broken / "0_background.flac").write_bytes(b"no audio")
    result = run(run_directory, "--data", scenes, "--processors", "N")
    assert result.exit_code == 0, result.output
    assert "9 clips" in result.output and f"unreadable: {scenes / 'audio' / broken.name}.flac" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--processors", "S3"], "no processor 'S3'"),
        (["--sources", "9"], "no clip has 9 known sources"),
        (["--splits", "tests"], "no clips to separate"),
        (["--folds", "a"], "numbers separated by commas"),
        (["--out", "result.txt"], ".json or a .csv"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(run_directory, scenes, arguments, message):
    result = run(run_directory, "--data", scenes, *arguments)
    assert isinstance(result.exception, SoundviewsError) and message in str(result.exception)
