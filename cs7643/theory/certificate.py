"""A certificate that the bound of problem 3 cannot be improved: its worst case, computed as a semidefinite program.

Performance estimation (Drori and Teboulle, 2014) finds the convex, rho-Lipschitz function on which T steps of gradient
descent perform worst. Only the values and subgradients at the visited points matter, and their inner products are the
unknowns of a semidefinite program. PEPit formulates it and a solver of CVXPY solves it.
"""

from __future__ import annotations

import importlib.util
import warnings

from cs7643.descent import rate_step_size

# The results of worst_case for (T, factor), with PEPit 0.5.1.
STORED = {
    (1, 1.0): 1.000000,
    (2, 1.0): 0.707108,
    (5, 1.0): 0.447218,
    (10, 1.0): 0.316228,
    (20, 1.0): 0.223606,
    (10, 0.125): 0.822116,
    (10, 0.25): 0.644246,
    (10, 0.5): 0.395285,
    (10, 2.0): 0.395285,
    (10, 4.0): 0.671984,
    (10, 8.0): 1.284675,
}
STORED_LAST = {1: 1.125000, 2: 0.908632, 5: 0.675280, 10: 0.532496, 20: 0.415536}  # of the last iterate, by T
ADVICE = "PEPit is not installed, so these are stored values. To compute them: %pip install PEPit, and run this again"


def worst_case(T: int, factor: float = 1.0, B: float = 1.0, rho: float = 1.0, *, last: bool = False) -> float:
    """Compute the largest f(average) - f(w*) over all convex, rho-Lipschitz f with ||w*|| at most B, in any dimension.

    Args:
        T: the number of steps. The program has a matrix of about T by T unknowns: T = 20 takes about a second.
        factor: the step size, as a multiple of that of problem 3.
        B: the distance of the minimiser from w(1).
        rho: the Lipschitz constant.
        last: look at the last iterate, w(T+1), in place of the average.

    Raises:
        ImportError: if PEPit, the optional extra ``theory``, is not installed.
    """
    from PEPit import PEP
    from PEPit.functions import ConvexLipschitzFunction

    eta = factor * rate_step_size(B, rho, T)
    problem = PEP()
    f = problem.declare_function(ConvexLipschitzFunction, M=rho)
    w_star = f.stationary_point()
    w = problem.set_initial_point()
    problem.set_initial_condition((w - w_star) ** 2 <= B**2)
    total = 0 * w
    for _ in range(T):
        total = total + w
        w = w - eta * f.subgradient(w)
    problem.set_performance_metric(f(w if last else total / T) - f(w_star))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(problem.solve(verbose=0))


def worst_cases() -> tuple[dict[tuple[int, float], float], str]:
    """Return the worst case for several (T, factor), with B = rho = 1, and a sentence on the source of the values."""
    if importlib.util.find_spec("PEPit") is None:
        return dict(STORED), ADVICE
    return {(T, factor): worst_case(T, factor) for T, factor in STORED}, "Computed just now by PEPit."


def worst_last_iterates() -> dict[int, float]:
    """Return the worst case of the last iterate for several T, with B = rho = 1 and the step size of problem 3."""
    if importlib.util.find_spec("PEPit") is None:
        return dict(STORED_LAST)
    return {T: worst_case(T, last=True) for T in STORED_LAST}
