"""AudioSet: segments to clips, the ways recordings are named, what is missing, and the ten-class subset."""

import os

import numpy as np
import pytest

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.audioset import AudioSet, video_of
from soundviews.datasets.audioset_subset import ten_class_subset, write_manifest
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences

CLASSES = 'index,mid,display_name\n1,/m/b,"Child speech, kid speaking"\n0,/m/a,Speech\n2,/t/dd0,Music\n'
HEAD = "# Segments csv created Sun Mar  5 10:54:31 2017\n# num_ytids=3, num_segs=3\n"
COLUMNS = "# YTID, start_seconds, end_seconds, positive_labels\n"
BALANCED = ['-0RWZT-miFs, 420.000, 430.000, "/m/b,/m/a"\n', 'YaaaaaaaaaA, 0.000, 10.000, "/t/dd0"\n']
EVAL = ['_b_b_b_b_b_, 30.000, 40.000, "/m/a"\n', 'gone_gone_1, 30.000, 40.000, "/m/a"\n']


@pytest.fixture
def layout(tmp_path, write_audio):
    def write(names=("-0RWZT-miFs", "YaaaaaaaaaA", "_b_b_b_b_b_"), suffix=".wav", metadata="", head=HEAD + COLUMNS):
        (tmp_path / metadata).mkdir(exist_ok=True)
        (tmp_path / metadata / "class_labels_indices.csv").write_text(CLASSES)
        (tmp_path / metadata / "balanced_train_segments.csv").write_text(head + "".join(BALANCED))
        (tmp_path / metadata / "eval_segments.csv").write_text(head + "".join(EVAL))
        for name in names:
            write_audio(f"audio/{name}{suffix}", seconds=0.05)
        return tmp_path

    return write


def contents(corpus):
    clips = [corpus.clip(i) for i in range(len(corpus))]
    return [(os.path.basename(clip.path), [corpus.vocabulary[i] for i in clip.labels], clip.split) for clip in clips]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"metadata": "metadata", "suffix": ".flac"},
        {"names": ("Y-0RWZT-miFs", "YYaaaaaaaaaA", "Y_b_b_b_b_b_")},
        {"names": ("-0RWZT-miFs_420.000", "YaaaaaaaaaA_0", "_b_b_b_b_b__30")},
        {"names": ("Y-0RWZT-miFs_420.000_430.000", "YYaaaaaaaaaA_0.000_10.000", "Y_b_b_b_b_b__30.000_40.000")},
        {"head": "YTID, start_seconds, end_seconds, positive_labels\n"},
    ],
)
def test_segments_become_clips(layout, options):
    root = layout(**options)
    corpus = open_corpus(root)
    assert corpus.vocabulary == ["Speech", "Child speech, kid speaking", "Music"]
    found = contents(corpus)
    assert [(labels, split) for _, labels, split in found] == [
        (["Speech", "Child speech, kid speaking"], "balanced_train"),
        (["Music"], "balanced_train"),
        (["Speech"], "eval"),
    ]
    names = options.get("names", ("-0RWZT-miFs", "YaaaaaaaaaA", "_b_b_b_b_b_"))
    assert [os.path.splitext(name)[0] for name, _, _ in found] == list(names)
    metadata = root / options.get("metadata", "")
    assert corpus.skipped == [
        (str(metadata / "eval_segments.csv"), "1 of its 2 segments have no recording: gone_gone_1")
    ]


def test_one_recording_a_video_and_others_left_alone(layout, write_audio):
    root = layout()
    write_audio("audio/more/-0RWZT-miFs.wav", seconds=0.05)
    write_audio("audio/notes about it.wav", seconds=0.05)
    assert len(open_corpus(root)) == 3


def test_what_is_missing_is_counted_and_not_listed(layout):
    root = layout()
    many = [f'{number:011d}, 0.000, 10.000, "/m/a"\n' for number in range(70_000)]
    (root / "unbalanced_train_segments.csv").write_text(HEAD + COLUMNS + "".join(many))
    corpus = open_corpus(root)
    assert len(corpus) == 3
    assert corpus.skipped[0] == (
        str(root / "unbalanced_train_segments.csv"),
        "70,000 of its 70,000 segments have no recording: 00000000000, 00000000001, 00000000002, ...",
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('cccccccccc1, 0.000, 10.000, "/m/a,/m/zzz"\n', r"eval_segments\.csv, line 6: .*no class '/m/zzz'"),
        ("cccccccccc1, 0.000, 10.000\n", r"eval_segments\.csv, line 6: 3 fields; expected YTID, start, end"),
    ],
)
def test_lines_that_make_no_sense_are_named(layout, line, message):
    root = layout()
    with (root / "eval_segments.csv").open("a") as file:
        file.write(line)
    with pytest.raises(SoundviewsError, match=message):
        open_corpus(root)


def test_no_recordings_and_no_classes(layout):
    root = layout(names=())
    with pytest.raises(SoundviewsError, match="2 of its 2 segments have no recording"):
        open_corpus(root)
    (root / "class_labels_indices.csv").unlink()
    with pytest.raises(SoundviewsError, match=r"class_labels_indices\.csv"):
        open_corpus(root)


@pytest.mark.parametrize("name", ["dQw4w9WgXcQ", "YdQw4w9WgXcQ", "dQw4w9WgXcQ_30", "YdQw4w9WgXcQ_30.000_40.000"])
def test_names_of_recordings(name):
    assert video_of(f"some/folder/{name}.m4a") == "dQw4w9WgXcQ"
    assert video_of("some/folder/notes.wav") is None


@pytest.fixture(scope="module")
def many():
    """5,000 clips without files, 12 classes of 2^k shares; a clip has one to three."""
    rng = np.random.default_rng(0)
    names = [f"class {place:02d}" for place in range(12)]
    shares = 0.7 ** np.arange(12)[::-1]  # the last is the most populated
    labels = [rng.choice(names, rng.integers(1, 4), replace=False, p=shares / shares.sum()) for _ in range(5000)]
    paths = [f"audio/Y{number:011d}.wav" for number in range(5000)]
    return Corpus.from_columns("/nowhere", paths, labels=[row.tolist() for row in labels], vocabulary=names)


def test_the_subset_has_the_ten_most_populated_classes(many):
    subset = ten_class_subset(many)
    matrix, counts = subset.label_matrix(), many.label_matrix().sum(0)
    assert len(subset) == 2000 and subset.vocabulary == [many.vocabulary[i] for i in sorted(np.argsort(counts)[-10:])]
    assert matrix.any(1).all() and len(set(subset.table["path"].to_pylist())) == 2000
    whole = dict(zip(many.table["path"].to_pylist(), many.label_matrix()[:, 2:], strict=True))
    expected = [whole[path] for path in subset.table["path"].to_pylist()]
    np.testing.assert_array_equal(matrix, expected)
    # drawn evenly: the classes keep their shares
    drawn = np.array([row.any() for row in many.label_matrix()[:, 2:]])
    np.testing.assert_allclose(matrix.mean(0), many.label_matrix()[drawn][:, 2:].mean(0), atol=0.03)


def test_the_subset_s_split_is_stratified(many):
    subset = ten_class_subset(many)
    matrix, split = subset.label_matrix(), subset.column("split")
    assert abs((split == "train").sum() - 1600) <= 5 and set(split) == {"train", "test"}
    rare = matrix.sum(0).argmin()
    assert abs(matrix[split == "test", rare].sum() - 0.2 * matrix[:, rare].sum()) <= 1
    np.testing.assert_allclose(matrix[split == "test"].mean(0), matrix[split == "train"].mean(0), atol=0.08)


def test_the_subset_depends_on_seed_and_videos_alone(many):
    paths = [f"other/place/{path[7:18]}_30.000_40.000.flac" for path in many.table["path"].to_pylist()]
    labels = [[many.vocabulary[i] for i in many.clip(row).labels] for row in range(len(many))]
    renamed = Corpus.from_columns("/else", paths[::-1], labels=labels[::-1], vocabulary=many.vocabulary)

    def videos(corpus):
        names = [video_of(path) for path in corpus.table["path"].to_pylist()]
        return dict(zip(names, corpus.column("split"), strict=True))

    assert videos(ten_class_subset(many)) == videos(ten_class_subset(renamed))
    assert videos(ten_class_subset(many)).keys() != videos(ten_class_subset(many, seed=1)).keys()


def test_too_little_for_the_subset(many):
    with pytest.raises(SoundviewsError, match=r"only \d+ clips have one of the ten classes, 2,000 are wanted"):
        ten_class_subset(many.select(np.arange(100)))
    single = Corpus.from_columns("/nowhere", ["a.wav"], labels=[["a"]])
    with pytest.raises(SoundviewsError, match="only 1 classes have clips here, 10 are wanted"):
        ten_class_subset(single)


def test_the_subset_as_a_manifest(layout):
    root = layout()
    corpus = open_corpus(root)
    write_manifest(corpus, root / "subset.csv")
    expected = [(name, sorted(labels), split) for name, labels, split in contents(corpus)]
    assert contents(open_corpus(root / "subset.csv")) == expected


def test_the_real_thing():
    if "SOUNDVIEWS_AUDIOSET" not in os.environ:
        pytest.skip("AudioSet is not at hand: set SOUNDVIEWS_AUDIOSET to the folder that holds its tables")
    corpus = open_corpus(os.environ["SOUNDVIEWS_AUDIOSET"])
    assert len(corpus.vocabulary) == 527
    listed = [skip.reason for skip in corpus.skipped if skip.path.endswith("_segments.csv")]
    assert listed or not published_differences(corpus, AudioSet.published)
