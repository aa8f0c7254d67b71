"""DESED: events to the labels of clips, the layouts of its releases, the published counts."""

import os

import numpy as np
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.desed import CLASSES, Desed
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences

HEADER = "filename\tonset\toffset\tevent_label\n"
VALIDATION = [
    "Y-a_30.000_40.000.wav\t0.000\t9.971\tVacuum_cleaner\n",
    "Y-a_30.000_40.000.wav\t1.000\t2.000\tSpeech\n",
    "Y-a_30.000_40.000.wav\t3.000\t4.000\tSpeech\n",
    "Yempty_0.000_10.000.wav\t\t\t\n",
    "Yb_1.000_11.000.wav\t1.710\t6.005\tCat\n",
]
PUBLIC = ["c_7_17.wav\t0.0\t1.0\tDog\n"]
# Counted in the official tables: clips with each class, in the order of CLASSES
PUBLISHED = {
    "train": (187, 80, 121, 171, 160, 62, 89, 197, 627, 91),
    "test": (79, 73, 70, 136, 82, 84, 88, 92, 314, 94),
}


@pytest.fixture
def layout(tmp_path, write_audio):
    def write(validation="validation/validation", home="", suffix=".tsv", audio=".wav"):
        for name, rows in {"validation/validation": VALIDATION, "eval/public": PUBLIC}.items():
            table = tmp_path / f"{home}metadata/{name}{suffix}"
            table.parent.mkdir(parents=True, exist_ok=True)
            table.write_text(HEADER + "".join(rows))
        for name in ("Y-a_30.000_40.000", "Yempty_0.000_10.000", "Yb_1.000_11.000"):
            write_audio(f"{home}audio/{validation}/{name}{audio}", seconds=0.1)
        write_audio(f"{home}audio/eval/public/c_7_17{audio}", seconds=0.1)
        return tmp_path

    return write


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"home": "dataset/"},
        {"validation": "validation"},
        {"suffix": ".csv", "validation": "validation"},
        {"audio": ".flac"},
    ],
)
def test_events_become_the_labels_of_clips(layout, variant):
    corpus = open_corpus(layout(**variant))
    clips = [corpus.clip(i) for i in range(len(corpus))]
    names = [[corpus.vocabulary[label] for label in clip.labels] for clip in clips]
    assert names == [["Speech", "Vacuum_cleaner"], [], ["Cat"], ["Dog"]]
    assert [clip.split for clip in clips] == ["train", "train", "train", "test"]
    assert corpus.vocabulary == list(CLASSES) and not corpus.skipped and not corpus.single_label
    assert all(os.path.isfile(clip.path) for clip in clips)


def test_one_part_alone_and_a_missing_recording(layout):
    root = layout(home="dataset/")
    (root / "dataset/metadata/eval/public.tsv").unlink()
    (root / "dataset/audio/validation/validation/Yb_1.000_11.000.wav").unlink()
    corpus = open_corpus(root)
    assert corpus.column("split").tolist() == ["train", "train"]
    assert [(skip.path, skip.reason) for skip in corpus.skipped] == [
        (str(root / "dataset/audio/validation/Yb_1.000_11.000.wav"), "no such file")
    ]


def test_no_recording_at_all_names_the_first(layout):
    root = layout()
    for file in (root / "audio").rglob("*.wav"):
        file.unlink()
    with pytest.raises(SoundviewsError, match=r"none of the 4 recordings .* first looked for is .*Y-a_30"):
        open_corpus(root)


def test_another_class_names_file_and_line(layout):
    root = layout()
    table = root / "metadata/validation/validation.tsv"
    table.write_text(table.read_text().replace("\tCat", "\tCow"))
    with pytest.raises(SoundviewsError, match=r"validation\.tsv, line 6: event_label 'Cow' is not one of Alarm"):
        open_corpus(root)


def test_a_cut_off_row_names_file_and_line(layout):
    root = layout()
    (root / "metadata/eval/public.tsv").write_text(HEADER + "c_7_17.wav\t0.0\n")
    with pytest.raises(SoundviewsError, match=r"public\.tsv, line 2: 2 fields, the header has 4"):
        open_corpus(root)


def test_the_real_thing():
    if "SOUNDVIEWS_DESED" not in os.environ:
        pytest.skip("DESED is not at hand: set SOUNDVIEWS_DESED to the folder that holds metadata/ and audio/")
    corpus = open_corpus(os.environ["SOUNDVIEWS_DESED"])
    assert published_differences(corpus, Desed.published) == []
    for split, counts in PUBLISHED.items():
        labels = corpus.where(split=split).label_matrix()
        assert labels.sum(0).tolist() == list(counts)
        assert int((~labels.any(1)).sum()) == (15 if split == "train" else 0)
    assert np.array_equal(corpus.vocabulary, CLASSES)
