"""A report as one HTML file that needs nothing else: no fonts, no scripts, no network.

It reads on a screen of 390 pixels, light or dark, and on paper. Recordings are not in it: a player reads the file where
it is.
"""

import base64
import io
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from matplotlib.figure import Figure as MatplotlibFigure

from soundviews.core.files import write_text_whole
from soundviews.report.figures import save_svg

STYLE = """
:root { color-scheme: light dark;
  --ink: #1f2328; --soft: #59636e; --line: #d8dee4; --paper: #ffffff; --band: #f6f8fa; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
p { margin: .6rem 0; max-width: 42rem; }
.lead { color: var(--soft); font-size: 1.05rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.6rem 0 0; }
.facts div { background: var(--band); border-radius: .5rem; padding: .8rem 1rem; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: .1rem 0 0; font-size: 1.25rem; font-weight: 600; }
nav { margin: 1.4rem 0 0; font-size: .92rem; } nav a { display: inline-block; margin-right: 1.1rem; }
a { color: var(--accent); }
.scroll { overflow-x: auto; margin: 1rem 0; }
figure { margin: 1.2rem 0; } figure .scroll { margin: 0; }
figure img { display: block; border-radius: .5rem; height: auto; max-width: max(100%, 35rem); background: #ffffff; }
figcaption, caption { color: var(--soft); font-size: .9rem; text-align: left; margin-top: .4rem; }
caption { caption-side: bottom; padding-top: .5rem; }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .4rem .9rem .4rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; border-bottom: 2px solid var(--ink); vertical-align: bottom; }
th, td { min-width: 3.5rem; max-width: 18rem; overflow-wrap: break-word; }
td.number, th.number { text-align: right; } td { white-space: nowrap; }
td.long { white-space: normal; min-width: 8rem; }
pre { background: var(--band); border-radius: .5rem; padding: .8rem 1rem; overflow-x: auto; font-size: .87rem; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.sounds { list-style: none; padding: 0; margin: .4rem 0 1.2rem; }
.sounds li { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem 1rem; padding: .3rem 0; }
.sounds span { flex: 1 1 16rem; } audio { flex: 0 1 20rem; min-width: 0; max-width: 100%; height: 2.25rem; }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9da7b1; --line: #30363d; --paper: #0d1117; --band: #161b22; --accent: #6cb6ff; }
  figure img { filter: brightness(.9); } }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.5rem; }
  th:first-child, td:first-child { position: sticky; left: 0; max-width: 9rem; background: var(--paper); } }
@media print {
  :root { color-scheme: light;
    --ink: #000000; --soft: #444444; --line: #cccccc; --paper: #ffffff; --band: #f6f8fa; --accent: #000000; }
  main { max-width: none; padding: 0; } nav, audio { display: none; } p { max-width: none; }
  .scroll, pre { overflow: visible; } pre { white-space: pre-wrap; }
  table { font-size: .75rem; }
  th, td.long, .wide td { min-width: 4.6rem; max-width: none; white-space: normal; overflow-wrap: anywhere; }
  .wide th, .wide td { min-width: 0; padding-right: .4rem; }
  th:first-child, td:first-child { position: static; }
  figure img { width: auto !important; max-width: 100%; max-height: 23cm; filter: none; }
  figure, tr, li { break-inside: avoid; } h2 { break-after: avoid; } }
"""


SHORT = 18  # characters of a cell that stay in one line, such as an interval
NARROW = 8  # columns that fit on paper without breaking words
PLAYABLE = {".wav", ".mp3", ".ogg", ".oga", ".opus", ".flac", ".m4a", ".mp4", ".webm", ".aac"}  # by browsers


class Text(NamedTuple):
    """A paragraph."""

    text: str


class Code(NamedTuple):
    """Commands or output, kept as they are."""

    text: str


class Table(NamedTuple):
    """Rows of strings or numbers; a column of numbers, some maybe missing (""), is set to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float]]
    caption: str = ""


class Figure(NamedTuple):
    """A drawing, what it shows (caption), and the same for those who cannot see it (alt)."""

    drawing: MatplotlibFigure
    caption: str = ""
    alt: str = ""


class Sound(NamedTuple):
    """A recording from start to end, in seconds (None is its end), and what is said of it."""

    path: Path
    start: float
    end: float | None
    text: str


class Sounds(NamedTuple):
    """Recordings below each other, with a player where the file is there when the page is written."""

    sounds: Sequence[Sound]


Part = Text | Code | Table | Figure | Sounds


class Section(NamedTuple):
    """A heading and what stands below it, in order."""

    title: str
    parts: Sequence[Part]


def write_report(
    path: str | Path,
    title: str,
    sections: Sequence[Section],
    lead: str = "",
    facts: Sequence[tuple[str, str]] = (),
    footer: str = "",
) -> Path:
    """Write the report, whole or not at all.

    Args:
        path: The HTML file.
        title: Its heading.
        sections: What it says.
        lead: One or two sentences below the title: the result. Each line is a paragraph.
        facts: (name, value) pairs shown large, such as ("mAP", "0.31").
        footer: Such as the version and the date.
    """
    path = Path(path)
    links = "".join(f'<a href="#s{i}">{escape(s.title)}</a>' for i, s in enumerate(sections))
    boxes = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    body = "".join(
        f'<section id="s{i}"><h2>{escape(section.title)}</h2>{rendered(section.parts, path.parent)}</section>'
        for i, section in enumerate(sections)
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>"
        f"<header><h1>{escape(title)}</h1>"
        + "".join(f'<p class="lead">{escape(line)}</p>' for line in lead.splitlines())
        + (f'<dl class="facts">{boxes}</dl>' if boxes else "")
        + (f"<nav>{links}</nav>" if len(sections) > 2 else "")
        + f"</header>\n{body}"
        + (f"<footer>{escape(footer)}</footer>" if footer else "")
        + "</main></body></html>\n"
    )
    write_text_whole(path, page)
    return path


def rendered(parts: Sequence[Part], directory: Path | None = None) -> str:
    """The parts as HTML, without a page around them.

    Args:
        directory: Where the page lies, for players; without it there are none.
    """
    return "".join(_render(part, directory) for part in parts)


def _render(part: Part, directory: Path | None) -> str:
    match part:
        case Text(text):
            return f"<p>{escape(text)}</p>"
        case Code(text):
            return f"<pre>{escape(text)}</pre>"
        case Table():
            return _render_table(part)
        case Figure():
            return _render_figure(part)
        case Sounds(sounds):
            return f'<ul class="sounds">{"".join(_render_sound(sound, directory) for sound in sounds)}</ul>'


def _render_figure(figure: Figure) -> str:
    """As wide as it is drawn; a narrow screen moves it sideways rather than making its letters too small to read."""
    below = f"<figcaption>{escape(figure.caption)}</figcaption>" if figure.caption else ""
    source, width = _as_address(figure.drawing), round(96 * figure.drawing.get_figwidth())
    image = f'<img src="{source}" alt="{escape(figure.alt or figure.caption)}" style="width: {width}px">'
    return f'<figure><div class="scroll" tabindex="0">{image}</div>{below}</figure>'


def _render_sound(sound: Sound, directory: Path | None) -> str:
    player = ""
    if directory is not None and sound.path.suffix.lower() in PLAYABLE and sound.path.is_file():
        end = "" if sound.end is None else f",{sound.end:g}"
        part = f"#t={sound.start:g}{end}" if sound.start or end else ""
        address = escape(_relative_address(sound.path, directory) + part)
        player = f'<audio controls preload="none" src="{address}"></audio>'
    return f"<li><span>{escape(sound.text)}</span>{player}</li>"


def _relative_address(path: Path, directory: Path) -> str:
    """The file as seen from the page, so that both may move together; whole where they are on different drives."""
    try:
        relative = os.path.relpath(path, directory)
    except ValueError:
        return path.absolute().as_uri()
    return quote(relative.replace(os.sep, "/"))


def _render_table(table: Table) -> str:
    columns = [[row[index] for row in table.rows if row[index] != ""] for index in range(len(table.columns))]
    numeric = [bool(values) and all(isinstance(value, int | float) for value in values) for values in columns]

    def cells(tag: str, values: Sequence[str | int | float]) -> str:
        texts = [_write(value) for value in values]
        pairs = list(zip(numeric, texts, strict=True))
        kinds = ["number" if number else "long" if len(text) > SHORT else "" for number, text in pairs]
        marks = [f' class="{kind}"' if kind else "" for kind in kinds]
        return "".join(f"<{tag}{mark}>{escape(text)}</{tag}>" for mark, text in zip(marks, texts, strict=True))

    rows = "".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    wide = ' class="wide"' if len(table.columns) > NARROW else ""
    return (
        f'<div class="scroll" tabindex="0"><table{wide}>{caption}<thead><tr>{cells("th", table.columns)}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _write(value: str | int | float) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def _as_address(drawing: MatplotlibFigure) -> str:
    """The drawing as an SVG in a data address: sharp at any size, its ids kept apart from other drawings'."""
    buffer = io.BytesIO()
    save_svg(drawing, buffer)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
