"""The demonstration's first result: what the encoder that comes with the package finds alike among built-in scenes."""

from pathlib import Path

import numpy as np

from soundviews.face.embed import embed
from soundviews.scenes.folder import SceneOptions, write_scenes

ENCODER = "base"
SCENES = 60
SHOWN, NEAREST = 4, 3


def first_look(directory: Path) -> list[str]:
    """Make a few scenes, embed them with `base`, and say which are alike, and how often that is right.

    Args:
        directory: Where the scenes go.

    Returns:
        Lines to show.
    """
    corpus = write_scenes(
        directory, SceneOptions(clips=SCENES, max_events=1, min_snr=10.0, sources=False), progress=False
    )
    vectors, clips = embed(ENCODER, corpus, progress=False)
    unit = vectors / np.maximum(np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True), 1e-12)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    order = (-likeness).argsort(axis=1, kind="stable")[:, :NEAREST]
    alike = (clips.labels @ clips.labels.T) > 0
    right = int(alike[np.arange(len(order)), order[:, 0]].sum())
    chance = (alike.sum() - len(alike)) / (len(alike) - 1)
    names = [corpus.vocabulary[corpus.clip(row).labels[0]] for row in range(len(corpus))]
    lines = [
        f"{len(corpus)} made-up recordings of one sound each, heard by the encoder {ENCODER}, which comes with "
        "soundviews:"
    ]
    lines += [f"  most like {names[row]}: {', '.join(names[other] for other in order[row])}" for row in range(SHOWN)]
    return [*lines, f"The one most like it is the same sound for {right} of {len(corpus)}; by chance for {chance:.0f}."]
