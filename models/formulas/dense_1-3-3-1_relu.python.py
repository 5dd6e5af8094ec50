# nn2eq 0.1.0: the network of 'dense_1-3-3-1_relu.keras' as python, layered form
# function: predict
# sha256 of the model: 13d5cc7f9323822f545580a0d4e2091e2d1dca083c07bc6686477d77b2a2981b
# check: text and network agree (evaluated as python): worst error 1.6e-16 of 1.0e-12 allowed, 0.7 ulps, on 161 samples, at x = (-0.164295)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 9.2e-08 of 9.7e-07 allowed, 0.77 ulps, on 161 samples, at x = (0.781311)
import math


def predict(x):
    """Return y for the input x: x is a number."""
    # dense
    z1_1 = -1.5*x + 0.75
    z1_2 = 1.0*x - 0.5
    z1_3 = 1.0*x - 1.25
    a1_1 = max(0.0, z1_1)
    a1_2 = max(0.0, z1_2)
    a1_3 = max(0.0, z1_3)
    # dense_1
    z2_1 = 2.0*a1_1 + 0.5*a1_2 - 0.75*a1_3 - 0.25
    z2_2 = -2.0*a1_1 - 0.75*a1_2 - 2.0*a1_3 + 1.0
    z2_3 = 0.25*a1_1 - 0.5*a1_2 + 1.5*a1_3 + 1.25
    a2_1 = max(0.0, z2_1)
    a2_2 = max(0.0, z2_2)
    a2_3 = max(0.0, z2_3)
    # dense_2
    y = 1.75*a2_1 - 1.0*a2_2 + 0.75*a2_3 - 1.5
    return y
