# Two commands matter: `make demo` (the whole bot on this machine, no accounts) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHECKS := .venv-checks

.PHONY: demo test lint types architecture format bench campaign model pictures wheel image checks requirements clean

# What running needs, and not the tools of development; a virtual environment that has those, too, will do.
demo: $(VENV)/.runs
	$(BIN)/python -m bot demo $(ARGS)

# One file or test: make test TESTS=tests/domain/test_money.py (then nothing is said about what is missing).
test: $(READY)
ifdef TESTS
	$(BIN)/python -m pytest $(TESTS)
else
	bash tests/chromium.sh
	$(BIN)/python -m pytest -p tests.whole_suite -n 3 --dist loadgroup
endif

lint: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

architecture: $(READY)
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

# Paylink beside the obvious bot: docs/performance.md.
bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

# Over 1,000 kills on each database: docs/reliability.md.
campaign: $(READY)
	$(BIN)/python -m tests.faults.campaign $(ARGS)

# 500 examples of 50 steps on each database: docs/reliability.md.
model: $(READY)
	$(BIN)/python -m tests.faults.examples $(ARGS)

# The pictures in docs/images, from a demo.
pictures: $(READY)
	$(BIN)/python docs/images/take.py

# The virtual environment, made from nothing: pinned with hashes, then Paylink itself without its dependencies.
$(READY): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $(VENV)/.runs $@

$(VENV)/.runs: requirements/runtime.txt
	@echo "Setting up Paylink in $(VENV), this once: $$(grep -c == requirements/runtime.txt) packages, pinned with hashes."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --progress-bar off --disable-pip-version-check --no-input --require-hashes -r requirements/runtime.txt | \
		awk '/^Collecting/ {printf "\r  %3d  %-50s", ++n, $$2; fflush()} END {print ""}'
	@$(BIN)/python -c "import aiohttp, sqlalchemy, stripe" # a pipe has the exit status of its end
	@touch $@

# dist/paylink_bot-VERSION-py3-none-any.whl: `uvx --from` it `paylink-bot demo`, or install it anywhere.
wheel: $(READY)
	$(BIN)/python -m hatchling build -t wheel

image: wheel
	docker build --pull -t paylink-bot .

# What operators get, and the pins: what could be checked here, and what couldn't, it says.
checks: $(CHECKS)/.ready
	PATH="$(CURDIR)/$(CHECKS)/bin:$$PATH" bash deploy/check.sh

$(CHECKS)/.ready: requirements/checks.txt
	test -x $(CHECKS)/bin/python || $(PYTHON) -m venv $(CHECKS)
	$(CHECKS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/checks.txt
	touch $@

# Renews the pins. Needs uv; the files name no package index.
requirements:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q --upgrade -o requirements/runtime.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q --upgrade -o requirements/dev.txt
	uv pip compile --group pyproject.toml:checks --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q --upgrade -o requirements/checks.txt

clean:
	rm -rf $(VENV) $(CHECKS) dist .mypy_cache .ruff_cache .hypothesis
