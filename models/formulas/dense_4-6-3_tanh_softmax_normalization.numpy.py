# nn2eq 0.1.0: the network of 'dense_4-6-3_tanh_softmax_normalization.keras' as numpy, matrix form
# function: predict
# sha256 of the model: d2b78e8952b58415d2b5b8af97fc0829817a35d276223a4082d5302da91f4fa5
# check: text and network agree (evaluated as numpy): worst error 2.9e-16 of 1.0e-12 allowed, 1.3 ulps, on 141 samples, at x = (5.29229, 3.12825, 2.29637, 2.98143)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 4.1e-08 of 3.2e-07 allowed, 0.35 ulps, on 141 samples, at x = (0.0, 0.0, 0.0, 0.0)
import numpy as np


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def predict(x):
    """Return y1, y2, y3 for the inputs x1, x2, x3, x4: x is (n, 4) or (4,)."""
    x = np.asarray(x, dtype=np.float64)
    shape = x.shape
    if np.prod(shape[1:] or shape) != 4:
        raise ValueError(f"predict takes (n, 4) or (4,), not {shape}")
    x = x.reshape(-1, 4)
    # normalization, dense
    a1 = np.tanh(x @ W1 + b1)
    # dense_1
    y = softmax(a1 @ W2 + b2)
    return y if len(shape) > 1 else y[0]


W1 = np.array([
    [0.30025904285016913, -0.226991198101925, -0.3002586997972004, -0.22699108976940854, -0.3002590970164274, 0.3002588803513945],
    [-0.8645623281468454, -0.5552777776645309, 0.8645625339587893, -0.5552778462685122, 0.8645627397707333, -0.8645625339587893],
    [0.3275194174269387, 0.7925488119520628, -0.32751948518243207, 0.7925488119520628, -0.32751945130468535, 0.3275194174269387],
    [0.7084814023906425, 1.5587159051921964, -0.7084815593084354, 1.5587159051921964, -0.7084814808495389, 0.7084813239317461],
])
b1 = np.array([-0.7691970510471804, -3.4012856446908106, 0.769195128281442, -3.4012861871778632, 0.7691962708935782, -0.7691954675855917])
W2 = np.array([
    [-1.1416957, 0.72737205, 0.41432363],
    [-0.5090017, -1.5854369, 2.0944386],
    [1.1416955, -0.7273719, -0.41432363],
    [-0.5090014, -1.5854369, 2.0944383],
    [1.1416955, -0.72737193, -0.41432345],
    [-1.1416955, 0.72737193, 0.4143236],
], dtype=np.float32).astype(np.float64)
b2 = np.array([0.29997072, -0.4010045, 0.10103379], dtype=np.float32).astype(np.float64)
