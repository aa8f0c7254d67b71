"""The sources of a mixture, where its dataset keeps them: the layouts of the built-in scenes and of FUSS."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from soundviews.audio.corpus import Clip
from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError


def source_files(mixture: str | Path) -> list[Path]:
    """The recordings of the sources of one mixture, the background first; empty where none are known."""
    for folder in _folders(Path(mixture)):
        files = sorted(file for file in folder.glob("*") if file.suffix in (".flac", ".wav"))
        if files:
            return files
    return []


def read_sources(clip: Clip, sample_rate: int) -> npt.NDArray[np.float32]:
    """The sources of a clip, the background first.

    Their sum is the mixture to separate: the file of the mixture may have been clipped or rounded by itself.

    Args:
        clip: A stretch of a mixture.
        sample_rate: Hz to resample to.

    Returns:
        (sources, samples) float32; a source that is silent has a row of zeros.

    Raises:
        SoundviewsError: The sources are not known; says where they were looked for.
        UnreadableClip: One of them cannot be read.
    """
    files = source_files(clip.path)
    if not files:
        raise SoundviewsError(why_unknown(clip.path))
    rows = [read(file, clip.start, clip.duration, sample_rate, allow_silence=True) for file in files]
    sources = np.zeros((len(rows), max(map(len, rows))), np.float32)
    for source, row in zip(sources, rows, strict=True):
        source[: len(row)] = row
    return sources


def why_unknown(mixture: str | Path) -> str:
    """What to say of a mixture without known sources."""
    places = " and ".join(str(folder) for folder in _folders(Path(mixture)))
    return f"the sources of {mixture} are not known: looked for .flac and .wav files in {places}"


def _folders(mixture: Path) -> list[Path]:
    """Where FUSS keeps the sources of a mixture, and where the built-in scenes would."""
    beside = mixture.with_name(f"{mixture.stem}_sources")
    if mixture.parent.name != "audio":
        return [beside]
    return [beside, mixture.parent.parent / "sources" / mixture.stem]
