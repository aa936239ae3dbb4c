# Every recipe is one line; what it calls explains itself. Needs Python 3.11+, Node 20.19+, make and git, nothing else.
.DEFAULT_GOAL := help
.PHONY: help run dev test check openapi bench soak lock catalogue clean-data clean
PYTHON ?= python3
MAKE_RUN := $(PYTHON) backend/bootstrap.py run
MAKE_TEST := $(PYTHON) backend/bootstrap.py test

help: ## list what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

run: ## set everything up and serve console and API on http://127.0.0.1:8080, with demo data
	@$(MAKE_RUN) && AIROUTER_MODE=demo exec .venv/bin/airouter up

dev: ## the same, restarting on changed files, with the console's own server on http://127.0.0.1:5173
	@$(MAKE_TEST) && AIROUTER_MODE=demo exec .venv/bin/airouter up --reload

test: ## every check and every test, from nothing; at most 10 minutes
	@$(MAKE_TEST) && .venv/bin/python backend/checks.py test

check: ## the fast half of it: lint, imports, types, the console's checks
	@$(MAKE_TEST) && .venv/bin/python backend/checks.py check

openapi: ## write openapi/*.json and the console's client types anew
	@$(MAKE_TEST) && .venv/bin/airouter export-openapi openapi && npm --prefix frontend run --silent api

bench: ## CPU per call beside a bare forwarder; refuses figures whose charges do not reconcile
	@$(MAKE_TEST) && .venv/bin/python -m tests.bench

soak: ## the long figures behind the guarantees; hours
	@$(MAKE_TEST) && AIROUTER_TEST_EFFORT=soak .venv/bin/python -m pytest --timeout=0

lock: ## resolve the libraries anew and pin them by hash (needs uv)
	@$(PYTHON) backend/lock.py

catalogue: ## write the shipped catalogue of price proposals anew (fetches one package)
	@$(MAKE_TEST) && .venv/bin/python backend/catalogue.py

clean-data: ## ask, then wipe the demo's data
	@.venv/bin/airouter wipe

clean: ## remove what was made (not the data): environment, node modules, build, caches
	@rm -rf .venv .cache frontend/node_modules frontend/dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
