# What a newcomer and a developer type. Everything is installed into .venv from requirements.lock.

ORDERS ?=
PRESET ?=
CONTACTS ?=
MAP ?=
CURRENCY ?=
STORE ?= shop
CUSTOMERS ?= 20000

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest --quiet

export ORDERS PRESET CONTACTS MAP CURRENCY STORE CUSTOMERS
MAKEFLAGS += --no-print-directory

.PHONY: help run test check test-long test-engines bench docs lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22
	@echo
	@echo "  make run ORDERS=orders.csv PRESET=shopify-orders CONTACTS=contacts.csv"
	@echo "  ORDERS a file of orders, PRESET its format or MAP a mapping file, CONTACTS a file of contacts,"
	@echo "  STORE the folder to keep (shop), CURRENCY its currency, CUSTOMERS how many to simulate (20000)"

run: .venv/ready ## the whole loop on ORDERS, or on a simulated marketplace
ifeq ($(strip $(ORDERS)),)
	@if test -e marigold/rekindle.toml; \
	then echo "marigold is there: it runs once more. Remove the folder to simulate anew" >&2; $(BIN)/rekindle --store marigold run; \
	else $(BIN)/rekindle simulate --customers "$$CUSTOMERS" --months 24 --play-weeks 8 marigold; fi
else
	@made=; test -e "$$STORE" || made=yes; \
	test -e "$$STORE/rekindle.toml" || $(BIN)/rekindle init "$$STORE" $${PRESET:+--preset "$$PRESET"} $${CURRENCY:+--currency "$$CURRENCY"} >/dev/null || exit; \
	$(BIN)/rekindle --store "$$STORE" run "$$ORDERS" $${PRESET:+--preset "$$PRESET"} $${MAP:+--map "$$MAP"} $${CONTACTS:+--contacts "$$CONTACTS"} || { \
		status=$$?; test -z "$$made" || test -e "$$STORE/var/sources.json" || rm -r "$$STORE"; exit $$status; }
endif

test: check ## lint, types, import rules, documentation and tests
	@$(PYTEST)

check: .venv/ready ## what needs no test: lint, types, import rules
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

test-long: .venv/ready ## the tests that take minutes
	@$(PYTEST) -m long

test-engines: .venv/spark ## the tests on other engines than DuckDB and SQLite; Spark needs Java 17
	@$(PYTEST) -n 0 -m engines tests

bench: .venv/ready ## how fast, as ratios measured in one run
	@missed=; for benchmark in benchmarks/bench_*.py; do echo "$$benchmark"; $(BIN)/python "$$benchmark" || missed="$$missed $$benchmark"; done; \
	test -z "$$missed" || { echo "missed a limit or failed:$$missed" >&2; exit 1; }

docs: .venv/ready ## writes docs/cli.md from the commands' help
	@$(BIN)/python -m tests.cli_reference > docs/cli.md

lock: ## pins pyproject's dependencies by hash (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv. Install it with: pipx install uv" >&2; exit 1; }
	@uv pip compile pyproject.toml --group dev --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet -o requirements.lock
	@uv pip compile pyproject.toml --extra spark --constraint requirements.lock --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet -o requirements-spark.lock

.venv/spark: .venv/ready requirements-spark.lock
	@echo "Installing Spark into .venv; the first time this takes some minutes" >&2
	@$(PIP) --require-hashes -r requirements-spark.lock
	@touch $@

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Rekindle needs Python 3.11 or later (Debian 12, Ubuntu 24.04). Install it with: sudo apt install python3 python3-venv" >&2; \
		echo "Where it has another name: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make virtual environments. Install what it lacks with: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Installing into .venv; the first time this takes a minute" >&2
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
