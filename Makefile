# Every target is one command that also works where there is no make: python3 tools/bootstrap.py NAME
PYTHON ?= python3

.PHONY: run once sim test lint bench lock
run once sim test lint bench:
	@$(PYTHON) tools/bootstrap.py $@

lock:
	@tools/lock.sh
