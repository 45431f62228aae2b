"""What can a program use of Plimsoll, the margin calibration engine?

Names are imported when they are first used, so that ``import plimsoll`` costs next to nothing.
"""
