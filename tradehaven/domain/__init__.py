"""The words the whole project shares: values, events, commands and the rules between them.

Standard library only. Nothing here reads a clock, a socket, a file of the user or a random number.
"""
