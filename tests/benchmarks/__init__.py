"""How long a training step takes here, and elsewhere: `python -m tests.benchmarks --help`.

Every contestant does the same work from the same weights on the same data, in a process of its own. Nothing here
asserts a time; that all contestants compute the same thing is a test (test_contestants.py). The hand-written NumPy
listings, the functions called `numpy`, are also the shortest answer to "what does backpropagation do?".
"""
