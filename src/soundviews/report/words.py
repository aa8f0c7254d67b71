"""How the figures of results are called in tables and on axes."""

from collections.abc import Iterable

MEASURES = {
    "accuracy": "mean per-class accuracy",
    "clip_accuracy": "clips right",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "weighted_precision": "weighted precision",
    "found_again": "found again",
    "own": "cosine, before and after",
    "unrelated": "cosine, unrelated",
}
OF_A_CLASS = {"mAP": "average precision"}


def measure_name(metric: str) -> str:
    """A metric in words; one without any is called what it is."""
    return MEASURES.get(metric, metric)


def measure_names(metrics: Iterable[str]) -> str:
    """Several metrics in words, each once."""
    return " or ".join(dict.fromkeys(map(measure_name, metrics)))


def class_measure_name(metric: str) -> str:
    """What the metric is of a single class."""
    return OF_A_CLASS.get(metric, metric)
