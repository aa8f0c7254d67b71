"""Invariance, measured: how far does a transformation of a clip move its h? (acl's claim, section 2.1)

With u = h / |h| of a clip before, u' after a transformation t, and i != j for unrelated clips:

    own_t        = mean over i of cos(h_i, h'_i)
    unrelated    = mean over i != j of cos(h_i, h_j)
    invariance_t = 1 - (1 - own_t) / (1 - unrelated) = 1 - E |u_i - u'_i|^2 / E |u_i - u_j|^2

1: h stays where it is; 0: it moves as far as to an unrelated clip; below 0: farther. A cosine alone says little, since
an encoder whose h all point one way (a random one does) has high cosines between any clips; here what all u have in
common cancels, so that h needs no centring, and neither the number of clips nor the spread of h matters.

    found_again_t = share of clips i whose h'_i is nearer (cosine) to h_i than to all other h_j; ties share

is a stricter figure, for the same number of clips only: it tells an encoder that keeps clips apart from one with a few
clusters, but also falls where clips of one class rightly lie close together.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from soundviews.audio.loader import evaluation_batches
from soundviews.core.errors import SoundviewsError
from soundviews.core.progress import bar
from soundviews.core.randomness import Randomness, hashed_seed
from soundviews.evaluation import transformations
from soundviews.evaluation.embeddings import Embeds, clip_means
from soundviews.evaluation.parts import Indices
from soundviews.evaluation.score import Score, gives, protocols
from soundviews.evaluation.tasks import Task
from soundviews.features.patches import Clips
from soundviews.model.model import ENCODE_AT_ONCE, Model
from soundviews.views.registry import View

ROUNDING = 1e-10  # differences between cosines that float32 makes of equal h
BLOCK = 4_000_000  # similarities held at once

METRICS = ("invariance", "found_again", "own", "unrelated")


class Moved(NamedTuple):
    """own: cos(h_i, h'_i), found_again: 0, 1 or between at ties; float64 (clips,) each. unrelated: mean cosine."""

    own: NDArray[np.float64]
    found_again: NDArray[np.float64]
    unrelated: float

    @property
    def invariance(self) -> NDArray[np.float64]:
        """The invariance of each clip, (clips,); 0 where all h are the same, and nothing can be said."""
        spread = 1 - self.unrelated
        return 1 - (1 - self.own) / spread if spread > ROUNDING else np.zeros_like(self.own)

    def figures(self) -> dict[str, float]:
        """By the names of METRICS."""
        means = (self.invariance.mean(), self.found_again.mean(), self.own.mean(), self.unrelated)
        return {name: float(mean) for name, mean in zip(METRICS, means, strict=True)}


def moved(before: NDArray[Any], after: NDArray[Any]) -> Moved:
    """What a transformation did to h.

    Args:
        before, after: (clips, dim), finite; at least two clips. An all-zero h has similarity 0 to everything.

    Raises:
        SoundviewsError: for values that are not finite.
    """
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise SoundviewsError("some embeddings are NaN or infinite")
    old, new = _unit(before), _unit(after)
    cosine, count = (old * new).sum(1), len(old)
    unrelated = (np.square(old.sum(0)).sum() - np.square(old).sum()) / (count * (count - 1))
    again, rows = np.empty(count), max(1, BLOCK // count)
    for first in range(0, count, rows):
        block = slice(first, first + rows)
        nearer = new[block] @ old.T - cosine[block, None]
        ties = (np.abs(nearer) <= ROUNDING).sum(1)
        again[block] = np.where((nearer > ROUNDING).any(1), 0.0, 1 / ties)
    return Moved(cosine, again, float(unrelated))


@protocols.register("invariance", example={"only": "gain -6 dB"})
@gives(METRICS, METRICS, trains=False, labels=False)
def invariance(
    model: Embeds,
    task: Task,
    seed: int = 0,
    clips: int = 500,
    only: str = "",
    rooms: str = transformations.SIMULATED,
) -> Score:
    """How little transformations move h. Trains nothing, and looks at no label.

    Args:
        seed: Draws the clips, and with the number of the batch what is random in a transformation.
        clips: How many test clips at most.
        only: Names of transformations with + between them; by default those of `transformations.NAMES` that can be
            had.
        rooms: A folder of impulse responses, or "simulated".
    """
    task.require("invariance", "test")
    if clips < 2:
        raise SoundviewsError(f"invariance needs two clips at least, not {clips}")
    views, left_out = _chosen(model, only, rooms)
    rows = task.test
    if len(rows) > clips:
        rows = np.sort(np.random.default_rng(hashed_seed(seed, "invariance")).choice(rows, clips, replace=False))
    before, after = _embedded(model, task, rows, views, seed)
    by_name = {name: moved(before, after[name]).figures() for name in views}
    metrics = {key: float(np.mean([figures[key] for figures in by_name.values()])) for key in METRICS}
    details: dict[str, Any] = {"clips": len(before), "transformations": by_name}
    notes = [f"without {name}: {reason}" for name, reason in left_out.items()]
    if 1 - metrics["unrelated"] <= ROUNDING:
        notes.append("all h are the same")
    if notes:
        details["note"] = "; ".join(notes)
    return Score(metrics, {name: figures["invariance"] for name, figures in by_name.items()}, details)


def _chosen(model: Embeds, only: str, rooms: str) -> tuple[dict[str, View], dict[str, str]]:
    """The transformations, and why others are left out; an error for those that were asked for."""
    names = [name.strip() for name in only.split("+")] if only else list(transformations.NAMES)
    views = {name: transformations.create(name, model.sample_rate, rooms) for name in names}
    patches = isinstance(model, Model)
    reasons = {name: transformations.missing(name, view, patches, rooms) for name, view in views.items()}
    left_out = {name: reason for name, reason in reasons.items() if reason}
    if only and left_out:
        name, reason = next(iter(left_out.items()))
        raise SoundviewsError(f"{model.name} cannot be judged by {name!r}: {reason}")
    return {name: view for name, view in views.items() if name not in left_out}, left_out


@torch.inference_mode()
def _embedded(
    model: Embeds, task: Task, rows: Indices, views: dict[str, View], seed: int
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """h of the clips that can be read (silent ones cannot) before and after each transformation, (clips, dim) each.

    Every clip is decoded once; a batch and one transformation of it are in memory at a time.
    """
    skipped: list[Any] = []
    batches = evaluation_batches(
        task.corpus.select(rows), model.sample_rate, task.batch_size, task.workers, strict=task.strict, skipped=skipped
    )
    device = getattr(model, "device", torch.device("cpu"))
    before: list[NDArray[np.float32]] = []
    after: dict[str, list[NDArray[np.float32]]] = {name: [] for name in views}
    with bar(f"transforming ({model.name})", len(rows), "clips", task.progress) as advance:
        for number, batch in enumerate(batches):
            clips = Clips(batch.samples.to(device), batch.lengths.to(device))
            before.append(_clip_vectors(model, clips))
            for name, view in views.items():
                rng = Randomness(seed, number, device=device).child("invariance", name)
                after[name].append(_transformed_vectors(model, view, clips, rng))
            advance(len(batch.index))
    task.skipped.update({item.path: item.reason for item in skipped})
    if sum(map(len, before)) < 2:
        raise SoundviewsError(
            f"invariance needs two clips at least, to have an unrelated one: {len(rows)} test clips, "
            f"{len(skipped)} of them unreadable{''.join(f'; {path}: {reason}' for path, reason in skipped[:1])}"
        )
    return np.concatenate(before), {name: np.concatenate(parts) for name, parts in after.items()}


def _transformed_vectors(model: Embeds, view: View, clips: Clips, rng: Randomness) -> NDArray[np.float32]:
    """h of a batch of transformed clips, (batch, dim)."""
    if view.takes != "patches" or not isinstance(model, Model):
        return _clip_vectors(model, transformations.transformed(view, clips, rng))
    windows = model.windows(clips)
    parts = view(windows.patches, rng).split(ENCODE_AT_ONCE)
    vectors = torch.cat([model.encode(part).float().cpu() for part in parts])
    return clip_means(vectors.numpy(), windows.clip.cpu().numpy(), len(clips.lengths))


def _clip_vectors(model: Embeds, clips: Clips) -> NDArray[np.float32]:
    vectors, row, _ = model.embed_clips(clips)
    return clip_means(vectors.numpy(), row.numpy(), len(clips.lengths))


def _unit(vectors: NDArray[Any]) -> NDArray[np.float64]:
    wide = vectors.astype(np.float64)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-300)
