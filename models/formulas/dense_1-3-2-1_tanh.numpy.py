# nn2eq 0.1.0: the network of 'dense_1-3-2-1_tanh.keras' as numpy, matrix form
# function: predict
# sha256 of the model: 84898855262800adadc6e10166e366886f1f3361d7befd7490af6a553eaf8123
# around the network: scale_input=minmax:-5:5:-1:1; scale_output=minmax:-7.94558:34.5892:-1:1
# check: text and network agree (evaluated as numpy): worst error 2.2e-16 of 1.0e-12 allowed, 0.98 ulps, on 141 samples, at x = (5.82432)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 2.1e-07 of 1.7e-06 allowed, 1.8 ulps, on 141 samples, at x = (-1.42274)
import numpy as np


def predict(x):
    """Return y for the input x: x is a number, (n,) or (n, 1)."""
    x = np.asarray(x, dtype=np.float64)
    shape = x.shape
    if np.prod(shape[1:]) != 1:
        raise ValueError(f"predict takes a number, (n,) or (n, 1), not {shape}")
    x = x.reshape(-1, 1)
    # scale_input, dense
    a1 = np.tanh(x @ W1 + b1)
    # dense_1
    a2 = np.tanh(a1 @ W2 + b2)
    # dense_2, scale_output
    y = a2 @ W3 + b3
    return y if len(shape) > 1 else y.reshape(shape)[()]


W1 = np.array([
    [-0.23797636032104494, 0.5981579780578613, -0.28721611499786376],
])
b1 = np.array([-1.1956781148910522, 0.22000733017921448, 1.6863207817077637])
W2 = np.array([
    [-0.5650617, -2.1611283],
    [-1.4166869, -0.6385016],
    [1.3331026, -2.0347998],
], dtype=np.float32).astype(np.float64)
b2 = np.array([0.49469337, 0.20854042], dtype=np.float32).astype(np.float64)
W3 = np.array([
    [-55.96154189319134],
    [-46.47618243302822],
])
b3 = np.array([52.103035895879266])
