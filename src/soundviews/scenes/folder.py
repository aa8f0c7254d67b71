"""Collections of built-in scenes: in memory, in a folder with a manifest, as a corpus.

The folder holds `audio/`, `sources/` (each scene's background and events by themselves; they sum to the mixture),
`scenes.csv` (path, labels, fold, split, duration), `events.csv` (what sounds when, and in which source) and
`scenes.json` (the options that make the same folder again).
"""

import csv
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile

from soundviews.audio.corpus import Corpus
from soundviews.core.caches import cache_directory, discard, warn_nothing_kept
from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import naming_extras
from soundviews.core.files import folder_written_whole
from soundviews.core.locks import locked
from soundviews.core.pages import read_json
from soundviews.core.progress import bar
from soundviews.core.registry import nearest

if TYPE_CHECKING:
    from soundviews.scenes.scene import Scene

WORTH_A_BAR = 50  # scenes
FOLDS = 5
SPLITS = {4: "validation", 5: "test"}  # by fold; the others are for training
GENERATOR = 1  # raise it when the same options come to sound different, so that kept scenes are made anew


@dataclass(frozen=True)
class SceneOptions:
    """What decides a collection; the meaning of each is in `make_scene`. `sources` keeps the isolated sources."""

    clips: int = 500
    seed: int = 0
    sample_rate: int = 16000
    min_seconds: float = 4.0
    max_seconds: float = 10.0
    max_events: int = 3
    min_snr: float = 0.0
    max_snr: float = 20.0
    sources: bool = True

    def __post_init__(self) -> None:
        if self.clips < 1:
            raise SoundviewsError(f"a collection has at least 1 scene, not {self.clips}")
        if self.seed < 0:
            raise SoundviewsError(f"the seed of scenes is 0 or more, not {self.seed}")
        with naming_extras():  # making scenes needs scipy, reading recordings does not
            from soundviews.scenes.scene import check_options

        check_options(self.sample_rate, (self.min_seconds, self.max_seconds), self.max_events)

    @classmethod
    def parse(cls, words: Mapping[str, str]) -> "SceneOptions":
        """From text, as in `scenes:clips=200,seed=1`. Unknown names are errors that name the nearest right one."""
        readers: dict[str, Callable[[str], Any]] = {"sources": _yes_or_no}
        readers |= {name: type(value) for name, value in asdict(cls()).items() if name != "sources"}
        given = {}
        for name, word in words.items():
            if name not in readers:
                raise SoundviewsError(f"scenes have no option {name!r}: {nearest(name, readers)}")
            try:
                given[name] = readers[name](word)
            except ValueError as error:
                raise SoundviewsError(f"scenes: {name}={word!r} is not a number") from error
        return cls(**given)

    def make(self, index: int) -> "Scene":
        """Scene number `index` of the collection."""
        from soundviews.scenes.scene import make_scene

        lengths, levels = (self.min_seconds, self.max_seconds), (self.min_snr, self.max_snr)
        return make_scene(index, self.seed, self.sample_rate, lengths, self.max_events, levels)


def _yes_or_no(word: str) -> bool:
    if word.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise SoundviewsError(f"scenes: sources={word!r} is neither true nor false")
    return word.lower() in ("true", "1", "yes")


def generate_scenes(clips: int, seed: int = 0, **options: Any) -> "Iterator[Scene]":
    """Scenes 0 to `clips` - 1, one after the other; `options` as in `SceneOptions`."""
    collection = SceneOptions(clips, seed, **options)
    return (collection.make(index) for index in range(clips))


def write_scenes(
    directory: str | Path,
    options: SceneOptions,
    workers: int | None = None,
    progress: bool = True,
    wait: bool | None = None,
) -> Corpus:
    """Write a collection as 16-bit FLAC with its manifests, and open it.

    Args:
        directory: Created; may exist if it is empty or holds these very scenes, which are then opened as they are.
        options: Which scenes.
        workers: Threads; by default one for each core. They change nothing in the result.
        progress: Show a bar if it is going to take a while.
        wait: Wait for another process that is writing the directory.

    Raises:
        SoundviewsError: The directory holds something else, another process is writing it, or it cannot be written
            (full disk, no permission).
    """
    directory = Path(directory).absolute()
    if is_scenes(directory) and _stored_options(directory) == _record(options):
        return read_scenes(directory)
    try:
        with locked(directory, wait=wait):
            if is_scenes(directory) and _stored_options(directory) == _record(options):  # by whom this waited for
                return read_scenes(directory)
            if os.path.exists(directory) and (not directory.is_dir() or any(directory.iterdir())):
                raise SoundviewsError(f"{directory} holds something else already; name a new or an empty folder")
            with folder_written_whole(directory) as unfinished:
                _write(unfinished, options, workers or os.cpu_count() or 1, progress)
    except (OSError, soundfile.SoundFileError) as error:
        raise SoundviewsError(f"cannot write scenes to {directory}: {error}") from error
    return read_scenes(directory)


def scenes_corpus(words: Mapping[str, str], cache: Path | None = None) -> Corpus:
    """The scenes that `words` describe (see `SceneOptions.parse`), made once and kept in `cache`."""
    options = SceneOptions.parse(words)
    key = hashlib.blake2b(json.dumps(_record(options)).encode(), digest_size=8).hexdigest()
    directory = (cache or cache_directory("scenes")) / f"{options.clips}-{key}"
    if os.path.lexists(directory) and not _is_whole(directory, options):
        discard(directory, "files are missing or cut")
    try:
        return write_scenes(directory, options, wait=True)
    except SoundviewsError as error:
        if not isinstance(error.__cause__, OSError | soundfile.SoundFileError):
            raise
        warn_nothing_kept(directory, error.__cause__)
        return write_scenes(Path(_for_this_process().name) / directory.name, options)


@cache
def _for_this_process() -> tempfile.TemporaryDirectory[str]:
    """A folder that is removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="soundviews-scenes-")


def _is_whole(directory: Path, options: SceneOptions) -> bool:
    """Whether these scenes are in a folder, each with a file that is not empty."""
    try:
        paths = read_scenes(directory).table["path"].to_pylist()
        sizes = [(directory / path).stat().st_size for path in paths]
        return _stored_options(directory) == _record(options) and len(paths) == options.clips and all(sizes)
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def is_scenes(directory: Path) -> bool:
    """Whether a folder is one that `write_scenes` finished."""
    return all(os.path.isfile(directory / name) for name in ("scenes.json", "scenes.csv"))


def read_scenes(directory: Path) -> Corpus:
    """The mixtures of a folder that `write_scenes` made, with labels, folds 1 to 5 and splits."""
    with (directory / "scenes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return Corpus.from_columns(
        directory,
        paths=[row["path"] for row in rows],
        durations=[float(row["duration"]) for row in rows],
        labels=[row["labels"].split(";") for row in rows],
        folds=[int(row["fold"]) for row in rows],
        splits=[row["split"] for row in rows],
    )


def _record(options: SceneOptions) -> dict[str, Any]:
    return {"generator": GENERATOR, **asdict(options)}


def _stored_options(directory: Path) -> Any:
    try:
        return read_json(directory / "scenes.json")
    except ValueError:
        return None


def _write(directory: Path, options: SceneOptions, workers: int, progress: bool) -> None:
    (directory / "audio").mkdir()
    # numpy, scipy and libsndfile release the interpreter lock, so threads do, and need no protected __main__
    with (
        bar("making scenes", options.clips, "scenes", progress and options.clips >= WORTH_A_BAR) as advance,
        ThreadPoolExecutor(workers) as pool,
        (directory / "scenes.csv").open("w", newline="", encoding="utf-8") as scenes_file,
        (directory / "events.csv").open("w", newline="", encoding="utf-8") as events_file,
    ):
        scenes, events = csv.writer(scenes_file), csv.writer(events_file)
        scenes.writerow(["path", "labels", "fold", "split", "duration"])
        events.writerow(["path", "label", "start", "end", "snr", "source"])
        try:
            made = pool.map(partial(_write_scene, directory, options), range(options.clips))
            for scene_row, event_rows in made:
                scenes.writerow(scene_row)
                events.writerows(event_rows)
                advance()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    (directory / "scenes.json").write_text(json.dumps(_record(options), indent=2) + "\n", encoding="utf-8")


def _write_scene(directory: Path, options: SceneOptions, index: int) -> tuple[list[Any], list[list[Any]]]:
    """Write the audio of one scene; returns its row of scenes.csv and its rows of events.csv."""
    scene, name, fold = options.make(index), f"{index:06d}", index % FOLDS + 1
    path = f"audio/{name}.flac"
    soundfile.write(directory / path, scene.mixture, scene.sample_rate, subtype="PCM_16")
    row = [path, ";".join(scene.labels), fold, SPLITS.get(fold, "train"), len(scene.mixture) / scene.sample_rate]
    names = ["0_background", *(f"{number}_{event.label}" for number, event in enumerate(scene.events, start=1))]
    files = [f"sources/{name}/{source}.flac" for source in names] if options.sources else [""] * len(names)
    if options.sources:
        (directory / "sources" / name).mkdir(parents=True)
        for file, samples in zip(files, scene.sources, strict=True):
            soundfile.write(directory / file, samples, scene.sample_rate, subtype="PCM_16")
    described = zip(scene.events, files[1:], strict=True)
    return row, [
        [path, event.label, f"{event.start:.4f}", f"{event.end:.4f}", f"{event.snr:.2f}", file]
        for event, file in described
    ]
