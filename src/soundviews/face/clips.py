"""What the rows of embedded vectors are."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundviews.audio.corpus import Corpus, Skipped


@dataclass(frozen=True, repr=False)
class EmbeddedClips:
    """Columns as long as the vectors they belong to.

    corpus: one clip for each row of the vectors.
    start, end: (rows,) float64, seconds within the recording: of the clip, or of the window.
    skipped: what could not be read and has no row.
    """

    corpus: Corpus
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    skipped: list[Skipped] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.corpus)

    def __repr__(self) -> str:
        return f"EmbeddedClips({len(self)} rows, {len(self.classes)} classes, {len(self.skipped)} skipped)"

    @property
    def path(self) -> NDArray[Any]:
        """(rows,) the recordings' absolute paths, as text."""
        return np.array([self.corpus.clip(row).path for row in range(len(self))], dtype=object)

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of `labels` and `y`."""
        return self.corpus.vocabulary

    @property
    def labels(self) -> NDArray[np.bool_]:
        """(rows, classes) True where the clip has the class."""
        return self.corpus.label_matrix()

    @property
    def y(self) -> NDArray[np.int64]:
        """(rows,) the index of each clip's only class.

        Raises:
            SoundviewsError: a clip has no class or several; `labels` says which.
        """
        return self.corpus.targets()

    @property
    def fold(self) -> NDArray[Any]:
        """(rows,) the folds, NaN where there is none."""
        return self.corpus.column("fold")

    @property
    def split(self) -> NDArray[Any]:
        """(rows,) the names of the splits, None where there is none."""
        return np.array(self.corpus.table["split"].to_pylist(), dtype=object)
