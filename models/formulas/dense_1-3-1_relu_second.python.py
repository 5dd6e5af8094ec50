# nn2eq 0.1.0: the network of 'dense_1-3-1_relu_second.keras' as python, layered form
# function: predict
# sha256 of the model: 7ac6f7d3ec7048ea6330ae63f38d9975565be4c2bd74df696fde6f0ba6b7ba4b
# check: text and network agree (evaluated as python): worst error 0.0e+00 of 1.0e-12 allowed, on 153 samples
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 2.4e-07 of 6.4e-06 allowed, 2 ulps, on 153 samples, at x = (0.12573)
import math


def predict(x):
    """Return y for the input x: x is a number."""
    # dense
    z1_1 = 1.0*x + 2.0
    z1_2 = 2.0*x
    z1_3 = 2.0*x - 1.0
    a1_1 = max(0.0, z1_1)
    a1_2 = max(0.0, z1_2)
    a1_3 = max(0.0, z1_3)
    # dense_1
    y = 2.0*a1_1 - 3.0*a1_2 + 4.0*a1_3 - 3.0
    return y
