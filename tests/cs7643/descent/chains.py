"""Proofs of problems 1 to 3 as chains: right ones, each on a way of its own, and wrong turns.

None of the right ones is the one in the notebook.
"""

RIGHT = {
    "1, the gap is a square": (
        "1",
        """
        let eta = 1/lam
        let p = w - eta*grad(w)
        model(z) - model(p)
            = dot(z - p, grad(w)) + lam/2*(norm(z - w)^2 - norm(p - w)^2)         # f(w) is in both
            = dot(z - p, grad(w)) + lam/2*dot(z - p, z + p - 2*w)                 # a^2 - b^2 = (a - b)(a + b)
            = dot(z - p, grad(w) + lam*(p - w)) + lam/2*dot(z - p, z - p)         # z + p - 2w = 2(p - w) + (z - p)
            = lam/2*norm(z - p)^2                                                 # the gradient is 0 at p
            >= 0                                                                  # a square
        """,
    ),
    "1, Cauchy and Schwarz": (
        "1",
        """
        let eta = 1/lam
        let r = norm(z - w)
        let g = norm(grad(w))
        model(z) >= f(w) - r*g + lam/2*r^2            # Cauchy and Schwarz
            = f(w) - g^2/(2*lam) + (lam*r - g)^2/(2*lam)      # a square of numbers
            >= f(w) - g^2/(2*lam)                     # it is not negative
            = model(w - eta*grad(w))                  # z put in
        """,
    ),
    "1, Young": (
        "1",
        """
        let eta = 1/lam
        dot(z - w, grad(w)) >= -lam/2*norm(z - w)^2 - norm(grad(w))^2/(2*lam)     # Young
        model(z) = f(w) + dot(z - w, grad(w)) + lam/2*norm(z - w)^2   # what it is
            >= f(w) - norm(grad(w))^2/(2*lam)                         # line 1
            = f(w) - eta*norm(grad(w))^2 + lam/2*norm(eta*grad(w))^2  # eta = 1/lam
            = model(w - eta*grad(w))                                  # what it is
        """,
    ),
    "1, a model that is convex lies above its tangent": (
        "1",
        """
        let eta = 1/lam
        let p = w - eta*grad(w)
        model(z) >= model(p) + dot(grad(w) + lam*(p - w), z - p)      # the gradient of the model at p
            = model(p) + dot(0*p, z - p)                              # it is zero there
            = model(p)                                                # so p is the minimum
        """,
    ),
    "2, from the gap": (
        "2",
        """
        let left = sum(dot(w[t] - w_star, v[t]) for t in 1..T)
        let right = norm(w_star)^2/(2*eta) + eta/2*sum(norm(v[t])^2 for t in 1..T)
        right - left = norm(w[T+1] - w_star)^2/(2*eta)         # by induction over T
            >= 0                                               # a square
        """,
    ),
    "2, unrolled to the end": (
        "2",
        """
        let S = sum(v[t] for t in 1..T)
        let Q = sum(norm(v[t])^2 for t in 1..T)
        sum(dot(w[t] - w_star, v[t]) for t in 1..T)
            = -eta*sum(dot(sum(v[s] for s in 1..t-1), v[t]) for t in 1..T) - dot(w_star, S)   # w[t] unrolled
            = -eta/2*(norm(S)^2 - Q) - dot(w_star, S)                           # each pair s < t stands twice in S^2
            = norm(w_star)^2/(2*eta) + eta/2*Q - norm(w_star + eta*S)^2/(2*eta) # the square completed
            <= norm(w_star)^2/(2*eta) + eta/2*Q                                 # a square left out
        """,
    ),
    "2, times 2 eta, from right to left": (
        "2",
        """
        norm(w_star)^2 + eta^2*sum(norm(v[t])^2 for t in 1..T)
            = norm(w[1] - w_star)^2 + sum(norm(w[t+1] - w[t])^2 for t in 1..T)          # w[1] = 0, and the steps
            >= norm(w[1] - w_star)^2 - norm(w[T+1] - w_star)^2 + sum(norm(w[t+1] - w[t])^2 for t in 1..T)  # a square
            = sum(norm(w[t] - w_star)^2 - norm(w[t+1] - w_star)^2 + norm(w[t+1] - w[t])^2 for t in 1..T)  # telescope
            = sum(2*dot(w[t] - w_star, w[t] - w[t+1]) for t in 1..T)                    # |a|^2 - |b|^2 + |a - b|^2
            = 2*eta*sum(dot(w[t] - w_star, v[t]) for t in 1..T)                         # the steps
        """,
    ),
    "2, by steps and what is left": (
        "2",
        """
        let E[t] = norm(w[t] - w_star)^2/(2*eta)
        dot(w[t] - w_star, v[t]) = E[t] - E[t+1] + eta/2*norm(v[t])^2    # the law of cosines
        E[T+1] >= 0                                                      # a square
        sum(dot(w[t] - w_star, v[t]) for t in 1..T) + E[T+1]
            = E[1] + sum(eta/2*norm(v[t])^2 for t in 1..T)               # line 1, summed
        sum(dot(w[t] - w_star, v[t]) for t in 1..T) <= E[1] + eta/2*sum(norm(v[t])^2 for t in 1..T)   # lines 2 and 3
            = norm(w_star)^2/(2*eta) + eta/2*sum(norm(v[t])^2 for t in 1..T)    # w[1] = 0
        """,
    ),
    "3, from right to left": (
        "3",
        """
        let g[t] = grad(w[t])
        B*rho/sqrt(T) = (B^2/eta + eta*T*rho^2)/(2*T)                                    # eta put in
            >= (norm(w_star)^2/eta + eta*sum(norm(g[t])^2 for t in 1..T))/(2*T)          # B and rho bound them
            >= sum(dot(w[t] - w_star, g[t]) for t in 1..T)/T                             # problem 2
            >= sum(f(w[t]) - f(w_star) for t in 1..T)/T                                  # below each tangent
            >= f(w_bar) - f(w_star)                                                      # Jensen
        """,
    ),
    "3, with the distance as a potential": (
        "3",
        """
        let D[t] = norm(w[t] - w_star)^2
        f(w[t]) - f(w_star) <= (D[t] - D[t+1] + eta^2*rho^2)/(2*eta)      # the square of a step, and convexity
        T*(f(w_bar) - f(w_star)) <= sum(f(w[t]) - f(w_star) for t in 1..T)   # Jensen
            <= sum((D[t] - D[t+1] + eta^2*rho^2)/(2*eta) for t in 1..T)      # line 1
            <= D[1]/(2*eta) + eta*T*rho^2/2                                  # the sum telescopes
            <= B^2/(2*eta) + eta*T*rho^2/2                                   # w[1] = 0
            = B*rho*sqrt(T)                                                  # eta put in
        """,
    ),
    "3, the tangents first, the mean later": (
        "3",
        """
        T*f(w_star) >= sum(f(w[t]) + dot(w_star - w[t], grad(w[t])) for t in 1..T)   # above each tangent
        f(w_bar) - f(w_star)
            <= sum(f(w[t]) for t in 1..T)/T - f(w_star)                              # Jensen
            <= sum(dot(w[t] - w_star, grad(w[t])) for t in 1..T)/T                   # line 1
            <= (B^2/eta + eta*T*rho^2)/(2*T)                                         # problem 2, and the constants
            = B*rho/(2*sqrt(T)) + B*rho/(2*sqrt(T))                                  # eta put in
            = B*rho/sqrt(T)                                                          # two halves
        """,
    ),
}

WRONG = {  # problem, chain, the line that breaks, and what the counterexample says
    "the norm for its square": (
        "1",
        """
        let eta = 1/lam
        model(z) = f(w) + dot(z - w, grad(w)) + lam/2*norm(z - w)      # what it is
            >= model(w - eta*grad(w))                                  # its gradient is 0 there
        """,
        1,
    ),
    "minus mu^2 for plus mu^2": (
        "1",
        """
        let eta = 1/lam
        let mu = 1/lam
        norm(z - w + mu*grad(w))^2 = norm(z - w)^2 + 2*mu*dot(z - w, grad(w)) - mu^2*norm(grad(w))^2  # expanded
        model(z) = f(w) + lam/2*norm(z - w + mu*grad(w))^2 + norm(grad(w))^2/(2*lam)    # line 1
        """,
        1,
    ),
    "plus mu grad f": (
        "1",
        """
        let eta = 1/lam
        let mu = 1/lam
        model(z) = f(w) + lam/2*norm(z - w - mu*grad(w))^2 - norm(grad(w))^2/(2*lam)    # the square completed
            >= model(w + mu*grad(w))                                                    # where the square is 0
        """,
        1,
    ),
    "the second term dropped": (
        "2",
        """
        norm(w[t+1] - w_star)^2 = norm(w[t] - w_star - eta*v[t])^2               # the step
            = norm(w[t] - w_star)^2 - 2*eta*dot(w[t] - w_star, v[t])             # expanded
        """,
        2,
    ),
    "w* written for w(t)": (
        "2",
        """
        norm(w[t+1] - w_star)^2 = norm(w_star - eta*v[t] - w_star)^2      # the step
            = eta^2*norm(v[t])^2                                          # w_star cancels
        """,
        1,
    ),
    "w* replaced by w(t+1)": (
        "2",
        """
        sum(dot(w[t] - w_star, v[t]) for t in 1..T) <= sum(dot(w[t] - w[t+1], v[t]) for t in 1..T)   # the best point
            = eta*sum(norm(v[t])^2 for t in 1..T)                                                    # the step
        """,
        1,
    ),
    "D_T for D_{T+1}": (
        "2",
        """
        let D[t] = norm(w[t] - w_star)^2
        dot(w[t] - w_star, v[t]) = (D[t] - D[t+1])/(2*eta) + eta/2*norm(v[t])^2     # one step
        sum(D[t] - D[t+1] for t in 1..T) = D[1] - D[T]                              # telescopes
        """,
        2,
    ),
    "the tangent as an equality": (
        "3",
        """
        f(w_star) = f(w[t]) + dot(w_star - w[t], grad(w[t]))          # convexity
        f(w_bar) - f(w_star) <= sum(dot(w[t] - w_star, grad(w[t])) for t in 1..T)/T    # summed
        """,
        1,
    ),
    "f of a mean as the mean of f": (
        "3",
        """
        f(w_bar) - f(w_star) = sum(f(w[t]) for t in 1..T)/T - f(w_star)     # w_bar is the mean
        """,
        1,
    ),
    "telescoping f": (
        "3",
        """
        sum(dot(w[t] - w_star, grad(w[t])) for t in 1..T)
            = sum(f(w[t]) - f(w[t+1]) for t in 1..T)              # the inner products are differences of f
            = f(w[1]) - f(w[T+1])                                 # telescopes
        """,
        1,
    ),
    "the last point for the average": ("3", "f(w[T+1]) - f(w_star) <= B*rho/sqrt(T)   # steps end low", 1),
    "a step that always descends": ("3", "f(w[t+1]) <= f(w[t])   # it is gradient descent", 1),
    "from w(0) on": ("2", "w[t] = w[t-1] - eta*v[t-1]   # the step before", 1),
}
