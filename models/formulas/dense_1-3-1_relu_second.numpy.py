# nn2eq 0.1.0: the network of 'dense_1-3-1_relu_second.keras' as numpy, matrix form
# function: predict
# sha256 of the model: 7ac6f7d3ec7048ea6330ae63f38d9975565be4c2bd74df696fde6f0ba6b7ba4b
# check: text and network agree (evaluated as numpy): worst error 0.0e+00 of 1.0e-12 allowed, on 153 samples
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 2.4e-07 of 6.4e-06 allowed, 2 ulps, on 153 samples, at x = (0.12573)
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
    y = a1 @ W2 + b2
    return y if len(shape) > 1 else y.reshape(shape)[()]


W1 = np.array([
    [1.0, 2.0, 2.0],
], dtype=np.float32).astype(np.float64)
b1 = np.array([2.0, 0.0, -1.0], dtype=np.float32).astype(np.float64)
W2 = np.array([
    [2.0],
    [-3.0],
    [4.0],
], dtype=np.float32).astype(np.float64)
b2 = np.array([-3.0], dtype=np.float32).astype(np.float64)
