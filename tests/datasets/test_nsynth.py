"""NSynth: families and official splits from examples.json, which is never parsed whole."""

import json
import os

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.nsynth import FAMILIES, NSynth
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences

NOTES = {
    "train": ["bass_synthetic_033-022-050", "synth_lead_synthetic_011-055-100", "vocal_acoustic_000-060-025"],
    "valid": ["guitar_acoustic_010-066-100"],
    "test": ["bass_electronic_018-022-100"],
}


def example(note: str) -> dict[str, object]:
    """An entry with the official keys in their official order."""
    family = note.rsplit("_", 2)[0]
    return {
        "qualities": [0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        "pitch": int(note.split("-")[1]),
        "note": 201034,
        "instrument_source_str": note.split("_")[-2],
        "velocity": int(note.split("-")[2]),
        "instrument_str": note.split("-")[0],
        "instrument": 417,
        "sample_rate": 16000,
        "qualities_str": ["dark"],
        "instrument_source": 2,
        "note_str": note,
        "instrument_family_str": family,
        "instrument_family": FAMILIES.index(family),
    }


@pytest.fixture
def lookalike(tmp_path):
    for part, notes in NOTES.items():
        (tmp_path / f"nsynth-{part}" / "audio").mkdir(parents=True)
        for note in notes:
            (tmp_path / f"nsynth-{part}" / "audio" / f"{note}.wav").touch()
        entries = {note: example(note) for note in notes}
        (tmp_path / f"nsynth-{part}" / "examples.json").write_text(json.dumps(entries, indent=2) + "\n")
    return tmp_path


def test_reads_the_official_layout(lookalike):
    corpus = open_corpus(lookalike)
    clips = [corpus.clip(i) for i in range(len(corpus))]
    assert [clip.split for clip in clips] == ["train"] * 3 + ["validation", "test"]
    assert [corpus.vocabulary[clip.labels[0]] for clip in clips] == ["bass", "synth_lead", "vocal", "guitar", "bass"]
    assert corpus.vocabulary == FAMILIES and corpus.targets().tolist() == [0, 9, 10, 3, 0] and not corpus.skipped


def test_compact_json_one_split_and_a_missing_note(lookalike):
    folder = lookalike / "nsynth-train"
    (folder / "examples.json").write_text(json.dumps({note: example(note) for note in NOTES["train"]}, indent=None))
    (lookalike / "nsynth-valid" / "examples.json").unlink()
    (lookalike / "nsynth-test" / "examples.json").unlink()
    gone = folder / "audio" / "bass_synthetic_033-022-050.wav"
    gone.unlink()
    corpus = open_corpus(lookalike)
    assert len(corpus) == 2 and [skip.path for skip in corpus.skipped] == [str(gone)]
    assert published_differences(corpus, NSynth.published) == [
        "train has 2 clips instead of 289,205",
        "validation has 0 clips instead of 12,678",
        "test has 0 clips instead of 4,096",
    ]


@pytest.mark.parametrize("damage", ["", "{}", "cut", "family"])
def test_an_unusable_list_is_named(lookalike, damage):
    path = lookalike / "nsynth-train" / "examples.json"
    text = path.read_text()
    path.write_text({"cut": text[:-20], "family": text.replace('"vocal"', '"kazoo"')}.get(damage, damage))
    with pytest.raises(
        SoundviewsError, match=r"nsynth-train/examples\.json.*" + ("kazoo" if damage == "family" else "")
    ):
        open_corpus(lookalike)


def test_the_real_thing():
    if "SOUNDVIEWS_NSYNTH" not in os.environ:
        pytest.skip("NSynth is not at hand: set SOUNDVIEWS_NSYNTH to the folder that holds nsynth-train/")
    assert published_differences(open_corpus(os.environ["SOUNDVIEWS_NSYNTH"]), NSynth.published) == []
