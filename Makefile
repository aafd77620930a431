# `make` alone lists the targets.
VENV := .venv
PYTHON := $(VENV)/bin/python
# A CPU build of torch spares 4 GB: make app PIP_ARGS="--extra-index-url ADDRESS" with an index that has one,
# and TORCH=torch==2.13.0+cpu.
PIP_ARGS ?=
TORCH ?=
PORT ?= 7860

.DEFAULT_GOAL := help
.PHONY: help app neo4j test test-optional lint format bench bench-large screenshots train evaluate clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/.app: requirements.txt
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@echo "Installing the application's packages (once, a few minutes) ..."
	@$(if $(TORCH),$(PYTHON) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) "$(TORCH)")
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.app requirements-dev.txt requirements-training.txt requirements-embeddings.txt
	@echo "Installing the tests' packages (once) ..."
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-dev.txt
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-embeddings.txt
	@touch $@

app: $(VENV)/.app ## start the page on this machine (PORT=7860)
	@$(PYTHON) -m app --port $(PORT) $(if $(STORE),--store "$(STORE)") $(if $(MODEL),--model "$(MODEL)")

neo4j: $(VENV)/.app ## start a Neo4j server on this machine; needs a JDK and Maven
	@$(PYTHON) -m tools.neo4j_server.server $(ARGS)

test: $(VENV)/.dev ## run all tests; those of the page need Chromium, of Neo4j a JDK and Maven
	@LAMPLIGHT_ENCODER=off $(PYTHON) -m pytest $(ARGS)

test-optional: $(VENV)/.dev ## install Ray and datasets (450 MB) and run the tests that need them
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-ray.txt -r requirements-hub.txt
	@$(PYTHON) -m pytest tests/training/test_ray.py tests/training/test_hub.py $(ARGS)

lint: $(VENV)/.dev ## check style and types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

format: $(VENV)/.dev ## put the code into its standard form
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

bench: $(VENV)/.dev ## measure the speed ratios, into build/bench.json
	@$(PYTHON) -m tools.benchmarks.bench
	@$(PYTHON) -m tools.benchmarks.lookups
	@$(PYTHON) -m tools.benchmarks.scaling

bench-large: $(VENV)/.dev ## measure the graph at ten million facts (half an hour)
	@$(PYTHON) -m tools.benchmarks.lookups --large

screenshots: $(VENV)/.dev ## photograph the page, into build/screens and docs
	@$(PYTHON) -m tests.app.screenshots

train: $(VENV)/.dev ## build the corpus and train the shipped model (hours)
	@$(PYTHON) -m training corpus --out build/corpus/world
	@$(PYTHON) -m training fit --config training/configs/world.yaml

evaluate: $(VENV)/.dev ## measure the shipped model (ARGS="--out FILE --graph FILE --annotated FILE")
	@$(PYTHON) -m training evaluate all --jobs 2 $(ARGS)

clean: ## remove what the commands made, but not .venv
	rm -rf build
