"""Speech Commands: which of the two versions, splits by the lists, unknown words and silence."""

import os

import numpy as np
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences
from soundviews.datasets.speech_commands import SpeechCommandsV1, SpeechCommandsV2

V1_WORDS = ["yes", "stop", "bed", "zero"]
# Samples at 16 kHz of the recordings of noise in both archives
NOISE = {
    "doing_the_dishes": 1_522_930,
    "dude_miaowing": 988_891,
    "exercise_bike": 980_062,
    "pink_noise": 960_000,
    "running_tap": 978_488,
    "white_noise": 960_000,
}


@pytest.fixture
def layout(tmp_path, write_audio):
    """Writes three recordings a word: one for each split, by the lists."""

    def write(words, suffix=".wav", noise=()):
        lists = {"validation_list.txt": "b", "testing_list.txt": "c"}
        for word in words:
            for name in "abc":
                write_audio(f"{word}/{name}_nohash_0{suffix}", seconds=0.05)
        for file, name in lists.items():
            (tmp_path / file).write_text("".join(f"{word}/{name}_nohash_0.wav\n" for word in words))
        for name in noise:
            samples = np.random.default_rng(0).normal(0, 0.1, round(2.25 * 8000))
            write_audio(f"_background_noise_/{name}.wav", sample_rate=8000, samples=samples)
            (tmp_path / "_background_noise_/README.md").write_text("noise")
        return tmp_path

    return write


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_v1_has_twelve_classes(layout, suffix):
    root = layout(V1_WORDS, suffix, noise=("running_tap", "exercise_bike", "pink_noise"))
    assert SpeechCommandsV1.matches(root) and not SpeechCommandsV2.matches(root)
    corpus = open_corpus(root)
    assert len(corpus.vocabulary) == 12 and corpus.vocabulary[-2:] == ["_silence_", "_unknown_"]
    clips = [corpus.clip(i) for i in range(len(corpus))]
    names = [corpus.vocabulary[label] for (label,) in (clip.labels for clip in clips)]
    words = [os.path.basename(os.path.dirname(clip.path)) for clip in clips]
    expected = {
        "yes": "yes",
        "stop": "stop",
        "bed": "_unknown_",
        "zero": "_unknown_",
        "_background_noise_": "_silence_",
    }
    assert names == [expected[word] for word in words]
    spoken = [(os.path.basename(c.path)[0], c.split) for c in clips if "nohash" in c.path]
    assert spoken == [("a", "train"), ("b", "validation"), ("c", "test")] * 4
    silence = [(os.path.basename(c.path), c.start, c.end, c.split) for c in clips if "nohash" not in c.path]
    assert silence == [
        (f"{name}.wav", start, start + 1.0, split)
        for name, split in (("exercise_bike", "test"), ("pink_noise", "train"), ("running_tap", "validation"))
        for start in (0.0, 0.5, 1.0)
    ]
    assert not corpus.skipped


def test_v2_has_a_class_for_each_word_and_no_silence(layout):
    root = layout([*V1_WORDS, "follow"], noise=("running_tap",))
    assert SpeechCommandsV2.matches(root) and not SpeechCommandsV1.matches(root)
    corpus = open_corpus(root)
    assert len(corpus.vocabulary) == 35 and corpus.vocabulary == sorted(corpus.vocabulary)
    names = [corpus.vocabulary[target] for target in corpus.targets()]
    assert names == sorted([*V1_WORDS, "follow"] * 3) and corpus.column("split").tolist().count("train") == 5


def test_what_is_missing_or_foreign_is_named(layout, write_audio, tmp_path):
    root = layout(V1_WORDS)
    (root / "yes" / "b_nohash_0.wav").unlink()
    write_audio("holiday/a.wav", seconds=0.05)
    corpus = open_corpus(root)
    assert [(skip.path, skip.reason) for skip in corpus.skipped] == [
        (str(root / "yes/b_nohash_0"), "listed, and no such recording"),
        (str(root / "holiday"), "not one of the words"),
    ]
    assert "holiday" not in " ".join(corpus.table["path"].to_pylist())


def test_a_list_that_makes_no_sense_names_file_and_line(layout):
    root = layout(V1_WORDS)
    with (root / "testing_list.txt").open("a") as file:
        file.write("\nholiday/a.wav\n")
    with pytest.raises(SoundviewsError, match=r"testing_list\.txt, line 6: expected WORD/NAME\.wav, not 'holiday/a"):
        open_corpus(root)


def test_no_recordings(layout):
    root = layout(V1_WORDS)
    for file in root.rglob("*.wav"):
        file.unlink()
    with pytest.raises(SoundviewsError, match="no recordings in the folders of words"):
        open_corpus(root)


def test_silence_is_as_much_as_tensorflow_datasets_has():
    """Its published counts of V2 as 12 classes are 85,511 and 10,102 clips: the rest of them is silence."""
    pieces = {name: len(range(0, samples - 16000, 8000)) for name, samples in NOISE.items()}
    assert sum(pieces.values()) - pieces["running_tap"] == 85_511 - SpeechCommandsV2.published["train"]
    assert pieces["running_tap"] == 10_102 - SpeechCommandsV2.published["validation"]
    words = {"train": 51_088, "validation": 6_798, "test": 6_835}
    silence = {"validation": pieces["running_tap"], "test": pieces["exercise_bike"]}
    silence["train"] = sum(pieces.values()) - sum(silence.values())
    assert {name: words[name] + silence[name] for name in words}.items() <= SpeechCommandsV1.published.items()


@pytest.mark.parametrize("dataset", [SpeechCommandsV1, SpeechCommandsV2])
def test_the_real_thing(dataset):
    variable = f"SOUNDVIEWS_SPEECH_COMMANDS_{dataset.__name__[-2:].upper()}"
    if variable not in os.environ:
        pytest.skip(f"Speech Commands is not at hand: set {variable} to the folder that holds validation_list.txt")
    assert published_differences(open_corpus(os.environ[variable]), dataset.published) == []
