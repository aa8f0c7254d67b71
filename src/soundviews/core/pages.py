"""YAML and JSON that anybody may have written: read with bounds, so that a hostile page is an error and not a crash."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import yaml

MOST_BYTES = 1_000_000  # of a page; the longest that ships has 3,000
MOST_DEPTH = 50  # of lists and mappings in each other
_MOST_BITS = 63  # of a whole number: torch and NumPy take no longer ones
_MOST_DIGITS = 400  # of a number; YAML reads 1:59:59:... as one, in a time that grows with the square of its length
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 1e-3 as text, as it has no point; here it is a number. Half a letter (a surrogate) is no text."""

    def construct_scalar(self, node: Any) -> Any:
        text = super().construct_scalar(node)
        if isinstance(text, str):
            text.encode()  # which raises a ValueError
        return text


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_yaml(path: Path) -> Any:
    """What a YAML file says.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no YAML in UTF-8, too large or too deep; says so in one line.
    """
    return parse_yaml(_text(path))


def parse_yaml(text: str) -> Any:
    """What a YAML text says. Aliases (`*name`) count as often as they stand for something.

    Raises:
        ValueError: as `read_yaml`.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _require_modest(node, _nodes_below)
        value = loader.construct_document(node)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(_in_one_line(error)) from error
    except (AttributeError, LookupError) as error:  # PyYAML's own, at a tag such as !!bool before what is none
        raise ValueError("a value is not of the kind that its tag says") from error
    _require_modest(value, _values_below)
    return value


def read_json(path: Path) -> Any:
    """What a JSON file says. NaN and Infinity, which are no JSON, are refused.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON in UTF-8, too large or too deep; says so in one line.
    """
    return parse_json(_text(path))


def parse_json(text: str | bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: as `read_json`.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError(_in_one_line(error)) from error
    _require_modest(value, _values_below)
    return value


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise ValueError("it is not a file")
    with open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES / 1e6:g} MB")
    return content.decode("utf-8")


def _require_modest(root: Any, below: Callable[[Any], Iterable[Any]]) -> None:
    """Refuse what has more text and values than a page can have without aliases, or lies deeper than MOST_DEPTH.

    It is walked without recursion, and given up where the bound is reached: nine aliases of nine aliases of ... are a
    short text and a page of any size.
    """
    size, stack = 0, [(root, 0)]
    while stack:
        value, depth = stack.pop()
        text = getattr(value, "value", value)
        size += 1 + (len(text) if isinstance(text, str) else 0)
        if depth > MOST_DEPTH:
            raise ValueError(f"its lists and mappings lie more than {MOST_DEPTH} deep in each other")
        if size > MOST_BYTES:
            raise ValueError(f"with what its aliases stand for it is larger than {MOST_BYTES / 1e6:g} MB")
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise ValueError(f"a whole number has more than {_MOST_BITS} bits")
        if getattr(value, "tag", None) in _NUMBERS and len(text) > _MOST_DIGITS:
            raise ValueError(f"a number has more than {_MOST_DIGITS} digits")
        stack += ((child, depth + 1) for child in below(value))


def _nodes_below(node: yaml.Node) -> Iterable[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def _values_below(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list | tuple | set) else ()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


def _in_one_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"its lists and mappings lie more than {MOST_DEPTH} deep in each other"
    return " ".join(str(error).split())
