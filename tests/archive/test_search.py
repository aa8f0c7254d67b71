"""Search is exact, in any number of batches, and refuses a bundle that is not the archive's."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from sklearn.metrics.pairwise import cosine_similarity

from soundviews.archive import search as search_module
from soundviews.archive.embed import embed_files
from soundviews.archive.search import find_bundle_of, query_vector, search
from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.model import load

from .conftest import RATE, make_bundle


@pytest.fixture
def archive(waveform_bundle: Path, recordings: Path, tmp_path: Path) -> Path:
    out = tmp_path / "archive.parquet"
    embed_files(load(waveform_bundle), open_corpus(recordings), out, waveform_bundle)
    return out


@pytest.mark.parametrize("batch_bytes", [1, 5 * 4 * 512, 1 << 25])
def test_ranks_as_scikit_learn_does(archive: Path, batch_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "BATCH_BYTES", batch_bytes)
    table = pq.read_table(archive)
    query = np.random.default_rng(3).normal(size=512).astype(np.float32)
    expected = cosine_similarity(np.stack(table["vector"].to_pylist()), query[None])[:, 0]
    order = np.argsort(-expected)[:7]
    hits = search(archive, query, top=7)
    np.testing.assert_allclose([hit.similarity for hit in hits], expected[order], atol=1e-5)
    names = list(zip(table["recording"].to_pylist(), table["start"].to_pylist(), strict=True))
    assert {(hit.recording, hit.start) for hit in hits} == {names[i] for i in order}


@pytest.mark.parametrize("batch_bytes", [1, 5 * 4 * 512, 1 << 25])
def test_once_is_the_best_of_each_recording(archive: Path, batch_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "BATCH_BYTES", batch_bytes)
    query = np.random.default_rng(4).normal(size=512).astype(np.float32)
    every = search(archive, query, top=1000)
    best: dict[str, float] = {}
    for hit in every:  # best first
        best.setdefault(hit.recording, hit.similarity)
    hits = search(archive, query, top=2, once=True)
    assert [(hit.recording, hit.similarity) for hit in hits] == list(best.items())[:2]
    assert len(search(archive, query, top=1000, once=True)) == len(best) > 2


def test_asking_for_more_than_there_is(archive: Path) -> None:
    assert len(search(archive, np.ones(512, np.float32), top=1000)) == pq.read_metadata(archive).num_rows


def test_a_stretch_finds_itself(archive: Path, waveform_bundle: Path, recordings: Path) -> None:
    model = load(waveform_bundle)
    query = query_vector(model, recordings / "b/long.wav", start=4 * 0.98, end=5 * 0.98)
    best = search(archive, query, top=1)[0]
    assert (best.recording, best.start) == ("b/long.wav", pytest.approx(4 * 0.98))
    assert best.similarity == pytest.approx(1.0, abs=1e-5)


def test_the_query_is_the_mean_of_unit_vectors(waveform_bundle: Path, recordings: Path) -> None:
    model = load(waveform_bundle)
    vectors = model.embed(read(recordings / "b/long.wav"), RATE).vectors.astype(np.float64)
    expected = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(0)
    np.testing.assert_allclose(query_vector(model, recordings / "b/long.wav"), expected, atol=1e-6)


def test_a_query_may_be_weighted_by_loudness(waveform_bundle: Path, recordings: Path) -> None:
    quiet_then_loud = np.concatenate([np.zeros(2 * RATE), read(recordings / "z.wav")]).astype(np.float32)
    soundfile.write(recordings / "silence first.wav", quiet_then_loud, RATE, subtype="FLOAT")
    model = load(waveform_bundle)
    vectors = model.embed(quiet_then_loud, RATE).vectors.astype(np.float64)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    starts = range(0, len(vectors) * 15680, 15680)
    power = np.array([np.pad(quiet_then_loud[start:][:15680], (0, 15680))[:15680].var() for start in starts])
    last = quiet_then_loud[starts[-1] :]
    power[-1] = last.var() * len(last) / 15680
    weights = np.maximum(power / power.max(), 1e-7) ** 0.3
    assert weights[0] < 0.01 and weights.argmax() > 1
    by_loudness = query_vector(model, recordings / "silence first.wav", pool="loudness")
    np.testing.assert_allclose(by_loudness, weights @ unit / weights.sum(), atol=1e-5)
    np.testing.assert_allclose(
        query_vector(model, recordings / "silence first.wav", pool="max"), unit.max(0), atol=1e-5
    )
    model.pool = "loudness"
    np.testing.assert_array_equal(query_vector(model, recordings / "silence first.wav"), by_loudness)


def test_only_the_archives_bundle_will_do(archive: Path, waveform_bundle: Path, tmp_path: Path) -> None:
    assert find_bundle_of(archive) == waveform_bundle
    other = make_bundle(tmp_path / "other", "waveform", seed=9)
    with pytest.raises(SoundviewsError, match="another bundle"):
        find_bundle_of(archive, other)


def test_errors_name_the_trouble(archive: Path, waveform_bundle: Path, recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(SoundviewsError, match="no file"):
        find_bundle_of(tmp_path / "nowhere.parquet")
    with pytest.raises(SoundviewsError, match="not a Parquet file"):
        find_bundle_of(recordings / "z.wav")
    with pytest.raises(SoundviewsError, match=r"notes\.wav"):
        query_vector(load(waveform_bundle), recordings / "b/notes.wav")
    with pytest.raises(SoundviewsError, match="512 numbers"):
        search(archive, np.ones(3, np.float32))


def test_command(archive: Path, recordings: Path, tmp_path: Path) -> None:
    table = tmp_path / "hits.csv"
    command = [sys.executable, "-c", "from soundviews.cli.app import main; main()", "search", str(archive)]
    result = subprocess.run(
        [*command, str(recordings / "z.wav"), "--top", "3", "--csv", str(table)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "z.wav" in result.stdout
    assert "0:00:00.0 - 0:00:01.0" in result.stdout
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["recording"] == "z.wav"


def test_names_are_shown_as_they_are(waveform_bundle: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "odd", tmp_path / "odd.parquet"
    folder.mkdir()
    names = ["[red]x.wav", "a [bold.wav", "two\nlines.wav", "very " * 30 + "long.wav"]
    noise = 0.1 * np.random.default_rng(0).normal(size=RATE)
    for name in names:
        soundfile.write(folder / name, noise, RATE)
    embed_files(load(waveform_bundle), open_corpus(folder), out, waveform_bundle)
    program = "from soundviews.cli.app import main; main()"
    arguments = ["search", str(out), str(folder / names[0])]
    result = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for name in names:
        assert name.replace("\n", "\\n") in result.stdout
    nowhere = ["--csv", str(tmp_path / "no" / "hits.csv")]
    result = subprocess.run([sys.executable, "-c", program, *arguments, *nowhere], capture_output=True, text=True)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "hits.csv" in result.stderr
