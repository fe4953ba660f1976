"""Benchmarks: everything that is compared runs in one go on one machine, and the result is a ratio.

`broker` is the other side and the stopwatch, `subjects` are the processes that are measured, and
`__main__` lets them take turns and prints the table.
"""
