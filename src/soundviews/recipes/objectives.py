"""The objectives that a recipe names: each with a name of its own and a weight in the sum. No torch here."""

from collections import Counter
from typing import Any, NamedTuple

from soundviews.core.component import Component, component
from soundviews.core.errors import SoundviewsError


class WeightedObjective(NamedTuple):
    """One summand of the loss: weight * part. Its metrics are logged as `name_...`."""

    name: str
    weight: float
    part: Component


def weighted_objectives(page: list[dict[str, Any]]) -> list[WeightedObjective]:
    """A recipe's `objectives`. Beside its constructor's options each may have `weight` (default 1) and `name` (default:
    the name it is registered under), as in `nt_xent: {weight: 0.5, name: near, temperature: 0.3}`.

    Raises:
        SoundviewsError: a weight that is no positive number, a name that cannot be, or one that two have.
    """
    objectives = []
    for item in page:
        part = component(item)
        name, weight = part.options.pop("name", part.name), part.options.pop("weight", 1.0)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            raise SoundviewsError(f"objective {part.name!r}: weight is a positive number, not {weight!r}")
        if not isinstance(name, str) or not name.isidentifier():
            raise SoundviewsError(f"objective {part.name!r}: a name is letters, digits and _, not {name!r}")
        objectives.append(WeightedObjective(name, float(weight), part))
    name, count = Counter(objective.name for objective in objectives).most_common(1)[0]
    if count > 1:
        raise SoundviewsError(
            f"{count} objectives are called {name!r}: give each a name of its own, as in {{{name}: {{name: near}}}}"
        )
    return objectives
