"""The frozen random encoder: what the architecture and the front-end give without any learning."""

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.embeddings import Embeds
from soundviews.evaluation.protocols.linear import linear
from soundviews.evaluation.score import Score, gives, protocols
from soundviews.evaluation.tasks import Task
from soundviews.model import Model


@protocols.register("random", example={"epochs": 2})
@gives(during_training=False)
def random_encoder(model: Embeds, task: Task, seed: int = 0, style: str = "uclser", epochs: int | None = None) -> Score:
    """The linear protocol on the bundle's architecture with fresh weights drawn from `seed`."""
    if not isinstance(model, Model):
        raise SoundviewsError(f"random needs an encoder, and {model.name} has none")
    return linear(model.reinitialised(seed), task, seed, style=style, epochs=epochs)
