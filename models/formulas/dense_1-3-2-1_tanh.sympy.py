# nn2eq 0.1.0: the network of 'dense_1-3-2-1_tanh.keras' as sympy, nested form
# function: predict
# sha256 of the model: 84898855262800adadc6e10166e366886f1f3361d7befd7490af6a553eaf8123
# around the network: scale_input=minmax:-5:5:-1:1; scale_output=minmax:-7.94558:34.5892:-1:1
# check: text and network agree (evaluated as sympy): worst error 2.2e-16 of 1.0e-12 allowed, 0.97 ulps, on 141 samples, at x = (5.21257)
# check: Keras and network agree (keras 3.15.1, model loaded): worst error 2.1e-07 of 1.7e-06 allowed, 1.8 ulps, on 141 samples, at x = (-1.42274)
from sympy import Add, tanh, evaluate, symbols

(x,) = inputs = symbols("x", real=True, seq=True)

with evaluate(False):
    y = Add(-55.96154189319134*tanh(Add(-0.5650616884231567*tanh(Add(-0.23797636032104494*x, -1.1956781148910522)), -1.4166868925094604*tanh(Add(0.5981579780578613*x, 0.22000733017921448)), 1.3331025838851929*tanh(Add(-0.28721611499786376*x, 1.6863207817077637)), 0.4946933686733246)), -46.47618243302822*tanh(Add(-2.161128282546997*tanh(Add(-0.23797636032104494*x, -1.1956781148910522)), -0.6385015845298767*tanh(Add(0.5981579780578613*x, 0.22000733017921448)), -2.034799814224243*tanh(Add(-0.28721611499786376*x, 1.6863207817077637)), 0.2085404247045517)), 52.103035895879266)
outputs = [y]
