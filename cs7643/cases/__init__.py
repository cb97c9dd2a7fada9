"""What "right" means for each task, and what the usual mistakes look like.

A case hands seeded inputs to a function and compares what comes back with an oracle: finite differences, the given fast
layers, a closed form, or a stored fact. Never with another implementation of the task.
"""
