"""YAML and JSON from anybody: a hostile page is an error in one line, soon."""

import os
from pathlib import Path

import pytest

from soundviews.core.pages import MOST_BYTES, parse_json, parse_yaml, read_json, read_yaml


def nested(kind: str, times: int) -> str:
    """A text of `times` levels, each of nine aliases of the one before."""
    levels = {"lists": "[{}]", "merges": "{{<<: [{}]}}"}
    first = {"lists": "[lol]", "merges": "{lol: 1}"}[kind]
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{n}: &a{n} {levels[kind].format(', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, times)]
    return "\n".join(lines)


HOSTILE = {
    "lists of aliases": (nested("lists", 10), "aliases"),
    "merges of aliases": (nested("merges", 10), "aliases"),
    "an alias of itself": ("a: &a [*a]", "deep"),
    "5,000 lists": ("[" * 5000 + "]" * 5000, "deep"),
    "100 lists": ("[" * 100 + "]" * 100, "deep"),
    "1,000 mappings": ("\n".join(" " * n + "a:" for n in range(1000)), "deep"),
    "a long number": ("a: " + "9" * 100_000, "digits"),
    "a number to the base of 60": ("a: 1" + ":59" * 100_000, "digits"),
    "a number of 100 digits": ("a: " + "9" * 100, "63 bits"),
    "a program": ("a: !!python/object/apply:os.system [ls]", "constructor"),
    "a tag that is not so": ("a: !!bool x", "tag"),
    "an impossible date": ("a: 2001-13-45", "month"),
    "an escape": ("a: \x1b[31m", "special characters"),
    "half a letter": ('a: "\\ud800"', "surrogates"),
    "two pages": ("a: 1\n---\nb: 2", "single document"),
}


@pytest.mark.parametrize(("text", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_yaml_page_is_an_error_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_yaml(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 5000 + "]" * 5000, "deep"),
        ('{"a":' * 100 + "1" + "}" * 100, "deep"),
        ('{"std": NaN}', "NaN is no number"),
        ('{"std": -Infinity}', "Infinity is no number"),
        ('{"n_fft": ' + "9" * 100 + "}", "63 bits"),
        ('{"n_fft": ' + "9" * 10_000 + "}", "digits"),
        ('{"cut": ', "Expecting value"),
    ],
)
def test_a_hostile_json_page_is_an_error_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_json(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_a_few_aliases_are_what_they_stand_for() -> None:
    assert parse_yaml("anchor: &branch [crop, log_mel]\npositive: *branch\nlr: 1e-3") == {
        "anchor": ["crop", "log_mel"],
        "positive": ["crop", "log_mel"],
        "lr": 0.001,
    }
    assert parse_yaml("") is None and parse_json('{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}


@pytest.mark.parametrize("read", [read_yaml, read_json])
def test_a_file_is_read_up_to_its_largest_size(tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "page"
    path.write_text('{"a": 1}' + " " * (MOST_BYTES - 8))
    assert read(path) == {"a": 1}
    with open(path, "a") as file:
        file.write(" " * 10_000_000)
    with pytest.raises(ValueError, match="larger than 1 MB"):
        read(path)
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ValueError, match="utf-8"):
        read(path)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a file"):
        read_yaml(tmp_path / "pipe")
