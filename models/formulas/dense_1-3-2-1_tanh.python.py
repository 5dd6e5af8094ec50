# nn2eq 0.1.0: the network of 'dense_1-3-2-1_tanh.keras' as python, layered form
# function: predict
# sha256 of the model: 84898855262800adadc6e10166e366886f1f3361d7befd7490af6a553eaf8123
# around the network: scale_input=minmax:-5:5:-1:1; scale_output=minmax:-7.94558:34.5892:-1:1
# check: text and network agree (evaluated as python): worst error 3.0e-16 of 1.0e-12 allowed, 1.4 ulps, on 141 samples, at x = (-1.29286)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 2.1e-07 of 1.7e-06 allowed, 1.8 ulps, on 141 samples, at x = (-1.42274)
import math


def predict(x):
    """Return y for the input x: x is a number."""
    # scale_input, dense
    z1_1 = -0.23797636032104494*x - 1.1956781148910522
    z1_2 = 0.5981579780578613*x + 0.22000733017921448
    z1_3 = -0.28721611499786376*x + 1.6863207817077637
    a1_1 = math.tanh(z1_1)
    a1_2 = math.tanh(z1_2)
    a1_3 = math.tanh(z1_3)
    # dense_1
    z2_1 = -0.5650616884231567*a1_1 - 1.4166868925094604*a1_2 + 1.3331025838851929*a1_3 + 0.4946933686733246
    z2_2 = -2.161128282546997*a1_1 - 0.6385015845298767*a1_2 - 2.034799814224243*a1_3 + 0.2085404247045517
    a2_1 = math.tanh(z2_1)
    a2_2 = math.tanh(z2_2)
    # dense_2, scale_output
    y = -55.96154189319134*a2_1 - 46.47618243302822*a2_2 + 52.103035895879266
    return y
