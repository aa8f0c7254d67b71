"""Damage to files: to any byte by byte, and to what pages, tables and tensors say in ways that stay readable."""

import csv
import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.random import Generator

# Where numbers, texts and structures are most often handled wrongly.
EDGES: tuple[Any, ...] = (
    *(0, 1, -1, 2, 255, 65535, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 10**9, 10**30, -(2**63)),
    *(0.5, -0.5, 1e-9, 1e-308, 1e9, 1e30, 1e308, float("inf"), float("-inf"), float("nan")),
    *("", " ", "x", "1", "nan", "1e400", "\0", "\x1b]0;title\x07", "../../up", "/dev/zero", "é" * 300, "a\nb", "=1+1"),
    *(None, True, False, [], {}, [1], [[]], {"x": 1}, {"": None}, ["crop", "crop"]),
)


def damaged(path: Path, rng: Generator) -> None:
    """Damage the file in its place: in half of the cases what it says, where its format is known, else its bytes."""
    edit = _EDITS.get(path.suffix)
    data = path.read_bytes()
    if edit is not None and rng.random() < 0.5:
        path.write_bytes(edit(data, rng))
    else:
        path.write_bytes(damaged_bytes(data, rng))


def damaged_bytes(data: bytes, rng: Generator) -> bytes:
    """One to four damages, as a bad disk, a cut copy or an enemy makes them; headers are hit most."""
    for _ in range(rng.integers(1, 5)):
        data = _BYTE_DAMAGES[rng.integers(len(_BYTE_DAMAGES))](data, rng)
    return data


def _position(data: bytes, rng: Generator) -> int:
    """Half of the time in the first 256 bytes, a quarter in the last 256."""
    draw, size = rng.random(), len(data)
    if draw < 0.5:
        return int(rng.integers(min(size, 256) + 1))
    if draw < 0.75:
        return int(rng.integers(max(0, size - 256), size + 1))
    return int(rng.integers(size + 1))


def _length(rng: Generator) -> int:
    """From one byte to some thousand, the short ones most."""
    return int(2 ** rng.uniform(0, 12))


def _flip(data: bytes, rng: Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 9)):
        if (at := _position(data, rng)) < len(changed):
            changed[at] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwrite(data: bytes, rng: Generator) -> bytes:
    at, length = _position(data, rng), _length(rng)
    new = (bytes(length), b"\xff" * length, rng.bytes(length))[rng.integers(3)]
    return data[:at] + new[: max(0, len(data) - at)] + data[at + length :]


def _cut(data: bytes, rng: Generator) -> bytes:
    at = _position(data, rng)
    return data[:at] if rng.random() < 0.5 else data[:at] + data[at + _length(rng) :]


def _insert(data: bytes, rng: Generator) -> bytes:
    at, length = _position(data, rng), _length(rng)
    return data[:at] + (rng.bytes(length) if rng.random() < 0.5 else data[at : at + length]) + data[at:]


def _swap(data: bytes, rng: Generator) -> bytes:
    first, second = sorted((_position(data, rng), _position(data, rng)))
    length = min(_length(rng), second - first)
    blocks = data[second : second + length], data[first + length : second], data[first : first + length]
    return data[:first] + b"".join(blocks) + data[second + length :]


def _number(data: bytes, rng: Generator) -> bytes:
    """A whole number of 2, 4 or 8 bytes at its edge."""
    kind = ("H", "I", "Q")[rng.integers(3)]
    size = struct.calcsize(kind)
    most = 2 ** (8 * size) - 1
    value = (0, 1, most, most // 2, most // 2 + 1, most - 15)[rng.integers(6)]
    at = _position(data, rng)
    new = struct.pack(f"{'<>'[rng.integers(2)]}{kind}", value)
    return data[:at] + new[: max(0, len(data) - at)] + data[at + size :]


_BYTE_DAMAGES: tuple[Callable[[bytes, Generator], bytes], ...] = (
    _flip,
    _flip,
    _overwrite,
    _cut,
    _insert,
    _swap,
    _number,
)


def edited(page: Any, rng: Generator) -> Any:
    """One to three values of a page of lists and mappings replaced, removed, doubled or put elsewhere."""
    holder = [page]
    for _ in range(rng.integers(1, 4)):
        owners = [(owner, key) for owner, key in _values(holder)]
        owner, key = owners[rng.integers(len(owners))]
        change = rng.random()
        if change < 0.7:
            owner[key] = EDGES[rng.integers(len(EDGES))]
        elif change < 0.8 and owner is not holder:
            del owner[key]
        elif change < 0.9:
            other, name = owners[rng.integers(len(owners))]
            owner[key] = json.loads(json.dumps(other[name]))
        elif isinstance(owner, dict):
            owner[f"{key}x"] = owner.pop(key)
        else:
            owner.append(owner[key])
    return holder[0]


def _values(owner: Any) -> list[tuple[Any, Any]]:
    """Every value as the list or mapping that holds it, and its index or key there."""
    keys = list(owner) if isinstance(owner, dict) else range(len(owner))
    found = []
    for key in keys:
        found.append((owner, key))
        if isinstance(owner[key], list | dict):
            found += _values(owner[key])
    return found


def _json(data: bytes, rng: Generator) -> bytes:
    return json.dumps(edited(json.loads(data), rng)).encode()


def _yaml(data: bytes, rng: Generator) -> bytes:
    return yaml.safe_dump(edited(yaml.safe_load(data), rng), allow_unicode=True).encode()


def _safetensors(data: bytes, rng: Generator) -> bytes:
    """The header edited, or the weights replaced by numbers at the edge."""
    (length,) = struct.unpack("<Q", data[:8])
    header, weights = json.loads(data[8 : 8 + length]), data[8 + length :]
    if rng.random() < 0.5:
        header = edited(header, rng)
    else:
        numbers = np.frombuffer(weights[: len(weights) // 4 * 4], np.float32).copy()
        edges = np.array([np.nan, np.inf, -np.inf, 3e38, 1e-40, 0], np.float32)
        numbers[rng.integers(len(numbers), size=rng.integers(1, 100))] = rng.choice(edges)
        weights = numbers.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + weights


def _csv(data: bytes, rng: Generator) -> bytes:
    """Fields at their edge, lines and columns lost, doubled or longer."""
    rows = [list(row) for row in csv.reader(io.StringIO(data.decode(), newline=""))]
    for _ in range(rng.integers(1, 4)):
        row = rows[rng.integers(len(rows))]
        if not row:
            continue
        change, column = rng.random(), int(rng.integers(len(row)))
        if change < 0.6:
            row[column] = str(EDGES[rng.integers(len(EDGES))])
        elif change < 0.7:
            del row[column]
        elif change < 0.8:
            row += row
        else:
            rows.insert(int(rng.integers(len(rows))), list(rows[rng.integers(len(rows))]))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=",;\t"[rng.choice(3, p=(0.8, 0.1, 0.1))]).writerows(rows)
    return text.getvalue().encode()


def _parquet(data: bytes, rng: Generator) -> bytes:
    """A column renamed, lost, of another type or with nulls; rows lost; the metadata edited."""
    table = pq.read_table(pa.BufferReader(data))
    name = table.column_names[rng.integers(table.num_columns)]
    at = table.column_names.index(name)
    change = rng.integers(6)
    if change == 0:
        table = table.rename_columns([f"{other}x" if other == name else other for other in table.column_names])
    elif change == 1:
        table = table.drop_columns([name])
    elif change == 2:
        edges = [EDGES[rng.integers(len(EDGES))] for _ in range(3)]
        values = [str(edges[row % 3]) for row in range(table.num_rows)]
        table = table.set_column(at, name, pa.array(values))
    elif change == 3:
        values = table[name].to_pylist()
        values[rng.integers(len(values))] = None
        table = table.set_column(at, name, pa.array(values, table.schema.field(name).type))
    elif change == 4:
        table = table.slice(0, int(rng.integers(table.num_rows)))
    else:
        metadata = {key: _edited_text(value, rng) for key, value in (table.schema.metadata or {}).items()}
        table = table.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def _edited_text(value: bytes, rng: Generator) -> bytes:
    try:
        return _json(value, rng)
    except ValueError:
        return damaged_bytes(value, rng)


_EDITS: dict[str, Callable[[bytes, Generator], bytes]] = {
    ".json": _json,
    ".yaml": _yaml,
    ".safetensors": _safetensors,
    ".csv": _csv,
    ".parquet": _parquet,
}
