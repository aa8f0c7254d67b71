"""The demonstration's first result counts right, and shows the nearest."""

import re

import numpy as np
import pytest

from soundviews.face import demo_first
from soundviews.face.embed import embed
from soundviews.scenes.folder import read_scenes


@pytest.mark.usefixtures("random_base")
def test_the_first_look_counts_scenes_whose_nearest_is_of_the_same_sound(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_first, "SCENES", 14)
    monkeypatch.setattr(demo_first, "SHOWN", 2)
    lines = demo_first.first_look(tmp_path / "first")
    corpus = read_scenes(tmp_path / "first")
    vectors, clips = embed("base", corpus, progress=False)
    unit = vectors / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    names = [corpus.vocabulary[index] for index in clips.y]
    right = 0
    for row in range(14):
        others = [other for other in range(14) if other != row]
        nearest = sorted(others, key=lambda other: -unit[row] @ unit[other])
        right += names[nearest[0]] == names[row]
        if row < 2:
            assert lines[1 + row].strip() == f"most like {names[row]}: " + ", ".join(names[i] for i in nearest[:3])
    pairs = sum(names[row] == names[other] for row in range(14) for other in range(14) if row != other)
    assert len(lines) == 4 and f" {right} of 14;" in lines[-1]
    assert float(re.search(r"chance for (.*)\.", lines[-1])[1]) == pytest.approx(pairs / 13, abs=0.5)
