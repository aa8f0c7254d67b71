"""Programs that measure speed and memory, each a section of docs/benchmarks.md: `python -m benchmarks.NAME`."""
