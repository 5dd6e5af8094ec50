# nn2eq 0.1.0: the network of 'dense_1-3-1_relu_first.keras' as sympy, nested form
# function: predict
# sha256 of the model: e003f6b03080d53ef753f8d4470ee6bf7f7a2e8e2f394e623b0981baa4b535f5
# check: text and network agree (evaluated as sympy): worst error 8.4e-17 of 1.0e-12 allowed, 0.38 ulps, on 153 samples, at x = (0.041326)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 7.7e-07 of 1.2e-05 allowed, 6.5 ulps, on 153 samples, at x = (0.258453)
from sympy import Add, Max, evaluate, symbols

(x,) = inputs = symbols("x", real=True, seq=True)

with evaluate(False):
    y = Add(4.0*Max(0, Add(1.0*x, 2.0)), -3.0*Max(0, Add(2.0*x, 1.0)), 3.0*Max(0, Add(2.0*x, -1.0)), -5.0)
outputs = [y]
