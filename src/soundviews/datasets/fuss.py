"""FUSS: 22,000 mixtures of 10 s with their sources, without labels (Wisdom et al. 2021).

Layout, as in the folders ssdata and ssdata_reverb: {train,validation,eval}_example_list.txt, and in the folder of each
split exampleNNNNN.wav beside exampleNNNNN_sources/ with background0_sound.wav and up to three foregroundN_sound.wav.
"""

from pathlib import Path

import soundfile

from soundviews.audio.corpus import Corpus
from soundviews.datasets.registry import datasets
from soundviews.datasets.table import present
from soundviews.errors import SoundviewsError

SPLITS = ("train", "validation", "eval")


@datasets.register("fuss")
class Fuss:
    """The mixtures, without labels; split is train, validation or eval. `read_sources` reads what is in them."""

    @staticmethod
    def matches(root: Path) -> bool:
        return any(_list(root, split).is_file() for split in SPLITS)

    @staticmethod
    def read(root: Path) -> Corpus:
        """The splits whose list is there.

        Raises:
            SoundviewsError: A list cannot be understood, or none of the recordings are there.
        """
        listed = {split: _mixtures(_list(root, split)) for split in SPLITS if _list(root, split).is_file()}
        paths = [path for names in listed.values() for path in names]
        splits = [split for split, names in listed.items() for _ in names]
        kept, skipped = present(root, paths)
        if not kept:
            raise SoundviewsError(
                f"none of the {len(paths)} mixtures are in {root} that its lists of examples name "
                f"({', '.join(paths[:2])}, ...)"
            )
        return Corpus.from_columns(
            root, paths=[paths[i] for i in kept], splits=[splits[i] for i in kept], skipped=skipped
        )


def _list(root: Path, split: str) -> Path:
    return root / f"{split}_example_list.txt"


def _mixtures(path: Path) -> list[str]:
    """The first column of a list of examples: mixture, then its sources, with tabs between them."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SoundviewsError(f"cannot read {path}: {error}") from error
    for number, line in enumerate(lines, start=1):
        if "\t" not in line:
            raise SoundviewsError(f"{path}, line {number}: a mixture and its sources, with tabs between them, expected")
    return [line.split("\t")[0] for line in lines]


def make_lookalike(root: str | Path, examples: int = 3, seconds: float = 1.0, seed: int = 0) -> Path:
    """Write `examples` built-in scenes a split in the official layout; returns `root`.

    Each has a background and one to three foregrounds, but the background of the first in eval is silent.
    """
    from soundviews.audio.scenes import generate_scenes

    root = Path(root)
    made = generate_scenes(examples * len(SPLITS), seed, min_seconds=seconds, max_seconds=seconds)
    for split in SPLITS:
        lines = []
        for number in range(examples):
            scene, mixture = next(made), f"{split}/example{number:05d}.wav"
            sources = scene.sources.copy()
            if split == "eval" and number == 0:
                sources[0] = 0
            names = ["background0", *(f"foreground{i}" for i in range(len(sources) - 1))]
            files = [f"{split}/example{number:05d}_sources/{name}_sound.wav" for name in names]
            (root / files[0]).parent.mkdir(parents=True)
            for file, samples in zip([mixture, *files], [sources.sum(0), *sources], strict=True):
                soundfile.write(root / file, samples, scene.sample_rate, subtype="PCM_16")
            lines.append("\t".join([mixture, *files]))
        _list(root, split).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root
