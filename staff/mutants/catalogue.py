"""All mutants, task by task."""

from staff.mutants import autodiff, descent, layers, network, pytorch

MUTANTS = [*descent.MUTANTS, *autodiff.MUTANTS, *network.MUTANTS, *layers.MUTANTS, *pytorch.MUTANTS]
