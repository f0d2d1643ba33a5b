# Everything from a fresh checkout: `make run`, `make test`. Needs make and Python 3.11 or newer, nothing else.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/requirements.stamp
# More at a time than cores: they wait for servers and browsers. In order, for what takes longest comes first.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

unexport PYTHONDONTWRITEBYTECODE  # every process of an installation would compile all of its modules

.PHONY: install run test check faults bench bench-guard contract fuzz fmt picture

install: $(STAMP)

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Crossdock needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --requirement requirements.lock
	touch $@

run: install
	$(BIN)/python -m simulators.day $(if $(DURATION),--duration $(DURATION)) $(if $(GATEWAY_PORT),--gateway-port $(GATEWAY_PORT)) $(if $(CONSOLE_PORT),--console-port $(CONSOLE_PORT))

test: check
	$(BIN)/python -m bench.guard
	$(PYTEST) --ignore tests/faults --ignore tests/bench --ignore tests/interop
	$(PYTEST) tests/faults tests/bench tests/interop  # apart from the others, as these use all of a core each

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m crossdock check --strict
	$(BIN)/python -m crossdock test

faults: install
	$(BIN)/pytest tests/faults --events 5000

contract: install  # requests made from the OpenAPI document, against what the gateway answers
	$(BIN)/python -m tests.gateway.contract --requests 10000

fuzz: install  # hostile inputs to every decoder of the gateway
	$(BIN)/python -m tests.gateway.fuzz --inputs 1000000

bench: install
	$(BIN)/python -m crossdock bench

bench-guard: install  # CPU an event against bench/guard.json; `-m bench.guard --update` keeps new figures
	$(BIN)/python -m bench.guard

fmt: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

picture: install  # of the console, for README and docs, from an operator's day; needs chromium
	$(BIN)/python -m simulators.picture
