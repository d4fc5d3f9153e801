# `make` lists the targets. Everything runs inside $(VENV), made by pip from constraints.txt.

PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8501
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
APP    := $(VENV)/.installed-app
DEV    := $(VENV)/.installed-dev
SYSTEM_PACKAGES := chromium fonts-liberation prometheus maven

.DEFAULT_GOAL := help
.PHONY: help env run lint type unit docs-check wheel test test-browser test-tools test-live test-live-long measured test-all bench bench-peer soak instances docs screenshots deps clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(DEV) ## make the environment for development (again only when pyproject.toml or constraints.txt change)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; choose one with: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(APP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the planner and its app into $(VENV) (about a minute the first time) ..."
	@$(PIP) install -c constraints.txt -e '.[app]'
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the planner and its development tools into $(VENV) (one to two minutes the first time) ..."
	@$(PIP) install -c constraints.txt -e '.[app,cluster,dev,e2e,live,report]'
	@touch $(APP) $@

# The port is looked for because another app may hold it; a browser is opened only where there is a screen to show it.
run: $(APP) ## open the app on 127.0.0.1, port 8501 or the next free one (PORT=...)
	@port=$$($(BIN)/python -c "$$FREE_PORT" $(PORT)) || exit 1; \
	headless=true; \
	if [ -z "$${CI:-}" ] && { [ "$$(uname)" = Darwin ] || { [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null; }; }; \
	then headless=false; fi; \
	echo "Kafka planner: http://127.0.0.1:$$port (Ctrl+C stops it)"; \
	exec $(BIN)/python -m streamlit run app.py --server.address 127.0.0.1 --server.port $$port --server.headless $$headless

define FREE_PORT
import socket, sys
first = int(sys.argv[1])
for port in range(first, min(first + 100, 65536)):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', port))
        except OSError:
            continue
        print(port)
        break
else:
    sys.exit(f'no free port from {first} on')
endef
export FREE_PORT

lint: $(DEV) ## style, spelling and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/lint-imports --no-cache

type: $(DEV) ## types, strict, tests too
	$(BIN)/mypy --strict planner tests

unit: $(DEV) ## hermetic tests and doctests; every branch of planner/model is covered
	$(BIN)/python -m pytest --no-skips --numprocesses auto --cov --cov-report=term

docs-check: $(DEV) ## generated documentation is up to date
	$(BIN)/python tools/build_docs.py --check

# From the source archive, as a packager builds it; into an environment that knows nothing of this checkout.
wheel: $(DEV) ## build the wheel, install it in a fresh environment, run its command from another folder
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	@set -e; fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	echo "Installing $$(ls dist/*.whl) into a fresh environment (about half a minute) ..."; \
	$(BIN)/python -m venv "$$fresh/venv"; \
	"$$fresh/venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input install -c constraints.txt dist/*.whl; \
	unset PYTHONPATH; cd "$$fresh"; \
	venv/bin/python -c 'import planner, sys; assert planner.__file__.startswith(sys.prefix), planner.__file__'; \
	venv/bin/kafka-planner plan preset:ecommerce --format json > plan.json; \
	venv/bin/python -c 'import json; print("The installed command plans", json.load(open("plan.json"))["brokers"]["count"], "brokers.")'

test: lint type unit docs-check wheel ## everything that needs no root, no browser and no network but the package index

test-browser: $(DEV) ## the app in headless Chromium (make deps installs it); a skipped test fails
	@command -v chromium >/dev/null || { echo "Chromium is missing: run make deps"; exit 1; }
	$(BIN)/python -m pytest tests/browser -m browser --no-skips

test-tools: $(DEV) ## alert rules through Prometheus' promtool (make deps installs it); a skipped test fails
	@command -v promtool >/dev/null || { echo "promtool is missing: run make deps"; exit 1; }
	$(BIN)/python -m pytest tests/tools -m tools --no-skips

# kafka-python leaves sockets of dead brokers to the collector, which pytest reports after the last test
LIVE := $(BIN)/python -m pytest tests/live --no-skips -p no:unraisableexception

# A busy machine can spoil a rate once, so what failed is tried once more; what fails twice fails.
test-live: $(DEV) ## against a Kafka cluster on this machine; a skipped test fails
	$(LIVE) -m 'live and not long' --durations 5 || $(LIVE) -m 'live and not long' --last-failed

test-live-long: $(DEV) ## all live tests, also those that take long or want a quiet machine
	$(LIVE) -m live

measured: $(DEV) ## the live tests and the long runs; writes docs/measured.md (a quarter of an hour)
	$(BIN)/python -m pytest $(filter-out %/test_importer.py,$(wildcard tests/live/test_*.py)) tests/live/long_runs.py -m live --no-skips -p no:unraisableexception
	cp build/live/measured.json tests/data/measured.json
	$(BIN)/python tools/build_docs.py

test-all: test test-browser test-tools test-live ## everything that CI runs

bench: $(DEV) ## measure speed
	$(BIN)/python -m pytest benchmarks -m '' --benchmark-only

bench-peer: $(DEV) ## measure speed beside service-capacity-modeling, in an environment of its own
	$(BIN)/python benchmarks/peer.py

soak: $(DEV) ## twenty visitors of the app at once for a minute: no cross-talk, memory bounded, waits printed
	$(BIN)/python -m tools.soak

instances: $(DEV) ## write the table of AWS instance types anew, from the packages that carry it
	$(BIN)/python tools/build_instances.py

docs: $(DEV) ## write the generated documentation
	$(BIN)/python tools/build_docs.py

screenshots: $(DEV) ## write the pictures of docs/app.md anew (make deps installs Chromium)
	$(BIN)/python -m tools.screenshots

deps: ## install the system packages of the browser and live tests (Debian, root or sudo)
	@missing=""; for package in $(SYSTEM_PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
	if [ -z "$$missing" ]; then echo "System packages are there: $(SYSTEM_PACKAGES)"; exit 0; fi; \
	command -v apt-get >/dev/null || { echo "No apt-get here. Install by hand:$$missing"; exit 1; }; \
	as_root=""; if [ "$$(id -u)" != 0 ]; then as_root="sudo -n"; \
		sudo -n true 2>/dev/null || { echo "Needs root. Run: sudo apt-get install$$missing"; exit 1; }; fi; \
	echo "Installing$$missing with apt-get (one to three minutes) ..."; \
	$$as_root apt-get -qq -o DPkg::Lock::Timeout=300 update \
	&& $$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
		install --no-install-recommends $$missing >/dev/null

clean: ## remove what was built and cached; the environment stays
	rm -rf dist build .coverage coverage.xml .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find planner tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
