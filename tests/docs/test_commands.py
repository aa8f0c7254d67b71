"""Every command that the pages show is one that the command line takes, with recipes and protocols that exist."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from soundviews.evaluation.requests import read_requests
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.reading import list_recipes
from soundviews.reproduction.page import list_tables
from tools.notebooks import read_page
from tools.tutorials import TUTORIALS

ROOT = Path(__file__).resolve().parents[2]
# docs/results/ tells what was run at an earlier commit.
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs/recipes").glob("*.md"),
    *TUTORIALS,
]
OWN = {"spread", "my_recipe.yaml"}  # of docs/components.md


class Shown(NamedTuple):
    """A command of a page: `whole` if it is a line by itself that leaves nothing out."""

    page: str
    arguments: list[str]
    whole: bool

    def values(self, *options: str) -> list[str]:
        """What stands behind any of these options."""
        return [value for option, value in zip(self.arguments, self.arguments[1:], strict=False) if option in options]


def read_commands(page: Path) -> Iterator[Shown]:
    """`soundviews ...` in blocks, continued lines as one, and between backticks; `... --option` is of `pretrain`."""
    name, blocks, text = page.relative_to(ROOT).as_posix(), [], read_page(page)

    def keep(block: re.Match[str]) -> str:
        blocks.append(block[1])
        return ""

    text = re.sub(r"^```\w*\n(.*?)^```$", keep, text, flags=re.MULTILINE | re.DOTALL)
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        if command := re.match(r"\s*(?:\$ )?soundviews (.*)", line):
            words = shlex.split(re.sub(r"[\[\]]", "", command[1]), comments=True)
            yield Shown(
                name,
                [word for word in words if word not in ("...", "$channels")],
                "..." not in words and "[" not in command[1],
            )
    for span in re.findall(r"`([^`\n]+)`", text):
        if command := re.match(r"(soundviews|\.\.\.) (?=\S)(.*)", span):
            words = shlex.split(command[2].removesuffix("..."))
            yield Shown(name, words if command[1] == "soundviews" else ["pretrain", "DATA", *words], False)


COMMANDS = [command for page in PAGES for command in read_commands(page)]


def test_commands_are_found() -> None:
    assert {"README.md", "docs/components.md", "docs/recipes/ssep.md"} <= {command.page for command in COMMANDS}
    small = [command for command in COMMANDS if command.values("--out") == ["runs/small"]]
    assert small and "training.steps=1000" in small[0].values("--set")  # its second line, after a backslash


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}: {' '.join(command.arguments)}"[:90])
def test_the_command_line_takes_it(
    command: Shown, parse_command: Callable[[list[str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundviews.core.components.use", lambda names: None)  # tests/components imports them
    ended = ""
    try:
        parse_command(command.arguments)
    except Exception as error:
        ended = type(error).__name__
        if ended not in ("Exit", "MissingParameter"):  # which say less than the error itself
            raise
    allowed = {"", "Exit"} if "--help" in command.arguments else {""}
    assert ended in (allowed if command.whole else allowed | {"MissingParameter"})


def test_recipes_and_what_is_set_in_them_exist() -> None:
    checked = 0
    for command in COMMANDS:
        for recipe in command.values("--recipe"):
            if "$" in recipe or recipe in OWN:
                continue
            assert recipe in list_recipes(), command
            if overrides := command.values("--set"):
                load = load_separator_recipe if recipe.startswith("separator") else load_recipe
                load(recipe, overrides)
                checked += 1
    assert checked > 3


def test_recipes_named_in_the_text_exist() -> None:
    recipes, tables = list_recipes(), list_tables()
    families = {name.partition("/")[0] for name in recipes}
    named = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"`([a-z_]+/[\w./-]+)`", read_page(page))
        if name.partition("/")[0] in families
    }
    assert len(named) > 40
    assert not [name for name in named if name[1].removesuffix(".md") not in {*recipes, *tables}]


def test_the_recipe_that_is_shown_is_one(caplog: pytest.LogCaptureFixture) -> None:
    (block,) = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "docs/recipes/README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    recipe = load_recipe(yaml.safe_load(block))
    assert len(recipe.objectives) == 2 and not caplog.records


def test_protocols_and_their_options_exist() -> None:
    judged = [command for command in COMMANDS if command.arguments[0] in ("evaluate", "compare")]
    protocols = {protocol for command in judged for protocol in command.values("-p", "--protocol")}
    assert len(protocols - {"PROTOCOL"}) > 5
    for protocol in protocols - {"PROTOCOL"} - set(OWN):
        read_requests(protocol)


def test_a_verb_or_an_option_that_is_not_there_is_an_error(parse_command: Callable[[list[str]], None]) -> None:
    for arguments in (["no-such-verb"], ["separate", "no-such-verb"], ["embed", "RUN", "DATA", "--no-such-option"]):
        with pytest.raises(Exception, match="no-such"):
            parse_command(arguments)
