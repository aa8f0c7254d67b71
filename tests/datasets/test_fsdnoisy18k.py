"""FSDnoisy18k: the layout, the splits and the published counts."""

import os
from pathlib import Path

import numpy as np
import pytest

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.fsdnoisy18k import (
    META,
    PUBLISHED,
    TEST,
    TRAIN,
    evaluation_splits,
    make_lookalike,
    published_differences,
    small_clean_split,
    write_small_clean,
)
from soundviews.datasets.opening import open_corpus


@pytest.fixture(scope="module")
def lookalike(tmp_path_factory):
    return make_lookalike(tmp_path_factory.mktemp("look") / "FSDnoisy18k")


def as_published() -> Corpus:
    """A corpus without files that has exactly the published numbers."""
    rng, splits, labels = np.random.default_rng(0), [], []
    for split, (total, fewest, most) in PUBLISHED.items():
        counts = np.full(20, (total - fewest - most) // 18)
        counts[0], counts[1] = fewest, most
        counts[2:] += np.arange(18) < total - counts.sum()
        assert counts.sum() == total
        splits += [split] * total
        labels += rng.permutation(np.repeat(np.arange(20), counts)).tolist()
    names = [[f"class {label:02d}"] for label in labels]
    return Corpus.from_columns("/nowhere", [f"{n}.wav" for n in range(len(splits))], labels=names, splits=splits)


def test_reads_the_official_layout(lookalike):
    corpus = open_corpus(lookalike)
    lines = (lookalike / META / "train.csv").read_text().splitlines()
    assert lines[0] == "fname,label,aso_id,manually_verified,noisy_small"
    expected = {line.split(",")[0]: ("train_noisy", "train_clean")[int(line.split(",")[3])] for line in lines[1:]}
    lines = (lookalike / META / "test.csv").read_text().splitlines()
    assert lines[0] == "fname,label,aso_id"
    expected |= {line.split(",")[0]: "test" for line in lines[1:]}
    clips = [corpus.clip(i) for i in range(len(corpus))]
    assert {Path(clip.path).name: clip.split for clip in clips} == expected
    assert all(Path(clip.path).parent.name == (TEST if clip.split == "test" else TRAIN) for clip in clips)
    assert len(corpus.vocabulary) == 20 and corpus.single_label and not corpus.skipped


def test_missing_recordings_are_named_and_none_is_an_error(tmp_path):
    root = make_lookalike(tmp_path / "FSD", noisy=3, clean=2, test=2)
    (root / TEST / "1005.wav").unlink()
    assert [skip.path for skip in open_corpus(root).skipped] == [str(root / TEST / "1005.wav")]
    for file in [*(root / TRAIN).iterdir(), *(root / TEST).iterdir()]:
        file.unlink()
    with pytest.raises(SoundviewsError, match="none of the 7 recordings"):
        open_corpus(root)


def test_an_unknown_verification_is_an_error(tmp_path):
    root = make_lookalike(tmp_path / "FSD", noisy=1, clean=1, test=1)
    table = root / META / "train.csv"
    table.write_text(table.read_text().replace(",0,", ",maybe,"))
    with pytest.raises(SoundviewsError, match=r"manually_verified of 1000\.wav is 'maybe'"):
        open_corpus(root)


def test_splits_have_the_published_sizes_and_share_no_clip():
    corpus = as_published()
    for setting, sizes in {
        "linear": (15813, 1772, 947),
        "larger_noisy": (15813, 1772, 947),
        "small_clean": (1506, 266, 947),
    }.items():
        splits = evaluation_splits(corpus, setting)
        assert tuple(len(rows) for rows in splits) == sizes
        assert len(np.unique(np.concatenate(splits))) == sum(sizes), "a clip is in two of train, validation and test"


def test_small_clean_does_not_validate_on_training_clips():
    corpus = as_published()
    train, validation = small_clean_split(corpus)
    clean = np.flatnonzero(corpus.column("split") == "train_clean")
    np.testing.assert_array_equal(np.union1d(train, validation), clean)
    assert np.intersect1d(train, validation).size == 0
    again, _ = small_clean_split(corpus)
    other, _ = small_clean_split(corpus, seed=1)
    assert np.array_equal(train, again) and not np.array_equal(train, other)


def test_small_clean_as_a_manifest(lookalike):
    corpus = open_corpus(lookalike)
    write_small_clean(corpus, lookalike / "small_clean.csv")
    manifest = open_corpus(lookalike / "small_clean.csv")
    expected = evaluation_splits(corpus, "small_clean")
    for name, rows in expected._asdict().items():
        chosen = manifest.where(split=name)
        assert [chosen.clip(i).path for i in range(len(chosen))] == [corpus.clip(i).path for i in rows]
        labels = [chosen.vocabulary[target] for target in chosen.targets()]
        assert labels == [corpus.vocabulary[target] for target in corpus.targets()[rows]]


def test_an_unknown_setting_names_the_nearest():
    with pytest.raises(SoundviewsError, match="did you mean 'small_clean'"):
        evaluation_splits(as_published(), "smal_clean")


def test_published_counts_are_checked(lookalike):
    corpus = as_published()
    assert published_differences(corpus) == []
    assert published_differences(corpus.select(np.arange(1, len(corpus)))) == [
        "train_noisy has 15812 recordings instead of 15813"
    ]
    assert len(published_differences(open_corpus(lookalike))) == 3


def test_the_real_thing():
    if "SOUNDVIEWS_FSDNOISY18K" not in os.environ:
        pytest.skip("FSDnoisy18k is not at hand: set SOUNDVIEWS_FSDNOISY18K to the folder that holds FSDnoisy18k.meta/")
    assert published_differences(open_corpus(os.environ["SOUNDVIEWS_FSDNOISY18K"])) == []
