"""Sections of a page that a command writes, between marks."""

from pathlib import Path


def replace_section(page: Path, command: str, text: str) -> None:
    """Put `text` between the marks of `command` on the page."""
    begin, end = f"<!-- {command} -->", f"<!-- end of {command} -->"
    whole = page.read_text(encoding="utf-8")
    before, rest = whole.split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}", encoding="utf-8")
