# One command from a fresh clone: `make demo`. Needs python3 (3.11 or newer) with venv, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
# The stamp carries a checksum: a changed dependency or version installs anew, anything else is instant.
KEY := $(shell cat pyproject.toml src/soundviews/core/version.py | cksum | cut -d ' ' -f 1)
STAMP := .venv/installed-$(KEY)
BENCH_STAMP := .venv/installed-bench-$(KEY)
DOCS_STAMP := .venv/installed-docs-$(KEY)
LOWEST_STAMP := .venv-lowest/installed-$(KEY)
PROGRAMS := src tests benchmarks studies examples tools
BENCHMARKS := $(basename $(notdir $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py))))
# This clone's source wins, whatever clone the environment was first installed from.
export PYTHONPATH := $(CURDIR)/src

# The suite is many small tests: a process for each core, which computes with one thread, is faster than many threads.
# PYTEST_OPTIONS come last and win: `make test PYTEST_OPTIONS="tests/views -n 0"`.
PARALLEL := --numprocesses auto --maxprocesses 8 --dist loadfile
NUMERIC := $(addprefix tests/,separation features objectives views encoders model evaluation)

.PHONY: install demo test test-fast test-kernels test-lowest lint format reference tutorials docs bench fuzz soak clean
.DEFAULT_GOAL := demo

demo: $(STAMP)  ## make scenes, pretrain a small encoder, judge it, write a report
	$(BIN)/soundviews demo

install: $(STAMP)  ## everything into .venv

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PARALLEL) $(PYTEST_OPTIONS)

test-fast: $(STAMP)  ## without what trains, starts other programs or computes for seconds
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m 'not slow' $(PARALLEL) --dist worksteal $(PYTEST_OPTIONS)

test-kernels: $(STAMP)  ## the numeric rooms as other processors compute them: PyTorch's, oneDNN's and MKL's other kernels
	OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 \
		$(BIN)/python -m pytest $(NUMERIC) $(PYTEST_OPTIONS)
	OMP_NUM_THREADS=2 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 \
		$(BIN)/python -m pytest $(NUMERIC) $(PYTEST_OPTIONS)

test-lowest: $(LOWEST_STAMP)  ## with the lowest versions that pyproject.toml allows
	OMP_NUM_THREADS=1 .venv-lowest/bin/python -m pytest $(PARALLEL) $(PYTEST_OPTIONS)

lint: $(STAMP)
	$(BIN)/ruff check $(PROGRAMS)
	$(BIN)/ruff format --check $(PROGRAMS)
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix $(PROGRAMS)
	$(BIN)/ruff format $(PROGRAMS)

reference: $(STAMP)  ## write docs/reference/ from the code
	$(BIN)/python -m tools.reference

tutorials: $(STAMP)  ## run the notebooks of docs/tutorials/ and keep what they print in them
	@set -e; for notebook in docs/tutorials/*.ipynb; do echo "== $$notebook"; $(BIN)/python -m tools.tutorials $$notebook; done

docs: $(DOCS_STAMP) reference  ## one static site in build/site, which reads without a network
	$(BIN)/python -m mkdocs build --strict --quiet
	@echo "open build/site/index.html"

bench: $(BENCH_STAMP)
	@set -e; for benchmark in $(BENCHMARKS); do echo "== $$benchmark"; $(BIN)/python -m benchmarks.$$benchmark; done

soak: $(STAMP)  ## kill every verb that writes 200 times and run each twice at once; writes docs/results/faults.md
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.soak 200 --write

fuzz: $(STAMP)  ## damage 10,000 files of every kind that is read; writes what came of it to docs/results/faults.md
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.fuzz 10000 --write

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "soundviews needs Python 3.11 or newer; say which with: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (PyTorch is large: some minutes, once)"
	$(BIN)/python -m pip install --quiet --editable '.[all,dev]'
	@touch $@

$(BENCH_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[all,dev,bench]'
	@touch $@

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[all,dev,docs]'
	@touch $@

$(LOWEST_STAMP):
	@test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	@echo "Installing the lowest versions into .venv-lowest (some minutes, once)"
	$(PYTHON) .ci/lowest.py > .venv-lowest/constraints.txt
	.venv-lowest/bin/python -m pip install --quiet --editable '.[all,dev]' --constraint .venv-lowest/constraints.txt
	@touch $@

clean:
	rm -rf .venv .venv-lowest .pytest_cache .mypy_cache .ruff_cache
