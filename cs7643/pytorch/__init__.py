"""Problems 6.4 to 6.7: the experiments of 6.1 to 6.3 again in PyTorch, and then as good as it gets.

``models`` and ``steps`` are what you write. ``training`` is the loop around them, ``replication`` the proof that the
two worlds compute the same, and the rest is what a training program needs: images on the device, evaluation, several
processes, files, pictures, predictions.
"""
