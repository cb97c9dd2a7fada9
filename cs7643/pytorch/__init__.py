"""Problems 6.4 to 6.7: the experiments of 6.1 to 6.3 again in PyTorch, and then the best model you can train.

You write ``models`` and ``steps``. ``training`` is the loop around them, ``experiments`` compares its runs, and
``replication`` shows that NumPy and PyTorch compute the same. The rest is what a training program needs: settings,
networks, images on the device, evaluation, several processes, files, pictures, predictions.
"""
