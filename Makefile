# `make` prints this help. Nothing has to be installed first but Python >= 3.11 (with venv), git and make.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JINMA := $(BIN)/jinma
N ?= 10
# What pytest ends with where the arguments choose no test.
NONE_CHOSEN := 5
# Where the environment forbids bytecode, as containers often do, every start compiles three thousand modules anew:
# `jinma run` takes twice as long to begin, and the tests start it a hundred times.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## Print this help
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv is fetched by pip with its hash out of the lock, then installs the rest in seconds; plain pip does the same, slower.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python >= 3.11 is needed, $$($(PYTHON) --version) found: name another with make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@awk '/^uv==/ {on=1} on {print} on && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.txt
	@{ $(BIN)/python -m pip install -q --require-hashes -r $(VENV)/uv.txt && \
	   $(BIN)/python -m uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock; } || \
	  $(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: install
install: $(READY) ## Set up .venv from requirements.lock

.PHONY: run
run: $(READY) ## The whole service in one process: simulator, MQTT broker, store, alarms, API, console
	@exec $(JINMA) run $(ARGS)

.PHONY: test
test: $(READY) programs ## All tests, with the real mosquitto, InfluxDB, PostgreSQL and Chromium
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not alone" $(ARGS) || test $$? -eq $(NONE_CHOSEN)
	@$(BIN)/python -m pytest -m alone $(ARGS) || test $$? -eq $(NONE_CHOSEN)

.PHONY: programs
programs: $(READY) ## Install or build the programs that the tests run (root, Go and Rust), or say what is missing
	@scripts/install_test_programs.sh

.PHONY: check
check: $(READY) ## Formatting, lint, types, directions of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: faults
faults: $(READY) programs ## Kill and damage things, N times each (make faults N=200)
	@JINMA_FAULT_ROUNDS=$(N) $(BIN)/python -m pytest tests/faults $(ARGS)
	@JINMA_ORACLE_TRANSITIONS=1000000 $(BIN)/python -m pytest tests/unit/test_alarms_oracle.py

.PHONY: bench
bench: $(READY) programs ## Print figures and ratios; asserts nothing
	@command -v telegraf >/dev/null || { command -v go >/dev/null && scripts/build_telegraf.sh; } || echo "no telegraf" >&2
	@for file in bench/bench_*.py; do $(BIN)/python -m bench.$$(basename $$file .py) || exit 1; done

.PHONY: up
up: secrets ## The full stack by docker-compose: mosquitto, InfluxDB, Grafana, simulator, ingest, api
	docker compose up --build --detach --wait

.PHONY: secrets
secrets: ## Make the secrets that docker-compose.yml reads, once, in secrets/
	@scripts/make_secrets.sh

.PHONY: lock
lock: $(READY) ## Renew requirements.lock from pyproject.toml
	@$(BIN)/python -m uv pip compile -q --universal --generate-hashes --all-extras --python-version 3.11 \
	  --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock

.PHONY: clean
clean: ## Remove the environment and caches; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
