# Every target works from a clean clone: it first creates .venv and installs polyrelu there, editable, with the
# versions in constraints.txt. The set-up runs again only when pyproject.toml or constraints.txt changes.

# Any Python from 3.11 on: make test PYTHON=/usr/bin/python3.12
PYTHON ?= python3
# Extras to install: make test EXTRAS=all,cdd adds the cross-check with cddlib.
EXTRAS ?= all
# Further arguments of pytest: make test PYTEST="tests/exact -x"
PYTEST ?=
# Test processes. The tests of one file stay in one process.
WORKERS ?= auto

VENV := .venv
STAMP := $(VENV)/installed-$(EXTRAS)
COMPILED := $(VENV)/compiled

.PHONY: demo test bench check setup help clean
.DEFAULT_GOAL := help

demo: $(STAMP)  ## set up and show what polyrelu does on a trained network
	$(VENV)/bin/polyrelu demo

test: $(STAMP) $(COMPILED)  ## set up and run all tests, the examples in the docstrings included
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST)

bench: $(STAMP)  ## set up and run the benchmarks
	$(VENV)/bin/python -m benchmarks

check: $(STAMP)  ## set up and run ruff and mypy
	$(VENV)/bin/ruff check .; ruff=$$?; $(VENV)/bin/mypy && exit $$ruff

setup: $(STAMP)  ## only create .venv and install

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "polyrelu needs Python 3.11 or newer but '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "polyrelu needs Python's venv and ensurepip modules but '$(PYTHON)' has none." \
	       "On Debian: apt-get install python3-venv" >&2; exit 1; }
	test -x $(VENV)/bin/pip || $(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@echo "compiling the loops once (about half a minute) and keeping them for later runs"
	@$(VENV)/bin/polyrelu demo --out-dir $(VENV)/first-run >/dev/null
	@touch $@

# All loops at once, so that the test processes do not compile the same ones side by side.
$(COMPILED): $(STAMP) $(wildcard polyrelu/kernels/*.py)
	@echo "compiling all loops once (two or three minutes)"
	@for method in plane vertices split; do \
	  case $$method in plane) model=iris_petals box=0:8,0:3;; *) model=wine box=11:15,0:6,0:14;; esac; \
	  $(VENV)/bin/polyrelu tessellate polyrelu/data/$$model.npz --domain $$box --method $$method \
	    --certificate $(VENV)/first-run/$$method.cert --force >/dev/null 2>&1; \
	done
	@$(VENV)/bin/polyrelu region polyrelu/data/wine.npz --at 13,2,5 >/dev/null 2>&1
	@touch $@

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 8

clean:  ## remove .venv, caches and everything built
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
