"""Which protocols judge, with which options: written as texts, pairs or mappings, and checked before anything runs."""

import contextlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

from soundviews.core.errors import SoundviewsError
from soundviews.core.pages import parse_yaml
from soundviews.core.registry import nearest
from soundviews.evaluation.score import gives_of, protocols

Request = tuple[str, dict[str, Any]]
"""A protocol's name and its options."""

Requests = str | Mapping[str, Mapping[str, Any] | None] | tuple[str, Mapping[str, Any]] | Sequence[Any]
"""What `read_requests` takes."""

WORDS = {int: "a whole number above 0", float: "a number above 0", str: "text", bool: "true or false"}


def read_requests(wanted: Requests) -> list[Request]:
    """Requests in their order, each once.

    Args:
        wanted: "linear", "linear:style=cola,epochs=50", ("linear", {"style": "cola"}), a list of such, or a mapping
            {"linear": {"style": "cola"}, "qbe": {}}.

    Raises:
        SoundviewsError: for an unknown protocol or option, naming the nearest right one, and for a value of another
            type than the option's; all numbers are positive.
    """
    if isinstance(wanted, Mapping):
        wanted = list(wanted.items())
    elif isinstance(wanted, str) or _is_pair(wanted):
        wanted = [wanted]
    requests = [_read_text(item) if isinstance(item, str) else _read_pair(item) for item in wanted]
    if not requests:
        raise SoundviewsError(f"name a protocol to judge by; there are {', '.join(protocols.names())}")
    for request in requests:
        _check(*request)
    return list({request_label(*request): request for request in requests}.values())


def request_label(protocol: str, options: Mapping[str, Any]) -> str:
    """The protocol and its options as the command line takes them."""
    given = ",".join(f"{key}={value}" for key, value in options.items())
    return f"{protocol}:{given}" if given else protocol


def needs_labels(requests: Sequence[Request]) -> bool:
    """Whether one of the protocols looks at labels."""
    declared = [gives_of(protocols.get(name)) for name, _ in requests]
    return any(gives is None or gives.labels for gives in declared)


def _is_pair(item: Any) -> bool:
    return len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], Mapping)


def _read_pair(item: Any) -> Request:
    name, options = item
    return name, dict(options or {})


def _read_text(text: str) -> Request:
    """NAME or NAME:option=value,option=value; values as YAML reads them, and 1e-3 is a number."""
    name, _, rest = text.partition(":")
    options: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, equals, written = part.partition("=")
        if not equals:
            raise SoundviewsError(f"protocol {text!r}: options are written name=value, not {part!r}")
        try:
            value = parse_yaml(written)
        except ValueError as error:
            raise SoundviewsError(f"protocol {text!r}: the value of {key.strip()} is no YAML: {error}") from error
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = float(written)
        options[key.strip()] = value
    return name.strip(), options


def _check(name: str, options: Mapping[str, Any]) -> None:
    protocol = protocols.get(name)
    known = set(inspect.signature(protocol).parameters) - {"model", "task", "seed"}
    hints = get_type_hints(protocol)
    for option, value in options.items():
        if option not in known:
            hint = nearest(option, known) if known else "it has none"
            raise SoundviewsError(f"protocol {name!r} has no option {option!r}: {hint}")
        kinds = get_args(hints.get(option)) or (hints.get(option),)
        if get_origin(hints.get(option)) is Literal and value not in kinds:
            raise SoundviewsError(f"protocol {name!r}: {option} must be one of {', '.join(kinds)}, not {value!r}")
        if set(kinds) <= {*WORDS, type(None)} and not _fits(value, kinds):
            words = " or ".join(word for kind, word in WORDS.items() if kind in kinds)
            raise SoundviewsError(f"protocol {name!r}: {option} must be {words}, not {value!r}")


def _fits(value: Any, kinds: tuple[Any, ...]) -> bool:
    """Whether the value is of one of these types; a number must also be positive, and a whole one is a float, too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return type(value) in kinds
    return value > 0 and (float in kinds or (int in kinds and isinstance(value, int)))
