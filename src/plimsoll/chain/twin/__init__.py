"""How do the contracts compute, in Python integers that agree with them to the last bit?"""
