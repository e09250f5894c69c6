# From a fresh clone: `make demo` shows what zhpipe does, `make test` that it works. Both install into .venv first.
# Another interpreter: make setup PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
SAMPLES := corpora/samples
INBOX := runs/sample-mail/inbox-labelled.csv

.PHONY: setup demo test test-slow lint translations wheel attacks

setup: .venv/installed

.venv/installed: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	@echo "installing into .venv (3 GB, some minutes the first time)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: setup
	@$(BIN)/zhpipe run configs/sample-mail.toml
	@echo
	@$(BIN)/zhpipe label runs/sample-mail $(SAMPLES)/inbox.csv $(INBOX) --text 主题 --text 正文 --show 8 --force
	@echo
	@echo "Open runs/sample-mail/evaluate/report.html in a browser; the labelled inbox is $(INBOX)."

test: setup
	@$(BIN)/python -m pytest -q -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder -m "not slow" tests pipeline corpora embeddings zhpipe

# What takes long, and what `make test` leaves to it: networks of benchmarks, shared searches, dying nodes, full disks.
test-slow: setup
	@$(BIN)/python -m pytest -q -m slow tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile

# Collects the phrases of the reports into the catalogues, and compiles these. A new phrase has an empty msgstr, and one
# that was reworded is marked `fuzzy`: translate it, take the mark away, and run this again.
LOCALE := pipeline/evaluation/report/locale
BABEL := $(BIN)/pybabel --quiet
translations: setup
	@mkdir -p build
	@$(BABEL) extract --mapping=pyproject.toml --keyword=plural:1,2 --add-location=file --sort-by-file --msgid-bugs-address='the issues of the repository' \
		--output-file=build/zhpipe.pot pipeline/evaluation/report pipeline/tuning
	@$(BABEL) update --domain=zhpipe --input-file=build/zhpipe.pot --output-dir=$(LOCALE) --width=110 \
		--ignore-pot-creation-date --ignore-obsolete
	@$(BABEL) compile --domain=zhpipe --directory=$(LOCALE) --statistics

# Installs the wheel outside the checkout, light and full, and does what README.md says. Needs a package index.
wheel:
	@PYTHON=$(PYTHON) .ci/wheel

# Every attack that the tests know, the random ones longer than there; prints the table of benchmarks/README.md.
attacks: setup
	@$(BIN)/python benchmarks/attacks.py
