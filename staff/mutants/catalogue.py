"""All mutants, task by task."""

from staff.mutants import autodiff, descent, layers, network

MUTANTS = [*descent.MUTANTS, *autodiff.MUTANTS, *network.MUTANTS, *layers.MUTANTS]
