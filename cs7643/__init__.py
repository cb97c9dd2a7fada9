"""CS7643 Deep Learning, Homework 1: the helpers that the notebooks import and the code that a student completes."""

__version__ = "1.0.0"
