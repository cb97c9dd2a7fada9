"""The layers of problem 6 once more, fast: matrix products, threads, memory, and what bounds the speed."""
