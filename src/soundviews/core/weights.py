"""Weights from a file that anybody may have written, held against the modules they are for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import MissingExtra


def require_exact(tensors: Mapping[str, Tensor], planned: nn.Module, half: bool = False) -> None:
    """Refuse tensors that are not those of a module by name, shape and type, and weights that are not finite.

    Args:
        planned: The module, which may be on the meta device: then nothing is allocated by what a config says.
        half: Floating-point tensors are float16, whatever the module computes in.

    Raises:
        SoundviewsError: names the first that is wrong.
    """
    expected, wrong = planned.state_dict(), []
    wrong += [f"{key} is missing" for key in expected if key not in tensors]
    wrong += [f"{key} is unknown" for key in tensors if key not in expected]
    weights = {name for name, _ in planned.named_parameters()}
    for key in expected.keys() & tensors.keys():
        shape, kind = expected[key].shape, expected[key].dtype
        if half and kind.is_floating_point:
            kind = torch.float16
        if tensors[key].shape != shape:
            wrong.append(f"{key} is {tuple(tensors[key].shape)}, not {tuple(shape)}")
        elif tensors[key].dtype != kind:
            wrong.append(f"{key} is {_name(tensors[key].dtype)}, not {_name(kind)}")
        elif key in weights and not tensors[key].isfinite().all():
            wrong.append(f"{key} has values that are not finite")
    if wrong:
        more = f", and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        raise SoundviewsError(f"the weights do not fit config.json: {min(wrong)}{more}")


@contextmanager
def naming_bundle(directory: Path) -> Iterator[None]:
    """Within the block, whatever building fails by is an error of the bundle, which is named, in one line."""
    try:
        yield
    except MissingExtra:
        raise
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise SoundviewsError(f"{directory}: config.json: {key}: {first['msg']}") from error
    except (SoundviewsError, ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError) as error:
        raise SoundviewsError(f"{directory}: {_first_line(error)}") from error
    except (RuntimeError, TypeError, ValueError, SafetensorError) as error:
        raise SoundviewsError(f"{directory}: config.json says what cannot be built: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _name(kind: torch.dtype) -> str:
    return str(kind).removeprefix("torch.")
