# sora_edu. Every target sets itself up in .venv on its first run and goes on; README.md has the same in plain pip commands.
PYTHON  ?= python3
MINUTES ?= 15

VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
PY  := $(BIN)/python.exe
else
BIN := $(VENV)/bin
PY  := $(BIN)/python
endif
# An empty file records each finished install, so that the next run skips it.
RUNTIME := $(VENV)/.runtime-installed
TOOLS   := $(VENV)/.tools-installed
PACKAGE := constraints.txt settings.ini setup.py pyproject.toml

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test widgets lab docs readme

help:
	@echo "make demo    a text prompt becomes a clip, then the whole chain trains from nothing (MINUTES=$(MINUTES))"
	@echo "make lab     JupyterLab on the first chapter"
	@echo "make test    every check: exported modules, notebooks, tests"
	@echo "make widgets every widget, moved in a real browser (needs chromium)"
	@echo "make docs    the chapters as HTML pages in out/docs"
	@echo "make readme  README.md, the claims page and the model card, from data/results"

demo: $(RUNTIME)
	$(BIN)/sora-edu demo --minutes $(MINUTES)

lab: $(TOOLS)
	$(BIN)/jupyter lab nbs/00_sixty_seconds.ipynb

# First the check that takes seconds, then the notebooks (one at a time, two threads each), then the tests.
test: $(TOOLS)
	$(PY) -m pytest -q tests/test_house.py -k in_step
	OMP_NUM_THREADS=2 $(BIN)/nbdev_test --n_workers 1 --do_print --timing
	$(PY) -m pytest -q tests

# Not part of `test`: a browser and JupyterLab must find each other in time, which a busy machine does not promise.
widgets: $(TOOLS)
	SORA_EDU_BROWSER=1 $(PY) -m pytest -q tests/test_studio.py

docs: $(TOOLS)
	$(PY) tests/pages.py out/docs

readme: $(TOOLS)
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace nbs/index.ipynb nbs/claims.ipynb
	$(BIN)/nbdev_clean --fname nbs/index.ipynb
	$(BIN)/nbdev_clean --fname nbs/claims.ipynb
	$(PY) tests/pages.py README.md
	$(PY) tests/pages.py data/weights/README.md

# Debian keeps ensurepip in a package of its own; without it, the pip of the system fills the environment.
$(PY):
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "This Python has no ensurepip: taking pip from the one already installed."; \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(PY) install pip; \
	} || { rm -rf $(VENV); echo "Could not make $(VENV). On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(RUNTIME): $(PACKAGE) | $(PY)
	@echo "Installing sora_edu and what it runs on (torch, lightning, moviepy, ...) into $(VENV),"
	@echo "in the tested versions of constraints.txt. This takes minutes once; the next run skips it."
	$(PY) -m pip install -c constraints.txt -e .
	@touch $@

$(TOOLS): $(PACKAGE) | $(PY)
	@echo "Installing sora_edu, the notebook tools (nbdev, JupyterLab) and the test tools (pytest, hypothesis, diffusers)"
	@echo "into $(VENV), in the tested versions of constraints.txt. This takes minutes once; the next run skips it."
	$(PY) -m pip install -c constraints.txt -e ".[dev,test]"
	@touch $(RUNTIME) $@
