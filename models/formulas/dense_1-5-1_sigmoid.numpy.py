# nn2eq 0.1.0: the network of 'dense_1-5-1_sigmoid.keras' as numpy, matrix form
# function: predict
# sha256 of the model: 4dbad9c18c5e6c50c7d06ce6d7f268793666bf0c22b8ff7cf2dc57a074378214
# around the network: scale_input=standard:50.5:28.86607004772212; scale_output=standard:24.87506566:27.544589713674508
# check: text and network agree (evaluated as numpy): worst error 5.2e-16 of 1.0e-12 allowed, 2.4 ulps, on 141 samples, at x = (94.201)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 1.8e-07 of 3.0e-06 allowed, 1.5 ulps, on 141 samples, at x = (0.429864)
import numpy as np


def sigmoid(z):
    return np.exp(np.minimum(z, 0.0)) / (1.0 + np.exp(-np.abs(z)))


def predict(x):
    """Return p for the input T: x is a number, (n,) or (n, 1)."""
    x = np.asarray(x, dtype=np.float64)
    shape = x.shape
    if np.prod(shape[1:]) != 1:
        raise ValueError(f"predict takes a number, (n,) or (n, 1), not {shape}")
    x = x.reshape(-1, 1)
    # scale_input, dense
    a1 = sigmoid(x @ W1 + b1)
    # dense_1, scale_output
    y = a1 @ W2 + b2
    return y if len(shape) > 1 else y.reshape(shape)[()]


W1 = np.array([
    [0.0005639226777170866, -0.01670201266723446, -0.03519076861704071, 0.09206289819682123, 0.05974527875484093],
])
b1 = np.array([-0.019090179270719074, 0.4878148045970736, 2.7971062587411835, -10.078981637717549, -5.103923085679648])
W2 = np.array([
    [-0.180742406860575],
    [12.68144004322359],
    [-34.88993140806653],
    [130.28178570591254],
    [65.29024936213112],
])
b2 = np.array([25.33497230695665])
