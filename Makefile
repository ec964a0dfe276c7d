# What a person does with a clone. Everything made here stays in it: .venv*, .run, dist, bench/results.
# GNU make, sh, python3 >= 3.11 with venv; no compiler, no PostgreSQL, no curl.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
# a node to be used in place of the machine's (tools/nodejs.py)
NODE ?=
export NODE
comma := ,
VENV := .venv
BIN := $(VENV)/bin
PACKAGING := setup.cfg pyproject.toml mediad/__init__.py
# pytest: all cores; PYTEST="-x tests/unit" narrows it, and leaves the Node.js client's tests out
PYTEST ?=
# ffmpeg for transcoding, from a package where the machine has none
EXTRAS := embedded$(if $(shell command -v ffmpeg),,$(comma)ffmpeg)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# a teammate's or an old PYTHONPATH must not stand before the clone
unexport PYTHONPATH

.PHONY: help run test test-node page check test-oldest test-newest bench bench-guard generate dist clean

help:
	@echo 'make run [MEDIA=DIR] [DATA=DIR] [ONCE=1]  a private daemon over MEDIA (default: samples), and the page'
	@echo 'make test [PYTEST="..."]                  checks, then every test'
	@echo 'make test-node                            the tests of client, server and page in Node.js, part of make test'
	@echo 'make page                                 builds the page into node/app/dist'
	@echo 'make check                                ruff, mypy, import-linter, generated code'
	@echo 'make test-oldest, make test-newest        the tests with the oldest and the newest libraries'
	@echo 'make bench [BENCH=small|tiny]             measures, into bench/results/'
	@echo 'make bench-guard                          did anything become dearer? ratios against those kept'
	@echo 'make generate                             proto/*.proto -> mediadb_contract/*_pb2.py'
	@echo 'make dist                                 sdist, wheel and the web server into dist/'
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

# HEIC's decoder, where there is a wheel of it for this machine: it is not built, and nothing else needs it
define heif
	@$(1)/bin/pip install -q --only-binary :all: 'pi-heif>=0.17' 2>/dev/null || \
		echo 'no wheel of pi-heif for this machine: HEIC photos have no previews'
endef

$(VENV)/.installed: $(PACKAGING)
	$(call environment,$(VENV),$(EXTRAS),)
	$(call heif,$(VENV))

$(VENV)/.installed-dev: $(PACKAGING)
	$(call environment,$(VENV),$(EXTRAS)$(comma)dev,)
	$(call heif,$(VENV))
	@touch $(VENV)/.installed

# ---------------------------------------------------------------- run

run: export MEDIA := $(MEDIA)
run: export DATA := $(DATA)
run: export ONCE := $(ONCE)
run: export LISTEN := $(LISTEN)
run: export PAGE := $(PAGE)
run: $(VENV)/.installed
	@$(BIN)/python tools/run.py

# ---------------------------------------------------------------- tests

# Python's and Node.js' tests both run whatever the others say; tests/clients needs what npm installs.
test: check
	@status=0; \
	$(if $(strip $(PYTEST)),,! command -v npm >/dev/null || $(BIN)/python tools/nodejs.py app >/dev/null || status=$$?;) \
	echo '$(BIN)/python -m pytest -n auto $(PYTEST)'; \
	$(BIN)/python -m pytest -n auto $(PYTEST) || status=$$?; \
	$(if $(strip $(PYTEST)),,$(MAKE) --no-print-directory test-node || status=$$?;) \
	exit $$status

# The browser is the machine's, else one that a package carries. Skipped, with the reason, where npm is missing.
test-node: $(VENV)/.installed-dev
	@if ! command -v npm >/dev/null; then \
		echo 'node: tests skipped: npm is missing (Debian: apt install nodejs npm)'; \
	else \
		node=$$($(BIN)/python tools/nodejs.py app) && \
		browser=$$($(BIN)/python tools/nodejs.py browser || true) && \
		PATH="$$(dirname "$$node"):$$PATH" && export PATH && \
		export MEDIADB_PYTHON='$(CURDIR)/$(BIN)/python' MEDIADB_CHROMIUM="$$browser" && \
		status=0; \
		for each in node/client node/app node/app/ui; do (cd $$each && npm test) || status=$$?; done; exit $$status; \
	fi

page: $(VENV)/.installed
	@$(BIN)/python tools/nodejs.py app >/dev/null

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

# sdist and wheel; and the web server with its page and what it needs, so that a board needs no npm and builds nothing
dist: $(VENV)/.installed-dev page
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/python tools/release.py dist

clean:
	rm -rf node/client/node_modules node/client/contract node/client/types node/app/node_modules node/app/ui/node_modules \
		node/app/dist .node .node-browser
	rm -rf .venv .venv-oldest .venv-newest .venv-mopidy build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache bench/results/*-small.md bench/results/*-tiny.md
	find . -name __pycache__ -type d -not -path './node/*' -prune -exec rm -rf {} +
