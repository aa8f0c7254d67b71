"""`soundviews.open_archive`: an embedded archive, to be searched by example."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from soundviews.archive.embed import read_metadata
from soundviews.archive.search import Hit, QueryPool, find_bundle_of, query_vector, samples_vector, search
from soundviews.audio.waveforms import waveform_of
from soundviews.core.errors import SoundviewsError
from soundviews.features.patches import padded_together
from soundviews.model import Model, load


class Archive:
    """A Parquet file that `soundviews.embed_archive` or `soundviews embed` has made.

    Attributes:
        path: of the file.
        root: what the recordings' paths start from.
        recordings: how many were named when it was made.
    """

    def __init__(self, path: str | Path, bundle: str | Path | Model | None = None) -> None:
        self.path = Path(path)
        metadata = read_metadata(self.path)
        self.root, self.recordings = Path(metadata["root"]), int(metadata["recordings"])
        self._bundle, self._made_with = bundle, metadata["bundle"]

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r}, {self.recordings} recordings under {str(self.root)!r})"

    @cached_property
    def model(self) -> Model:
        """What the archive was embedded with, loaded at the first search.

        Raises:
            SoundviewsError: it is no longer there, or `bundle` is another.
        """
        if not isinstance(self._bundle, Model):
            return load(find_bundle_of(self.path, self._bundle))
        if self._bundle.fingerprint != self._made_with["hash"]:
            raise SoundviewsError(
                f"{self.path} was embedded with another bundle ({self._made_with['name']}, {self._made_with['hash']}) "
                f"than the model given ({self._bundle.fingerprint})"
            )
        return self._bundle

    def search(
        self,
        query: Any,
        *,
        top: int = 10,
        once: bool = False,
        start: float = 0.0,
        end: float | None = None,
        sample_rate: int | None = None,
        pool: QueryPool = "auto",
    ) -> list[Hit]:
        """The windows that sound most like `query` (cosine similarity), best first.

        Args:
            query: A recording's path; or samples as `Model.embed` takes them.
            top: How many.
            once: Only the best window of each recording.
            start, end: Seconds; the stretch of the recording to look for.
            sample_rate: Hz, of samples.
            pool: How the query's windows become one: "mean", "loudness" (by their power to the 0.3), "max"; "auto" is
                what the archive's bundle says.

        Raises:
            SoundviewsError: the query cannot be read, or the bundle is not the archive's.
        """
        if isinstance(query, str | os.PathLike):
            direction = query_vector(self.model, os.fspath(query), start, end, pool)
        elif start or end is not None:
            raise SoundviewsError("start and end are for a recording's path: cut the samples before")
        else:
            waveform = waveform_of(query, sample_rate, self.model.sample_rate)
            direction = samples_vector(self.model, padded_together([waveform]), pool)
        return search(self.path, direction, top, once)


def open_archive(path: str | Path, bundle: str | Path | Model | None = None) -> Archive:
    """Open what `soundviews.embed_archive` has made.

    Args:
        path: The Parquet file.
        bundle: What it was embedded with, if that is no longer where it was.

    Raises:
        SoundviewsError: no such file, or another one.
    """
    return Archive(path, bundle)
