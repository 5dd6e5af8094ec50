# nn2eq 0.1.0: the network of 'dense_2-3-1_sigmoid.keras' as numpy, matrix form
# function: predict
# sha256 of the model: f19d5bc935c976ed7ab50ad4852ef90412cb03d8dcec370cf7886e4f10ed0ade
# check: text and network agree (evaluated as numpy): worst error 0.0e+00 of 1.0e-12 allowed, on 141 samples
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 5.1e-07 of 5.3e-06 allowed, 4.3 ulps, on 141 samples, at x = (-0.535669, 0.361595)
import numpy as np


def sigmoid(z):
    return np.exp(np.minimum(z, 0.0)) / (1.0 + np.exp(-np.abs(z)))


def predict(x):
    """Return y for the inputs x1, x2: x is (n, 2) or (2,)."""
    x = np.asarray(x, dtype=np.float64)
    shape = x.shape
    if np.prod(shape[1:] or shape) != 2:
        raise ValueError(f"predict takes (n, 2) or (2,), not {shape}")
    x = x.reshape(-1, 2)
    # dense
    a1 = sigmoid(x @ W1 + b1)
    # dense_1
    y = sigmoid(a1 @ W2 + b2)
    return y if len(shape) > 1 else y[0]


W1 = np.array([
    [4.8546324, -1.6374286, -6.2808943],
    [4.2544208, 6.564915, 2.12174],
], dtype=np.float32).astype(np.float64)
b1 = np.array([-3.4923182, 3.3882158, -3.3213222], dtype=np.float32).astype(np.float64)
W2 = np.array([
    [-12.847035],
    [12.487059],
    [-12.921755],
], dtype=np.float32).astype(np.float64)
b2 = np.array([-3.9092188], dtype=np.float32).astype(np.float64)
