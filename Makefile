# Every target makes what it needs; a fresh machine wants python3, python3-venv, make and git.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
DATA ?= var
WORKERS ?= 4  # processes of the tests: they wait for disks and peers more than they compute; 0 is none of their own
FUZZ_READY := .venv/fuzz-ready
FUZZ_SECONDS ?= 600
FUZZ_TARGET ?=

.PHONY: run test interop load lint check fix bench fuzz fuzz-corpus reference lock wheel clean

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q sievemda  # a command starts twice as fast, also where Python may write no bytecode
	@touch $@

run: $(READY)  ## the whole service below ./var, with a user, a script and a message
	@exec $(BIN)/sievemda --data $(DATA) demo

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

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

bench: $(READY)  ## what scripts and deliveries cost, with sieve-test beside it: a few minutes
	$(BIN)/python -m tests.bench

$(FUZZ_READY): $(READY) requirements-fuzz.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-fuzz.txt \
	    || { echo "fuzzing needs atheris, which has no wheel for this machine and $$($(BIN)/python -V): see requirements-fuzz.txt"; exit 1; }
	@touch $@

fuzz: $(FUZZ_READY)  ## FUZZ_SECONDS for each target, or for FUZZ_TARGET alone
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_TARGET)

fuzz-corpus: $(FUZZ_READY)  ## keep the inputs that reached something new
	$(BIN)/python -m tests.fuzz --keep $(FUZZ_TARGET)

reference: $(READY)  ## regenerate what is generated
	$(BIN)/python -m tests.house.generate

lock:  ## choose new versions of everything
	$(BIN)/pip-compile --quiet --upgrade --extra dev --generate-hashes --allow-unsafe --strip-extras \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header -o requirements-dev.txt pyproject.toml

wheel: $(READY)
	$(BIN)/python -m build --wheel

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
