# The two commands: `make demo` and `make test`. Everything is installed into .venv/; see CONTRIBUTING.md.
SHELL := /bin/sh
HOME_DIR := $(abspath $(or $(TONGCHOU_HOME),var))
export TONGCHOU_HOME := $(HOME_DIR)
export DAGSTER_HOME := $(HOME_DIR)/dagster
unexport PYTHONDONTWRITEBYTECODE  # hundreds of processes are started from here, and each would compile our own modules anew
BIN := .venv/bin
READY := .venv/.ready
CODE := access audit casework catalog cli connectors district golden masking oversight pipelines portal rules tests bench

# Tests make durable what they write some hundred thousand times; in memory, where there is room for it, they need not wait for the disk.
ROOMY = $(shell test -w /dev/shm && test "$$(df --output=avail -k /dev/shm | tail -1)" -gt 4000000 && echo /dev/shm)

.PHONY: setup demo test check format serve bench soak constraints clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt scripts/setup
	@sh scripts/setup

demo: $(READY)
	@$(BIN)/tongchou demo

test: $(READY) check
	@TMPDIR=$(ROOMY) $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports

format: $(READY)
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

serve: $(READY)
	@$(BIN)/tongchou serve

bench: $(READY)
	@sh bench/peers/setup
	@for part in standardise connectors district reconcile survivorship enterprises public_data linking incremental whole_district catalogue requests tickets masking audit decision extracts fingerprints look_up auditors misuse; do $(BIN)/python -m bench.$$part || exit 1; done

soak: $(READY)
	@$(BIN)/python -m bench.soak

constraints:
	@$(BIN)/uv pip compile -q --all-extras --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
		-o constraints.txt pyproject.toml scripts/bootstrap.in

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache
