"""Protocols on tasks with repeated seeds and baselines, as rows with intervals."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.embeddings import Embeds
from soundviews.evaluation.f1 import class_f1, confusion, counts, likeliest
from soundviews.evaluation.intervals import bootstrap, over_repetitions
from soundviews.evaluation.requests import Request, Requests, read_requests, request_label
from soundviews.evaluation.result import Evaluation, Failure, JudgedClip, Row, failure, means, row_notes
from soundviews.evaluation.score import Judged, Score, protocols
from soundviews.evaluation.tasks import Task
from soundviews.model import Model

MOST_CONFUSED = 100  # classes whose confusions are kept
WHOLE_NETWORK = ("finetune", "scratch")

ModelOfSeed = Callable[[int], Embeds]


def evaluate(
    model: Embeds,
    tasks: Sequence[Task],
    requests: Requests,
    seeds: Sequence[int] = (0,),
    baselines: bool = False,
    data: str = "",
    on_row: Callable[[Evaluation, Row], Any] | None = None,
) -> Evaluation:
    """Judge one model by every protocol. What fails is kept in `failures`, and the rest goes on.

    Args:
        model: An opened model.
        tasks: A single task, or one for each fold of a cross-validation.
        requests: What `read_requests` takes.
        seeds: Seeds of classifiers, crops and random encoders. What does not depend on a seed runs once.
        baselines: Whether each protocol also judges the log-mel statistics and frozen random encoders; for
            finetune, training from scratch with the same options.
        data: What the corpus is called.
        on_row: Called with the result so far and each new row.

    Raises:
        SoundviewsError: an unknown protocol or option, before anything runs; nothing could be judged.
    """
    requests = read_requests(requests)
    if not tasks or not seeds:
        raise SoundviewsError("nothing to evaluate: no task or no seed")
    classes, clips = tasks[0].corpus.vocabulary, judged_clips(tasks)
    result = Evaluation(model.name, data, [task.description for task in tasks], classes=classes, clips=clips)
    for outcome in judge_model(model, tasks, requests, seeds, baselines):
        if isinstance(outcome, Failure):
            result.failures.append(outcome)
            continue
        result.rows.append(outcome)
        result.notes = row_notes(result.rows)
        if on_row:
            on_row(result, outcome)
    if baselines and any(name in WHOLE_NETWORK for name, _ in requests):
        result.note(["the log-mel statistics have no network to train: see their rows of other protocols"])
    note_clips(result, tasks)
    result.require_rows()
    return result


def judge_model(
    model: Embeds, tasks: Sequence[Task], requests: Sequence[Request], seeds: Sequence[int], baselines: bool = False
) -> Iterator[Row | Failure]:
    """What becomes of each request, and of each baseline under it; arguments as `evaluate` has them."""
    for name, options in requests:
        for system, protocol, model_of_seed in _systems(model, name, baselines):
            given = {k: v for k, v in options.items() if protocol == name or k != "lr"}  # scratch has its own
            try:
                yield _row(system, protocol, model_of_seed, tasks, given, seeds)
            except Exception as error:  # what one protocol meets, such as the end of the GPU's memory, others may not
                yield failure(error, system, protocol=request_label(protocol, given))


def judged_clips(tasks: Sequence[Task]) -> list[JudgedClip]:
    """The test clips, task after task."""
    return [
        JudgedClip(
            os.path.join(task.corpus.root, row["path"]),
            row["start"],
            row["end"],
            tuple(task.corpus.vocabulary[label] for label in row["labels"] or ()),
        )
        for task in tasks
        for row in task.corpus.table.take(task.test).select(["path", "start", "end", "labels"]).to_pylist()
    ]


def note_clips(result: Evaluation, tasks: Sequence[Task]) -> None:
    """Add what the tasks say of their clips, and which could not be read."""
    for task in tasks:
        result.note(task.notes())
        result.unreadable |= task.skipped


def _systems(model: Embeds, protocol: str, baselines: bool) -> list[tuple[str, str, ModelOfSeed]]:
    """(system's name, protocol, model for a seed) of each row."""
    fresh = "random encoder" if protocol == "random" else "from scratch" if protocol == "scratch" else model.name
    systems: list[tuple[str, str, ModelOfSeed]] = [(fresh, protocol, lambda seed: model)]
    if not baselines or protocol in ("random", "scratch") or not isinstance(model, Model):
        return systems
    if protocol == "finetune":
        return [*systems, ("from scratch", "scratch", lambda seed: model)]
    statistics = LogMelStatistics()
    return [
        *systems,
        (statistics.name, protocol, lambda seed: statistics),
        ("random encoder", protocol, model.reinitialised),
    ]


def _row(
    system: str,
    protocol: str,
    model_of_seed: ModelOfSeed,
    tasks: Sequence[Task],
    options: Mapping[str, Any],
    seeds: Sequence[int],
) -> Row:
    started = time.perf_counter()
    scores = _scores(protocol, model_of_seed, tasks, options, seeds)
    runs = [
        {"seed": seed, "task": task.description, **score.metrics}
        for seed, of_seed in zip(seeds, scores, strict=False)
        for task, score in zip(tasks, of_seed, strict=True)
    ]
    every = [score for of_seed in scores for score in of_seed]
    if np.isnan([score.value for score in every]).any():
        raise SoundviewsError(f"{protocol} could judge no class: the test clips that can be read are all alike")
    interval = over_repetitions(runs, every[0].measure) or bootstrap(every[0])
    pairs = [pair for of_seed in scores for pair in zip(tasks, of_seed, strict=True)]
    judged = [(task, score.judged) for task, score in pairs if score.judged]
    return Row(
        system=system,
        protocol=protocol,
        options=dict(options),
        measure=every[0].measure,
        value=float(np.mean([score.value for score in every])),
        low=interval and interval.low,
        high=interval and interval.high,
        interval=interval.over if interval else "",
        metrics=means([score.metrics for score in every]),
        per_class=means([score.per_class for score in every]),
        details=every[0].details,
        runs=runs,
        seconds=time.perf_counter() - started,
        f1=means([task.by_class(class_f1(counts(clips))) for task, clips in judged]),
        confusion=_confusion(judged),
        predicted=_predicted(tasks, scores[0]),
        scores=scores,
    )


def _scores(
    protocol: str,
    model_of_seed: ModelOfSeed,
    tasks: Sequence[Task],
    options: Mapping[str, Any],
    seeds: Sequence[int],
) -> list[list[Score]]:
    """By seed, then task; for the first seed only where the others would give the same."""
    scores: list[list[Score]] = []
    for seed in seeds:
        model = model_of_seed(seed)
        scores.append([protocols.get(protocol)(model, task, seed, **options) for task in tasks])
        same_model = len(seeds) > 1 and model_of_seed(seeds[0]) is model_of_seed(seeds[1])
        if same_model and all(score.deterministic for score in scores[0]):
            break
    return scores


def _confusion(judged: Sequence[tuple[Task, Judged]]) -> list[list[int]] | None:
    """Summed over the runs; None where nothing was classified, or into too many classes."""
    if not judged or judged[0][0].classes > MOST_CONFUSED:
        return None
    return np.sum([confusion(clips) for _, clips in judged], axis=0).tolist()


def _predicted(tasks: Sequence[Task], scores: Sequence[Score]) -> list[str | None]:
    """The class that each test clip was taken for, task after task; empty where nothing was classified."""
    names: list[str | None] = []
    for task, score in zip(tasks, scores, strict=True):
        if score.judged is None:
            return []
        predicted = np.full(len(task.corpus), -1)
        predicted[score.judged.clips] = likeliest(score.judged)
        names += [None if index < 0 else task.corpus.vocabulary[index] for index in predicted[task.test]]
    return names
