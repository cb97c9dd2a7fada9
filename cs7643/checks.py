"""What "right" means for each task, and what the usual mistakes look like.

``check("6.2")`` or ``check("conv_backward_naive")`` runs the cases of a task or of one function and shows what came of
it; ``hint("conv_backward_naive")`` gives the first of three hints; ``todo(4)`` tells what is left to do in notebook 4.
A case hands seeded inputs to the function and compares what comes back with an oracle: finite differences, the given
fast layers, a closed form, or a stored fact. Never with another implementation of the task. The function runs in a
process of its own.
"""

from coursework.check.hints import hint
from coursework.check.report import check
from coursework.check.todo import todo

__all__ = ["check", "hint", "todo"]
