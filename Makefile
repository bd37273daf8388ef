# make run: install, open the dashboard, build the default study beside it. Run again, nothing is done twice.
# make run TIME_BUDGET=60: the same, with at most so many seconds of training the recommender.
PYTHON ?= python3
STUDY ?= studies/movietweetings
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint clean chromium rivals dictionaries libraries overcomplete benchmark-rivals

run: .venv/.runtime
	@$(BIN)/python -m seqsae_core serve $(STUDY) --build $(if $(TIME_BUDGET),--time-budget $(TIME_BUDGET))

test: .venv/.development chromium rivals dictionaries libraries
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: .venv/.development
	$(BIN)/ruff check .

clean:
	rm -rf .venv .venv-rivals .venv-dictionaries .venv-libraries .venv-overcomplete .venv-benchmarks studies .pytest_cache .ruff_cache tests/artefacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.runtime: requirements.txt | $(BIN)/pip
	@echo "Installing $< into .venv (once; a few minutes)"
	@$(BIN)/python -m pip install -q -r $<
	@touch $@

.venv/.development: requirements-dev.txt .venv/.runtime
	@$(BIN)/python -m pip install -q -r $<
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "This Python cannot make virtual environments: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv

# Browser tests skip without Chromium, but not in CI: there its absence is a failure.
chromium:
	@command -v chromium >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; fi || true
	@command -v chromium >/dev/null || { \
		echo "Chromium is missing, so browser tests skip. To run them: apt-get install chromium"; test -z "$$CI"; }

# Figures are compared with RecTools', which needs older packages than ours and so an environment of its own.
rivals:
	@$(MAKE) --no-print-directory .venv-rivals/.installed || { \
		echo "RecTools could not be installed, so the tests against it skip. To try again: make rivals"; test -z "$$CI"; }

# Dictionaries go to and come from SAELens and sparsify, which bring much that we do not need.
dictionaries:
	@$(MAKE) --no-print-directory .venv-dictionaries/.installed || { \
		echo "SAELens could not be installed, so the tests against it skip. To try again: make dictionaries"; test -z "$$CI"; }

# Models of RecTools and RecBole are compared with the libraries themselves.
libraries:
	@$(MAKE) --no-print-directory .venv-libraries/.installed || { \
		echo "RecTools and RecBole could not be installed, so the tests against them skip. To try again: make libraries"; test -z "$$CI"; }

# The libraries that only benchmarks/recommender.py and benchmarks/dictionaries.py train beside ours; no test needs them.
benchmark-rivals: .venv-benchmarks/.installed dictionaries overcomplete

overcomplete: .venv-overcomplete/.installed

.venv-%/.installed: requirements-%.txt | $(BIN)/pip
	@echo "Installing $< into $(@D) (once)"
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/python -m pip install -q -r $<
	@touch $@
