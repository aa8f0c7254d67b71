"""`soundviews data`: make or fetch recordings to work on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soundviews.cli.app import app
from soundviews.core.errors import SoundviewsError
from soundviews.core.interruption import interrupted_says
from soundviews.core.messages import say

if TYPE_CHECKING:
    from soundviews.audio.corpus import Corpus
    from soundviews.datasets.origin import Origin

data_app = typer.Typer(no_args_is_help=True, help="Make the built-in scenes, or fetch a public dataset.")
app.add_typer(data_app, name="data")


@data_app.command()
def scenes(
    to: Annotated[Path, typer.Option(help="Folder to write; new, empty, or with these very scenes.")],
    clips: Annotated[int, typer.Option(help="How many scenes.", min=1)] = 500,
    seed: Annotated[int, typer.Option(help="Another seed, another collection.", min=0)] = 0,
    sample_rate: Annotated[int, typer.Option(help="Hz, 8000 or more.")] = 16000,
    min_seconds: Annotated[float, typer.Option(help="Shortest scene.")] = 4.0,
    max_seconds: Annotated[float, typer.Option(help="Longest scene.")] = 10.0,
    max_events: Annotated[int, typer.Option(help="1 to this many kinds of events in a scene.", min=1)] = 3,
    min_snr: Annotated[float, typer.Option(help="Faintest event, dB over the background.")] = 0.0,
    max_snr: Annotated[float, typer.Option(help="Loudest event, dB over the background.")] = 20.0,
    sources: Annotated[bool, typer.Option(help="Keep the background and each event by themselves, too.")] = True,
    workers: Annotated[int | None, typer.Option(help="Threads; by default one for each core.", min=1)] = None,
) -> None:
    """Synthesise labelled sound scenes: nothing to download, any number, the same ones for the same seed."""
    from soundviews.scenes.folder import SceneOptions, write_scenes

    options = SceneOptions(clips, seed, sample_rate, min_seconds, max_seconds, max_events, min_snr, max_snr, sources)
    corpus = write_scenes(to, options, workers)
    hours = corpus.column("duration").sum() / 3600
    say(f"{to}: {len(corpus):,} scenes, {hours:.2f} h, {len(corpus.vocabulary)} classes, 5 folds.")


# Said again here, because importing the datasets would take numpy to show a page of help; a test compares them.
DATASETS = {
    "audioset": "AudioSet: 2,084,320 segments of 10 s of videos, 527 classes (Gemmeke et al.)",
    "dcase2018_birdsong": "DCASE 2018 birdsong detection: 35,690 clips of 10 s, with a bird or without",
    "desed": "DESED, recorded part: 1,168 + 692 clips of 10 s, 10 classes of domestic events (Turpault et al.)",
    "librispeech": "LibriSpeech train-clean-100: 28,539 read utterances, 100 h, 251 speakers",
    "musan": "MUSAN: 2,016 recordings, 109 h of music, speech and noise (Snyder, Chen, Povey)",
    "nsynth": "NSynth: 305,979 notes of 4 s, 11 families of instruments",
    "speech_commands_v1": "Speech Commands V1: 64,721 words of 1 s, 30 words read as 12 classes (Warden)",
    "speech_commands_v2": "Speech Commands V2: 105,829 words of 1 s, 35 classes (Warden)",
    "tut_urban2018": "TUT Urban Acoustic Scenes 2018: 8,640 clips of 10 s, 24 h, 10 scenes in 6 cities",
    "voxceleb1": "VoxCeleb1: 153,516 utterances from videos, 352 h, 1,251 speakers, for identification",
    "voxforge": "VoxForge: sentences read by volunteers in 6 languages",
}
To = Annotated[Path | None, typer.Option(help="Folder for the dataset; by default one of its name.")]
UrlBase = Annotated[
    str | None, typer.Option(help="A mirror's folder with the same files; by default their own places.")
]
KeepArchives = Annotated[bool, typer.Option(help="Keep the archives beside what came out of them.")]


def _add_command(name: str, about: str) -> None:
    rest = (
        "Downloads what is not there yet, checks and unpacks it, and compares the counts with the published ones. "
        "Interrupted, it goes on where it was. Says what to do by hand where there is no public address."
    )

    @data_app.command(name, short_help=about, help=f"{about}.\n\n{rest}")
    def command(to: To = None, url_base: UrlBase = None, keep_archives: KeepArchives = False) -> None:
        from soundviews.datasets import datasets
        from soundviews.datasets.origin import published_differences

        corpus = _fetch(name, to or Path(name), url_base, keep_archives)
        _report(name, corpus, published_differences(corpus, datasets.get(name).published))  # type: ignore[attr-defined]


for _name, _about in DATASETS.items():
    _add_command(_name, _about)


@data_app.command()
def fsdnoisy18k(
    to: Annotated[Path, typer.Option(help="Folder for the dataset.")] = Path("FSDnoisy18k"),
    url_base: UrlBase = None,
    keep_archives: KeepArchives = False,
) -> None:
    """FSDnoisy18k: 18,532 recordings, 42.5 h, 20 classes, most labels not verified.

    Downloads, checks and unpacks it. Interrupted, it goes on where it was. small_clean.csv, written beside it, is the
    paper's setting that trains on 85 % of the verified recordings.
    """
    from soundviews.datasets.fsdnoisy18k import published_differences, write_small_clean

    corpus = _fetch("fsdnoisy18k", to, url_base, keep_archives)
    write_small_clean(corpus, Path(corpus.root) / "small_clean.csv")
    _report("fsdnoisy18k", corpus, published_differences(corpus))


@data_app.command()
def rooms(
    to: Annotated[Path, typer.Option(help="Folder to hold the folder of the archive.")] = Path("rooms"),
    url_base: UrlBase = None,
    keep_archives: KeepArchives = False,
) -> None:
    """Impulse responses of rooms for pretrain --rooms: OpenSLR 28, simulated and recorded, 1.3 GB."""
    from soundviews.datasets.rooms import FOLDER, ROOMS

    _bring(ROOMS, to, url_base, keep_archives)
    say(f"{to / FOLDER}: give this folder to `soundviews pretrain --rooms`. Licence: {ROOMS.licence}.")


@data_app.command("audioset-subset")
def audioset_subset(
    data: Annotated[Path, typer.Argument(help="The folder of AudioSet, with its tables and recordings.")],
    splits: Annotated[str, typer.Option(help="Parts to draw from, as in eval,balanced_train.")] = "balanced_train,eval",
    clips: Annotated[int, typer.Option(help="How many.", min=10)] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed, another draw.", min=0)] = 0,
    out: Annotated[str, typer.Option(help="Name of the manifest, which is written into that folder.")] = "subset.csv",
) -> None:
    """AudioSet's ten most populated classes: draw the clips that acl is judged by, and write them as a manifest."""
    from soundviews.datasets.audioset import SPLITS, AudioSet
    from soundviews.datasets.audioset_subset import ten_class_subset, write_manifest

    wanted = [name.strip() for name in splits.split(",") if name.strip()]
    if wrong := [name for name in wanted if name not in SPLITS]:
        raise SoundviewsError(f"AudioSet has no part {wrong[0]!r}: known: {', '.join(SPLITS)}")
    if not AudioSet.matches(data):
        raise SoundviewsError(
            f"{data} holds none of AudioSet's tables of segments: `soundviews data audioset` says more"
        )
    subset = ten_class_subset(AudioSet.read(data.absolute()).where(split=wanted), clips, seed)
    write_manifest(subset, data / Path(out).name)
    train = int((subset.column("split") == "train").sum())
    say(f"{data / Path(out).name}: {train:,} clips train, {len(subset) - train:,} test.")
    say(f"Classes: {', '.join(subset.vocabulary)}.")


def _fetch(name: str, to: Path, url_base: str | None, keep_archives: bool) -> "Corpus":
    """The dataset in `to`, after fetching what can be; the program ends with instructions if it is not there then."""
    from soundviews.datasets import datasets
    from soundviews.datasets.fetch import located

    dataset: Any = datasets.get(name)
    if dataset.origin.archives and not _is_whole(dataset, to):
        _bring(dataset.origin, to, url_base, keep_archives)
    root = located(dataset, to)
    if root is None:
        typer.echo(f"{to} does not hold {name} yet.\n{dataset.origin.instructions}\nLicence: {dataset.origin.licence}.")
        raise typer.Exit(1)
    corpus: Corpus = dataset.read(root)
    return corpus


def _bring(origin: "Origin", to: Path, url_base: str | None, keep_archives: bool) -> None:
    from soundviews.datasets.fetch import fetch

    with interrupted_says(f"what came is kept in {to}; the same command goes on from there"):
        fetch(origin, to, url_base, keep_archives, progress=True)


def _is_whole(dataset: Any, folder: Path) -> bool:
    """Whether `folder` holds all that was published, however it came there."""
    from soundviews.datasets.fetch import located
    from soundviews.datasets.origin import published_differences

    try:
        root = located(dataset, folder)
        return root is not None and not published_differences(dataset.read(root), dataset.published)
    except SoundviewsError:  # only its tables are there, or a part that was left by an earlier attempt
        return False


def _report(name: str, corpus: "Corpus", differences: list[str]) -> None:
    from soundviews.datasets import datasets

    origin = datasets.get(name).origin  # type: ignore[attr-defined]
    state = "; ".join(differences) if differences else "complete, counts as published"
    say(f"{corpus.root}: {len(corpus):,} clips, {len(corpus.vocabulary)} classes; {state}.")
    say(f"Licence: {origin.licence}.")
    if differences and origin.instructions:
        typer.echo(origin.instructions)
    if corpus.skipped:
        first = corpus.skipped[0]
        say(f"{len(corpus.skipped):,} recordings left out. The first: {first.path}: {first.reason}", err=True)
