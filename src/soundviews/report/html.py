"""A report as one HTML file that needs nothing else: no fonts, no scripts, no network."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure as MatplotlibFigure

from soundviews.core.files import write_text_whole
from soundviews.report.figures import save_svg

STYLE = """
:root { --ink: #1f2328; --soft: #59636e; --line: #d8dee4; --paper: #ffffff; --band: #f6f8fa; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
p { margin: .6rem 0; max-width: 42rem; }
.lead { color: var(--soft); font-size: 1.05rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.6rem 0 0; }
.facts div { background: var(--band); border-radius: .5rem; padding: .8rem 1rem; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: .1rem 0 0; font-size: 1.25rem; font-weight: 600; overflow-wrap: anywhere; }
nav { margin: 1.4rem 0 0; font-size: .92rem; } nav a { display: inline-block; margin-right: 1.1rem; }
a { color: var(--accent); }
figure { margin: 1.2rem 0; } figure img { max-width: 100%; height: auto; display: block; }
figcaption, caption { color: var(--soft); font-size: .9rem; text-align: left; margin-top: .4rem; }
caption { caption-side: bottom; padding-top: .5rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .9rem .4rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; border-bottom: 2px solid var(--ink); white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
pre { background: var(--band); border-radius: .5rem; padding: .8rem 1rem; overflow-x: auto; font-size: .87rem; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media print { main { max-width: none; padding: 0; } nav { display: none; } }
"""


class Text(NamedTuple):
    """A paragraph."""

    text: str


class Code(NamedTuple):
    """Commands or output, kept as they are."""

    text: str


class Table(NamedTuple):
    """Rows of strings or numbers; a column whose values are all numbers is set to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float]]
    caption: str = ""


class Figure(NamedTuple):
    """A drawing, what it shows (caption), and the same for those who cannot see it (alt)."""

    drawing: MatplotlibFigure
    caption: str = ""
    alt: str = ""


class Section(NamedTuple):
    """A heading and what stands below it, in order."""

    title: str
    parts: Sequence[Text | Code | Table | Figure]


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
        lead: One or two sentences below the title: the result.
        facts: (name, value) pairs shown large, such as ("mAP", "0.31").
        footer: Such as the version and the date.
    """
    path = Path(path)
    links = "".join(f'<a href="#s{i}">{escape(s.title)}</a>' for i, s in enumerate(sections))
    boxes = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    body = "".join(
        f'<section id="s{i}"><h2>{escape(section.title)}</h2>{rendered(section.parts)}</section>'
        for i, section in enumerate(sections)
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>"
        f"<header><h1>{escape(title)}</h1>"
        + (f'<p class="lead">{escape(lead)}</p>' if lead else "")
        + (f'<dl class="facts">{boxes}</dl>' if boxes else "")
        + (f"<nav>{links}</nav>" if len(sections) > 2 else "")
        + f"</header>\n{body}"
        + (f"<footer>{escape(footer)}</footer>" if footer else "")
        + "</main></body></html>\n"
    )
    write_text_whole(path, page)
    return path


def rendered(parts: Sequence[Text | Code | Table | Figure]) -> str:
    """The parts as HTML, without a page around them."""
    return "".join(map(_render, parts))


def _render(part: Text | Code | Table | Figure) -> str:
    match part:
        case Text(text):
            return f"<p>{escape(text)}</p>"
        case Code(text):
            return f"<pre>{escape(text)}</pre>"
        case Table():
            return _render_table(part)
        case Figure(drawing, caption, alt):
            below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
            return f'<figure><img src="{_as_address(drawing)}" alt="{escape(alt or caption)}">{below}</figure>'


def _render_table(table: Table) -> str:
    numeric = [
        bool(table.rows) and all(isinstance(row[i], int | float) for row in table.rows)
        for i in range(len(table.columns))
    ]

    def cells(tag: str, values: Sequence[str | int | float]) -> str:
        kinds = (' class="number"' if number else "" for number in numeric)
        pairs = zip(kinds, values, strict=True)
        return "".join(f"<{tag}{kind}>{escape(_write(value))}</{tag}>" for kind, value in pairs)

    rows = "".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    return (
        f'<div class="scroll"><table>{caption}<thead><tr>{cells("th", table.columns)}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _write(value: str | int | float) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def _as_address(drawing: MatplotlibFigure) -> str:
    """The drawing as an SVG in a data address: sharp at any size, its ids kept apart from other drawings'."""
    buffer = io.BytesIO()
    save_svg(drawing, buffer)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
