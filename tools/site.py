"""A hook of mkdocs: what a page links outside of docs/ is a page of the repository."""

import os.path
import re
from typing import Any

LINK = re.compile(r"\]\((\.\./[^()\s]*)\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """The page's text with links that leave docs/ as addresses of the repository."""
    folder = os.path.dirname(f"docs/{page.file.src_uri}")

    def lead(link: re.Match[str]) -> str:
        path = os.path.normpath(os.path.join(folder, link[1])).replace(os.sep, "/")
        return link[0] if path.startswith("docs/") else f"]({config.repo_url}/blob/main/{path})"

    return LINK.sub(lead, markdown)
