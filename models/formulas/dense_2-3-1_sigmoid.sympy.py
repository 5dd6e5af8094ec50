# nn2eq 0.1.0: the network of 'dense_2-3-1_sigmoid.keras' as sympy, nested form
# function: predict
# sha256 of the model: f19d5bc935c976ed7ab50ad4852ef90412cb03d8dcec370cf7886e4f10ed0ade
# check: text and network agree (evaluated as sympy): worst error 5.5e-17 of 1.0e-12 allowed, 0.25 ulps, on 141 samples, at x = (0.16101, -0.585529)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 5.1e-07 of 5.3e-06 allowed, 4.3 ulps, on 141 samples, at x = (-0.535669, 0.361595)
from sympy import Add, exp, evaluate, symbols


def sigmoid(z):
    return 1 / (1 + exp(-z))


x1, x2 = inputs = symbols("x1 x2", real=True, seq=True)

with evaluate(False):
    y = sigmoid(Add(-12.84703540802002*sigmoid(Add(4.854632377624512*x1, 4.254420757293701*x2, -3.4923181533813477)), 12.487058639526367*sigmoid(Add(-1.637428641319275*x1, 6.564915180206299*x2, 3.3882157802581787)), -12.921754837036133*sigmoid(Add(-6.2808942794799805*x1, 2.1217401027679443*x2, -3.321322202682495)), -3.9092187881469727))
outputs = [y]
