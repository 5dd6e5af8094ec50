# nn2eq 0.1.0: the network of 'dense_1-5-1_sigmoid.keras' as python, layered form
# function: predict
# sha256 of the model: 4dbad9c18c5e6c50c7d06ce6d7f268793666bf0c22b8ff7cf2dc57a074378214
# around the network: scale_input=standard:50.5:28.86607004772212; scale_output=standard:24.87506566:27.544589713674508
# check: text and network agree (evaluated as python): worst error 5.2e-16 of 1.0e-12 allowed, 2.4 ulps, on 141 samples, at x = (94.201)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 1.8e-07 of 3.0e-06 allowed, 1.5 ulps, on 141 samples, at x = (0.429864)
import math


def sigmoid(z):
    return math.exp(min(z, 0.0)) / (1.0 + math.exp(-abs(z)))


def predict(x):
    """Return p for the input T: x is a number."""
    T = x
    # scale_input, dense
    z1_1 = 0.0005639226777170866*T - 0.019090179270719074
    z1_2 = -0.01670201266723446*T + 0.4878148045970736
    z1_3 = -0.03519076861704071*T + 2.7971062587411835
    z1_4 = 0.09206289819682123*T - 10.078981637717549
    z1_5 = 0.05974527875484093*T - 5.103923085679648
    a1_1 = sigmoid(z1_1)
    a1_2 = sigmoid(z1_2)
    a1_3 = sigmoid(z1_3)
    a1_4 = sigmoid(z1_4)
    a1_5 = sigmoid(z1_5)
    # dense_1, scale_output
    p = -0.180742406860575*a1_1 + 12.68144004322359*a1_2 - 34.88993140806653*a1_3 + 130.28178570591254*a1_4 + 65.29024936213112*a1_5 + 25.33497230695665
    return p
