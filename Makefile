# The front door: CMake and scripts/ do the work, this file only gives it short names.
#   make PYTHON=/path/to/python3.13 BUILD=build-3.13   for another interpreter
#   make PRESET=dev BUILD=build-dev                    with sanitizers, see CMakePresets.json

PYTHON ?= python3
BUILD ?= build
PRESET ?= release
export PYTHON BUILD PRESET

.PHONY: build test matrix matrix-sid regrtest judge judge-counts demo bench bench-quick bench-truth bench-compare fuzz format tidy golden clean help
.DEFAULT_GOAL := build

build: ## build the recorder and pytrace-analyze into $(BUILD)/
	@scripts/build

test: ## build, then run every test
	@scripts/test

regrtest: ## run a quarter of an hour of CPython's own test suite, bare and recorded; they must agree
	@scripts/regrtest

judge: ## compare event by event with what the interpreter itself tells, over the standard library's tests (15 minutes)
	@scripts/judge

judge-counts: ## compare counts with cProfile's, on 30 programs of pyperformance (installs them from the package index)
	@scripts/judge counts

matrix: ## run the end-to-end tests on every interpreter of this machine
	@scripts/matrix

matrix-sid: ## the same in a tree of Debian sid, with the newest interpreters (needs root)
	@scripts/matrix --sid

demo: ## record a real program, read it back, kill one and read that too
	@scripts/demo

bench: ## measure what recording costs, beside every other tool, and how fast the analyzer reads (most of an hour)
	@scripts/bench

bench-quick: ## the same in three minutes: fewer programs and tools
	@scripts/bench --quick

bench-truth: ## how true times are, with and without --compensate
	@scripts/bench truth

bench-compare: ## what moved beyond the noise from one saved run to another: A=old.json B=new.json, or the last two
	@scripts/bench compare $(A) $(B)

fuzz: ## fuzz the readers of untrusted bytes, a minute each (needs clang)
	@scripts/fuzz

format: ## rewrite the C sources in the project's format
	@scripts/format

tidy: ## run clang-tidy on the C sources
	@scripts/tidy

golden: ## rewrite the screens that tests/golden expects; look at the difference before you commit it
	@scripts/golden

clean: ## remove $(BUILD)/
	@rm -rf -- "$(BUILD)"

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done
	@printf '\nVariables: PYTHON=%s BUILD=%s PRESET=%s\n' "$(PYTHON)" "$(BUILD)" "$(PRESET)"
