"""`python -m soundviews` is the command `soundviews`."""

from soundviews.cli.app import main

main()
