"""Differentiation in three ways: numerical, forward mode with dual numbers, and reverse mode with a tape.

Read ``primitives`` first: the table of operations, each with its value, its forward rule and its backward rule.
"""

from cs7643.autodiff.forward import Dual, forward_jacobian, jvp
from cs7643.autodiff.functions import f1, f1_as_typeset, f2
from cs7643.autodiff.numerical import numerical_jacobian
from cs7643.autodiff.operators import plain
from cs7643.autodiff.primitives import (
    absolute,
    cos,
    exp,
    log,
    maximum,
    mean,
    minimum,
    sigmoid,
    sin,
    sqrt,
    stack,
    tanh,
    where,
)
from cs7643.autodiff.reverse import (
    Tape,
    Variable,
    backward_jacobian,
    gradient,
    hessian,
    hvp,
    variables,
    vjp,
)
