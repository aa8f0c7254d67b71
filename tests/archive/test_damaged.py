"""Archives that somebody has edited or a disk has damaged, and models that give no numbers, are named in one line."""

import csv
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

import soundviews as sv
from soundviews.archive.embed import embed_files
from soundviews.archive.parts import METADATA_KEY
from soundviews.archive.search import search
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.model import Model, load

from .conftest import RATE


@pytest.fixture(scope="module")
def model(waveform_bundle: Path) -> Model:
    return load(waveform_bundle)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    for number in range(3):
        soundfile.write(folder / f"{number}.wav", np.random.default_rng(number).normal(0, 0.1, 2 * RATE), RATE)
    return folder


@pytest.fixture(scope="module")
def table(model: Model, waveform_bundle: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    out = tmp_path_factory.mktemp("archive") / "whole.parquet"
    return pq.read_table(embed_files(model, open_corpus(recordings), out, waveform_bundle).path)


def replaced(name: str, values: Callable[[list[Any]], Any]) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(
        table.column_names.index(name), name, pa.array(values(table[name].to_pylist()))
    )


def says(text: str | bytes) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.replace_schema_metadata({METADATA_KEY: text})


def without(key: str) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        page = json.loads(table.schema.metadata[METADATA_KEY])
        del page[key]
        return says(json.dumps(page))(table)

    return change


FORMS = {
    "metadata {}": says("{}"),
    "metadata a list": says("[]"),
    "metadata cut": says('{"bundle": {"na'),
    "metadata deep": says("[" * 5000 + "]" * 5000),
    "metadata of no text": says(b"\xff\xfe"),
    "no root": without("root"),
    "no bundle": without("bundle"),
    "a bundle that is a text": lambda table: says(
        '{"bundle": "b", "root": "", "inputs": "", "recordings": 1, "block_seconds": 1}'
    )(table),
    "no metadata": lambda table: table.replace_schema_metadata(None),
    "a column renamed": lambda table: table.rename_columns(["file", "start", "end", "vector"]),
    "a column twice": lambda table: table.append_column("start", table["start"]),
    "vectors of any length": replaced("vector", lambda rows: rows),
    "vectors of text": replaced("vector", lambda rows: ["0.1"] * len(rows)),
    "start of text": replaced("start", lambda rows: [str(row) for row in rows]),
    "recordings of numbers": replaced("recording", lambda rows: list(range(len(rows)))),
}
ROWS = {
    "recording null": replaced("recording", lambda rows: [None, *rows[1:]]),
    "start NaN": replaced("start", lambda rows: [float("nan"), *rows[1:]]),
    "start null": replaced("start", lambda rows: [None, *rows[1:]]),
    "end infinite": replaced("end", lambda rows: [float("inf"), *rows[1:]]),
}


def one_line(error: pytest.ExceptionInfo[SoundviewsError], path: Path) -> None:
    message = str(error.value)
    assert str(path) in message and "\n" not in message and len(message) < 1000


@pytest.mark.parametrize("change", FORMS.values(), ids=FORMS)
def test_a_file_of_another_form_is_neither_searched_nor_completed(
    table: pa.Table, model: Model, recordings: Path, tmp_path: Path, change: Callable[[pa.Table], pa.Table]
) -> None:
    path = tmp_path / "edited.parquet"
    pq.write_table(change(table), path)
    with pytest.raises(SoundviewsError) as error:
        sv.open_archive(path)
    one_line(error, path)
    with pytest.raises(SoundviewsError) as error:
        embed_files(model, open_corpus(recordings), path)
    one_line(error, path)


@pytest.mark.parametrize("change", ROWS.values(), ids=ROWS)
def test_a_row_that_says_nothing_stops_a_search(
    table: pa.Table, tmp_path: Path, change: Callable[[pa.Table], pa.Table]
) -> None:
    path = tmp_path / "edited.parquet"
    pq.write_table(change(table), path)
    with pytest.raises(SoundviewsError, match="damaged") as error:
        search(path, np.ones(512, np.float32))
    one_line(error, path)


def test_no_rows_are_no_archive(table: pa.Table, model: Model, recordings: Path, tmp_path: Path) -> None:
    pq.write_table(table[:0], tmp_path / "empty.parquet")
    with pytest.raises(SoundviewsError, match="no rows"):
        embed_files(model, open_corpus(recordings), tmp_path / "empty.parquet")


def test_flipped_bytes_name_the_file(table: pa.Table, tmp_path: Path) -> None:
    """In the footer, or in the pages: an error that names the file, or hits where the bytes were numbers."""
    path = tmp_path / "flipped.parquet"
    pq.write_table(table, path)
    whole = path.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    rng = np.random.default_rng(0)
    refused = 0
    for start, stop in [(0, footer), (footer, len(whole))] * 30:
        damaged = bytearray(whole)
        damaged[int(rng.integers(start, stop))] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            sv.open_archive(path)
            search(path, np.ones(512, np.float32), top=2, once=True)
        except SoundviewsError as error:
            assert str(path) in str(error) and "\n" not in str(error)
            refused += 1
    assert refused > 10


def test_vectors_that_are_not_finite_come_last(table: pa.Table, tmp_path: Path) -> None:
    vectors = np.stack(table["vector"].to_pylist()).astype(np.float32)
    vectors[0, 3], vectors[1, 0], vectors[2] = np.nan, np.inf, 1e38
    values = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel(), pa.float32()), 512)
    pq.write_table(table.set_column(3, "vector", values), tmp_path / "nan.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hits = search(tmp_path / "nan.parquet", np.ones(512, np.float32), top=100)
    finite = np.isfinite([hit.similarity for hit in hits])
    assert len(hits) == len(table) and finite.sum() in (len(hits) - 2, len(hits) - 3)
    assert finite[: finite.sum()].all()


def test_a_vector_that_is_not_finite_stops_embed_and_the_query(
    waveform_bundle: Path, recordings: Path, tmp_path: Path, table: pa.Table
) -> None:
    model = load(waveform_bundle)
    model.encoder.dense.bias.data[0] = float("nan")  # type: ignore[union-attr, operator]
    out = tmp_path / "archive.parquet"
    with pytest.raises(SoundviewsError, match=r"0\.wav: the vector of the window at 0 s is not finite"):
        embed_files(model, open_corpus(recordings), out)
    with pytest.raises(SoundviewsError, match="window at 0 s is not finite"):
        sv.embed(model, recordings)
    with pytest.raises(SoundviewsError, match="window at 0 s is not finite"):
        model.embed(recordings / "0.wav")
    assert not out.exists()
    path = tmp_path / "whole.parquet"
    pq.write_table(table, path)
    with pytest.raises(SoundviewsError, match="query's vector is not finite"):
        search(path, np.full(512, np.nan, np.float32))


def test_a_name_that_a_terminal_would_obey_is_shown_and_kept(table: pa.Table, recordings: Path, tmp_path: Path) -> None:
    """Into a stream of ASCII, too, as a pipe of Windows may be."""
    name = "\x1b]0;title\x07naïve\n\u202egpj.wav"
    archive, out = tmp_path / "archive.parquet", tmp_path / "hits.csv"
    pq.write_table(replaced("recording", lambda rows: [name] * len(rows))(table), archive)
    command = [sys.executable, "-m", "soundviews", "search", str(archive), str(recordings / "0.wav"), "--csv", str(out)]
    done = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert rb"\x1b]0;title\x07na\xefve\n\u202egpj.wav" in done.stdout
    with open(out, newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["recording"] == name


@pytest.mark.skipif(os.name != "posix" or sys.platform == "darwin", reason="names are text on this system")
def test_names_that_are_no_text_are_said_and_no_reason_to_leave_recordings_out(
    model: Model, recordings: Path, tmp_path: Path
) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    shutil.copytree(recordings, folder)
    with pytest.raises(SoundviewsError, match="is not valid UTF-8: name another"):
        embed_files(model, open_corpus(recordings), folder / "out.parquet")
    result = embed_files(model, open_corpus(folder), tmp_path / "out.parquet")
    assert (result.recordings, result.skipped) == (3, []) and sv.open_archive(result.path).root == folder
