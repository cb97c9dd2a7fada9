# Every target calls the one command line, which sets up .venv by itself.  PYTHON= chooses the interpreter.

ifeq ($(origin PYTHON), undefined)
PYTHON := $(if $(shell test -x .venv/bin/python && echo yes),.venv/bin/python,$(if $(shell command -v python3 2>/dev/null),python3,python))
endif
CS7643 = "$(PYTHON)" -m cs7643

# `make check 6.2` and `make hint f1`: the words after the first are its arguments.
ifneq ($(filter check hint quiz train,$(firstword $(MAKECMDGOALS))),)
WORDS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
$(if $(WORDS),$(eval $(WORDS):;@:))
endif

.DEFAULT_GOAL := help
.PHONY: help doctor run test lab data check status hint quiz train plots predict submit verify site clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile
	@echo "  PYTHON=python3.12 chooses the interpreter of a new .venv; ARGS= passes options on, as in: make data ARGS=--help"

doctor:  ## what is missing here, and what to type
	@$(CS7643) doctor $(ARGS) || test $$? -eq 1

run:  ## execute every notebook and leave a report: build/index.html (CIFAR10=DIR for your copy of CIFAR-10)
	@$(CS7643) run $(if $(CIFAR10),--cifar10-dir "$(CIFAR10)") $(ARGS)

test:  ## verify, and all tests (ARGS="-- -k layers" chooses)
	@$(CS7643) test $(ARGS)

# BEGIN STAFF
.PHONY: bench student autograder marking

bench:  ## measure speed, as ratios in one run
	@$(CS7643) bench $(ARGS)

student:  ## build the student edition, dist/hw1-student, and prove that nothing leaks
	@"$(PYTHON)" -m staff release $(ARGS)

autograder:  ## build dist/autograder.zip for Gradescope (ARGS="--cifar10-dir DIR" for problem 6.7)
	@"$(PYTHON)" -m staff autograder $(ARGS)

marking:  ## what a person marks, item by item: build/marking/index.html
	@"$(PYTHON)" -m staff marking $(ARGS)

# END STAFF
lab:  ## open the homework in JupyterLab
	@$(CS7643) lab $(ARGS)

data:  ## which images are used, and from where (ARGS=--download fetches CIFAR-10)
	@$(CS7643) data $(if $(CIFAR10),--cifar10-dir "$(CIFAR10)") $(ARGS)

check:  ## check what you have written (make check 6.2 for one task)
	@$(CS7643) check $(WORDS) $(ARGS) || test $$? -eq 1

status:  ## all tasks, their points, and what is left
	@$(CS7643) status $(ARGS) || test $$? -eq 1

hint:  ## a hint for a function: make hint conv_forward_naive
	@$(CS7643) hint $(WORDS) $(ARGS)

quiz:  ## three questions about functions of yours that pass, for practice (make quiz 6.2)
	@$(CS7643) quiz $(WORDS) $(ARGS) || test $$? -eq 1

train:  ## train a model of problems 6.4 to 6.7 (ARGS="--model convnet --epochs 5")
	@$(CS7643) train $(ARGS)

plots:  ## draw the curves and filters of your runs again
	@$(CS7643) plots $(ARGS)

predict:  ## write predictions.csv for problem 6.7
	@$(CS7643) predict $(ARGS)

verify:  ## execute your notebooks again and compare what comes out, before you hand in
	@$(CS7643) verify $(ARGS)

submit:  ## write hw1.zip and hw1.pdf, ready to hand in (ARGS=--help)
	@$(CS7643) submit $(ARGS)

site:  ## write the instructions as pages: build/site/index.html
	@$(CS7643) site $(ARGS)

clean:  ## remove what runs have created (ARGS=--all: the environment, too)
	@$(CS7643) clean $(ARGS)
