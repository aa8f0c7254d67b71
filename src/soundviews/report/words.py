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


SHARES = ("accuracy", "chance", "degenerate", "mAP", "macro_f1", "micro_f1", "weighted_precision", "invariance")
UNITS = {"snr": "dB"}


def measure_name(metric: str) -> str:
    """A metric in words; one without any is called what it is."""
    return MEASURES.get(metric, metric)


def measure_names(metrics: Iterable[str]) -> str:
    """Several metrics in words, each once."""
    return " or ".join(dict.fromkeys(map(measure_name, metrics)))


def class_measure_name(metric: str) -> str:
    """What the metric is of a single class."""
    return OF_A_CLASS.get(metric, metric)


def is_share(metric: str) -> bool:
    """Whether a metric of a training, such as nt_xent_accuracy, is a share of at most 1."""
    return metric.endswith(SHARES)


def unit_of(metric: str) -> str:
    """The unit of a metric of a training, such as snr or "separator: snr"; empty where it has none."""
    return UNITS.get(metric.rpartition(" ")[2], "")
