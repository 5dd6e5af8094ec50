# nn2eq 0.1.0: the network of 'dense_2-3-1_sigmoid.keras' as python, layered form
# function: predict
# sha256 of the model: f19d5bc935c976ed7ab50ad4852ef90412cb03d8dcec370cf7886e4f10ed0ade
# check: text and network agree (evaluated as python): worst error 3.7e-17 of 1.0e-12 allowed, 0.17 ulps, on 141 samples, at x = (-0.663535, -0.613418)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 5.1e-07 of 5.3e-06 allowed, 4.3 ulps, on 141 samples, at x = (-0.535669, 0.361595)
import math


def sigmoid(z):
    return math.exp(min(z, 0.0)) / (1.0 + math.exp(-abs(z)))


def predict(x):
    """Return y for the inputs x1, x2: x is a sequence of 2 numbers."""
    if len(x) != 2:
        raise ValueError(f"predict takes 2 numbers, not {len(x)}")
    x1, x2 = x
    # dense
    z1_1 = 4.854632377624512*x1 + 4.254420757293701*x2 - 3.4923181533813477
    z1_2 = -1.637428641319275*x1 + 6.564915180206299*x2 + 3.3882157802581787
    z1_3 = -6.2808942794799805*x1 + 2.1217401027679443*x2 - 3.321322202682495
    a1_1 = sigmoid(z1_1)
    a1_2 = sigmoid(z1_2)
    a1_3 = sigmoid(z1_3)
    # dense_1
    z2_1 = -12.84703540802002*a1_1 + 12.487058639526367*a1_2 - 12.921754837036133*a1_3 - 3.9092187881469727
    y = sigmoid(z2_1)
    return y
