"""All mutants: of the homework's own solution, task by task, and of the second solutions, style by style."""

from dataclasses import replace

from staff.mutants import autodiff, descent, layers, network, pytorch
from staff.second.flat.mutants import MUTANTS as FLAT
from staff.second.textbook.mutants import MUTANTS as TEXTBOOK
from staff.second.vectorised.mutants import MUTANTS as VECTORISED

MUTANTS = [*descent.MUTANTS, *autodiff.MUTANTS, *network.MUTANTS, *layers.MUTANTS, *pytorch.MUTANTS]
STYLES = {"textbook": TEXTBOOK, "flat": FLAT, "vectorised": VECTORISED}
SECOND = [replace(mutant, style=style) for style, mutants in STYLES.items() for mutant in mutants]
