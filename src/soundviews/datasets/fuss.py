"""FUSS: 22,000 mixtures of 10 s with their sources, without labels (Wisdom et al. 2021).

Layout, as in the folders ssdata and ssdata_reverb: {train,validation,eval}_example_list.txt, and in the folder of each
split exampleNNNNN.wav beside exampleNNNNN_sources/ with background0_sound.wav and up to three foregroundN_sound.wav.
"""

from pathlib import Path

import soundfile

from soundviews.audio.corpus import Corpus
from soundviews.datasets.listing import listed, read_fields
from soundviews.datasets.registry import datasets

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
        mixtures = {split: _mixtures(_list(root, split)) for split in SPLITS if _list(root, split).is_file()}
        splits = [split for split, names in mixtures.items() for _ in names]
        lists = ", ".join(_list(root, split).name for split in mixtures)
        return listed(root, lists, [path for names in mixtures.values() for path in names], splits=splits)


def _list(root: Path, split: str) -> Path:
    return root / f"{split}_example_list.txt"


def _mixtures(path: Path) -> list[str]:
    """The first column of a list of examples: mixture, then its sources, with tabs between them."""
    return [mixture for mixture, _ in read_fields(path, ("a mixture", "its sources"), "\t")]


def make_lookalike(root: str | Path, examples: int = 3, seconds: float = 1.0, seed: int = 0) -> Path:
    """Write `examples` built-in scenes a split in the official layout; returns `root`.

    Each has a background and one to three foregrounds, but the background of the first in eval is silent.
    """
    from soundviews.scenes.folder import generate_scenes

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
