"""Proof: texts are run or read back, Keras is asked, and answers are compared."""
