"""What recipes and bundles call a part by: a registered name and its options. No torch here."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from soundviews.core.errors import SoundviewsError, brief


class Component(BaseModel):
    """A registered component by name and its constructor's options."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str
    options: dict[str, Any] = {}


def component(mapping: dict[str, Any]) -> Component:
    """{name: options} as a Component."""
    if len(mapping) != 1:
        raise SoundviewsError(f"expected one component as {{name: options}}, not {brief(mapping)}")
    ((name, options),) = mapping.items()
    return Component(name=name, options=options or {})
