"""Built-in scenes: what a scene promises, alone and as a folder and corpus."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from soundviews.core import locks
from soundviews.core.errors import SoundviewsError
from soundviews.core.locks import locked
from soundviews.datasets.opening import open_corpus
from soundviews.scenes import folder as folder_module
from soundviews.scenes.events import events
from soundviews.scenes.folder import SceneOptions, generate_scenes, scenes_corpus, write_scenes
from soundviews.scenes.scene import TAPS, _causal, make_scene

SMALL = SceneOptions(clips=10, seed=3, sample_rate=8000, min_seconds=1.0, max_seconds=2.0)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_sources_sum_to_the_mixture_exactly_in_16_bits():
    for scene in generate_scenes(8, seed=5):
        np.testing.assert_array_equal(scene.sources.sum(0), scene.mixture)
        steps = scene.sources * 32768
        np.testing.assert_array_equal(steps, np.rint(steps))
        assert 0.05 < np.abs(scene.mixture).max() < 1 and np.abs(scene.sources).max() < 1
        assert scene.sources.shape == (1 + len(scene.events), len(scene.mixture))


def test_one_process_writes_a_folder_of_scenes(tmp_path):
    write_scenes(tmp_path / "scenes", SMALL)
    with locked(tmp_path / "scenes"):
        write_scenes(tmp_path / "scenes", SMALL)  # which only reads
        with pytest.raises(SoundviewsError, match=r"another soundviews .* wait for it$"):
            write_scenes(tmp_path / "scenes", replace(SMALL, seed=4))


def test_scenes_of_the_cache_are_made_once_by_many_at_once(tmp_path, monkeypatch):
    writings, write = [], folder_module._write
    monkeypatch.setattr(folder_module, "_write", lambda *arguments: (writings.append(1), write(*arguments)))
    monkeypatch.setattr(locks, "ASK_SECONDS", 0.01)
    words = {"clips": "2", "min_seconds": "1", "max_seconds": "1"}
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(scenes_corpus, [words] * 4, [tmp_path] * 4))
    assert len(writings) == 1 and [len(corpus) for corpus in made] == [2] * 4
    assert len(list(tmp_path.iterdir())) == 1


def test_lengths_events_and_levels_are_what_was_asked():
    counts = set()
    for scene in generate_scenes(24, seed=1, min_seconds=4.0, max_seconds=6.0, min_snr=3.0, max_snr=9.0):
        assert 4 <= len(scene.mixture) / scene.sample_rate <= 6
        counts.add(len(scene.events))
        assert len(set(scene.labels)) == len(scene.events)
        for row, event in zip(scene.sources[1:], scene.events, strict=True):
            span = slice(round(event.start * 16000), round(event.end * 16000))
            power, noise = np.mean(row[span] ** 2), np.mean(scene.sources[0, span] ** 2)
            assert 10 * np.log10(power / noise) == pytest.approx(event.snr, abs=0.5)
            assert 3 <= event.snr <= 9
            before = np.abs(row[: span.start])
            assert before.max(initial=0) <= 2 / 32768, "the event sounds before it starts"
    assert counts == {1, 2, 3}


def test_the_filter_has_the_gains_it_was_given_and_no_pre_echo():
    gains = np.interp(np.arange(TAPS // 2 + 1), [0, 300, 900, TAPS // 2], [-6.0, 6.0, -12.0, 3.0])[None]
    impulse = _causal(gains)[0]
    np.testing.assert_allclose(20 * np.log10(np.abs(np.fft.rfft(impulse))), gains[0], atol=0.05)
    assert np.sum(impulse[: TAPS // 8] ** 2) > 0.999 * np.sum(impulse**2)


def test_any_scene_can_be_made_alone_and_each_is_another():
    third = list(generate_scenes(4, seed=2))[3]
    np.testing.assert_array_equal(third.mixture, make_scene(3, seed=2).mixture)
    assert len(make_scene(3, seed=2).mixture) != len(make_scene(3, seed=4).mixture)


def test_the_sample_rate_does_not_change_what_happens():
    low, high = make_scene(0, sample_rate=8000), make_scene(0, sample_rate=44100)
    assert low.events == high.events
    assert len(low.mixture) / 8000 == pytest.approx(len(high.mixture) / 44100, abs=1e-3)


def test_single_event_scenes_are_balanced():
    names = events.names()
    firsts = [make_scene(i, seconds=(1, 1), max_events=1, sample_rate=8000).labels for i in range(2 * len(names))]
    assert sorted(firsts[: len(names)]) == [(name,) for name in names]
    assert firsts[: len(names)] != firsts[len(names) :], "the second round has its own order"


def test_folder_holds_audio_sources_and_ground_truth(tmp_path):
    corpus = write_scenes(tmp_path / "scenes", SMALL)
    scenes = list(generate_scenes(10, seed=3, sample_rate=8000, min_seconds=1.0, max_seconds=2.0))
    assert [tuple(corpus.vocabulary[i] for i in corpus.clip(n).labels) for n in range(10)] == [s.labels for s in scenes]
    for number, row in enumerate(rows(tmp_path / "scenes" / "scenes.csv")):
        mixture, rate = soundfile.read(tmp_path / "scenes" / row["path"], dtype="float32")
        np.testing.assert_array_equal(mixture, scenes[number].mixture)
        files = sorted((tmp_path / "scenes" / "sources" / f"{number:06d}").iterdir())
        total = sum(soundfile.read(file, dtype="float32")[0] for file in files)
        np.testing.assert_array_equal(total, mixture)
        assert rate == 8000
    described = rows(tmp_path / "scenes" / "events.csv")
    assert [row["label"] for row in described] == [event.label for scene in scenes for event in scene.events]
    assert all((tmp_path / "scenes" / row["source"]).is_file() for row in described)
    assert corpus.column("fold").tolist() == [1, 2, 3, 4, 5] * 2
    assert corpus.column("split").tolist()[3:5] == ["validation", "test"]
    assert not list(tmp_path.glob(".*")), "nothing unfinished is left"


def test_workers_do_not_change_the_result(tmp_path):
    for workers in (1, 3):
        write_scenes(tmp_path / str(workers), replace(SMALL, clips=6), workers=workers)
    for file in sorted((tmp_path / "1").rglob("*.*")):
        assert file.read_bytes() == (tmp_path / "3" / file.relative_to(tmp_path / "1")).read_bytes()


def test_the_same_scenes_are_opened_and_others_refused(tmp_path):
    home = tmp_path / "scenes"
    write_scenes(home, replace(SMALL, clips=2))
    before = (home / "scenes.csv").stat().st_mtime_ns
    assert len(write_scenes(home, replace(SMALL, clips=2))) == 2
    assert (home / "scenes.csv").stat().st_mtime_ns == before
    with pytest.raises(SoundviewsError, match="holds something else"):
        write_scenes(home, replace(SMALL, clips=3))


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("soundviews.scenes.folder.soundfile.write", full)
    with pytest.raises(SoundviewsError, match="No space left"):
        write_scenes(tmp_path / "scenes", SMALL)
    assert list(tmp_path.iterdir()) == []


def test_corpus_by_name_and_by_folder(tmp_path):
    corpus = open_corpus("scenes:clips=3, seed=1,max_events=1,min_seconds=1,max_seconds=1,sources=no,sample_rate=8000")
    assert len(corpus) == 3 and corpus.single_label
    stored = json.loads((tmp_path / corpus.root / "scenes.json").read_text())
    assert stored["seed"] == 1 and not stored["sources"]
    again = open_corpus(corpus.root)
    assert again.fingerprint == corpus.fingerprint
    assert again.column("duration").tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"clip": "3"}, "did you mean 'clips'"),
        ({"clips": "many"}, "not a number"),
        ({"clips": "0"}, "at least 1 scene"),
        ({"sources": "maybe"}, "neither true nor false"),
        ({"sample_rate": "4000"}, "at least 8000 Hz"),
        ({"min_seconds": "5", "max_seconds": "4"}, "shortest first"),
        ({"max_events": "99"}, "max_events must be 1 to"),
    ],
)
def test_wrong_options_are_named(words, message):
    with pytest.raises(SoundviewsError, match=message):
        scenes_corpus(words)


WORDS = {"clips": "3", "min_seconds": "1", "max_seconds": "1.1", "sample_rate": "8000"}


@pytest.mark.parametrize("name", ["scenes.csv", "scenes.json", "audio"])
def test_scenes_that_are_damaged_in_the_cache_are_named_and_made_anew(isolated_cache, name):
    before = scenes_corpus(WORDS)
    (folder,) = (isolated_cache / "scenes").iterdir()
    damaged = folder / name if name != "audio" else sorted((folder / name).iterdir())[1]
    damaged.write_bytes(b"")
    with pytest.warns(UserWarning, match=f"{folder.name} is damaged"):
        assert scenes_corpus(WORDS).fingerprint == before.fingerprint
    assert damaged.stat().st_size


def test_scenes_without_a_cache(tmp_path, monkeypatch):
    expected = scenes_corpus(WORDS).fingerprint
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="SOUNDVIEWS_CACHE"):
        corpora = [scenes_corpus(WORDS) for _ in range(2)]
    assert corpora[0].fingerprint == corpora[1].fingerprint == expected
    assert corpora[0].root == corpora[1].root  # made once by each process
