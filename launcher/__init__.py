"""What `make run` and `make test` start: environment, data services, processes.

It runs on a bare Python 3.11 until the environment exists, so `bootstrap` and what it imports use the
standard library only. Nothing in the Django apps knows of it: they see addresses in the environment.
"""
