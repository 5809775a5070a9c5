# run and test each do all set-up from nothing; a second call of either installs nothing.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
EXTRAS := notebooks,train,documents,lancedb,dev
READY  := $(VENV)/ready

.PHONY: run test lab lint interop bench clean

run: $(READY)
	$(BIN)/ai-tools run

test: $(READY) lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m 'not real_server'
	$(BIN)/python -m pytest -rs tests/test_real_server.py

lab: $(READY)
	$(BIN)/jupyter lab

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

interop: $(READY)
	$(BIN)/python -m tests.interop

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV)

# The mark is written last: an interrupted installation is taken up again.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Fix: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@
