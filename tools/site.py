"""A hook of mkdocs: notebooks are pages, and what a page links outside of docs/ is a page of the repository."""

import os.path
import re
from pathlib import Path
from typing import Any

from tools.notebooks import read_page

LINK = re.compile(r"\]\((\.\./[^()\s]*)\)")
NOTEBOOK = re.compile(r"(\]\((?!\w+:)[^()\s#]+)\.ipynb\b")


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """The files of the site, with a page for each notebook."""
    from mkdocs.structure.files import File

    for file in list(files):
        if file.src_uri.endswith(".ipynb"):
            content = read_page(Path(file.abs_src_path))
            files.append(File.generated(config, file.src_uri.replace(".ipynb", ".md"), content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """The page's text: links to notebooks lead to their pages, those that leave docs/ to the repository."""
    folder = os.path.dirname(f"docs/{page.file.src_uri}")

    def lead(link: re.Match[str]) -> str:
        path = os.path.normpath(os.path.join(folder, link[1])).replace(os.sep, "/")
        return link[0] if path.startswith("docs/") else f"]({config.repo_url}/blob/main/{path})"

    text = NOTEBOOK.sub(r"\1.md", LINK.sub(lead, markdown))
    if page.file.generated_by:
        text += f"\n[Download this page as a notebook]({os.path.basename(page.file.src_uri)[:-3]}.ipynb)\n"
    return text
