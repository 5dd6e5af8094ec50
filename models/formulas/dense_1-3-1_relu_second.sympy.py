# nn2eq 0.1.0: the network of 'dense_1-3-1_relu_second.keras' as sympy, nested form
# function: predict
# sha256 of the model: 7ac6f7d3ec7048ea6330ae63f38d9975565be4c2bd74df696fde6f0ba6b7ba4b
# check: text and network agree (evaluated as sympy): worst error 7.6e-17 of 1.0e-12 allowed, 0.34 ulps, on 153 samples, at x = (0.041326)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 2.4e-07 of 6.4e-06 allowed, 2 ulps, on 153 samples, at x = (0.12573)
from sympy import Add, Max, evaluate, symbols

(x,) = inputs = symbols("x", real=True, seq=True)

with evaluate(False):
    y = Add(2.0*Max(0, Add(1.0*x, 2.0)), -3.0*Max(0, 2.0*x), 4.0*Max(0, Add(2.0*x, -1.0)), -3.0)
outputs = [y]
