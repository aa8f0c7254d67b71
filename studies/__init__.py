"""Programs that make the pages of docs/results, run from the repository as `python -m studies.NAME`."""
