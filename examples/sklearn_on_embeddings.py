"""scikit-learn on embeddings: `python examples/sklearn_on_embeddings.py RUN LABELLED TEST_FOLD`."""

import sys
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import soundviews as sv


def classify(model: Any, labelled: Any, test: Any) -> tuple[float, Any]:
    """Learn from all clips but those that `test` picks; its accuracy on these, and the classifier.

    Args:
        model: A run, a bundle, or what `sv.load` gives.
        labelled: A corpus with one class for each clip.
        test: From the embedded clips to a bool for each.
    """
    vectors, clips = sv.embed(model, labelled)  # (clips, embedding_size), a row for each clip
    held_out = np.asarray(test(clips))
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(vectors[~held_out], clips.y[~held_out])
    return classifier.score(vectors[held_out], clips.y[held_out]), classifier


if __name__ == "__main__":
    run, labelled, fold = sys.argv[1:]
    print(f"accuracy {classify(run, labelled, lambda clips: clips.fold == int(fold))[0]:.3f}")
