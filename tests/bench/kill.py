"""`python -m tests.bench.kill`: how long the kill switch takes, beside its floor; readies Django for it."""

import sys
from importlib import import_module

import django

if __name__ == "__main__":
    django.setup()
    sys.exit(import_module("tests.bench.switch").main())
