# nn2eq 0.1.0: the network of 'dense_1-5-1_sigmoid.keras' as sympy, nested form
# function: predict
# sha256 of the model: 4dbad9c18c5e6c50c7d06ce6d7f268793666bf0c22b8ff7cf2dc57a074378214
# around the network: scale_input=standard:50.5:28.86607004772212; scale_output=standard:24.87506566:27.544589713674508
# check: text and network agree (evaluated as sympy): worst error 4.3e-16 of 1.0e-12 allowed, 1.9 ulps, on 141 samples, at x = (102.506)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 1.8e-07 of 3.0e-06 allowed, 1.5 ulps, on 141 samples, at x = (0.429864)
from sympy import Add, exp, evaluate, symbols


def sigmoid(z):
    return 1 / (1 + exp(-z))


(T,) = inputs = symbols("T", real=True, seq=True)

with evaluate(False):
    p = Add(-0.180742406860575*sigmoid(Add(0.0005639226777170866*T, -0.019090179270719074)), 12.68144004322359*sigmoid(Add(-0.01670201266723446*T, 0.4878148045970736)), -34.88993140806653*sigmoid(Add(-0.03519076861704071*T, 2.7971062587411835)), 130.28178570591254*sigmoid(Add(0.09206289819682123*T, -10.078981637717549)), 65.29024936213112*sigmoid(Add(0.05974527875484093*T, -5.103923085679648)), 25.33497230695665)
outputs = [p]
