"""The experiments of problems 1 to 4, with the functions that you write in descent.py.

``convex`` has functions to minimise, ``adversary`` attacks the regret inequality, ``certificate`` computes the worst
case of gradient descent over all convex functions, and ``noise`` has the closed forms of problem 4. ``proof`` tries
the lines of a proof of problems 1 to 3, and ``flawed`` has false ones; ``notation``, ``values``, ``instances``,
``trial`` and ``claims`` are their parts.
"""
