"""`soundviews recipes`: the shipped recipes, or one of them resolved."""

from typing import Annotated

import typer

from soundviews.cli.app import app


@app.command()
def recipes(
    name: Annotated[
        str | None, typer.Argument(help="Print this recipe, resolved; a start for one of your own.")
    ] = None,
) -> None:
    """List the shipped recipes, or print one."""
    from soundviews.recipes.reading import list_recipes, load_page

    if name is None:
        from rich.console import Console
        from rich.table import Table

        table = Table("recipe", "what it does")
        for recipe, about in list_recipes().items():
            table.add_row(recipe, about)
        Console().print(table)
        return
    import yaml

    from soundviews.recipes.loading import load_recipe, load_separator_recipe

    page = load_page(name)
    load = load_separator_recipe if "separator" in page else load_recipe
    print(yaml.safe_dump(load(page).model_dump(mode="json"), sort_keys=False), end="")
