# Every target calls the one command line, which sets up .venv by itself.  PYTHON= chooses the interpreter.

ifeq ($(origin PYTHON), undefined)
PYTHON := $(if $(shell test -x .venv/bin/python && echo yes),.venv/bin/python,$(if $(shell command -v python3 2>/dev/null),python3,python))
endif
CS7643 = "$(PYTHON)" -m cs7643

.DEFAULT_GOAL := help
.PHONY: help run test lab data check submit site clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile
	@echo "  PYTHON=python3.12 chooses the interpreter of a new .venv; ARGS= hands on options, as in: make data ARGS=--help"

run:  ## execute every notebook and leave a report: build/index.html (CIFAR10=DIR for your copy of CIFAR-10)
	@$(CS7643) run $(if $(CIFAR10),--cifar10-dir "$(CIFAR10)") $(ARGS)

test:  ## run all tests: every notebook is executed again and compared with its outputs (ARGS="-- -k layers" chooses)
	@$(CS7643) test $(ARGS)

# BEGIN STAFF
.PHONY: bench student autograder

bench:  ## measure speed, as ratios in one run
	@$(CS7643) bench $(ARGS)

student:  ## build the student edition, dist/hw1-student, and prove that nothing leaks
	@"$(PYTHON)" -m staff release $(ARGS)

autograder:  ## build dist/autograder.zip for Gradescope (ARGS="--cifar10-dir DIR" for problem 6.7)
	@"$(PYTHON)" -m staff autograder $(ARGS)

# END STAFF
lab:  ## open the notebooks in JupyterLab
	@$(CS7643) lab $(ARGS)

data:  ## which images are used, and from where (ARGS=--download fetches CIFAR-10)
	@$(CS7643) data $(if $(CIFAR10),--cifar10-dir "$(CIFAR10)") $(ARGS)

check:  ## check what you have written (ARGS=6.2 for one task)
	@$(CS7643) check $(ARGS)

submit:  ## write hw1.zip and hw1.pdf, ready to hand in (ARGS=--help)
	@$(CS7643) submit $(ARGS)

site:  ## write the instructions as pages: build/site/index.html
	@$(CS7643) site $(ARGS)

clean:  ## remove what runs have created (ARGS=--all: the environment, too)
	@$(CS7643) clean $(ARGS)
