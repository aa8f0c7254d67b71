"""`soundviews recipes`: the shipped recipes, or one of them explained and resolved."""

import textwrap
from typing import Annotated

import typer

from soundviews.cli.app import app


@app.command()
def recipes(
    name: Annotated[
        str | None, typer.Argument(help="Explain this recipe and print it, resolved; a start for one of your own.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List all shipped recipes, those of the papers' tables included.")
    ] = False,
) -> None:
    """List the recipes to begin with, or explain and print one.

    The explanation is a comment, so what is printed is a page to train from: soundviews recipes NAME > mine.yaml
    """
    if name is not None:
        _print_recipe(name)
        return
    from rich.console import Console
    from rich.table import Table

    from soundviews.recipes.about import FIRST
    from soundviews.recipes.reading import list_recipes

    shipped = list_recipes()
    table = Table("recipe", "what it does" if everything else "for")
    for recipe, about in (shipped if everything else FIRST).items():
        table.add_row(recipe, about)
    console = Console()
    console.print(table)
    if not everything:
        rest = len(shipped) - len(FIRST)
        console.print(f"soundviews recipes NAME explains one; --all lists the other {rest}, too.", highlight=False)


def _print_recipe(name: str) -> None:
    """What there is to know of a recipe as comments, and its page with everything resolved."""
    import yaml

    from soundviews.recipes.about import explain_recipe
    from soundviews.recipes.loading import load_recipe, load_separator_recipe
    from soundviews.recipes.reading import load_page

    page = load_page(name)
    recipe = load_separator_recipe(page) if "separator" in page else load_recipe(page)
    for word, sentence in explain_recipe(recipe):
        print(textwrap.fill(sentence, 100, initial_indent=f"# {word:<8} ", subsequent_indent=f"# {'':<8} "))
    print(yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False), end="")
