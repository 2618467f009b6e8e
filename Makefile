# Every target makes what it needs; a fresh machine wants python3, python3-venv, make and git.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
DATA ?= var

.PHONY: run test interop load lint check fix bench reference lock wheel clean

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q sievemda  # a command starts twice as fast, also where Python may write no bytecode
	@touch $@

run: $(READY)  ## the whole service below ./var, with a user, a script and a message
	@exec $(BIN)/sievemda --data $(DATA) demo

test: $(READY)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

interop: $(READY)  ## only the tests with other servers and clients
	$(BIN)/python -m pytest tests/interop $(PYTEST_ARGS)

load: $(READY)  ## 10,000 messages over one connection and over 16
	SIEVEMDA_MESSAGES=10000 $(BIN)/python -m pytest tests/interop/test_load.py $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test  ## what must hold before a change lands: format, lint, types, tests

fix: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m tests.bench

reference: $(READY)  ## regenerate what is generated
	$(BIN)/python -m tests.house.generate

lock:  ## choose new versions of everything
	$(BIN)/pip-compile --quiet --upgrade --extra dev --generate-hashes --allow-unsafe --strip-extras \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header -o requirements-dev.txt pyproject.toml

wheel: $(READY)
	$(BIN)/python -m build --wheel

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
