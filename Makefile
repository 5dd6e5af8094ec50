# What there is to do with nn2eq. Every target sets up what it needs; `make demo` is the place to start.

PYTHON ?= python3
VENV ?= .venv
FORMULAS ?= models/formulas
ASK ?= keras
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

BIN := $(VENV)/bin
READY := $(VENV)/.ready
NN2EQ := $(BIN)/nn2eq
MODELS := $(basename $(notdir $(wildcard models/*.keras)))
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)

.DELETE_ON_ERROR:
.SECONDEXPANSION:
.PHONY: demo gallery test check lint verify formulas formulas-all models bench tools clean

# The equation of a small network in the units of its data, and on standard error the line that proves it.
demo: | $(READY)
	$(NN2EQ) models/dense_1-3-2-1_tanh.keras --format latex --check \
	    --scale-input models/dense_1-3-2-1_tanh.input-scale.json \
	    --scale-output models/dense_1-3-2-1_tanh.output-scale.json

test: | $(READY)
	$(BIN)/python -m pytest -n $(JOBS)

check: lint test

lint: | $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict

bench: | $(READY)
	$(BIN)/python benchmarks/run.py

# Draw docs/gallery.md, its pictures and the notebook again.
gallery: | $(READY)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python docs/gallery.py

# Train the shipped models again. `make formulas` then writes again what changed.
models: | $(READY)
	$(BIN)/python models/make_models.py

# Every shipped model in every text, each asked of Keras. A text is written again where its model or scaler changed;
# after a change to an emitter: rm -r models/formulas && make formulas
formulas: | $(READY)
	$(MAKE) --jobs=$(JOBS) formulas-all

# Write all of them once more, elsewhere: what is committed is what nn2eq says today, and verify.py asks Keras about it,
# a model at a time. How large the rounding errors are in a header's check lines is the machine's affair.
verify: | $(READY)
	fresh=$$(mktemp -d) && trap 'rm -r "$$fresh"' EXIT && \
	$(MAKE) formulas FORMULAS="$$fresh" ASK= && \
	diff -r -I 'check: ' models/formulas "$$fresh" && \
	$(BIN)/python models/verify.py "$$fresh"

# A nested equation is for reading: it is written where it is short.
LONG := dense_4-6-3_tanh_softmax_normalization dense_4-16-16-16-1_tanh dense_10-8-1_softplus_normalization
SHORT := $(filter-out $(LONG),$(MODELS))

formulas-all: \
    $(SHORT:%=$(FORMULAS)/%.nested.tex) \
    $(MODELS:%=$(FORMULAS)/%.layered.tex) \
    $(MODELS:%=$(FORMULAS)/%.matrix.tex) \
    $(MODELS:%=$(FORMULAS)/%.numpy.py) \
    $(MODELS:%=$(FORMULAS)/%.python.py) \
    $(MODELS:%=$(FORMULAS)/%.sympy.py) \
    $(MODELS:%=$(FORMULAS)/%.json)

formulas-all: export NN2EQ_CHECK = $(ASK)

# What the columns of a model's data are called, where that is more than x and y.
names.dense_1-5-1_sigmoid := --inputs T --outputs p

model = models/$$*.keras $$(wildcard models/$$*.*-scale.json) | $(READY) $(FORMULAS)
scales = $(foreach end,input output,$(addprefix --scale-$(end) ,$(wildcard models/$*.$(end)-scale.json)))
convert = $(NN2EQ) $< $(scales) $(names.$*) -o $@

$(FORMULAS)/%.nested.tex: $(model)
	$(convert) --format latex --form nested

$(FORMULAS)/%.layered.tex: $(model)
	$(convert) --format latex --form layered

$(FORMULAS)/%.matrix.tex: $(model)
	$(convert) --format latex --form matrix

$(FORMULAS)/%.numpy.py: $(model)
	$(convert) --format numpy

$(FORMULAS)/%.python.py: $(model)
	$(convert) --format python

$(FORMULAS)/%.sympy.py: $(model)
	$(convert) --format sympy

$(FORMULAS)/%.json: $(model)
	$(convert) --format json

$(FORMULAS):
	mkdir -p $@

# The environment, made again when what is asked for changes.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[keras,excel,casadi,pyomo,smtlib,plot,sql,spark,dev]' --constraint constraints.txt
	$(BIN)/python -m compileall -q nn2eq # as pip does for a wheel: a start must not compile
	touch $@

# What the tests run, on Debian and its relatives: LaTeX to typeset, poppler and a browser to look at the page, every
# language that a text may be in, the database; and what is a Python package, in the environment.
tools:
	$(SUDO) apt-get update -qq
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
	    python3-venv texlive-latex-base texlive-latex-recommended texlive-latex-extra poppler-utils katex \
	    g++ gfortran golang-go default-jdk-headless nodejs octave r-base-core rustc \
	    chromium graphviz libreoffice-calc-nogui postgresql $$(command -v npm >/dev/null || echo npm)
	$(MAKE) $(READY)
	npm install --silent --no-fund --no-audit --prefix $(VENV)/npm mermaid@11.17.2 jsdom@29.1.1

# Everything that a run made except the environment ($(VENV)).
clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -r {} +
