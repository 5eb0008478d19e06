# GenPool: every command a contributor needs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: help setup try try-down demo demo-down cluster-up cluster-down cluster-status images test check lint types contracts unit generate verify lock format clean test-brokers test-kind test-current soak-api soak-gateway soak-outages bench-gateway page-vendor page-pictures page-types

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}'

setup: $(STAMP) ## Make the virtual environment from the hashed requirements

$(STAMP): requirements/dev.txt pyproject.toml
	@bash dev/setup-venv.sh $(VENV)

try: $(STAMP) ## GenPool on this machine with a stand-in for ComfyUI: page, API, queue; no cluster, no GPU
	@$(PY) -m genpool_dev try

try-down: $(STAMP) ## End it, and take its data away
	@$(PY) -m genpool_dev try-down

demo: $(STAMP) ## The whole way of 24 tasks on a real Kubernetes (KEEP=1 leaves it running)
	@$(PY) -m genpool_dev demo

demo-down: $(STAMP) ## End a demo that was left running
	@$(PY) -m genpool_dev demo-down

cluster-up: $(STAMP) ## Start the local cluster with RabbitMQ and S3 (PROVIDER=local|kind|current)
	@$(PY) -m genpool_dev cluster-up

cluster-down: $(STAMP) ## Stop it and take away everything it made
	@$(PY) -m genpool_dev cluster-down

cluster-status: $(STAMP) ## What runs, where, and how to reach it
	@$(PY) -m genpool_dev cluster-status

images: $(STAMP) ## Build the images and push them (REGISTRY=host/path, TAG=the version, INSECURE=1 for plain HTTP)
	@$(PY) -m genpool_dev images

test: $(STAMP) ## Everything: the quick tools, then all tests on real parts, and the demo
	@$(PY) -m genpool_dev quick
	@$(PY) -m genpool_dev test

check: $(STAMP) lint types contracts verify unit ## The quick part of the tests, under a minute

lint: $(STAMP) ## ruff: rules and format
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

types: $(STAMP) ## mypy --strict
	@$(VENV)/bin/mypy

contracts: $(STAMP) ## Who may import whom
	@$(VENV)/bin/lint-imports

unit: $(STAMP) ## The tests without I/O
	@$(VENV)/bin/pytest -q -n2 tests/unit

generate: $(STAMP) ## Write the CRD, its copy in the chart, the references and the schemas
	@$(PY) -m genpool_dev generate

verify: $(STAMP) ## Fail where a generated file differs from its source
	@$(PY) -m genpool_dev generate --check

format: $(STAMP) ## Let ruff mend what it can
	@$(VENV)/bin/ruff check --fix-only . ; $(VENV)/bin/ruff format .

lock: $(STAMP) ## Renew the hashed requirements from pyproject.toml
	@bash dev/lock.sh

test-brokers: $(STAMP) ## What depends on RabbitMQ's version, on 3.10, 4.0 and 4.3 (as root, some minutes; RELEASES)
	@$(PY) -m genpool_dev test-brokers $${RELEASES:-}

test-kind: $(STAMP) ## The demo and the e2e tests on a real kind, in a Docker engine of its own (as root, some minutes; PARTS)
	@$(PY) -m genpool_dev test-kind $${PARTS:-}

test-current: $(STAMP) ## Demo and e2e tests on a cluster of somebody else's, which is the same afterwards (as root, PARTS)
	@$(PY) -m genpool_dev test-current $${PARTS:-}

page-vendor: ## Renew the libraries of the web page from npm (needs npm)
	@bash dev/page-vendor.sh

page-types: ## Check the types of the web page with TypeScript (needs npm)
	@bash dev/page-types.sh

page-pictures: $(STAMP) ## Take the pictures of the web page in docs/images anew
	@$(PY) -m genpool_dev.page_pictures

soak-api: $(STAMP) ## Schemathesis against the API for some minutes (EXAMPLES=300, SEED=number)
	@GENPOOL_CONTRACT_EXAMPLES=$${EXAMPLES:-300} GENPOOL_CONTRACT_SEED=$${SEED:-$$RANDOM} \
		$(VENV)/bin/pytest -q tests/integration/gateway/test_api_contract.py

soak-gateway: $(STAMP) ## The gateway is killed at random points of accepting 5,000 tasks (TASKS, TIMES, SEED)
	@GENPOOL_KILLED_TASKS=$${TASKS:-5000} GENPOOL_KILLED_TIMES=$${TIMES:-50} GENPOOL_KILLED_SEED=$${SEED:-$$RANDOM} \
		$(VENV)/bin/pytest -q -s tests/integration/gateway/test_api_killed.py -k killed | grep --line-buffered -v "^{"

soak-outages: $(STAMP) ## Database, broker and bucket are away for a minute each, refusing and silent (AWAY=60)
	@GENPOOL_OUTAGE_SECONDS=$${AWAY:-60} GENPOOL_BESIDE_SAMPLES=200 \
		GENPOOL_OUTAGES=postgresql-cut,postgresql-silent,broker-cut,broker-silent,s3-cut,s3-silent \
		$(VENV)/bin/pytest -q -s tests/integration/gateway/ends/test_outages.py \
		"tests/integration/gateway/test_dispatch.py::test_a_receiver_that_hangs_costs_the_others_nothing_and_the_broker_little" \
		| grep --line-buffered -v "^{"

bench-gateway: $(STAMP) ## How fast the gateway accepts tasks, beside a plain handler (as root, some minutes)
	@$(PY) bench/gateway.py

clean: ## Take away the virtual environment and the caches of the checkout
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
