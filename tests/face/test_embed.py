"""`sv.embed`, `sv.embed_archive` and `sv.open_archive`: arrays for scikit-learn, and an archive to search."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.face.embed import embed, embed_archive
from soundviews.face.read import read
from soundviews.face.search import open_archive
from soundviews.model import load
from soundviews.model.bundle import save_bundle


@pytest.fixture
def bundle(tiny_model, tmp_path):
    return save_bundle(tmp_path / "bundle", tiny_model.config, tiny_model.encoder)


def recordings(folder):
    return len(list(folder.rglob("*.wav")))


def test_one_row_a_clip_for_scikit_learn(bundle, tiny_model, folder):
    vectors, clips = embed(bundle, folder)
    count = recordings(folder / "low")
    assert vectors.shape == (3 * count, 512) and vectors.dtype == np.float32 and len(clips) == 3 * count
    assert clips.classes == ["high", "low", "middle"]
    assert clips.y.tolist() == [0] * count + [1] * count + [2] * count
    classifier = make_pipeline(StandardScaler(), LogisticRegression())
    assert classifier.fit(vectors, clips.y).score(vectors, clips.y) == 1
    for row in (0, 7, 3 * count - 1):
        expected = tiny_model.embed(clips.path[row]).vectors.mean(0)
        np.testing.assert_allclose(vectors[row], expected, rtol=1e-4, atol=1e-5)
        assert clips.end[row] == pytest.approx(len(read(clips.path[row])) / 8000) and clips.start[row] == 0
    assert clips.labels.sum(1).tolist() == [1] * 3 * count
    assert np.isnan(clips.fold).all() and clips.split[0] is None


def test_one_row_a_window(tiny_model, folder):
    path = folder / "low" / "5.wav"
    vectors, clips = embed(tiny_model, [path, folder / "low" / "0.wav"], pool=None)
    expected = tiny_model.embed(path)
    windows = len(expected.vectors)
    np.testing.assert_allclose(vectors[:windows], expected.vectors, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(clips.start[:windows], expected.starts)
    np.testing.assert_allclose(clips.end[:windows], expected.starts + 0.2)
    assert windows == 2 and len(vectors) == len(clips) == 3
    assert clips.path.tolist() == [str(path)] * 2 + [str(folder / "low" / "0.wav")]


def test_windows_are_pooled_as_asked_or_as_the_bundle_says(tiny_model, folder):
    path = folder / "low" / "5.wav"
    windows, _ = embed(tiny_model, [path], pool=None)
    samples = read(path).astype(np.float64)
    power = np.array([samples[:1600].var(), samples[1600:3200].var()])
    weights = power**0.3 / (power**0.3).sum()
    by_loudness, clips = embed(tiny_model, [path], pool="loudness")
    np.testing.assert_allclose(by_loudness[0], weights @ windows, rtol=1e-4, atol=1e-6)
    assert len(clips) == 1
    several, _ = embed(tiny_model, [path], pool="mean+max+std")
    np.testing.assert_allclose(several[0], np.concatenate([windows.mean(0), windows.max(0), windows.std(0)]), rtol=1e-5)
    plain, _ = embed(tiny_model, [path])
    np.testing.assert_allclose(plain[0], windows.mean(0), rtol=1e-5)
    tiny_model.pool = "loudness"
    np.testing.assert_array_equal(embed(tiny_model, [path])[0], by_loudness)


def test_a_manifest_of_stretches(tiny_model, folder):
    (folder / "list.csv").write_text("path,label,start,end,fold\nlow/5.wav,a,0.1,0.4,2\nhigh/5.wav,b;c,0.05,,1\n")
    vectors, clips = embed(tiny_model, folder / "list.csv")
    expected = tiny_model.embed(read(folder / "low/5.wav", start=0.1, duration=0.3), 8000).vectors.mean(0)
    np.testing.assert_allclose(vectors[0], expected, rtol=1e-4, atol=1e-5)
    assert clips.start.tolist() == [0.1, 0.05] and clips.end.tolist() == [0.4, pytest.approx(3750 / 8000)]
    assert clips.fold.tolist() == [2, 1] and clips.classes == ["a", "b", "c"]
    with pytest.raises(SoundviewsError, match="one class a clip is needed"):
        clips.y  # noqa: B018


def test_what_cannot_be_read_has_no_row(tiny_model, folder, caplog):
    count = recordings(folder / "low")
    (folder / "low" / "bad.wav").write_text("text")
    soundfile.write(folder / "low" / "silent.wav", np.zeros(4000), 8000)
    vectors, clips = embed(tiny_model, folder / "low")
    assert len(vectors) == count
    assert [reason.split(" (")[0] for _, reason in clips.skipped] == [
        "not audio, or damaged",
        "all samples are zero",
    ]
    assert "2 recordings or clips could not be read" in caplog.text
    with pytest.raises(SoundviewsError, match=r"bad\.wav"):
        embed(tiny_model, folder / "low", strict=True)
    with pytest.raises(SoundviewsError, match=r"silent\.wav: all samples are zero"):
        embed(tiny_model, folder / "low" / "silent.wav", strict=True)
    with pytest.raises(SoundviewsError, match=r"not one of the clips .*silent\.wav"):
        embed(tiny_model, folder / "low" / "silent.wav")


def test_only_models_with_windows(folder):
    with pytest.raises(SoundviewsError, match="no windows"):
        embed("logmel", folder)
    with pytest.raises(SoundviewsError, match="pool is one of auto, mean, loudness"):
        embed("logmel", folder, pool="loudest")  # type: ignore[arg-type]


def test_an_archive_is_made_and_searched(bundle, tiny_model, folder, tmp_path):
    result = embed_archive(bundle, folder, tmp_path / "a.parquet")
    assert (result.recordings, result.windows) == (
        recordings(folder),
        pq.read_metadata(tmp_path / "a.parquet").num_rows,
    )
    archive = open_archive(tmp_path / "a.parquet")
    assert archive.root == folder and f"{recordings(folder)} recordings" in repr(archive)
    hits = archive.search(folder / "low" / "3.wav", top=3)
    assert len(hits) == 3 and all(hit.recording.startswith("low/") for hit in hits)
    samples = read(folder / "low" / "3.wav")
    assert [hit.recording for hit in archive.search(samples, top=3, sample_rate=8000)] == [h.recording for h in hits]
    by_samples = archive.search(samples, top=3, sample_rate=8000, pool="loudness")
    assert by_samples == archive.search(folder / "low" / "3.wav", top=3, pool="loudness")
    once = archive.search(str(folder / "low" / "5.wav"), top=1000, once=True, start=0.2)
    assert len({hit.recording for hit in once}) == len(once) == recordings(folder) and once[0].recording == "low/5.wav"
    with pytest.raises(SoundviewsError, match="cut the samples"):
        archive.search(samples, sample_rate=8000, start=0.1)


def test_an_archive_made_with_an_opened_model(tiny_model, folder, tmp_path):
    corpus = open_corpus(folder).select([0, 1, 2])
    assert embed_archive(tiny_model, corpus, tmp_path / "a.parquet").recordings == 3
    with pytest.raises(SoundviewsError, match="bundle="):
        open_archive(tmp_path / "a.parquet").search(folder / "low" / "3.wav")
    assert len(open_archive(tmp_path / "a.parquet", tiny_model).search(folder / "low" / "3.wav", top=2)) == 2
    other = embed_archive(tiny_model, corpus, tmp_path / "a.parquet")
    assert other.already_complete


def test_an_archive_knows_where_an_opened_model_was_loaded_from(bundle, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = load(bundle.name)
    assert model.path == bundle == model.replace(name="x").path
    assert model.with_hop(400).path is None and model.reinitialised(0).path is None
    embed_archive(model, folder / "low", "a.parquet")
    assert len(open_archive("a.parquet").search(folder / "low" / "3.wav", top=2)) == 2
    with pytest.raises(SoundviewsError, match="top= is how many to give, 1 or more, not -1"):
        open_archive("a.parquet").search(folder / "low" / "3.wav", top=-1)
