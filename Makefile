# The commands of the project; `make` alone lists them. A bare machine needs Python 3.11 or newer, git and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
WORKERS ?= 2
BIN := .venv/bin
STAMP := .venv/.ready
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check # twice: errors only
NPM := $(BIN)/python -m tools.npm
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url $(UPGRADE)

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: help setup run chain-demo test lint types contract licences unit bench format lock clean

help: ## show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with the locked dependencies and plimsoll itself
	@true

$(STAMP): requirements/dev.txt package-lock.json pyproject.toml
	@test -n "$(PYTHON)" || { echo "setup: no python3 found; install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("setup: Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@echo "setup: bringing .venv to the locked dependencies (a minute or two the first time)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@$(NPM) ci --silent --no-progress
	@$(BIN)/python -m tools.vendor
	@touch $@

run: setup ## set up, then replay the default crash and write its report
	@$(BIN)/plimsoll replay --scenario black-thursday-2020

chain-demo: setup ## set up, then clear a crash on a chain of one's own, and hold it against the twins
	@$(BIN)/python -m tools.chain_demo

test: lint types contract licences unit ## set up, then every check and every test

lint: setup ## style and formatting
	@echo "lint:"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check .

types: setup ## static types
	@echo "types:"
	@$(BIN)/mypy

contract: setup ## which part may import which
	@echo "contract:"
	@$(BIN)/lint-imports --no-logo

licences: setup ## every locked dependency is recorded and its licence suits Apache-2.0
	@echo "licences:"
	@$(BIN)/python -m tools.licences

unit: setup ## all tests, the house rules among them; ARGS="-k words" narrows them
	@echo "tests:"
	@$(BIN)/pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

bench: setup ## measure speed and memory; prints figures, decides nothing
	@set -e; for script in benchmarks/*.py; do echo "$$script:"; $(BIN)/python "$$script"; done

format: setup ## put the code in its canonical form
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format .

lock: setup ## refresh the lock files; UPGRADE=--upgrade takes newer versions
	@$(NPM) install --silent --package-lock-only
	@$(LOCK) --output-file requirements/run.txt
	@$(LOCK) --all-extras --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	@for extra in backtest chain exchanges service; do \
		$(LOCK) --extra $$extra --constraint requirements/dev.txt --output-file requirements/$$extra.txt; done

clean: ## remove the environment and every cache
	rm -rf .venv node_modules .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
