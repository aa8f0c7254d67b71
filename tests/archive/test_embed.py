"""Embedding files equals embedding waveforms, whatever the blocks, and survives interruption and bad input."""

import signal
import subprocess
import sys
import time
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from soundviews.archive import blocks as blocks_module
from soundviews.archive import embed as embed_module
from soundviews.archive import parts as parts_module
from soundviews.archive.embed import audio_behind, embed_files, read_metadata
from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.core.progress import Advance
from soundviews.datasets.opening import open_corpus
from soundviews.model import load

from .conftest import RATE, FakeModel, make_bundle


def rows_of(table_path: Path, recording: str) -> dict[str, np.ndarray]:
    table = pq.read_table(table_path)
    rows = np.flatnonzero(np.array(table["recording"].to_pylist()) == recording)
    taken = table.take(rows)
    return {
        "start": taken["start"].to_numpy(),
        "end": taken["end"].to_numpy(),
        "vector": np.stack(taken["vector"].to_pylist()),
    }


def test_rows_are_the_models_windows(bundle: Path, recordings: Path, tmp_path: Path) -> None:
    model = load(bundle)
    result = embed_files(model, open_corpus(recordings), tmp_path / "out.parquet", bundle)
    for name in ("a/short.wav", "a/three.wav", "b/naïve name.flac", "b/long.wav", "z.wav"):
        expected = model.embed(read(recordings / name, sample_rate=RATE), RATE)
        rows = rows_of(result.path, name)
        np.testing.assert_allclose(rows["vector"], expected.vectors, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(rows["start"], expected.starts, atol=1e-6)
        assert (rows["end"] > rows["start"]).all()
        assert rows["end"][-1] <= soundfile.info(recordings / name).duration + 1e-6
    assert [entry.path for entry in result.skipped] == ["b/notes.wav"]
    assert "b/notes.wav" in (tmp_path / "out.parquet.skipped.csv").read_text()
    assert not (tmp_path / "out.parquet.parts").exists()


def test_strict_stops_at_the_first(waveform_bundle: Path, recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(SoundviewsError, match=r"b/notes\.wav"):
        embed_files(load(waveform_bundle), open_corpus(recordings), tmp_path / "out.parquet", strict=True)
    assert not (tmp_path / "out.parquet").exists()


def test_blocks_do_not_show(bundle: Path, recordings: Path, tmp_path: Path) -> None:
    model = load(bundle)
    whole = embed_files(model, open_corpus(recordings / "b" / "long.wav"), tmp_path / "whole.parquet")
    blocks = embed_files(
        model, open_corpus(recordings / "b" / "long.wav"), tmp_path / "blocks.parquet", block_seconds=3.0
    )
    a, b = pq.read_table(whole.path), pq.read_table(blocks.path)
    assert len(a) == len(b) > 10
    np.testing.assert_array_equal(a["start"].to_numpy(), b["start"].to_numpy())
    np.testing.assert_allclose(a["end"].to_numpy(), b["end"].to_numpy(), atol=1e-4)
    np.testing.assert_allclose(
        np.stack(a["vector"].to_pylist()), np.stack(b["vector"].to_pylist()), rtol=1e-4, atol=1e-5
    )


def test_progress_is_weighed_by_audio(recordings: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = recordings / "list.csv"
    manifest.write_text("path,start,end\nb/long.wav,2.5,6.0\nz.wav,0,1.5\nz.wav,0.5,\n")
    corpus = open_corpus(manifest)
    with caplog.at_level("INFO", "soundviews"):
        behind = audio_behind(corpus, progress=True)
    rest = soundfile.info(recordings / "z.wav").duration - 0.5
    np.testing.assert_allclose([behind(done) for done in (0, 0.5, 1, 2, 3)], [0, 1.75, 3.5, 5, 5 + rest], atol=1e-6)
    assert f"embedding 2 recordings, {5 + rest:.0f} seconds of audio" in caplog.text


def test_a_manifest_names_stretches(waveform_bundle: Path, recordings: Path, tmp_path: Path) -> None:
    manifest = recordings / "list.csv"
    manifest.write_text("path,start,end\nb/long.wav,2.5,6.0\nz.wav,0,1.5\n")
    model = load(waveform_bundle)
    result = embed_files(model, open_corpus(manifest), tmp_path / "out.parquet")
    assert read_metadata(result.path)["root"] == str(recordings)
    rows = rows_of(result.path, "b/long.wav")
    expected = model.embed(read(recordings / "b/long.wav", 2.5, 3.5), RATE)
    np.testing.assert_allclose(rows["vector"], expected.vectors, rtol=1e-4, atol=1e-5)
    assert rows["start"][0] == 2.5
    assert rows["end"][-1] == pytest.approx(6.0)


def test_goes_on_after_an_interruption(
    bundle: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, corpus = load(bundle), open_corpus(recordings)
    whole = embed_files(model, corpus, tmp_path / "whole.parquet", block_seconds=3.0)
    monkeypatch.setattr(parts_module, "PART_SECONDS", 0.0)  # a part for every group of blocks
    out, calls = tmp_path / "out.parquet", [0]

    class InterruptLater(Advance):
        def reach(self, *args: object, **options: object) -> None:
            calls[0] += 1
            if calls[0] % 2 == 0:
                raise KeyboardInterrupt

    monkeypatch.setattr(embed_module, "bar", lambda *_, **__: nullcontext(InterruptLater(None, "", lambda: None, 1.0)))

    interruptions = 0
    while not out.exists():
        try:
            embed_files(model, corpus, out, block_seconds=3.0)
        except KeyboardInterrupt:
            interruptions += 1
        assert interruptions < 100
    assert interruptions > 1
    a, b = pq.read_table(whole.path), pq.read_table(out)
    assert a.select(["recording", "start", "end"]).equals(b.select(["recording", "start", "end"]))
    np.testing.assert_allclose(
        np.stack(a["vector"].to_pylist()), np.stack(b["vector"].to_pylist()), rtol=1e-4, atol=1e-5
    )
    assert (tmp_path / "out.parquet.skipped.csv").read_text() == (tmp_path / "whole.parquet.skipped.csv").read_text()


def test_survives_kill_9(waveform_bundle: Path, recordings: Path, tmp_path: Path) -> None:
    """Killed at the third part, the command line goes on and ends with every window once."""
    out = tmp_path / "out.parquet"
    program = (
        "import os; from contextlib import nullcontext; from types import SimpleNamespace\n"
        "from soundviews.archive import embed, parts\n"
        "parts.PART_SECONDS = 0.0\n"
        "reach = lambda done, seconds, note: os.kill(os.getpid(), 9) if int(note.split()[0]) > 8 else None\n"
        "embed.bar = lambda *_, **__: nullcontext(SimpleNamespace(skip=lambda *_: None, reach=reach))\n"
        "from soundviews.datasets.opening import open_corpus; from soundviews.model import load\n"
        f"embed.embed_files(load({str(waveform_bundle)!r}), open_corpus({str(recordings)!r}), {str(out)!r},\n"
        "    block_seconds=2.0)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert list((tmp_path / "out.parquet.parts").glob("part-*.parquet"))
    embed_files(load(waveform_bundle), open_corpus(recordings), out, block_seconds=2.0)
    keys = list(zip(*pq.read_table(out, columns=["recording", "start"]).to_pydict().values(), strict=True))
    assert len(keys) == len(set(keys)) == 1 + 4 + 6 + 15 + 3


def test_refuses_to_mix(waveform_bundle: Path, recordings: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out.parquet", load(waveform_bundle)
    embed_files(model, open_corpus(recordings), out)
    assert embed_files(model, open_corpus(recordings), out).already_complete
    other = load(make_bundle(tmp_path / "other", "waveform", seed=1))
    with pytest.raises(SoundviewsError, match="another bundle"):
        embed_files(other, open_corpus(recordings), out)
    with pytest.raises(SoundviewsError, match="other recordings"):
        embed_files(model, open_corpus(recordings / "a"), out)


def test_a_moved_archive_stays_valid(waveform_bundle: Path, recordings: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out.parquet", load(waveform_bundle)
    embed_files(model, open_corpus(recordings), out)
    recordings.rename(tmp_path / "moved")
    assert embed_files(model, open_corpus(tmp_path / "moved"), out).already_complete


def test_says_why_nothing_came(waveform_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("text")
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    with pytest.raises(SoundviewsError, match=r"not one .* bad\.wav"):
        embed_files(load(waveform_bundle), open_corpus(tmp_path), tmp_path / "out.parquet")
    assert not list(tmp_path.glob("out.*"))


def test_memory_does_not_grow_with_the_recording(waveform_bundle: Path, tmp_path: Path) -> None:
    """20 minutes need no more numpy memory than a few blocks of 5 s."""
    long = tmp_path / "long.wav"
    with soundfile.SoundFile(long, "w", 4000, 1) as file:
        rng = np.random.default_rng(0)
        for _ in range(20):
            file.write(0.1 * rng.normal(size=60 * 4000))
    model = FakeModel()
    tracemalloc.start()
    embed_files(model, open_corpus(long), tmp_path / "out.parquet", block_seconds=5.0)  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pq.read_metadata(tmp_path / "out.parquet").num_rows == 1200
    assert peak < 8e6 < 20 * 60 * 4000 * 4


def test_the_command_can_be_interrupted(waveform_bundle: Path, tmp_path: Path) -> None:
    """Ctrl-C says how to go on and exits with 130."""
    folder = tmp_path / "many"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(160):
        soundfile.write(folder / f"{number}.wav", 0.1 * rng.normal(size=30 * RATE), RATE)
    out = tmp_path / "out.parquet"
    # Where the tests run in the background of a shell, children are started with Ctrl-C ignored.
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{listening}; from soundviews.cli.app import main; main()"]
    arguments = ["embed", str(waveform_bundle), str(folder), "--out", str(out)]
    process = subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out.parquet.parts" / "plan.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "same command goes on" in errors
    assert "Traceback" not in errors


def test_what_a_manifest_lists_and_is_not_there_is_named(waveform_bundle, recordings, tmp_path):
    manifest = recordings / "list.csv"
    manifest.write_text("path\nz.wav\nb/gone.wav\n")
    corpus = open_corpus(manifest)
    result = embed_files(load(waveform_bundle), corpus, tmp_path / "out.parquet")
    assert result.skipped == [("b/gone.wav", "no such file")]
    with pytest.raises(SoundviewsError, match="gone"):
        embed_files(load(waveform_bundle), corpus, tmp_path / "strict.parquet", strict=True)


def test_a_dangling_link_is_named_and_a_linked_folder_is_entered(recordings, tmp_path):
    (tmp_path / "more").mkdir()
    (recordings / "z.wav").rename(tmp_path / "more" / "z.wav")
    (recordings / "linked").symlink_to(tmp_path / "more")
    (recordings / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    corpus = open_corpus(recordings)
    assert "linked/z.wav" in corpus.table["path"].to_pylist()
    assert [Path(entry.path).name for entry in corpus.skipped] == ["gone.wav", "notes.wav"]


def test_a_folder_is_no_place_for_the_vectors(waveform_bundle, recordings, tmp_path):
    with pytest.raises(SoundviewsError, match="is a folder"):
        embed_files(load(waveform_bundle), open_corpus(recordings), tmp_path)


def test_a_recording_damaged_in_the_middle_keeps_what_came_before(waveform_bundle, recordings, tmp_path, monkeypatch):
    def damaged(path, start, duration, rate, allow_silence):
        if start > 5:
            raise UnreadableClip("damaged")
        return read(path, start, duration, rate, allow_silence)

    monkeypatch.setattr(blocks_module, "read", damaged)
    model = load(waveform_bundle)
    result = embed_files(model, open_corpus(recordings / "b/long.wav"), tmp_path / "out.parquet", block_seconds=3.0)
    assert result.skipped == [("long.wav", "from 5.88 s on: damaged"), ("long.wav", "from 8.82 s on: damaged")]
    assert result.windows == 6


def test_the_built_in_scenes_are_embedded_without_their_isolated_sources(waveform_bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path))
    scenes = open_corpus("scenes:clips=3,min_seconds=1,max_seconds=1,sample_rate=8000")
    result = embed_files(load(waveform_bundle), scenes, tmp_path / "out.parquet")
    assert result.recordings == 3
