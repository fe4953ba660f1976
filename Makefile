PYTHON ?= python3

.PHONY: run test check bench drill mutants format lock clean

run:     ; @exec $(PYTHON) -m launcher run
test:    ; @exec $(PYTHON) -m launcher test
check:   ; @exec $(PYTHON) -m launcher check
bench:   ; @exec $(PYTHON) -m launcher bench
drill:   ; @exec $(PYTHON) -m launcher drill
mutants: ; @exec $(PYTHON) -m launcher mutants
format:  ; @.venv/bin/ruff format . && .venv/bin/ruff check --fix . && .venv/bin/djlint templates --reformat --quiet
clean:   ; rm -rf .venv .data node_modules staticfiles

# New versions: edit requirements/*.in, then this. Made for the lowest patch level that Debian ships.
LOCK = uv pip compile --quiet --generate-hashes --python-version 3.11.2 --python-platform linux --no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock:
	$(LOCK) requirements/production.in -o requirements.txt
	$(LOCK) requirements/embedded.in -o requirements/embedded.txt
	$(LOCK) requirements/dev.in -o requirements/dev.txt
	$(LOCK) requirements/node.in -o requirements/node.txt
	npm install --package-lock-only
