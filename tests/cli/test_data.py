"""`soundviews data` from the command line."""

import hashlib
import io
import tarfile
import zipfile

import pytest
from typer.testing import CliRunner

from soundviews.cli.app import app, load_verbs
from soundviews.cli.data import DATASETS
from soundviews.core.errors import SoundviewsError
from soundviews.datasets import datasets, fsdnoisy18k, rooms
from soundviews.datasets.librispeech import LibriSpeech
from soundviews.datasets.opening import open_corpus


@pytest.fixture
def run():
    load_verbs()
    return lambda *words: CliRunner().invoke(app, ["data", *map(str, words)])


def test_scenes_are_written_and_opened(tmp_path, run):
    options = ("--clips", 5, "--seed", 9, "--sample-rate", 8000, "--min-seconds", 1, "--max-seconds", 1.5)
    result = run("scenes", "--to", tmp_path / "s", *options, "--max-events", 1, "--no-sources")
    assert result.exit_code == 0, result.output
    assert "5 scenes" in result.output
    corpus = open_corpus(tmp_path / "s")
    assert len(corpus) == 5 and corpus.single_label
    assert not (tmp_path / "s" / "sources").exists()


def test_wrong_options_are_user_errors(tmp_path, run):
    result = run("scenes", "--to", tmp_path / "s", "--sample-rate", 100)
    assert isinstance(result.exception, SoundviewsError) and "8000" in str(result.exception)
    assert not (tmp_path / "s").exists()


@pytest.fixture
def lookalike(tmp_path):
    """FSDnoisy18k in small, as if its archives had been unpacked."""
    fsdnoisy18k.make_lookalike(tmp_path / "FSD", noisy=2, clean=2, test=1)
    for folder in fsdnoisy18k.MD5:
        (tmp_path / "FSD" / f".{folder}.zip.unpacked").touch()
    return tmp_path / "FSD"


def test_fsdnoisy18k_says_what_it_got(lookalike, run):
    """Everything was fetched but the counts are not the published ones: no request is made, and it is said."""
    result = run("fsdnoisy18k", "--to", lookalike, "--url-base", "nonsense")
    assert result.exit_code == 0, result.output
    assert len(open_corpus(lookalike / "small_clean.csv")) == 3  # 2 verified, 1 test
    assert "5 clips" in result.output and "instead of 15813" in result.output


def test_what_is_whole_is_not_fetched_whoever_brought_it(lookalike, run, monkeypatch):
    for mark in lookalike.glob(".*"):
        mark.unlink()
    counts = {"train_noisy": 2, "train_clean": 2, "test": 1}
    monkeypatch.setattr(fsdnoisy18k.FsdNoisy18k, "published", counts)
    result = run("fsdnoisy18k", "--to", lookalike, "--url-base", "nonsense")
    assert result.exit_code == 0, result.output


def test_a_refusing_mirror_is_a_user_error(tmp_path, run):
    result = run("fsdnoisy18k", "--to", tmp_path / "FSD", "--url-base", "nonsense")
    assert isinstance(result.exception, SoundviewsError) and "is not an address" in str(result.exception)


def test_an_archive_that_is_there_is_unpacked_and_its_own_folder_found(tmp_path, run, monkeypatch):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name in ("SPEAKERS.TXT", *(f"train-clean-100/{speaker}/7/{speaker}-7-0.flac" for speaker in (1, 2))):
            file.addfile(tarfile.TarInfo(f"LibriSpeech/{name}"))
        for speaker in (1, 2):
            entry = tarfile.TarInfo(f"LibriSpeech/train-clean-100/{speaker}/7/{speaker}-7.trans.txt")
            text = f"{speaker}-7-0 WORDS\n{speaker}-7-1 MORE\n".encode()
            entry.size = len(text)
            file.addfile(entry, io.BytesIO(text))
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "train-clean-100.tar.gz").write_bytes(packed.getvalue())
    checksum = f"sha256:{hashlib.sha256(packed.getvalue()).hexdigest()}"
    archive = LibriSpeech.origin.archives[0]._replace(checksum=checksum)
    monkeypatch.setattr(LibriSpeech, "origin", LibriSpeech.origin._replace(archives=(archive,)))
    result = run("librispeech", "--to", tmp_path / "speech", "--url-base", "http://127.0.0.1:1/")
    assert result.exit_code == 0, result.output
    assert f"{tmp_path}/speech/LibriSpeech: 2 clips, 2 classes; 2 clips instead of 28,539" in result.output
    assert "CC BY 4.0" in result.output and "2 recordings left out" in result.output
    assert len(open_corpus(tmp_path / "speech" / "LibriSpeech")) == 2


def test_what_has_no_public_address_is_explained(tmp_path, run):
    result = run("voxforge", "--to", tmp_path / "voxforge")
    assert result.exit_code == 1
    assert "does not hold voxforge yet" in result.output and "repository.voxforge1.org" in result.output
    (tmp_path / "voxforge" / "de" / "x-20100101-a" / "wav").mkdir(parents=True)
    (tmp_path / "voxforge" / "de" / "x-20100101-a" / "wav" / "1.wav").touch()
    result = run("voxforge", "--to", tmp_path / "voxforge")
    assert result.exit_code == 0 and "1 classes instead of 6" in result.output


def test_rooms_are_fetched_and_named(tmp_path, run, monkeypatch):
    with zipfile.ZipFile(tmp_path / "rirs_noises.zip", "w") as file:
        file.writestr("RIRS_NOISES/simulated_rirs/smallroom/Room001/Room001-00001.wav", b"x")
    checksum = f"md5:{hashlib.md5((tmp_path / 'rirs_noises.zip').read_bytes()).hexdigest()}"
    archive = rooms.ROOMS.archives[0]._replace(checksum=checksum)
    monkeypatch.setattr(rooms, "ROOMS", rooms.ROOMS._replace(archives=(archive,)))
    result = run("rooms", "--to", tmp_path)
    assert result.exit_code == 0 and f"{tmp_path}/RIRS_NOISES" in result.output
    assert len(list((tmp_path / "RIRS_NOISES").rglob("*.wav"))) == 1 and not (tmp_path / "rirs_noises.zip").exists()


def test_the_list_of_datasets_is_that_of_those_with_an_origin():
    origins = {name: datasets.get(name).origin for name in datasets.names() if hasattr(datasets.get(name), "origin")}
    assert {name: origin.about for name, origin in origins.items() if name != "fsdnoisy18k"} == DATASETS


def test_an_unknown_dataset_names_the_nearest(run):
    result = run("librispeach")
    assert result.exit_code == 2 and "librispeech" in result.output


def test_the_subset_of_audioset_is_a_manifest(tmp_path, run, write_audio):
    names = [f"{number:011d}" for number in range(24)]
    rows = [f'{name}, 0.000, 10.000, "/m/{number % 12},/m/{number % 11}"\n' for number, name in enumerate(names)]
    (tmp_path / "eval_segments.csv").write_text("".join(rows))
    classes = "".join(f"{number},/m/{number},class {number}\n" for number in range(12))
    (tmp_path / "class_labels_indices.csv").write_text(f"index,mid,display_name\n{classes}")
    for name in names:
        write_audio(f"audio/{name}.wav", seconds=0.05)
    result = run("audioset-subset", tmp_path, "--clips", 20)
    assert result.exit_code == 0, result.output
    corpus = open_corpus(tmp_path / "subset.csv")
    assert len(corpus) == 20 and len(corpus.vocabulary) == 10 and set(corpus.column("split")) == {"train", "test"}
    assert isinstance(run("audioset-subset", tmp_path, "--splits", "evil").exception, SoundviewsError)
    assert "none of AudioSet's tables" in str(run("audioset-subset", tmp_path / "audio").exception)
