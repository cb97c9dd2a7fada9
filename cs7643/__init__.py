"""CS7643 Deep Learning, Homework 1: what a student reads and completes, and what "right" means for each task."""

__version__ = "1.0.0"
