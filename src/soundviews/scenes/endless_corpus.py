"""Endless synthesised sound as a corpus: `synthesis`, `synthesis:seed=1,perturb=0.25`. Nothing of it is on disk."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from soundviews.audio.corpus import Corpus, to_schema
from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import nearest

CLIPS, SECONDS = 65536, 1.6
GENERATOR = 1  # raise it when the same options come to sound different, so that no run goes on with other sounds


@dataclass(frozen=True)
class EndlessOptions:
    """What decides an endless corpus.

    seed: Which sounds.
    perturb: How far, at most, the numbers of a positive pair are apart; 0: two renderings of the same numbers.
    renderings: 2: a positive pair is two of them; 1: it is two crops of one.
    reads: How often a training hears each pair, in the mean, with other crops: making a sound takes longer than that.
    pool: Pairs in memory, out of which batches are drawn.
    """

    seed: int = 0
    perturb: float = 0.1
    renderings: int = 2
    reads: int = 5
    pool: int = 4096

    def __post_init__(self) -> None:
        if self.seed < 0 or self.reads < 1 or self.pool < 1:
            raise SoundviewsError("synthesis: seed is 0 or more, reads and pool are 1 or more")
        if not 0 <= self.perturb <= 1:
            raise SoundviewsError(f"synthesis: perturb is between 0 and 1, not {self.perturb}")
        if self.renderings not in (1, 2):
            raise SoundviewsError(f"synthesis: renderings is 1 or 2, not {self.renderings}")

    @classmethod
    def parse(cls, words: Mapping[str, str]) -> "EndlessOptions":
        """From text, as in `synthesis:perturb=0.25`. Unknown names are errors that name the nearest right one."""
        given: dict[str, Any] = {}
        for name, word in words.items():
            kinds = {known: type(value) for known, value in asdict(cls()).items()}
            if name not in kinds:
                raise SoundviewsError(f"synthesis has no option {name!r}: {nearest(name, kinds)}")
            try:
                given[name] = kinds[name](word)
            except ValueError as error:
                raise SoundviewsError(f"synthesis: {name}={word!r} is not a number") from error
        return cls(**given)


class EndlessCorpus(Corpus):
    """Synthesised clips of 1.6 s. It has the first CLIPS of them as rows; a training hears any number (`EndlessPairs`).

    Args:
        options: Which sounds.
        table: Some of the rows; None for all.
    """

    on_disk = False

    def __init__(self, options: EndlessOptions, table: pa.Table | None = None) -> None:
        if table is None:
            rows = [f"{number:07d}" for number in range(CLIPS)]
            unknown = np.full(CLIPS, -1)
            columns = {"path": rows, "start": np.zeros(CLIPS), "duration": np.full(CLIPS, SECONDS)}
            table = to_schema({**columns, "content": unknown}, CLIPS)
        super().__init__("synthesis", table, ())
        self.options = options

    def read(self, index: int, sample_rate: int) -> npt.NDArray[np.float32]:
        from soundviews.scenes.endless import at_rate, make_clips  # only what makes sounds needs torch

        clip = self.clip(index)
        number = int(self.table["path"][int(index)].as_py())
        samples = at_rate(make_clips(self.options.seed, [number]), sample_rate)[0].numpy()
        end = None if clip.end is None else round(clip.end * sample_rate)
        return samples[round(clip.start * sample_rate) : end]

    @cached_property
    def fingerprint(self) -> str:
        said = f"{GENERATOR} {self.options} {super().fingerprint}"
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    def _with(self, table: pa.Table) -> "EndlessCorpus":
        return EndlessCorpus(self.options, table)

    def __reduce__(self) -> tuple[Any, ...]:
        return EndlessCorpus, (self.options, self.table)
