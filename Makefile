# What a person does with a clone. Everything made here stays in it: .venv*, .run, dist, bench/results.
# GNU make, sh, python3 >= 3.11 with venv; no compiler, no PostgreSQL, no curl.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
NODE ?= node
VENV := .venv
BIN := $(VENV)/bin
PACKAGING := setup.cfg pyproject.toml mediad/__init__.py
# pytest: all cores; PYTEST="-x tests/unit" narrows it, and leaves the Node.js client's tests out
PYTEST ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# a teammate's or an old PYTHONPATH must not stand before the clone
unexport PYTHONPATH

.PHONY: help run test test-node check test-oldest test-newest bench bench-guard generate dist clean

help:
	@echo 'make run [MEDIA=DIR] [DATA=DIR] [ONCE=1]  a private daemon over MEDIA (default: samples)'
	@echo 'make test [PYTEST="..."]                  checks, then every test'
	@echo 'make test-node                            the tests of the Node.js client and web server, part of make test'
	@echo 'make check                                ruff, mypy, import-linter, generated code'
	@echo 'make test-oldest, make test-newest        the tests with the oldest and the newest libraries'
	@echo 'make bench [BENCH=small|tiny]             measures, into bench/results/'
	@echo 'make bench-guard                          did anything become dearer? ratios against those kept'
	@echo 'make generate                             proto/*.proto -> mediadb_contract/*_pb2.py'
	@echo 'make dist                                 sdist and wheel into dist/'
	@echo 'make clean                                removes what make made (not the data of make run)'

# ---------------------------------------------------------------- environments

# $(call environment,DIR,EXTRAS,CONSTRAINTS): pip's own output only when it fails
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'mediadb needs Python 3.11 or newer; name one with PYTHON=python3.11' >&2; exit 1; }
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1) || \
		{ rm -rf $(1); echo 'python3 -m venv failed: on Debian install python3-venv' >&2; exit 1; }
	@echo 'installing into $(1) ...'
	@{ $(1)/bin/python -c 'import setuptools, wheel' 2>/dev/null || \
		$(1)/bin/pip install -q $(3) 'setuptools>=64' wheel; } && \
		$(1)/bin/pip install -q $(3) --no-build-isolation -e '.[$(2)]' || \
		{ echo 'pip could not install what mediadb needs (its reason is above); the first time needs the network' >&2; exit 1; }
	@touch $@
endef

$(VENV)/.installed: $(PACKAGING)
	$(call environment,$(VENV),embedded,)

$(VENV)/.installed-dev: $(PACKAGING)
	$(call environment,$(VENV),embedded$(comma)dev,)
	@touch $(VENV)/.installed

comma := ,

# ---------------------------------------------------------------- run

run: export MEDIA := $(MEDIA)
run: export DATA := $(DATA)
run: export ONCE := $(ONCE)
run: $(VENV)/.installed
	@$(BIN)/python tools/run.py

# ---------------------------------------------------------------- tests

test: check $(if $(strip $(PYTEST)),,test-node)
	$(BIN)/python -m pytest -n auto $(PYTEST)

# Skipped, with the reason, where there is no Node.js; the first time npm needs the network.
define test-npm
	@if ! command -v $(NODE) >/dev/null || ! command -v npm >/dev/null; then \
		echo '$(1): tests skipped: node or npm is missing (Debian: nodejs, npm)'; \
	elif ! $(NODE) -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > $(2) || (a === $(2) && b >= $(3)) ? 0 : 1)'; then \
		echo "$(1): tests skipped: Node.js $(2).$(3) or newer is needed, this is $$($(NODE) --version)"; \
	else \
		cd $(1) && { test node_modules/.package-lock.json -nt package-lock.json || \
			{ echo 'installing into $(1)/node_modules ...'; npm ci --silent && touch node_modules/.package-lock.json; } || \
			{ echo 'npm could not install what $(1) needs; the first time needs the network' >&2; exit 1; }; } && \
		MEDIADB_PYTHON='$(CURDIR)/$(BIN)/python' npm test; \
	fi
endef

test-node: $(VENV)/.installed-dev
	$(call test-npm,node/client,18,0)
	$(call test-npm,node/app,20,19)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check

# The unit, contract and wire tests are what a library's age can break; MATRIX=tests runs all.
MATRIX ?= tests/unit tests/contract tests/wire

test-oldest: .venv-oldest/.installed
	.venv-oldest/bin/python -m pytest -n auto $(PYTEST) $(MATRIX)

test-newest: .venv-newest/.installed
	.venv-newest/bin/pip install -q --upgrade --upgrade-strategy eager --no-build-isolation -e '.[embedded]'
	.venv-newest/bin/python -m pytest -n auto $(PYTEST) $(MATRIX)

.venv-oldest/.installed: $(PACKAGING) constraints/oldest.txt
	$(call environment,.venv-oldest,embedded$(comma)test,-c constraints/oldest.txt)

.venv-newest/.installed: $(PACKAGING)
	$(call environment,.venv-newest,embedded$(comma)test,)

# ---------------------------------------------------------------- the rest

BENCH ?= small
bench: $(VENV)/.installed
	@$(BIN)/python bench/all.py $(BENCH)

bench-guard: $(VENV)/.installed-dev
	@$(BIN)/python bench/goals.py --guard

generate: $(VENV)/.installed-dev
	$(BIN)/python tools/generate.py

dist: $(VENV)/.installed-dev
	$(BIN)/python -m build --no-isolation --outdir dist .

clean:
	rm -rf node/client/node_modules node/client/contract node/client/types node/app/node_modules node/app/dist
	rm -rf .venv .venv-oldest .venv-newest build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache bench/results/*-small.md bench/results/*-tiny.md
	find . -name __pycache__ -type d -not -path './node/*' -prune -exec rm -rf {} +
