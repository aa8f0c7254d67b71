"""A table as it is left behind: NAME.md, NAME.csv and NAME.html, the measured beside the published."""

import csv
import io
from pathlib import Path

from soundviews.core.files import write_text_whole
from soundviews.core.version import __version__
from soundviews.report.html import Code, Part, Section, Text, write_report
from soundviews.report.html import Table as HtmlTable
from soundviews.reproduction.measured import Line, lines
from soundviews.reproduction.plan import Plan
from soundviews.reproduction.work import Failures

COLUMNS = ("row", "published", "measured", "95 % interval", "difference", "seeds", "recipe", "recipe hash", "made by")
INTERVALS = (
    "Intervals are over seeds (Student t) where there are several, else over what one judgement was made on. They say "
    "nothing of the paper's own spread, which it does not give."
)


def write_table(plan: Plan, failures: Failures) -> list[Path]:
    """Write all three, whole or not at all; what is not measured says why."""
    measured = lines(plan, failures)
    page = plan.out / f"{plan.table.name}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(page, _markdown(plan, measured))
    write_text_whole(page.with_suffix(".csv"), _csv(measured))
    lead = "\n".join([plan.table.source + ".", *plan.asked.warnings()])
    footer = f"soundviews {__version__}; made by soundviews reproduce {plan.table.name}"
    write_report(page.with_suffix(".html"), plan.table.title, _sections(plan, measured), lead, (), footer)
    return [page, page.with_suffix(".csv"), page.with_suffix(".html")]


def _cells(plan: Plan, line: Line) -> list[str]:
    digits = 1 if plan.table.columns[line.column].percent else 3  # as the papers print percent, and shares
    between = "" if line.low is None or line.high is None else f"{line.low:.{digits}f} to {line.high:.{digits}f}"
    return [
        line.row,
        f"{line.published:.{digits}f}",
        line.state if line.value is None else f"{line.value:.{digits}f}" + (f" ({line.state})" if line.state else ""),
        between,
        "" if line.difference is None else f"{line.difference:+.{digits}f}",
        str(line.seeds),
        line.recipe,
        line.hash,
        line.made_by,
    ]


def _by_column(plan: Plan, measured: list[Line]) -> dict[str, list[Line]]:
    return {name: [line for line in measured if line.column == name] for name in plan.table.columns}


def _markdown(plan: Plan, measured: list[Line]) -> str:
    page = [f"# {plan.table.title}", "", f"{plan.table.source}."]
    page += [part for warning in plan.asked.warnings() for part in ("", f"**{warning}**")]
    for name, of_column in _by_column(plan, measured).items():
        page += ["", f"## {name}", "", _row(COLUMNS), _row(["---"] * len(COLUMNS))]
        page += [_row(_cells(plan, line)) for line in of_column]
        page += ["", f"By `{plan.table.columns[name].protocol}`."]
    page += ["", "## Notes", "", *(f"- {note}" for note in (*plan.table.notes, INTERVALS))]
    page += ["", "## Commands", "", "```", *(step.command for step in plan.steps.values()), "```"]
    return "\n".join(page) + "\n"


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _csv(measured: list[Line]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Line._fields)
    writer.writerows(["" if value is None else value for value in line] for line in measured)
    return text.getvalue()


def _sections(plan: Plan, measured: list[Line]) -> list[Section]:
    sections = []
    for name, of_column in _by_column(plan, measured).items():
        table = HtmlTable(
            COLUMNS, [_cells(plan, line) for line in of_column], f"By {plan.table.columns[name].protocol}."
        )
        sections.append(Section(name, [table]))
    notes: list[Part] = [Text(note) for note in (*plan.table.notes, INTERVALS)]
    commands = Code("\n".join(step.command for step in plan.steps.values()))
    return [*sections, Section("Notes", notes), Section("Commands", [commands])]
