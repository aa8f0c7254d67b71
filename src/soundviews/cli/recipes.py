"""soundviews recipes"""

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
    from soundviews.recipes.loading import check
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

    from soundviews.recipes.loading import check_separator

    page = load_page(name)
    recipe_of = check_separator if "separator" in page else check
    print(yaml.safe_dump(recipe_of(page).model_dump(mode="json"), sort_keys=False), end="")
