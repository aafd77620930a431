# `make` alone lists the targets. tools/setup/setup.sh installs what a target needs, once.
VENV := .venv
PYTHON := $(VENV)/bin/python
# A CPU build of torch spares 4 GB: make app PIP_ARGS="--extra-index-url ADDRESS" with an index that has one,
# and TORCH=torch==2.13.0+cpu.
PIP_ARGS ?=
TORCH ?=
PORT ?= 7860
# Test processes, each with its own Neo4j server and Chromium, where it needs them: some 3 GB each.
WORKERS ?= 2
export VENV PIP_ARGS TORCH
SETUP := @sh tools/setup/setup.sh

.DEFAULT_GOAL := help
.PHONY: help app neo4j test test-optional lint format lock bench bench-large screenshots train evaluate clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

app: ## start the page on this machine (PORT=7860, MODEL=NAME, STORE=URL)
	$(SETUP) app weights
	@$(PYTHON) -m app --port $(PORT) $(if $(STORE),--store "$(STORE)") $(if $(MODEL),--model "$(MODEL)")

neo4j: ## start a Neo4j server on this machine; needs a JDK and Maven
	$(SETUP) app neo4j
	@$(PYTHON) -m tools.neo4j_server.server $(ARGS)

# The unit tests need neither Chromium nor Java: make test ARGS='-m unit' runs on any system.
UNQUOTED = $(subst ",,$(subst ',,$(ARGS)))
test: ## run all tests, or some: ARGS="-m unit", ARGS=tests/graph
	$(SETUP) dev $(if $(findstring -m unit,$(UNQUOTED)),,chromium neo4j)
	@LAMPLIGHT_ENCODER=off $(PYTHON) -m pytest -n $(WORKERS) $(ARGS)

test-optional: ## install Ray and datasets (450 MB) and run the tests that need them
	$(SETUP) dev
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-ray.txt -r requirements-hub.txt
	@$(PYTHON) -m pytest tests/training/annotation/test_ray.py tests/training/annotation/test_hub.py $(ARGS)

lint: ## check style and types
	$(SETUP) dev
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

format: ## put the code into its standard form
	$(SETUP) dev
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

lock: ## pin the dependencies of pyproject.toml in requirements*.txt (ARGS=--upgrade)
	$(SETUP) dev
	@$(PYTHON) -m tools.lock $(ARGS)

bench: ## measure the speed ratios, into build/bench.json
	$(SETUP) dev
	@$(PYTHON) -m tools.benchmarks.bench
	@$(PYTHON) -m tools.benchmarks.lookups
	@$(PYTHON) -m tools.benchmarks.scaling

bench-large: ## measure the graph at ten million facts (half an hour)
	$(SETUP) dev
	@$(PYTHON) -m tools.benchmarks.lookups --large

screenshots: ## photograph the page, into build/screens and docs
	$(SETUP) dev chromium
	@$(PYTHON) -m tests.app.screenshots

train: ## build the corpus and train the shipped model (hours)
	$(SETUP) dev
	@$(PYTHON) -m training corpus --out build/corpus/world
	@$(PYTHON) -m training fit --config training/configs/world.yaml

evaluate: ## measure the world model (ARGS="--out FILE --graph FILE --annotated FILE")
	$(SETUP) dev
	@$(PYTHON) -m training evaluate all --jobs 2 $(ARGS)

clean: ## remove what the commands made, but not .venv
	rm -rf build
