# nn2eq 0.1.0: the network of 'dense_1-3-3-1_relu.keras' as sympy, nested form
# function: predict
# sha256 of the model: 13d5cc7f9323822f545580a0d4e2091e2d1dca083c07bc6686477d77b2a2981b
# check: text and network agree (evaluated as sympy): worst error 1.7e-16 of 1.0e-12 allowed, 0.75 ulps, on 161 samples, at x = (-1.07436)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 9.2e-08 of 9.7e-07 allowed, 0.77 ulps, on 161 samples, at x = (0.781311)
from sympy import Add, Max, evaluate, symbols

(x,) = inputs = symbols("x", real=True, seq=True)

with evaluate(False):
    y = Add(1.75*Max(0, Add(2.0*Max(0, Add(-1.5*x, 0.75)), 0.5*Max(0, Add(1.0*x, -0.5)), -0.75*Max(0, Add(1.0*x, -1.25)), -0.25)), -1.0*Max(0, Add(-2.0*Max(0, Add(-1.5*x, 0.75)), -0.75*Max(0, Add(1.0*x, -0.5)), -2.0*Max(0, Add(1.0*x, -1.25)), 1.0)), 0.75*Max(0, Add(0.25*Max(0, Add(-1.5*x, 0.75)), -0.5*Max(0, Add(1.0*x, -0.5)), 1.5*Max(0, Add(1.0*x, -1.25)), 1.25)), -1.5)
outputs = [y]
