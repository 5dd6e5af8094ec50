# nn2eq 0.1.0: the network of 'dense_4-6-3_tanh_softmax_normalization.keras' as python, layered form
# function: predict
# sha256 of the model: d2b78e8952b58415d2b5b8af97fc0829817a35d276223a4082d5302da91f4fa5
# check: text and network agree (evaluated as python): worst error 2.9e-16 of 1.0e-12 allowed, 1.3 ulps, on 141 samples, at x = (6.73287, 2.65009, 7.19099, 0.518249)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 1.1e-07 of 6.8e-07 allowed, 0.96 ulps, on 141 samples, at x = (6.46163, 3.51777, 5.11238, 2.71834)
import math


def softmax(z):
    largest = max(z)
    total = sum(math.exp(z_k - largest) for z_k in z)
    return [math.exp(z_i - largest) / total for z_i in z]


def predict(x):
    """Return y1, y2, y3, as a list, for the inputs x1, x2, x3, x4: x is a sequence of 4 numbers."""
    if len(x) != 4:
        raise ValueError(f"predict takes 4 numbers, not {len(x)}")
    x1, x2, x3, x4 = x
    # normalization, dense
    z1_1 = 0.30025904285016913*x1 - 0.8645623281468454*x2 + 0.3275194174269387*x3 + 0.7084814023906425*x4 - 0.7691970510471804
    z1_2 = -0.226991198101925*x1 - 0.5552777776645309*x2 + 0.7925488119520628*x3 + 1.5587159051921964*x4 - 3.4012856446908106
    z1_3 = -0.3002586997972004*x1 + 0.8645625339587893*x2 - 0.32751948518243207*x3 - 0.7084815593084354*x4 + 0.769195128281442
    z1_4 = -0.22699108976940854*x1 - 0.5552778462685122*x2 + 0.7925488119520628*x3 + 1.5587159051921964*x4 - 3.4012861871778632
    z1_5 = -0.3002590970164274*x1 + 0.8645627397707333*x2 - 0.32751945130468535*x3 - 0.7084814808495389*x4 + 0.7691962708935782
    z1_6 = 0.3002588803513945*x1 - 0.8645625339587893*x2 + 0.3275194174269387*x3 + 0.7084813239317461*x4 - 0.7691954675855917
    a1_1 = math.tanh(z1_1)
    a1_2 = math.tanh(z1_2)
    a1_3 = math.tanh(z1_3)
    a1_4 = math.tanh(z1_4)
    a1_5 = math.tanh(z1_5)
    a1_6 = math.tanh(z1_6)
    # dense_1
    z2_1 = -1.1416957378387451*a1_1 - 0.5090016722679138*a1_2 + 1.141695499420166*a1_3 - 0.5090013742446899*a1_4 + 1.141695499420166*a1_5 - 1.141695499420166*a1_6 + 0.29997071623802185
    z2_2 = 0.7273720502853394*a1_1 - 1.5854369401931763*a1_2 - 0.727371871471405*a1_3 - 1.5854369401931763*a1_4 - 0.7273719310760498*a1_5 + 0.7273719310760498*a1_6 - 0.40100449323654175
    z2_3 = 0.414323627948761*a1_1 + 2.0944385528564453*a1_2 - 0.414323627948761*a1_3 + 2.094438314437866*a1_4 - 0.41432344913482666*a1_5 + 0.4143235981464386*a1_6 + 0.10103379189968109
    y1, y2, y3 = softmax([z2_1, z2_2, z2_3])
    return [y1, y2, y3]
