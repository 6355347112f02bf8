# Groundswell. Every target works alone on a fresh machine that has Python and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup run test test-all lint format bench docs clean

setup: $(VENV)/.done  ## make .venv with the command in it

$(VENV)/.done: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Groundswell needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/groundswell prepare
	touch $@

run: setup  ## the main job: a live source, a page on loopback; CONFIG=FILE for another configuration
	$(BIN)/groundswell run $(CONFIG)

test: setup  ## the tests, under ten minutes on two cores
	$(BIN)/python -m pytest -m 'not slow' --numprocesses auto --maxprocesses 4 --dist worksteal

test-all: setup  ## every test, the long ones too
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

lint: setup  ## ruff, format, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## the measurements; their tables go into docs/scoreboard.md
	$(BIN)/groundswell bench all --write docs/scoreboard.md

docs: setup  ## check the pages against the code and rebuild the generated parts
	$(BIN)/python -m pytest tests/test_docs.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
