# `make lab` shows the main job in two emulated tenants; `make test` checks everything. Both need only
# Python 3.11 or later (with venv and pip), make, and the package index pip is set up for.
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
RUN := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help install lab test docs pictures pulumi real faults bench fmt keys lock clean

help:
	@echo "make install the environment for real pairs: Pulumi's packages and the xtsync command"
	@echo "make lab     run the program in two emulated tenants, from preview to destroy"
	@echo "make test    format, lint, types and every test"
	@echo "make docs    build the documentation site into build/site, without any network"
	@echo "make pictures draw the README's pictures anew where they do not show what is printed now"
	@echo "make pulumi  find the Pulumi CLI, or build it (needs Go; some minutes, once on a machine)"
	@echo "make real    the scenarios and all else that can run on the real Pulumi, after make pulumi"
	@echo "make faults  every fault and a kill at every call, some forty minutes; ENGINE=pulumi, RESUME=1"
	@echo "make bench   counts and ratios against the budgets; ENGINE=pulumi"
	@echo "make fmt     format the code"
	@echo "make keys    publish the keys (table in the docs, JSON Schema) and what --json prints"
	@echo "make lock    pin the dependencies again (needs uv)"
	@echo "make clean   remove what was made here"

# pip says each package: it is one line that counts, and pip's own words where it fails, which a pipe would hide.
define COUNT
import sys
number, failed = 0, False
for line in sys.stdin:
    failed = failed or line == "pip failed\n"
    if line.startswith("Collecting "):
        number += 1
        sys.stdout.write("\r  %d of %s packages " % (number, sys.argv[1]) if sys.stdout.isatty() else "")
    elif line.startswith("Installing collected"):
        sys.stdout.write("\n" if sys.stdout.isatty() else "")
        print("  unpacking them ...", flush=True)
    sys.stdout.flush()
sys.exit(failed)
endef
export COUNT

# Whatever comes from outside comes by hash and as a wheel; our own package is linked without a build that fetches.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11")'
	@echo "Making the virtual environment $(VENV) (once, half a minute to two):"
	@$(PYTHON) -m venv $(VENV)
	@{ $(RUN) -m pip install --progress-bar off --disable-pip-version-check --require-hashes --only-binary :all: -r $(1) || echo "pip failed"; } | $(RUN) -c "$$COUNT" `grep -c == $(1)`
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-index --no-build-isolation --no-deps -e .
	@touch $@
endef

$(READY): requirements-dev.txt pyproject.toml
	$(call environment,requirements-dev.txt)

$(INSTALLED): requirements.txt pyproject.toml
	$(call environment,requirements.txt)

# What the tests need has all that real pairs need.
install: $(or $(wildcard $(READY)),$(INSTALLED))

lab: $(READY)
	@$(RUN) -m lab demo

# Four workers on any machine: many tests wait for processes and clocks.
test: $(READY)
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(RUN) -m mypy bootstrap/__main__.py
	$(RUN) -m mypy policy/__main__.py
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) -m deptry . --no-ansi
	$(RUN) -m pytest -n 4 --dist worksteal

# Warnings are errors. Nothing is fetched, and the pages load nothing from elsewhere.
docs: $(READY)
	@$(RUN) -m sphinx -q -W --keep-going -E -c docs -d build/doctrees . build/site
	@echo "build/site/index.html"

pictures: $(READY)
	$(RUN) -m pytest tests/scenarios/test_pictures.py --record

# OLDEST=1 is the oldest CLI that Pulumi.yaml allows, for one test.
pulumi: $(READY)
	@$(RUN) -m lab.pulumi $(if $(OLDEST),--oldest)

# All that deploys, on the CLI; what deploys nothing and the small engine's own tests are in `make test`.
WITHOUT_PULUMI := unit graph policy faults lab/engine lab/entra lab/azuread
real: $(READY)
	$(RUN) -m pytest --engine pulumi -n 4 --dist worksteal -rs $(WITHOUT_PULUMI:%=--ignore=tests/%) $(ONLY)

# ENGINE=pulumi takes the CLI and a reduced set; RESUME=1 goes on where a run was cut off.
faults: $(READY)
	@$(RUN) -m tests.faults --engine $(or $(ENGINE),lab) $(if $(RESUME),--resume)

# ENGINE=pulumi takes the CLI, PEOPLE="1 100" other sizes than 1 to 1,000; WRITE=1 writes docs/performance.md instead.
bench: $(READY)
	@$(RUN) -m tests.bench $(PEOPLE) --engine $(or $(ENGINE),lab) $(if $(WRITE),--write)

fmt: $(READY)
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

keys: $(READY)
	@$(RUN) -m xtsync_resources.config.published
	@$(RUN) -m docs.outputs

lock:
	uv pip compile pyproject.toml --extra policy --extra environment --only-binary :all: --emit-build-options --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -q -o requirements.txt
	uv pip compile pyproject.toml --extra policy --extra environment --extra dev --only-binary :all: --emit-build-options -c requirements.txt --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -q -o requirements-dev.txt

clean:
	rm -rf $(VENV) .lab build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
