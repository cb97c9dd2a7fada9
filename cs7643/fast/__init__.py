"""Fast versions of the layers of problem 6: matrix products, threads, memory, and what limits the speed."""
