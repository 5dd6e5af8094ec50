# nn2eq 0.1.0: the network of 'dense_1-3-1_relu_first.keras' as python, layered form
# function: predict
# sha256 of the model: e003f6b03080d53ef753f8d4470ee6bf7f7a2e8e2f394e623b0981baa4b535f5
# check: text and network agree (evaluated as python): worst error 0.0e+00 of 1.0e-12 allowed, on 153 samples
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 7.7e-07 of 1.2e-05 allowed, 6.5 ulps, on 153 samples, at x = (0.258453)
import math


def predict(x):
    """Return y for the input x: x is a number."""
    # dense
    z1_1 = 1.0*x + 2.0
    z1_2 = 2.0*x + 1.0
    z1_3 = 2.0*x - 1.0
    a1_1 = max(0.0, z1_1)
    a1_2 = max(0.0, z1_2)
    a1_3 = max(0.0, z1_3)
    # dense_1
    y = 4.0*a1_1 - 3.0*a1_2 + 3.0*a1_3 - 5.0
    return y
