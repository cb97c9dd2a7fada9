"""The classifiers of problem 6, as compositions of layers.

A model is a dictionary of arrays W1, b1, W2, b2. A classifier is a function ``net(X, model, y=None, reg=0.0)``: without
labels it returns the scores (N, C), with labels the loss and a dictionary of its gradients, one for each array.
"""
