# nn2eq 0.1.0: the network of 'dense_1-10-2-1_tanh.keras' as numpy, matrix form
# function: predict
# sha256 of the model: 536f62959e7c8f4adf82571a2fa1625fe0ef931fe2ca29af0da5d19eea826de0
# around the network: scale_input=minmax:-5:5:-1:1; scale_output=minmax:-7.94558:34.5892:-1:1
# check: text and network agree (evaluated as numpy): worst error 9.3e-16 of 1.0e-12 allowed, 4.2 ulps, on 141 samples, at x = (3.10509)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 5.1e-07 of 7.6e-06 allowed, 4.3 ulps, on 141 samples, at x = (-1.18412)
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
    [0.2858165979385376, 0.07031849622726441, 0.061342555284500125, 0.3451236248016358, -0.4290028095245362, -0.08119231462478638, -0.07272477149963379, -0.06873843669891358, -0.23975250720977784, 0.06706234216690064],
])
b1 = np.array([0.008836781606078148, 0.09446544945240021, 0.15641345083713531, 1.1006748676300049, 1.3695440292358398, -0.022376209497451782, -0.06278189271688461, -0.1006312370300293, 1.3123489618301392, 0.12641508877277374])
W2 = np.array([
    [-1.2322546, 0.33832717],
    [-0.28641665, 0.3655577],
    [-0.2510622, 0.39200613],
    [-0.54982954, -1.426906],
    [0.30348557, 1.1722499],
    [0.33152008, -0.39233282],
    [0.29926646, -0.38208488],
    [0.3096302, -0.4000521],
    [0.23754053, -1.4549316],
    [-0.28514132, 0.39427352],
], dtype=np.float32).astype(np.float64)
b2 = np.array([0.049473133, 0.89203596], dtype=np.float32).astype(np.float64)
W3 = np.array([
    [-11.620789874328374],
    [63.588056269204614],
])
b3 = np.array([15.044190982955993])
