# nn2eq 0.1.0: the network of 'dense_1-3-1_relu_first.keras' as numpy, matrix form
# function: predict
# sha256 of the model: e003f6b03080d53ef753f8d4470ee6bf7f7a2e8e2f394e623b0981baa4b535f5
# check: text and network agree (evaluated as numpy): worst error 0.0e+00 of 1.0e-12 allowed, on 153 samples
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 7.7e-07 of 1.2e-05 allowed, 6.5 ulps, on 153 samples, at x = (0.258453)
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
b1 = np.array([2.0, 1.0, -1.0], dtype=np.float32).astype(np.float64)
W2 = np.array([
    [4.0],
    [-3.0],
    [3.0],
], dtype=np.float32).astype(np.float64)
b2 = np.array([-5.0], dtype=np.float32).astype(np.float64)
