"""What `make run` shows a newcomer: an owner with paper logins, a running group and a leader that trades.

It uses the same doors as a person would: the consent page, the services behind the pages, the exchange's
REST. Deleting the demo is deleting this folder and its command.
"""
