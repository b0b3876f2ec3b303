# Every target is one command that also works where there is no make: python3 tools/bootstrap.py NAME
PYTHON ?= python3

.PHONY: run once sim test lint bench crashes mutants lock
run once test lint mutants:
	@$(PYTHON) tools/bootstrap.py $@

# Alone: the next 60 days of this project. With SEEDS=200: so many invented worlds, with faults.
sim:
	@$(PYTHON) tools/bootstrap.py $(if $(SEEDS),worlds --seeds $(SEEDS),sim)

# All measurements, or some: `make bench PARTS="mailing idle"`, `make bench PARTS="mailing --quick"`.
bench:
	@$(PYTHON) tools/bootstrap.py bench $(PARTS)

# A hundred on each database, or as many as said: `make crashes KILLS=15 SEED=7`.
crashes:
	@KILLS=$(or $(KILLS),100) SEED=$(or $(SEED),1) $(PYTHON) tools/bootstrap.py crashes

lock:
	@tools/lock.sh
