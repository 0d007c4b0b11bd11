# A fresh machine needs Python 3.11 to 3.13, then `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
CODE   := pipelines dashboards dbt_models tests sample
MODELS := dbt_models/models dbt_models/tests/*.sql
export DO_NOT_TRACK := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo test unit e2e quality style up docs bench soak lock clean
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Runs again only if the pinned versions or the project file change.
$(VENV)/.run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Papertide needs Python 3.11, 3.12 or 3.13; $(PYTHON) is a different version. Try: make PYTHON=python3.12 demo"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing Papertide (once)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "installing development tools (once)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

install: $(VENV)/.run ## Install Papertide without development tools

demo: $(VENV)/.run ## Build and publish the bundled sample
	@$(BIN)/papertide demo

test: $(VENV)/.dev ## Run the tests (browser tests if Chromium is installed)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10 \
		-m "not slow" tests

unit: $(VENV)/.dev ## Run the unit tests only
	@$(BIN)/python -m pytest -q -n 2 -m "unit and not slow" tests

e2e: $(VENV)/.dev ## Run the browser tests only
	@$(BIN)/python -m pytest -q -m e2e tests

quality: $(VENV)/.dev ## Check style, types, SQL and generated docs
	@$(BIN)/ruff format --check --quiet $(CODE)
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --quiet --processes 2 $(MODELS)
	@$(BIN)/python -m pipelines.tools.data_dictionary --check
	@$(BIN)/python -m pipelines.tools.measured_odds --check

style: $(VENV)/.dev ## Fix what `quality` checks, where a tool can
	@$(BIN)/ruff format --quiet $(CODE)
	@$(BIN)/ruff check --quiet --fix $(CODE)
	@$(BIN)/sqlfluff fix --quiet $(MODELS)

docs: $(VENV)/.dev ## Generate the data dictionary and the odds of verdicts
	@$(BIN)/python -m pipelines.tools.data_dictionary
	@$(BIN)/python -m pipelines.tools.measured_odds

up: $(VENV)/.run ## Start the dashboard, Dagster's web server and its daemon
	@$(BIN)/papertide up

bench: $(VENV)/.dev ## Measure the time and memory budgets (minutes; needs the corpus)
	@$(BIN)/python -m tests.benchmarks

soak: $(VENV)/.dev ## Read 50,000 damaged bodies, then kill refreshes for hours (SOAK="--kills 10")
	@$(BIN)/python -m tests.damage --bodies 50000
	@$(BIN)/python -m tests.soak $(SOAK)

lock: $(VENV)/.dev ## Pin the dependencies again, with hashes
	@for part in "requirements.txt:--group build" "requirements-dev.txt:--group dev --group e2e" \
		"docs/deploy/requirements-postgres.txt:--group build --group postgres -c requirements.txt"; do \
		$(BIN)/uv pip compile pyproject.toml $${part#*:} --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras \
			--quiet -o $${part%%:*}; done

clean: ## Remove the environment and caches, not the data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
