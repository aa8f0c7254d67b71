"""`soundviews models`: the encoders that have a name."""

from typing import Annotated

import typer

from soundviews.cli.app import app


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="Print what there is to know of this encoder.")] = None,
) -> None:
    """List the encoders that come with soundviews, or print the card of one.

    Every verb that takes a bundle takes their names, too: soundviews embed base MY_RECORDINGS --out archive.parquet
    """
    from rich.console import Console
    from rich.table import Table

    from soundviews.core.shipped import card_of, shipped_names

    if name is not None:
        print(card_of(name).text)
        return
    table = Table("encoder", "size", "licence", "learned from", "source")
    for card in map(card_of, shipped_names()):
        table.add_row(card.name, f"{card.bytes / 1e6:.1f} MB", card.licence, card.learned_from, card.source)
    Console().print(table)
