"""Where a dataset comes from, and whether what is there is all of it.

A dataset's class has `origin` and `published`. `published` maps the names of splits to their number of clips, "clips"
to the number of all, "recordings" to that of their files, "classes" to the number of classes; what was never published
is left out.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow.compute as pc

from soundviews.audio.corpus import Corpus


class Archive(NamedTuple):
    """One file to download and to unpack.

    Attributes:
        url: Public address; its last part is the archive's name, which ends in .zip, .tar.gz or .tgz.
        checksum: As published: "md5:..." or "sha256:...", hexadecimal.
        folder: Where it unpacks, relative to the dataset's folder; "" is that folder itself.
    """

    url: str
    checksum: str
    folder: str = ""


class Origin(NamedTuple):
    """How to come by a dataset.

    Attributes:
        about: What it is, in one line: size, classes, who made it.
        licence: Its licence, as its authors name it.
        archives: What can be downloaded; empty where there is no public address, or no published checksum.
        instructions: What is to be done by hand, and the layout to end up with; empty where nothing is.
    """

    about: str
    licence: str
    archives: tuple[Archive, ...] = ()
    instructions: str = ""


def published_differences(corpus: Corpus, published: Mapping[str, int]) -> list[str]:
    """How a corpus differs from what was published, in words; empty where all counts are right."""
    counted = pc.value_counts(corpus.table["split"]).to_pylist()
    found = {"clips": len(corpus), "classes": len(corpus.vocabulary)}
    found["recordings"] = pc.count_distinct(corpus.table["path"]).as_py()
    found |= {row["values"]: row["counts"] for row in counted}
    return [
        f"{found.get(name, 0):,} {name} instead of {expected:,}"
        if name in ("clips", "recordings", "classes")
        else f"{name} has {found.get(name, 0):,} clips instead of {expected:,}"
        for name, expected in published.items()
        if found.get(name, 0) != expected
    ]
