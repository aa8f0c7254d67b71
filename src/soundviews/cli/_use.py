"""The option `--use`: modules with components from outside, imported before the verb begins."""

from typing import Annotated

import typer


def _import(names: list[str] | None) -> list[str] | None:
    if names:
        from soundviews.core.components import use

        use(names)
    return names


Use = Annotated[
    list[str] | None,
    typer.Option(
        "--use",
        callback=_import,
        metavar="MODULE",
        help="Import a module or a .py file first: it registers components from outside. May be given several times.",
    ),
]
