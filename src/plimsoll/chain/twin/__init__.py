"""What would the contracts do, told in Python integers: same names, same order, same rounding?"""
