"""What the pages of results share: where they are written, what runs once, how commands are shown."""

import inspect
from pathlib import Path

import pytest

from studies import _page, acl, cnn14_scales, esc50, ssep_esc50, ssep_scenes


def test_pages_and_pictures_lie_in_docs() -> None:
    assert {"esc50.md", "acl.md", "ssep_scenes.md"} <= {page.name for page in _page.RESULTS.glob("*.md")}
    assert {"scene.png", "separator.png"} <= {image.name for image in _page.IMAGES.iterdir()}


@pytest.mark.parametrize("program", [acl, cnn14_scales, esc50, ssep_esc50, ssep_scenes])
def test_a_program_knows_its_page_and_finds_its_notes(program: object) -> None:
    name = program.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    assert f"docs/results/{name}.md" in (inspect.getdoc(program) or "")
    page = _page.RESULTS / f"{name}.md"
    assert page.is_file()
    assert _page.notes(page)[0] == page.with_name(f"{name}_notes.md").read_text().rstrip()


def test_a_page_says_what_wrote_it_and_shows_pictures_and_commands_without_this_machines_paths(tmp_path: Path) -> None:
    assert _page.written_by("acl", ["abc1234"]).startswith("Written by `python -m studies.acl` at commit ")
    assert "; its commands ran at abc1234; " in _page.written_by("acl", ["abc1234"])
    page = tmp_path / "docs" / "results" / "acl.md"
    assert _page.picture(tmp_path / "docs" / "images" / "a.svg", page, "bars")[0] == "![bars](../images/a.svg)"
    assert _page.picture(page.with_name("a.svg"), page, "bars")[0] == "![bars](a.svg)"
    shown = _page.shown(["pretrain", f"{tmp_path}/data", "-o", f"{tmp_path}/run"], {f"{tmp_path}/": "", "data": "DATA"})
    assert shown[1] == "soundviews pretrain DATA -o run"
    assert _page.notes(page) == []


def test_a_command_runs_once_and_never_with_other_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "soundviews"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/ran\ntest "$1" != fail\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for _ in range(2):
        _page.run_once(_page.Command("a", ["pretrain", "-o", str(tmp_path / "a")]), tmp_path)
    with pytest.raises(SystemExit, match="other arguments"):
        _page.run_once(_page.Command("a", ["pretrain", "more"]), tmp_path)
    for _ in range(2):
        with pytest.raises(SystemExit, match="failed"):
            _page.run_once(_page.Command("b", ["fail"]), tmp_path)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "environment.json").touch()
    _page.run_once(_page.Command("c", ["separate", "train", "x", "-o", str(tmp_path / "c")]), tmp_path)
    ran = (tmp_path / "ran").read_text().splitlines()
    assert ran == [f"pretrain -o {tmp_path}/a", "fail", "fail", f"separate train x -o {tmp_path}/c"]
    whole, went_on = _page.record("a", tmp_path), _page.record("c", tmp_path)
    assert whole and whole["seconds"] >= 0 and went_on and went_on["seconds"] is None
