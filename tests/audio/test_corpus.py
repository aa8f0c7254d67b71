"""The corpus as columns: rows, selections, labels, cutting, fingerprints, pickling, size."""

import json
import os
import pickle
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from soundviews.audio import corpus as corpus_module
from soundviews.audio.corpus import Clip, Corpus, to_schema
from soundviews.audio.decode import probe
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus


@pytest.fixture
def corpus() -> Corpus:
    return Corpus.from_columns(
        "/data",
        ["a.wav", "b/c.wav", "/other/d.wav", "e.wav"],
        starts=[0.0, 1.5, 0.0, 0.0],
        ends=[None, 2.5, None, 7.0],
        durations=[3.0, 10.0, 0.5, 8.0],
        labels=[["dog"], ["cat"], ["dog"], ["ant"]],
        folds=[1, 2, 1, None],
        splits=["train", "test", None, "train"],
    )


def test_rows(corpus):
    assert len(corpus) == 4
    assert corpus.vocabulary == ["ant", "cat", "dog"]
    assert corpus.clip(0) == Clip("/data/a.wav", 0.0, None, (2,), 1, "train")
    assert corpus.clip(1) == Clip("/data/b/c.wav", 1.5, 2.5, (1,), 2, "test")
    assert corpus.clip(2).path == "/other/d.wav"
    assert corpus.clip(1).duration == 1.0


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="1 rows"):
        Corpus.from_columns("/data", ["a", "b"], folds=[1])


def test_select_and_where(corpus):
    assert [corpus.select([3, 0]).clip(i).path for i in range(2)] == ["/data/e.wav", "/data/a.wav"]
    assert len(corpus.select(np.array([True, False, False, True]))) == 2
    assert len(corpus.where(folds=[1])) == 2
    assert len(corpus.where(split="train")) == 2
    assert len(corpus.where(folds=[1], split="train")) == 1
    assert len(corpus.where(folds=[9])) == 0
    with pytest.raises(ValueError, match="mask"):
        corpus.select(np.array([True]))


def test_labels(corpus):
    assert corpus.single_label
    assert corpus.targets().tolist() == [2, 1, 2, 0]
    assert (corpus.label_matrix().argmax(axis=1) == corpus.targets()).all()
    assert corpus.select([1, 3]).targets().tolist() == [1, 0]
    several = Corpus.from_columns("/d", ["a", "b", "c"], labels=[["x", "y"], [], ["y"]])
    assert not several.single_label
    assert several.label_matrix().tolist() == [[True, True], [False, False], [False, True]]
    with pytest.raises(SoundviewsError, match=r"/d/a has 2 \(2 of 3"):
        several.targets()


def test_cut_equals_a_loop():
    rng = np.random.default_rng(0)
    durations = rng.uniform(0.05, 30, 500)
    starts = np.where(rng.random(500) < 0.5, 0.0, durations * 0.3)
    ends = [None if rng.random() < 0.5 else float(d * 0.9) for d in durations]
    corpus = Corpus.from_columns("/d", [f"{i}.wav" for i in range(500)], starts, ends, durations)
    expected = []
    for path, start, end, duration in zip(range(500), starts, ends, durations, strict=True):
        stop = duration if end is None else end
        if stop - start <= 4:
            expected.append((path, start, end))
            continue
        piece = 0
        while start + piece * 4 < stop:
            if stop - (start + piece * 4) >= 0.2:
                expected.append((path, start + piece * 4, min(start + piece * 4 + 4, stop)))
            piece += 1
    cut = corpus.cut(4.0)
    assert len(cut) == len(expected)
    for i, (path, start, end) in enumerate(expected):
        clip = cut.clip(i)
        assert clip.path == f"/d/{path}.wav"
        assert clip.start == pytest.approx(start)
        assert clip.end == (None if end is None else pytest.approx(end))


@pytest.mark.parametrize(
    ("seconds", "length", "ends"),
    [(10, 10.15, [10]), (10, 10.6, [10, 10.6]), (30, 31.2, [30]), (1, 2.12, [1, 2, 2.12]), (1, 2.08, [1, 2])],
)
def test_a_short_rest_of_a_recording_is_no_clip(seconds, length, ends):
    cut = Corpus.from_columns("/d", ["a.wav"], durations=[length]).cut(seconds)
    assert cut.column("end").tolist() == pytest.approx(ends)


def test_cut_keeps_what_is_known_of_the_clip(corpus):
    cut = corpus.cut(1.0)
    assert [cut.clip(i).labels for i in range(3)] == [(2,)] * 3
    assert set(cut.where(split="test").column("start")) == {1.5}


def test_cut_reads_the_headers_it_needs_and_keeps_them(tmp_path, write_audio, monkeypatch):
    for name, seconds in (("a.wav", 2.5), ("b.wav", 0.5)):
        write_audio(name, seconds=seconds)
    (tmp_path / "bad.wav").write_text("words")
    corpus = Corpus.from_columns(tmp_path, ["a.wav", "b.wav", "bad.wav", "a.wav"])
    cut = corpus.cut(1.0)
    assert [cut.clip(i).start for i in range(len(cut))] == [0, 1, 2, 0, 0, 1, 2]
    assert [os.path.basename(entry.path) for entry in cut.skipped] == ["bad.wav"]


def test_headers_are_read_once(tmp_path, write_audio, monkeypatch):
    for name in ("a.wav", "b.wav"):
        write_audio(name)
    (tmp_path / "bad.wav").touch()
    asked = []

    def counting(path):
        asked.append(os.path.basename(path))
        return probe(path)

    monkeypatch.setattr("soundviews.audio.probing.probe", counting)
    corpus = Corpus.from_columns(tmp_path, ["a.wav", "b.wav", "bad.wav", "a.wav"])
    first = corpus.cut(0.5)
    assert sorted(asked) == ["a.wav", "b.wav", "bad.wav"]
    asked.clear()
    again = corpus.cut(0.5)
    assert asked == ["bad.wav"]
    assert again.table.equals(first.table)
    assert again.skipped == first.skipped


def test_fingerprint(tmp_path, write_audio):
    write_audio("a.wav")
    write_audio("b.wav")

    def fingerprint(**columns):
        return Corpus.from_columns(tmp_path, ["a.wav", "b.wav"], **columns).fingerprint

    plain = fingerprint()
    assert fingerprint() == plain
    assert fingerprint(durations=[1.0, 1.0]) == plain
    assert Corpus.from_columns(tmp_path, ["a.wav", "b.wav"]).with_durations().fingerprint == plain
    assert len({plain, fingerprint(folds=[1, 2]), fingerprint(labels=[["x"], ["y"]]), fingerprint(ends=[0.5, 1])}) == 4
    write_audio("b.wav", seconds=2.0)
    assert fingerprint() != plain


def test_fingerprint_does_not_depend_on_how_the_table_is_stored(tmp_path, write_audio):
    names = [write_audio(f"{i}.wav", seconds=0.1).name for i in range(6)]
    whole = Corpus.from_columns(tmp_path, names, labels=[["x"], [], ["y", "x"], ["y"], [], ["x"]])
    pieces = pa.concat_tables([whole.table.slice(0, 1), whole.table.slice(1, 3), whole.table.slice(4)])
    chunked = Corpus(tmp_path, pieces, whole.vocabulary)
    assert chunked.fingerprint == whole.fingerprint
    assert whole.select([1, 2]).fingerprint == chunked.select([1, 2]).fingerprint


def test_saving_and_pickling(tmp_path, corpus):
    corpus.save(tmp_path / "corpus.arrow")
    for copy in (Corpus.load(tmp_path / "corpus.arrow"), pickle.loads(pickle.dumps(corpus))):
        assert copy.table.equals(corpus.table)
        assert (copy.root, copy.vocabulary, copy.skipped) == (corpus.root, corpus.vocabulary, corpus.skipped)


def test_a_large_corpus_opens_without_being_read_and_pickles_by_path(tmp_path):
    rows = 200_000
    columns = {
        "path": pa.array([f"folder{i % 100}/recording-{i:08}.flac" for i in range(rows)]),
        "start": np.zeros(rows),
        "duration": np.full(rows, 10.0),
        "labels": pa.ListArray.from_arrays(np.arange(rows + 1), np.arange(rows) % 50),
        "content": np.ones(rows, np.int64),
    }
    Corpus("/data", to_schema(columns, rows), [f"class {i}" for i in range(50)]).save(tmp_path / "c.arrow")
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    corpus = Corpus.load(tmp_path / "c.arrow")
    assert corpus.clip(199_999).path.endswith("recording-00199999.flac")
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()
    assert pa.total_allocated_bytes() - before < 1e6
    pickled = pickle.dumps(corpus)
    assert len(pickled) < 1000
    assert pickle.loads(pickled).clip(77_777) == corpus.clip(77_777)


def test_a_cache_that_cannot_be_written_to_stops_nothing(write_audio, tmp_path, monkeypatch):
    write_audio("folder/a.wav")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="SOUNDVIEWS_CACHE"):
        assert len(open_corpus(tmp_path / "folder")) == 1
    bare = Corpus.from_columns(tmp_path / "folder", ["a.wav"])
    with pytest.warns(UserWarning, match="SOUNDVIEWS_CACHE"):
        assert len(bare.cut(0.4)) > 1


def test_a_large_corpus_is_pickled_though_its_file_is_damaged_or_cannot_be_kept(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr(corpus_module, "_LARGE", 2)
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path / "cache"))
    assert pickle.loads(pickle.dumps(corpus)).fingerprint == corpus.fingerprint
    (kept,) = (tmp_path / "cache" / "corpora").iterdir()
    for damaged in (b"", kept.read_bytes()[:300]):
        kept.write_bytes(damaged)
        with pytest.warns(UserWarning, match=f"{kept.name} is damaged"):
            assert pickle.loads(pickle.dumps(corpus)).fingerprint == corpus.fingerprint
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="SOUNDVIEWS_CACHE"):
        assert pickle.loads(pickle.dumps(corpus)).fingerprint == corpus.fingerprint


def test_a_file_of_an_earlier_version_is_opened(tmp_path, corpus):
    """They kept sizes and times of the recordings."""
    about = {"root": corpus.root, "vocabulary": corpus.vocabulary, "skipped": []}
    table = corpus.table.drop_columns("content")
    for name in ("size", "mtime"):
        table = table.append_column(name, pa.array(range(len(corpus)), pa.int64()))
    schema = table.schema.with_metadata({"soundviews": json.dumps(about)})
    with pa.OSFile(str(tmp_path / "old.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(table.cast(schema))
    opened = Corpus.load(tmp_path / "old.arrow")
    assert opened.table.equals(corpus.table) and opened.fingerprint == corpus.fingerprint
    (tmp_path / "torn.arrow").write_bytes((tmp_path / "old.arrow").read_bytes()[:100])
    with pytest.raises(SoundviewsError, match=r"torn\.arrow is damaged"):
        Corpus.load(tmp_path / "torn.arrow")
