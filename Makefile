# One command from a fresh clone: `make demo`. Needs python3 (3.11 or newer) with venv, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
# The stamp carries pyproject.toml's checksum: a changed dependency installs anew, anything else is instant.
KEY := $(shell cksum < pyproject.toml | cut -d ' ' -f 1)
STAMP := .venv/installed-$(KEY)
BENCH_STAMP := .venv/installed-bench-$(KEY)
PROGRAMS := src tests benchmarks studies examples
BENCHMARKS := $(basename $(notdir $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py))))
# This clone's source wins, whatever clone the environment was first installed from.
export PYTHONPATH := $(CURDIR)/src

.PHONY: demo test lint format bench clean
.DEFAULT_GOAL := demo

demo: $(STAMP)  ## make scenes, pretrain a small encoder, judge it, write a report
	$(BIN)/soundviews demo

test: $(STAMP)
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

lint: $(STAMP)
	$(BIN)/ruff check $(PROGRAMS)
	$(BIN)/ruff format --check $(PROGRAMS)
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix $(PROGRAMS)
	$(BIN)/ruff format $(PROGRAMS)

bench: $(BENCH_STAMP)
	@set -e; for benchmark in $(BENCHMARKS); do echo "== $$benchmark"; $(BIN)/python -m benchmarks.$$benchmark; done

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "soundviews needs Python 3.11 or newer; say which with: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (PyTorch is large: some minutes, once)"
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(BENCH_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[dev,bench]'
	@touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
