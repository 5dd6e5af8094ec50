# nn2eq 0.1.0: the network of 'dense_1-3-3-1_relu.keras' as numpy, matrix form
# function: predict
# sha256 of the model: 13d5cc7f9323822f545580a0d4e2091e2d1dca083c07bc6686477d77b2a2981b
# check: text and network agree (evaluated as numpy): worst error 0.0e+00 of 1.0e-12 allowed, on 161 samples
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 9.2e-08 of 9.7e-07 allowed, 0.77 ulps, on 161 samples, at x = (0.781311)
import numpy as np


def predict(x):
    """Return y for the input x: x is a number, (n,) or (n, 1)."""
    x = np.asarray(x, dtype=np.float64)
    shape = x.shape
    if np.prod(shape[1:]) != 1:
        raise ValueError(f"predict takes a number, (n,) or (n, 1), not {shape}")
    x = x.reshape(-1, 1)
    # dense
    a1 = np.maximum(0.0, x @ W1 + b1)
    # dense_1
    a2 = np.maximum(0.0, a1 @ W2 + b2)
    # dense_2
    y = a2 @ W3 + b3
    return y if len(shape) > 1 else y.reshape(shape)[()]


W1 = np.array([
    [-1.5, 1.0, 1.0],
], dtype=np.float32).astype(np.float64)
b1 = np.array([0.75, -0.5, -1.25], dtype=np.float32).astype(np.float64)
W2 = np.array([
    [2.0, -2.0, 0.25],
    [0.5, -0.75, -0.5],
    [-0.75, -2.0, 1.5],
], dtype=np.float32).astype(np.float64)
b2 = np.array([-0.25, 1.0, 1.25], dtype=np.float32).astype(np.float64)
W3 = np.array([
    [1.75],
    [-1.0],
    [0.75],
], dtype=np.float32).astype(np.float64)
b3 = np.array([-1.5], dtype=np.float32).astype(np.float64)
