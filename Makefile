# The commands of this repository. Each works as the first one: what it needs is installed on the way, by lock file.
.DEFAULT_GOAL := help
BIN := .venv/bin
DONE := .venv/.done
TEST_PACKAGES := .venv/.test-packages
export PATH := $(CURDIR)/$(BIN):$(PATH)
ARGS ?=
SERVE ?= yes
SERVER := redpoll serve --store redpoll-demo/store

.PHONY: help demo test check bench mutants docs setup lock changes clean

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

# Fetching the front-end packages may take as long as the night, so both go on at once. (A recipe that names the
# variable MAKE would run even under --dry-run.)
demo: $(DONE)/runtime ## A simulated night from packet to portal, until Ctrl-C; SERVE=no ends by itself
	@{ make --silent $(DONE)/frontend || echo "redpoll: the portal will draw its pages without them" >&2; } & frontend=$$!; \
	redpoll demo --no-serve --out redpoll-demo && \
	{ ! kill -0 $$frontend 2>/dev/null || echo "redpoll: waiting for the portal's front-end packages" >&2; } && wait && \
	$(if $(filter no,$(SERVE)),true,{ $(SERVER) || { echo "redpoll: taking a free port" >&2; $(SERVER) --port 0; }; })

test: $(DONE)/dev $(DONE)/test-packages $(DONE)/frontend $(DONE)/chromium ## All tests
	PYTHONPATH=$(CURDIR)/$(TEST_PACKAGES) python -m pytest -n 3 --dist worksteal --doctest-modules tests src/redpoll $(ARGS)

check: $(DONE)/dev ## Format, lint, types, import contracts, sizes, docs
	ruff format --check
	ruff check
	mypy
	mypy --config-file benchmarks/mypy.ini benchmarks
	lint-imports
	python -m pytest -q -p no:cacheprovider tests/unit/test_house.py
	sphinx-build -q -W --keep-going docs docs/_build/html

bench: $(DONE)/dev ## All benchmarks; their tables go to the terminal
	@failed=0; for script in benchmarks/[a-z]*.py; do echo "== $$script"; python "$$script" || failed=1; done; exit $$failed

mutants: $(DONE)/dev ## Small wrong changes that no test notices; ARGS=FILE... for some files
	python tools/mutants.py $(or $(ARGS),$(wildcard src/redpoll/science/[a-z]*.py src/redpoll/astro/[a-z]*.py))

docs: $(DONE)/dev ## The documentation, in docs/_build/html
	sphinx-build -q -W --keep-going docs docs/_build/html
	@echo "docs/_build/html/index.html"

setup: $(DONE)/dev $(DONE)/frontend $(DONE)/chromium ## Only install what the others need

lock: $(DONE)/python ## Write the lock files anew; ARGS=--upgrade takes newer versions
	tools/lock.sh $(ARGS)

changes: $(DONE)/dev ## What the next CHANGES.md would say
	@towncrier build --draft --version next

clean: ## Remove everything that can be made again
	rm -rf .venv node_modules docs/_build docs/reference/generated build src/*.egg-info

$(DONE)/python: requirements/uv.txt tools/python.sh
	@tools/python.sh
	@mkdir -p $(DONE) && touch $@

$(DONE)/runtime: requirements/runtime.txt pyproject.toml tools/install.sh | $(DONE)/python
	@tools/install.sh requirements/runtime.txt .
	@touch $@

$(DONE)/dev: requirements/dev.txt pyproject.toml tools/install.sh | $(DONE)/python
	@tools/install.sh requirements/dev.txt .
	@touch $@ $(DONE)/runtime

# The plugins that only tests need lie in a folder of their own: the demo and a user's commands must not find them.
$(DONE)/test-packages: $(wildcard packages/*/pyproject.toml packages/*/src/*/*.py) $(DONE)/dev
	@rm -rf $(TEST_PACKAGES)
	@python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation \
	--target $(TEST_PACKAGES) $(wildcard packages/*)
	@touch $@

$(DONE)/frontend: package-lock.json tools/frontend.py | $(DONE)/python
	@command -v npm >/dev/null || tools/debian.sh "for the portal's front-end packages" npm
	@python tools/frontend.py
	@touch $@

$(DONE)/chromium: | $(DONE)/python
	@command -v chromium >/dev/null || tools/debian.sh "for the browser tests" chromium
	@python -c 'import ctypes; ctypes.CDLL("libatomic.so.1")' 2>/dev/null || \
	tools/debian.sh "for playwright, which drives the browser" libatomic1
	@touch $@
